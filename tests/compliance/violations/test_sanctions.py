"""What a verified violation costs: by rule, as told before, in one transaction."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta

from applications import services as applications
from applications import suspensions
from applications.lifecycle import State
from applications.models import Application, Ban
from compliance import directory
from compliance.models import Measure, Sanction, Violation
from compliance.violations import points
from compliance.violations import services as violations
from compliance.violations.consequences import Consequences, Ending
from compliance.violations.lifecycle import ViolationState
from deposits.books.accounts import Kind
from deposits.duties import cases
from deposits.models import Obligation
from tests.compliance.conftest import PAID, REASON, TITLE
from tests.compliance.violations.conftest import (
    ZERO,
    Verify,
    again,
    books_agree,
    deposit_of,
    fresh,
    measures,
)
from tests.people import make_merchant
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

SHANGHAI = clock.SHANGHAI
Move = Callable[..., None]


def to(moment: dt.datetime) -> None:
    """Portal's clock to an instant."""
    clock.set_offset(clock.offset() + (moment - clock.now()))


# Points --------------------------------------------------------------------------------------------


def test_a_general_violation_costs_a_warning_and_six_points(
    verify: Verify, active: Application, merchant: User
) -> None:
    violation = verify(active)

    assert measures(violation) == {"points": True, "warning": True}
    assert points.in_year(active.pk, clock.now()) == 6
    assert not violation.counts_as_severe
    assert again(active).state == State.ACTIVE
    assert deposit_of(active).available == PAID
    notice = Notice.objects.get(recipient=merchant, key__startswith="violation:")
    assert "6" in notice.body and "12" in notice.body


def test_two_general_violations_of_a_year_are_handled_like_a_severe_one(
    verify: Verify, active: Application
) -> None:
    first, second = verify(active), verify(active, penalty=Decimal("500.00"), suspension_days=7)

    assert (first.counts_as_severe, second.counts_as_severe) == (False, True)
    assert second.severity == "general"
    assert again(active).state == State.EXPELLED
    assert Ban.objects.get().ends_at is None
    assert deposit_of(active).transfers.get(kind=Kind.FORFEITURE).amount == PAID
    assert not directory.providers().exists()
    # An expulsion forfeits the whole deposit: neither penalty nor suspension goes beside it.
    assert measures(second) == {"points": True, "warning": True, "expulsion": True}
    assert books_agree()


def test_the_points_of_a_year_are_cleared_on_31_december_in_shanghai(
    verify: Verify, active: Application, move_clock: Move
) -> None:
    year = clock.today().year
    to(dt.datetime(year, 12, 31, 23, 59, 30, tzinfo=SHANGHAI))
    first = verify(active)
    assert first.decided_at is not None and first.decided_at.astimezone(SHANGHAI).year == year
    to(dt.datetime(year + 1, 1, 1, 0, 0, 0, tzinfo=SHANGHAI))

    # In UTC both fall on the same day, and in the same year.
    second = verify(active)

    assert not second.counts_as_severe
    assert again(active).state == State.ACTIVE
    assert points.in_year(active.pk, clock.now()) == 6
    assert points.in_year(active.pk, first.decided_at) == 6


def test_the_last_second_of_a_year_still_counts_in_it(
    verify: Verify, active: Application, move_clock: Move
) -> None:
    year = clock.today().year
    verify(active)
    to(dt.datetime(year, 12, 31, 23, 59, 0, tzinfo=SHANGHAI))

    assert verify(active).counts_as_severe


def test_a_case_is_decided_by_the_rule_of_its_report(
    propose: Verify, active: Application, third_ops: User, move_clock: Move
) -> None:
    old = propose(active)
    set_rule("violation.points", {"general": 5, "severe": 12, "year": 15})
    move_clock(seconds=1)

    assert violations.consequences(old).points == 6
    new = propose(active)
    violations.verify(old.pk, actor=third_ops, reason=REASON)
    foreseen = violations.consequences(new)
    violations.verify(new.pk, actor=third_ops, reason=REASON)

    assert (foreseen.points, foreseen.points_total, foreseen.points_limit) == (5, 11, 15)
    assert not fresh(new).counts_as_severe


# A penalty -----------------------------------------------------------------------------------------


def test_a_penalty_is_taken_from_the_deposit(verify: Verify, active: Application) -> None:
    violation = verify(active, penalty=Decimal("3000.00"))

    deposit = deposit_of(active)
    row = deposit.transfers.get(kind=Kind.PENALTY)
    assert (row.amount, row.case) == (Decimal("3000.00"), f"violation:{violation.pk}")
    assert (deposit.available, deposit.owed) == (PAID - 3000, 0)
    assert violation.sanctions.get(measure=Measure.PENALTY).amount == Decimal("3000.00")
    assert books_agree()


def test_what_a_penalty_takes_beyond_the_deposit_is_owed(verify: Verify, active: Application) -> None:
    violation = verify(active, penalty=PAID + Decimal("500.50"))

    deposit = deposit_of(active)
    assert (deposit.available, deposit.owed) == (0, Decimal("500.50"))
    obligation = Obligation.objects.get()
    assert (obligation.case, obligation.amount) == (violation.case, Decimal("500.50"))
    assert again(active).state == State.ACTIVE
    assert books_agree()


def test_a_penalty_leaves_alone_what_another_case_froze(verify: Verify, active: Application) -> None:
    cases.freeze(active.pk, case="complaint:TS1", claimed=Decimal("99000.00"))

    verify(active, penalty=Decimal("3000.00"))

    deposit = deposit_of(active)
    assert (deposit.available, deposit.frozen, deposit.owed) == (0, Decimal("99000.00"), Decimal("2000.00"))


@pytest.mark.parametrize(
    ("severity", "measure", "field"),
    [
        ("severe", {"penalty": Decimal("1.00")}, "penalty"),
        ("severe", {"suspension_days": 1}, "suspension_days"),
        ("general", {"penalty": Decimal("-1.00")}, "penalty"),
        ("general", {"penalty": Decimal("1.005")}, "penalty"),
        ("general", {"penalty": Decimal("1000000.01")}, "penalty"),
        ("general", {"suspension_days": -1}, "suspension_days"),
        ("general", {"suspension_days": 181}, "suspension_days"),
    ],
)
def test_a_measure_that_cannot_be_is_refused_beside_its_field(
    propose: Verify, active: Application, severity: str, measure: dict[str, object], field: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        propose(active, severity, **measure)

    assert refusal.value.field == field
    assert Violation.objects.get().proposed_at is None


# A suspension --------------------------------------------------------------------------------------


def test_a_suspension_has_its_time_to_put_things_right(
    verify: Verify, active: Application, merchant: User
) -> None:
    violation = verify(active, suspension_days=10)

    assert violation.decided_at is not None
    sanction = violation.sanctions.get(measure=Measure.SUSPENSION)
    assert sanction.rectify_by == violation.decided_at + dt.timedelta(days=10)
    suspension = active.suspensions.get()
    assert (suspension.cause, suspension.case, suspension.exit_due_at) == ("sanction", violation.case, None)
    assert again(active).state == State.SUSPENDED
    assert not directory.providers().exists()


def test_who_has_not_begun_to_serve_is_not_suspended(
    propose: Verify, approved: Application, third_ops: User
) -> None:
    applications.record_deposit(approved.pk)
    violation = propose(approved, suspension_days=10)

    assert violations.consequences(violation).rectify_by is None
    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert "suspension" not in measures(violation)
    assert again(approved).state == State.DEPOSIT_PAID


def test_who_is_leaving_gets_one_reason_more_to_stay_suspended(
    verify: Verify, exiting: Application, merchant: User
) -> None:
    verify(exiting, suspension_days=10)

    assert again(exiting).state == State.EXITING
    assert applications.cancel_exit(exiting.pk, actor=merchant).state == State.SUSPENDED


# After a membership --------------------------------------------------------------------------------


def test_what_is_found_after_the_exit_bans_for_the_ordinary_time(
    verify: Verify, active: Application, merchant: User
) -> None:
    applications.request_exit(active.pk, actor=merchant)
    applications.complete_exit(active.pk)

    violation = verify(active, "severe")

    ban = Ban.objects.get()
    assert violation.decided_at is not None
    assert ban.ends_at == violation.decided_at + relativedelta(months=12)
    assert measures(violation) == {"points": True, "ban": True}


def test_a_general_one_after_the_exit_is_recorded_and_costs_nothing(
    propose: Verify, active: Application, merchant: User, third_ops: User
) -> None:
    violation = propose(active, penalty=Decimal("500.00"), suspension_days=7)
    applications.request_exit(active.pk, actor=merchant)
    applications.complete_exit(active.pk)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert measures(violation) == {"points": True, "warning": True}
    assert not deposit_of(active).transfers.filter(kind=Kind.PENALTY).exists()
    assert not Ban.objects.exists()


# What was told before is what happens --------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "penalty", "suspension_days", "points_before", "frozen"),
    [
        ("general", "0.00", 0, 0, "0.00"),
        ("general", "700.00", 0, 0, "40000.00"),
        ("general", "100000.01", 5, 0, "0.00"),
        ("general", "60000.01", 5, 0, "40000.00"),
        ("general", "0.00", 0, 6, "0.00"),
        ("general", "700.00", 5, 6, "40000.00"),
        ("severe", "0.00", 0, 0, "0.00"),
        ("severe", "0.00", 0, 6, "40000.00"),
        ("severe", "0.00", 0, 0, "100000.00"),
    ],
)
def test_the_consequences_told_before_are_those_that_follow(
    propose: Verify,
    verify: Verify,
    active: Application,
    third_ops: User,
    severity: str,
    penalty: str,
    suspension_days: int,
    points_before: int,
    frozen: str,
) -> None:
    if points_before:
        verify(active)
    if Decimal(frozen):
        cases.freeze(active.pk, case="complaint:TS1", claimed=Decimal(frozen))
    is_severe = severity == "severe"
    violation = propose(
        active,
        severity,
        penalty=ZERO if is_severe else Decimal(penalty),
        suspension_days=0 if is_severe else suspension_days,
    )
    before = deposit_of(active)

    told = violations.consequences(violation)
    assert fresh(violation).version == violation.version and deposit_of(active).available == before.available
    verified = violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert told.points == _points(verified)
    assert told.points_total == points.in_year(active.pk, clock.now())
    assert told.counts_as_severe == verified.counts_as_severe == (points_before == 6 and not is_severe)
    assert told.warning == ("warning" in measures(verified))
    after = deposit_of(active)
    state = again(active).state
    assert (told.ending is Ending.EXPELLED) == (state == State.EXPELLED)
    assert told.suspends == (state == State.SUSPENDED) == ("suspension" in measures(verified))
    assert told.forfeited == _sum(active, Kind.FORFEITURE)
    assert told.penalty_taken == _sum(active, Kind.PENALTY)
    assert told.penalty_owed == after.owed
    assert told.penalty == told.penalty_taken + told.penalty_owed
    assert after.available == before.available - told.forfeited - told.penalty_taken
    assert told.stays_frozen == (after.frozen if state == State.EXPELLED else 0)
    assert books_agree()


def _points(violation: Violation) -> int:
    return violation.sanctions.get(measure=Measure.POINTS).points


def _sum(application: Application, kind: Kind) -> Decimal:
    return sum(
        (row.amount for row in deposit_of(application).transfers.filter(kind=kind)), start=Decimal("0.00")
    )


def test_a_look_at_the_consequences_changes_nothing(propose: Verify, active: Application) -> None:
    violation = propose(active, penalty=Decimal("500.00"), suspension_days=5)

    assert isinstance(violations.consequences(violation), Consequences)

    assert not Sanction.objects.exists()
    assert fresh(violation).state == ViolationState.INVESTIGATING
    assert not active.suspensions.exists()


# In the timeline -----------------------------------------------------------------------------------


def test_the_company_finds_the_violation_in_its_timeline(verify: Verify, active: Application) -> None:
    verify(active)

    entry = active.transitions.get(name="violation_verified")
    assert (entry.public, entry.reason) == (True, TITLE)


def test_the_merchant_who_reported_it_learns_the_end(
    active: Application, second_ops: User, third_ops: User
) -> None:
    reporter = make_merchant("小店丙", "706377777")
    violation = violations.report_by_merchant(active.pk, actor=reporter, title=TITLE, facts="事实")
    violations.take_up(violation.pk, actor=second_ops)
    violations.propose(violation.pk, actor=second_ops, severity="general", finding="属实")

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    notice = Notice.objects.get(recipient=reporter)
    assert active.company_name in notice.body
    assert REASON not in notice.body


def test_a_suspension_for_something_else_goes_on(
    verify: Verify, active: Application, ops: User, fourth_ops: User
) -> None:
    suspensions.suspend(active.pk, cause="ops", reason="核查中", actor=ops)
    violation = verify(active, suspension_days=5)

    violations.confirm_rectified(violation.pk, actor=fourth_ops, reason="已整改")

    assert again(active).state == State.SUSPENDED
