"""A provider disputes an input of its published score; what was published stays beside what is right."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, transaction

from applications.models import Application
from compliance.models import (
    DisputeState,
    RatingRun,
    Score,
    ScoreCorrection,
    ScoreDispute,
    ServedShop,
)
from compliance.quarters import Quarter
from compliance.ratings import disputes, publication, runs
from compliance.ratings.figures import recompute, standing
from tests.compliance.ratings.conftest import DAY, declare, punish, score_all
from tests.compliance.ratings.test_publication import shown, strong
from tests.races.together import together
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

Rate = Callable[[Quarter], RatingRun]
Serve = Callable[..., ServedShop]

TEXT = "我司客服席位共 200 个，见附件合同。"
REASON = "经核对合同，席位数属实。"


@pytest.fixture
def score(provider: Application, quarter: Quarter, publish: Rate, serve: Serve) -> Score:
    """Published, just below 6★ by its figures."""
    strong(provider, serve, quarter, gmv="250000000.00")
    punish(provider, quarter.ends_at - DAY, points=6)
    return publish(quarter).scores.get()


@pytest.fixture
def dispute(score: Score, merchant: User) -> ScoreDispute:
    """About the points, which were deducted wrongly."""
    return disputes.open_dispute(score.pk, actor=merchant, code="violation_points", text=TEXT)


def uphold(dispute: ScoreDispute, actor: User, corrected: str = "0") -> ScoreDispute:
    return disputes.uphold(dispute.pk, actor=actor, corrected=Decimal(corrected), reason=REASON)


# Opening -------------------------------------------------------------------------------------------


def test_a_dispute_waits_for_operations_who_are_told(dispute: ScoreDispute, ops: User) -> None:
    assert dispute.state == DisputeState.OPEN
    assert Notice.objects.filter(recipient=ops, key=f"rating-dispute:{dispute.pk}").exists()


def test_each_input_of_a_score_is_disputed_once(dispute: ScoreDispute, score: Score, merchant: User) -> None:
    with pytest.raises(DomainError, match="disputed"):
        disputes.open_dispute(score.pk, actor=merchant, code="violation_points", text=TEXT)
    assert disputes.open_dispute(score.pk, actor=merchant, code="seats", text=TEXT)


@pytest.mark.parametrize(
    ("code", "text", "refusal"), [("gmv2", TEXT, "unknown_input"), ("gmv", " ", "empty")]
)
def test_a_dispute_needs_an_input_and_words(
    code: str, text: str, refusal: str, score: Score, merchant: User
) -> None:
    with pytest.raises(DomainError, match=refusal):
        disputes.open_dispute(score.pk, actor=merchant, code=code, text=text)


def test_the_last_instant_is_in_time_and_no_later_one(
    score: Score, merchant: User, move_clock: Callable[..., None]
) -> None:
    assert score.run.published_at is not None
    left = disputes.until(score.run) - clock.now()
    assert disputes.until(score.run) == score.run.published_at + 15 * DAY
    move_clock(seconds=left.total_seconds() - 60)
    disputes.open_dispute(score.pk, actor=merchant, code="seats", text=TEXT)

    move_clock(seconds=61)
    with pytest.raises(DomainError, match="too_late"):
        disputes.open_dispute(score.pk, actor=merchant, code="staff", text=TEXT)


def test_only_a_published_score_is_disputed(
    provider: Application, quarter: Quarter, rate: Rate, merchant: User
) -> None:
    score = rate(quarter).scores.get()
    with pytest.raises(DomainError, match="not_published"):
        disputes.open_dispute(score.pk, actor=merchant, code="seats", text=TEXT)


def test_who_belongs_to_the_company_disputes_and_who_only_reads_does_not(
    score: Score, stranger: User, ops: User
) -> None:
    reader = stranger
    application = score.application
    assert application.company is not None
    Membership.objects.create(user=reader, company=application.company, role=CompanyRole.READER)
    for person in (reader, ops):
        with pytest.raises(NotPermitted):
            disputes.open_dispute(score.pk, actor=person, code="seats", text=TEXT)


# Deciding ------------------------------------------------------------------------------------------


def test_upheld_the_right_value_counts_and_the_published_score_stays(
    dispute: ScoreDispute, score: Score, ops: User, merchant: User
) -> None:
    before = (score.inputs, score.parts, score.score, score.level)
    assert shown(score.application)[0] == score.level

    uphold(dispute, ops)

    score.refresh_from_db()
    assert (score.inputs, score.parts, score.score, score.level) == before
    stands = standing(score)
    assert stands.score == score.score + 12
    assert stands.inputs["violation_points"]["value"] == "0.00"
    assert stands.inputs["violation_points"]["dispute"] == dispute.pk
    assert stands.inputs["seats"] == score.inputs["seats"]
    assert stands.level > score.level
    assert shown(score.application) == (stands.level, score.run.period)
    assert Notice.objects.filter(recipient=merchant, key=f"rating-dispute:{dispute.pk}:decided").exists()


def test_a_correction_can_be_computed_again(dispute: ScoreDispute, ops: User) -> None:
    uphold(dispute, ops)
    row = ScoreCorrection.objects.get()
    assert recompute(row).parts == row.parts
    assert recompute(row).scored.score == row.score


def test_rejected_the_score_stands(dispute: ScoreDispute, score: Score, ops: User) -> None:
    disputes.reject(dispute.pk, actor=ops, reason=REASON)

    dispute.refresh_from_db()
    assert (dispute.state, dispute.decided_by, dispute.corrected) == (DisputeState.REJECTED, ops, None)
    assert standing(score) == score
    assert shown(score.application)[0] == score.level


def test_a_second_correction_rests_on_the_first(
    dispute: ScoreDispute, score: Score, merchant: User, ops: User
) -> None:
    other = disputes.open_dispute(score.pk, actor=merchant, code="seats", text=TEXT)
    uphold(dispute, ops)
    uphold(other, ops, "50")

    stands = standing(Score.objects.get(pk=score.pk))
    assert stands.inputs["violation_points"]["value"] == "0.00"
    assert stands.inputs["seats"]["value"] == "50.00"


def test_a_gmv_that_was_too_low_opens_the_gate(
    provider: Application, quarter: Quarter, publish: Rate, serve: Serve, merchant: User, ops: User
) -> None:
    strong(provider, serve, quarter, gmv="900000.00")
    score = publish(quarter).scores.get()
    assert score.level == 0

    row = disputes.open_dispute(score.pk, actor=merchant, code="gmv", text=TEXT)
    uphold(row, ops, "90000000.00")

    assert standing(score).gmv == 90000000
    assert shown(provider)[0] == standing(score).level > 0


@pytest.mark.parametrize("published", [True, False])
def test_the_average_of_the_quarter_after_follows(
    published: bool,
    dispute: ScoreDispute,
    score: Score,
    quarter: Quarter,
    rate: Rate,
    publish: Rate,
    ops: User,
) -> None:
    after = (publish if published else rate)(quarter.next)
    late = after.scores.get()

    uphold(dispute, ops)

    stands = standing(late)
    assert stands.parts["previous"] == str(standing(score).score)
    assert stands.inputs == late.inputs
    assert stands.average == ((late.score + standing(score).score) / 2).quantize(
        Decimal("0.01"), "ROUND_HALF_UP"
    )
    if not published:
        publication.publish(after.pk, actor=ops)
    assert shown(score.application) == (stands.level, str(quarter.next))


def test_a_run_that_begins_afterwards_reads_what_stands(
    dispute: ScoreDispute, score: Score, quarter: Quarter, rate: Rate, ops: User
) -> None:
    uphold(dispute, ops)
    assert rate(quarter.next).scores.get().parts["previous"] == str(standing(score).score)


def test_a_correction_of_an_old_quarter_leaves_the_directory_to_the_newest(
    provider: Application, quarter: Quarter, publish: Rate, merchant: User, ops: User, serve: Serve
) -> None:
    strong(provider, serve, quarter)
    old = publish(quarter.previous).scores.get()
    publish(quarter)
    newest = publish(quarter.next).scores.get()
    row = disputes.open_dispute(old.pk, actor=merchant, code="gmv", text=TEXT)

    uphold(row, ops, "900000000.00")

    assert standing(newest) == newest
    assert shown(provider) == (newest.level, str(quarter.next))


@pytest.mark.parametrize("value", ["-1", "6", "1.5", "6.00"])
def test_the_right_value_has_to_be_one_and_another(value: str, dispute: ScoreDispute, ops: User) -> None:
    with pytest.raises(DomainError, match="value"):
        uphold(dispute, ops, value)
    assert not ScoreCorrection.objects.exists()
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.OPEN


def test_a_decision_needs_a_reason(dispute: ScoreDispute, ops: User) -> None:
    with pytest.raises(DomainError, match="empty"):
        disputes.reject(dispute.pk, actor=ops, reason="  ")


def test_who_belongs_to_the_company_does_not_decide(
    dispute: ScoreDispute, score: Score, ops: User, auditor: User, finance: User, superuser: User
) -> None:
    assert score.application.company is not None
    Membership.objects.create(user=ops, company=score.application.company, role=CompanyRole.READER)
    for person in (ops, auditor, finance, superuser):
        with pytest.raises(NotPermitted):
            disputes.reject(dispute.pk, actor=person, reason=REASON)


def test_a_dispute_is_decided_once(dispute: ScoreDispute, ops: User, second_ops: User) -> None:
    disputes.reject(dispute.pk, actor=ops, reason=REASON)
    with pytest.raises(DomainError, match="wrong_state"):
        uphold(dispute, second_ops)
    with pytest.raises(StaleVersion):
        disputes.reject(dispute.pk, actor=second_ops, reason=REASON, seen="open")
    for change in ({"state": "upheld", "corrected": 1}, {"decision_reason": "其他"}, {"text": "其他"}):
        with pytest.raises(Error), transaction.atomic():
            ScoreDispute.objects.filter(pk=dispute.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_decide_at_once_one_does(
    dispute: ScoreDispute, ops: User, second_ops: User
) -> None:
    outcomes = together(
        lambda: uphold(dispute, ops).state,
        lambda: disputes.reject(dispute.pk, actor=second_ops, reason=REASON).state,
    )

    assert len(set(outcomes) & {"upheld", "rejected"}) == 1
    assert "wrong_state" in outcomes


@pytest.mark.django_db(transaction=True)
def test_a_decision_beside_a_running_batch_leaves_one_average(
    dispute: ScoreDispute, score: Score, quarter: Quarter, ops: User
) -> None:
    """Whichever comes first: the batch reads what stands, or the decision corrects what it wrote."""
    run = runs.begin(quarter.next, actor=ops)

    together(lambda: uphold(dispute, ops), lambda: runs.work(run.pk, size=1, seconds=30))

    score_all(run)
    assert standing(run.scores.get()).parts["previous"] == str(standing(score).score)


def test_no_correction_without_an_upheld_dispute(dispute: ScoreDispute, score: Score) -> None:
    columns: dict[str, Any] = {
        name: getattr(score, name)
        for name in ("inputs", "parts", "deductions", "score", "average", "gmv", "level")
    }
    with pytest.raises(Error), transaction.atomic():
        ScoreCorrection.objects.create(original=score, dispute=dispute, **columns)


def test_a_correction_is_never_changed(dispute: ScoreDispute, ops: User) -> None:
    uphold(dispute, ops)
    with pytest.raises(Error), transaction.atomic():
        ScoreCorrection.objects.update(score=100)
    with pytest.raises(Error), transaction.atomic():
        ScoreCorrection.objects.all().delete()


def test_what_is_declared_later_changes_no_published_score(
    score: Score, provider: Application, quarter: Quarter
) -> None:
    declare(provider, "seats", "900", quarter)
    assert standing(Score.objects.get(pk=score.pk)).inputs == score.inputs
