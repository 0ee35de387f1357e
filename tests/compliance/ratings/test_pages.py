"""The provider's pages of its rating, and the desk of operations."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.models import RatingRun, RunState, ScoreDispute, ServedShop
from compliance.quarters import Quarter
from compliance.ratings import disputes
from tests.compliance.ratings.conftest import final, punish, score_all
from tests.compliance.ratings.test_publication import strong
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

Rate = Callable[[Quarter], RatingRun]
Serve = Callable[..., ServedShop]


@pytest.fixture
def lived(provider: Application, quarter: Quarter, serve: Serve) -> Application:
    strong(provider, serve, quarter)
    punish(provider, quarter.begins_at)
    final(provider, quarter.begins_at, quarter.begins_at + (quarter.ends_at - quarter.begins_at) / 2)
    return provider


@pytest.fixture
def mine(merchant: User, client: Client) -> Client:
    client.force_login(merchant)
    return client


def page_of(client: Client, application: Application, **query: str) -> str:
    return client.get(reverse("ratings:rating", args=[application.number]), query).content.decode()


# The provider --------------------------------------------------------------------------------------


def test_before_the_first_publication_it_is_not_rated(
    provider: Application, mine: Client, rate: Rate, quarter: Quarter
) -> None:
    rate(quarter)
    assert "未评级" in page_of(mine, provider)
    assert "未评级" in mine.get(reverse("compliance:directory")).content.decode()


def test_every_input_with_its_points_its_source_and_what_is_missing(
    lived: Application, mine: Client, publish: Rate, quarter: Quarter
) -> None:
    score = publish(quarter).scores.get()
    complaint = score.inputs["upheld_complaints"]["of"][0]

    shown = page_of(mine, lived)

    for words in (
        "硬件能力",
        "运营能力",
        "服务质量",
        "客服席位",
        str(score.score),
        complaint,
        "延迟发货",
        "的差距",
    ):
        assert words in shown
    assert reverse("ratings:dispute", args=[lived.number, score.pk, "seats"]) in shown


def test_the_page_takes_the_same_queries_for_many_quarters(
    lived: Application, mine: Client, publish: Rate, quarter: Quarter
) -> None:
    publish(quarter)
    with CaptureQueriesContext(connection) as of_one:
        page_of(mine, lived)
    publish(quarter.next)
    with CaptureQueriesContext(connection) as of_two:
        shown = page_of(mine, lived)

    assert len(of_one) == len(of_two)
    assert "<polyline" in shown
    assert str(quarter) in page_of(mine, lived, quarter=str(quarter))


def test_a_quarter_without_a_score_of_it_is_not_found(lived: Application, mine: Client) -> None:
    assert mine.get(reverse("ratings:rating", args=[lived.number]), {"quarter": "2019Q1"}).status_code == 404


def test_below_the_lowest_level_is_said(
    provider: Application, mine: Client, publish: Rate, quarter: Quarter
) -> None:
    publish(quarter)
    assert "未达标" in page_of(mine, provider)
    listed = mine.get(reverse("compliance:directory"), {"stars": "0"}).content.decode()
    assert provider.company_name in listed
    assert "未达标" in listed
    assert str(quarter) in mine.get(reverse("compliance:provider", args=[provider.number])).content.decode()


def test_a_dispute_is_handed_in_and_shown(
    lived: Application, mine: Client, publish: Rate, quarter: Quarter, ops: User
) -> None:
    score = publish(quarter).scores.get()
    url = reverse("ratings:dispute", args=[lived.number, score.pk, "seats"])
    assert mine.post(url, {"text": " "}).status_code == 422

    assert mine.post(url, {"text": "席位为 300"}).status_code == 302

    dispute = ScoreDispute.objects.get()
    assert "已提出异议" in page_of(mine, lived)
    again = mine.post(url, {"text": "再次提出"})
    assert again.status_code == 409
    assert "再次提出" in again.content.decode()
    disputes.uphold(dispute.pk, actor=ops, corrected=Decimal(1), reason="核对后更正")
    shown = page_of(mine, lived)
    assert "核对后更正" in shown
    assert "原发布" in shown


def test_another_companys_score_does_not_exist(
    lived: Application, publish: Rate, quarter: Quarter, stranger: User, client: Client
) -> None:
    score = publish(quarter).scores.get()
    client.force_login(stranger)
    for url in (
        reverse("ratings:rating", args=[lived.number]),
        reverse("ratings:dispute", args=[lived.number, score.pk, "seats"]),
    ):
        assert client.get(url).status_code == 404
        assert client.post(url, {"text": "x"}).status_code in (404, 405)
    assert lived.company_name not in client.get(reverse("ratings:list")).content.decode()


# The desk ------------------------------------------------------------------------------------------


def test_operations_begin_watch_and_publish(lived: Application, quarter: Quarter, ops: User) -> None:
    desk = staff_client(ops)
    begun = desk.post(reverse("admin:compliance_ratingrun_begin"), {"period": str(quarter)})
    run = RatingRun.objects.get()
    url = reverse("admin:compliance_ratingrun_change", args=[run.pk])
    assert begun["Location"] == url
    assert 'http-equiv="refresh"' in desk.get(url).content.decode()
    score_all(run)
    assert 'http-equiv="refresh"' not in desk.get(url).content.decode()

    step = reverse("admin:compliance_ratingrun_publish", args=[run.pk])
    assert "1 家首次评定" in desk.get(step).content.decode()
    run.refresh_from_db()
    assert run.state == RunState.SCORED  # GET says what happens, and does nothing
    desk.post(step, {"seen": "scored"})

    run.refresh_from_db()
    assert run.state == RunState.PUBLISHED
    assert "待发布的评定" not in desk.get(reverse("admin:index")).content.decode()


def test_the_auditor_reads_and_decides_nothing(
    lived: Application, quarter: Quarter, rate: Rate, auditor: User
) -> None:
    run = rate(quarter)
    desk = staff_client(auditor)
    assert desk.get(reverse("admin:compliance_ratingrun_change", args=[run.pk])).status_code == 200
    assert desk.get(reverse("admin:compliance_score_change", args=[run.scores.get().pk])).status_code == 200
    for name in ("publish", "cancel"):
        url = reverse(f"admin:compliance_ratingrun_{name}", args=[run.pk])
        assert desk.post(url, {"seen": "scored"}).status_code == 403
    for name in ("begin", "preview"):
        assert desk.get(reverse(f"admin:compliance_ratingrun_{name}")).status_code == 403
    run.refresh_from_db()
    assert run.state == RunState.SCORED


def test_a_rule_is_tried_and_its_effect_shown(
    lived: Application, quarter: Quarter, publish: Rate, ops: User, rule_value: dict[str, Any]
) -> None:
    publish(quarter)
    desk = staff_client(ops)
    url = reverse("admin:compliance_ratingrun_preview")
    assert "closes_days" in desk.get(url).content.decode()

    broken = desk.post(url, {"period": str(quarter), "value": '{"weights": '})
    assert broken.status_code == 422
    assert "第 1 行" in broken.content.decode()
    wrong = desk.post(url, {"period": str(quarter), "value": json.dumps(rule_value | {"levels": []})})
    assert "levels: " in wrong.content.decode()

    rule_value["levels"] = [{"stars": stars, "gmv": 0, "score": 0} for stars in (3, 4, 5, 6)]
    desk.post(url, {"period": str(quarter), "value": json.dumps(rule_value)})
    run = score_all(RatingRun.objects.get(is_preview=True))
    shown = desk.get(reverse("admin:compliance_ratingrun_change", args=[run.pk]))

    highest = shown.context["outcome"].shifts[0]
    assert (highest.level, highest.then) == (6, 1)
    assert lived.company_name in shown.content.decode()
    refused = desk.post(reverse("admin:compliance_ratingrun_publish", args=[run.pk]), {"seen": "scored"})
    assert refused.status_code == 409


def test_a_run_is_read_as_csv(lived: Application, quarter: Quarter, rate: Rate, ops: User) -> None:
    run = rate(quarter)
    answer = staff_client(ops).get(reverse("admin:compliance_ratingrun_csv", args=[run.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]

    rows = list(csv.DictReader(io.StringIO(text)))

    assert [row["number"] for row in rows] == [lived.number]
    assert rows[0]["seats"] == "200.00"
    assert rows[0]["score"] == str(run.scores.get().score)


def test_a_dispute_is_decided_on_the_desk(
    lived: Application, quarter: Quarter, publish: Rate, merchant: User, ops: User
) -> None:
    score = publish(quarter).scores.get()
    dispute = disputes.open_dispute(score.pk, actor=merchant, code="violation_points", text="处罚已撤销")
    desk = staff_client(ops)
    assert (
        "处罚已撤销"
        in desk.get(reverse("admin:compliance_scoredispute_change", args=[dispute.pk])).content.decode()
    )
    url = reverse("admin:compliance_scoredispute_uphold", args=[dispute.pk])
    assert desk.get(url).status_code == 200

    refused = desk.post(url, {"seen": "open", "corrected": "1.5", "reason": "核对"})
    assert refused.status_code == 409
    assert 'value="1.5"' in refused.content.decode()
    assert desk.post(url, {"seen": "open", "corrected": "0", "reason": "核对"}).status_code == 302

    dispute.refresh_from_db()
    assert dispute.state == "upheld"
    assert desk.get(reverse("admin:compliance_scoredispute_changelist")).status_code == 200
    assert desk.get(reverse("admin:compliance_score_changelist")).status_code == 200
    assert desk.get(reverse("admin:compliance_ratingrun_changelist")).status_code == 200
