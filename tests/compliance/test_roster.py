"""Operations' roster and a provider's whole story."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications import services as applications
from applications.models import Application
from compliance import roster
from compliance.models import Violation
from deposits.models import Deposit
from tests.compliance.conftest import TITLE, activate, report
from tests.compliance.test_directory import stand
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

URL = "/ops/roster/"

LIST_QUERIES = 6
STORY_QUERIES = 22


@pytest.fixture
def desk(third_ops: User) -> Client:
    return staff_client(third_ops)


def numbers(desk: Client, **query: str) -> set[str]:
    return {row.number for row in desk.get(URL, query).context["page"].rows}


def test_ops_begins_at_the_roster(desk: Client) -> None:
    assert desk.get("/ops/")["Location"] == URL


def test_members_and_applicants_stand_on_it(active: Application, desk: Client) -> None:
    [other] = stand(active.applicant, 1)

    assert numbers(desk) == {active.number, other.number}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "小店电子"}, True),
        ({"q": "小店甲"}, True),
        ({"q": "91330100799655058b"}, True),
        ({"q": "别的"}, False),
        ({"state": "active"}, True),
        ({"state": "members"}, True),
        ({"state": "applicants"}, False),
        ({"state": "former"}, False),
        ({"state": "exited"}, False),
        ({"region": "33"}, True),
        ({"region": "44"}, False),
        ({"category": "after_sales"}, True),
        ({"category": "operations"}, False),
        ({"reviewer": "nobody"}, False),
        ({"deposit": "full"}, True),
        ({"deposit": "short"}, False),
        ({"deposit": "none"}, False),
        ({"state": "active", "region": "44"}, False),
    ],
)
def test_the_url_narrows_it(active: Application, desk: Client, query: dict[str, str], found: bool) -> None:
    assert numbers(desk, **query) == ({active.number} if found else set())


def test_a_number_and_a_reviewer_narrow_it(active: Application, reviewer: User, desk: Client) -> None:
    assert numbers(desk, q=active.number.lower()) == {active.number}
    assert numbers(desk, reviewer=str(reviewer.pk)) == {active.number}


def test_a_deposit_that_is_too_low_is_found(active: Application, desk: Client) -> None:
    Deposit.objects.filter(application=active).update(required="120000.00")

    assert numbers(desk, deposit="short") == {active.number}
    assert "20,000.00" in desk.get(URL).content.decode()


@pytest.mark.parametrize("sort", [*roster.ORDERS, "nonsense"])
def test_every_order_pages_without_gap_or_repetition(merchant: User, desk: Client, sort: str) -> None:
    rows = stand(merchant, 60)

    seen: list[str] = []
    cursor, page = "", None
    while page is None or page.next:
        page = desk.get(URL, {"sort": sort, "cursor": cursor}).context["page"]
        seen += [row.number for row in page.rows]
        cursor = page.next

    assert len(seen) == len(set(seen)) == len(rows)
    field = roster.ORDERS.get(sort, roster.ORDERS[roster.FIRST_ORDER])
    assert seen == list(Application.objects.order_by(field, _tie(field)).values_list("number", flat=True))


def _tie(field: str) -> str:
    return "-pk" if field.startswith("-") else "pk"


def test_the_number_of_queries_does_not_grow_with_the_list(
    merchant: User, desk: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    stand(merchant, 30)

    # The session, the person and its roles and notices, the reviewers to choose from, and the list.
    with django_assert_num_queries(LIST_QUERIES):
        desk.get(URL)


# One provider --------------------------------------------------------------------------------------


def story_page(desk: Client, application: Application) -> str:
    return desk.get(reverse("compliance:roster_provider", args=[application.number])).content.decode()


def test_a_story_has_all_that_staff_may_know(
    claimed: Application, reviewer: User, ops: User, desk: Client
) -> None:
    applications.approve(claimed.pk, actor=reviewer, internal_note="电话核实过")
    report(activate(claimed), ops)

    page = story_page(desk, claimed)

    for text in ("电话核实过", TITLE, "营业执照.pdf", "100,000.00", "陈联系", "李审", claimed.credit_code):
        assert text in page, text


def test_a_story_of_an_expelled_company_shows_the_ban(
    verified_violation: Violation, active: Application, desk: Client
) -> None:
    story = desk.get(reverse("compliance:roster_provider", args=[active.number])).context["story"]

    assert story.application.state == "expelled"
    assert [ban.ends_at for ban in story.bans] == [None]
    assert story.deposit.available == 0
    assert any(notice.key.startswith(f"application:{active.pk}:") for notice in story.notices)


def test_a_draft_has_a_story_too(draft: Application, desk: Client) -> None:
    assert draft.number in story_page(desk, draft)


def test_an_unknown_number_is_not_found(desk: Client) -> None:
    assert desk.get(reverse("compliance:roster_provider", args=["SPAAAAAAAAAA"])).status_code == 404


def test_the_auditor_reads_and_decides_nothing(
    active: Application, proposed: Violation, auditor: User
) -> None:
    client = staff_client(auditor)

    assert client.get(URL).status_code == 200
    assert active.number in story_page(client, active)
    change = reverse("admin:compliance_violation_change", args=[proposed.pk])
    assert client.get(change).context["steps"] == []
    assert client.post(reverse("admin:compliance_violation_verify", args=[proposed.pk])).status_code == 403


def test_a_story_asks_little_of_the_database(
    proposed: Violation, active: Application, desk: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(STORY_QUERIES):
        story_page(desk, active)
