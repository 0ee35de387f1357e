"""What a company's deposit means for it now: which words stand at the top of its page."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from applications import selectors as applications
from applications.lifecycle import State
from applications.models import SuspensionCause
from deposits.duties import topups
from deposits.models import Deposit, Purpose
from tmall_sp.core import clock


class Situation(Enum):
    """One paragraph of templates/deposits/_situation.html each."""

    TO_PAY = "to_pay"
    FULL = "full"
    SHORT = "short"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    LEAVING_AND_OWING = "leaving_and_owing"
    LEFT = "left"
    EXPELLED = "expelled"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Due:
    """What is to be paid now, in CNY, and until when (None: no deadline of its own).

    `refused` says that it is too late to pay: so it is after the deadline of the first payment alone.
    """

    amount: Decimal
    purpose: Purpose
    until: dt.datetime | None
    passed: bool
    refused: bool


@dataclass(frozen=True)
class Standing:
    """`exit_due_at`: when a suspension for the shortfall turns into an exit that is required."""

    situation: str
    due: Due | None
    exit_due_at: dt.datetime | None = None


def standing(deposit: Deposit) -> Standing:
    """`deposit` comes with its application."""
    application = deposit.application
    match application.state:
        case State.APPROVED:
            return Standing(Situation.TO_PAY.value, _first_payment(deposit))
        case State.EXITING:
            due = _top_up(deposit)
            return Standing((Situation.LEAVING_AND_OWING if due else Situation.LEAVING).value, due)
        case State.EXITED:
            return Standing(Situation.LEFT.value, None)
        case State.EXPELLED:
            return Standing(Situation.EXPELLED.value, None)
        case state if state not in topups.FILLING_UP:
            return Standing(Situation.NOTHING.value, None)
    due = _top_up(deposit)
    if due is None:
        return Standing(Situation.FULL.value, None)
    if application.state == State.SUSPENDED:
        suspension = (
            applications.open_suspensions(application).filter(cause=SuspensionCause.SHORTFALL).first()
        )
        if suspension is not None:
            return Standing(Situation.SUSPENDED.value, due, suspension.exit_due_at)
    return Standing(Situation.SHORT.value, due)


def _first_payment(deposit: Deposit) -> Due:
    until = deposit.application.deadline_at
    late = until is not None and clock.now() > until
    return Due(deposit.required, Purpose.INITIAL, until, passed=late, refused=late)


def _top_up(deposit: Deposit) -> Due | None:
    """A top-up after its date is welcome all the same."""
    amount = topups.payable(deposit.application, deposit)
    if not amount:
        return None
    leaving = deposit.application.state == State.EXITING
    demand = None if leaving else topups.open_demand(deposit)
    until = demand.due_at if demand else None
    return Due(
        amount,
        Purpose.TOP_UP,
        until,
        passed=until is not None and clock.now() > until,
        refused=False,
    )
