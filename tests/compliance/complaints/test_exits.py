"""No provider leaves while it may still have to pay for a complaint, and an upheld one lets two people look."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from compliance import exits, selectors
from compliance.complaints import services as complaints
from compliance.models import Complaint
from compliance.tasks import sweep_exits
from deposits.duties import cases
from deposits.models import Refund
from deposits.outgoing import clean_record
from deposits.states import RefundState
from tests.compliance.complaints.conftest import (
    REQUIRED,
    again,
    books_agree,
    decide,
    decide_appeal,
    file,
    sweep,
)
from tests.deposits.conftest import reload
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError

MoveClock = Callable[..., None]


@pytest.fixture
def leaving(member: Application, merchant: User, move_clock: MoveClock) -> Application:
    """Past its notice period: only what is still open keeps it."""
    applications.request_exit(member.pk, actor=merchant)
    move_clock(days=31)
    return reload(member)


def the_item(application: Application) -> exits.Item:
    return next(item for item in exits.obstacles(application) if item.code == "complaints")


@pytest.mark.parametrize("fixture", ["filed", "contested", "undecided", "decided", "appealed"])
def test_an_exit_waits_for_each_open_complaint(
    request: pytest.FixtureRequest, member: Application, merchant: User, move_clock: MoveClock, fixture: str
) -> None:
    complaint = request.getfixturevalue(fixture)
    applications.request_exit(member.pk, actor=merchant)
    move_clock(days=31)

    assert not the_item(member).cleared
    assert complaint.number in the_item(member).missing
    assert the_item(member).url == f"/console/cases/{member.number}/complaints/{complaint.number}/"
    assert the_item(member).verb
    assert not selectors.exits_that_may_be_cleared().exists()
    with pytest.raises(DomainError, match="not_cleared"):
        exits.complete_exit(member.pk)
    sweep_exits()
    assert reload(member).state == State.EXITING


def test_several_are_looked_for_in_the_list(leaving: Application, customer: User) -> None:
    first, second = file(leaving, customer), file(leaving, customer)

    item = the_item(leaving)

    assert first.number in item.missing and second.number in item.missing
    assert item.url == "/console/cases/"


def test_an_exit_waits_for_a_complaint_that_froze_nothing(leaving: Application, customer: User) -> None:
    cases.penalise(leaving.pk, case="violation:1", amount=REQUIRED, reason="x", actor=None)
    file(leaving, customer)
    assert not leaving.deposit.frozen

    assert not selectors.exits_that_may_be_cleared().exists()
    with pytest.raises(DomainError, match="not_cleared"):
        exits.complete_exit(leaving.pk)


def test_once_the_complaint_is_closed_the_exit_is_complete(leaving: Application, customer: User) -> None:
    complaint = file(leaving, customer)
    complaints.withdraw(complaint.pk, actor=customer)
    assert the_item(leaving).cleared

    sweep_exits()

    assert reload(leaving).state == State.EXITED
    assert books_agree()


def test_a_complaint_ends_by_itself_and_the_exit_after_it(
    leaving: Application, customer: User, move_clock: MoveClock
) -> None:
    file(leaving, customer)
    for _state in range(2):
        move_clock(days=8)
        sweep()
    sweep_exits()

    assert reload(leaving).state == State.EXITED
    assert books_agree()


# The clean record ----------------------------------------------------------------------------------


def blemishes(complaint: Complaint) -> int:
    """How many reasons against a clean record speak of complaints, whatever money moved."""
    application = complaint.application
    return sum(
        bool(source(application)) for source in clean_record._SOURCES if "complaint" in source.__name__
    )


@pytest.mark.parametrize(
    ("fixture", "blemished"),
    [
        ("filed", True),
        ("contested", True),
        ("undecided", True),
        ("decided", True),
        ("appealed", True),
        ("final", True),
        ("withdrawn", False),
    ],
)
def test_what_is_open_or_upheld_blemishes_a_record(
    request: pytest.FixtureRequest, member: Application, fixture: str, blemished: bool
) -> None:
    assert blemishes(request.getfixturevalue(fixture)) == int(blemished)


def test_who_was_not_liable_keeps_a_clean_record(appealed: Complaint, second_ops: User) -> None:
    assert blemishes(decide_appeal(appealed, second_ops, "not_liable", "0.00")) == 0


def refund_of(application: Application, move_clock: MoveClock) -> Refund:
    applications.request_exit(application.pk, actor=application.applicant)
    move_clock(days=31)
    sweep_exits()
    assert reload(application).state == State.EXITED
    return Refund.objects.get(deposit__application=application)


def test_a_withdrawn_complaint_lets_the_deposit_go_back_by_itself(
    withdrawn: Complaint, member: Application, move_clock: MoveClock
) -> None:
    refund = refund_of(member, move_clock)
    assert refund.state != RefundState.HELD
    assert (refund.amount, refund.hold_reason) == (REQUIRED, "")


def test_an_upheld_complaint_lets_two_people_look_at_the_refund(
    undecided: Complaint, member: Application, ops: User, move_clock: MoveClock
) -> None:
    decide(undecided, ops, "shared", "1.00")
    move_clock(days=8)
    sweep()
    assert again(undecided).state == "final"

    refund = refund_of(member, move_clock)

    assert refund.state == RefundState.HELD
    assert refund.amount == REQUIRED - Decimal("1.00")
    assert books_agree()
