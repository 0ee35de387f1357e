"""What the exit's page shows: what leaving would mean, or how far it has come."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State
from applications.models import Application
from compliance import exits, selectors
from compliance.models import ExitOutcome, ExitRequest
from deposits import selectors as deposits
from deposits.models import Deposit
from deposits.states import RefundState
from tmall_sp.core import clock, rules


class Phase(Enum):
    """Which of the page's faces is shown."""

    OUTSIDE = "outside"
    CAN_LEAVE = "can_leave"
    LEAVING = "leaving"
    LEFT = "left"
    EXPELLED = "expelled"


PHASES = {
    State.DEPOSIT_PAID: Phase.CAN_LEAVE,
    State.ACTIVE: Phase.CAN_LEAVE,
    State.SUSPENDED: Phase.CAN_LEAVE,
    State.EXITING: Phase.LEAVING,
    State.EXITED: Phase.LEFT,
    State.EXPELLED: Phase.EXPELLED,
}


@dataclass(frozen=True)
class Step:
    """One step of the way out. `at`: when it was done; `until`: when it will be at the earliest.

    `amount`: the CNY that it moves. `note`: why it takes longer.
    """

    title: str | Promise
    done: bool
    current: bool = False
    amount: Decimal | None = None
    at: dt.datetime | None = None
    until: dt.datetime | None = None
    note: str = ""


@dataclass(frozen=True)
class Overview:
    phase: str
    notice_days: int
    notice_would_end: dt.datetime
    last: ExitRequest | None
    # Why the programme required the exit; empty for one that the company asked for.
    required_because: str
    items: list[exits.Item]
    steps: list[Step]


def overview(application: Application) -> Overview:
    """Everything that the page needs; `steps` is empty while nobody leaves, `items` then what would bar it."""
    now = clock.now()
    days = 0 if application.state == State.DEPOSIT_PAID else rules.value("exit.notice_days", now)
    phase = PHASES.get(State(application.state), Phase.OUTSIDE)
    last = selectors.latest_exit(application)
    items = []
    if last and phase is Phase.LEAVING:
        items = exits.clearance(last)
    elif phase is Phase.CAN_LEAVE:
        items = [item for item in exits.obstacles(application) if not item.cleared]
    under_way = last if phase in (Phase.LEAVING, Phase.LEFT) else None
    return Overview(
        phase=phase.value,
        notice_days=days,
        notice_would_end=now + dt.timedelta(days=days),
        last=last,
        required_because=_required_because(application) if under_way else "",
        items=items,
        steps=_steps(under_way, items) if under_way else [],
    )


def _required_because(application: Application) -> str:
    if not application.exit_required:
        return ""
    return application.transitions.filter(name="require_exit").latest("at", "pk").reason


def _steps(request: ExitRequest, items: list[exits.Item]) -> list[Step]:
    left = request.outcome == ExitOutcome.COMPLETED
    notice_over = left or clock.now() >= request.notice_ends_at
    cleared = left or all(item.cleared for item in items)
    return [
        Step(
            _("Exit required") if request.application.exit_required else _("Exit requested"),
            True,
            at=request.requested_at,
        ),
        Step(_("Notice period"), notice_over, current=not notice_over, until=request.notice_ends_at),
        Step(_("Everything cleared"), cleared, current=notice_over and not cleared),
        Step(_("Left the programme"), left, current=cleared and not left, at=request.closed_at),
        *_refund_steps(request.application, left),
    ]


def _refund_steps(application: Application, left: bool) -> list[Step]:
    """What `deposits` does by itself once the company has left."""
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None:
        return []
    title = _("Return of the deposit to the account that paid it")
    if not left:
        return [Step(title, False, amount=deposit.available)] if deposit.available else []
    return [
        Step(
            title,
            done=refund.state == RefundState.DONE,
            current=refund.state != RefundState.DONE,
            at=refund.done_at,
            amount=refund.amount,
            note=refund.hold_reason if refund.state == RefundState.HELD else "",
        )
        for refund in deposits.refunds_of(deposit)
    ]
