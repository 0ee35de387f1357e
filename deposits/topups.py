"""补缴: the demand to fill a deposit up again, from the deduction to the day on which it is met.

A member (not one that is leaving) whose deposit is short has one open demand with a date. How much is to be
paid is the deposit's shortfall whenever it is read, so the demand holds only the date. Every verb needs the
application's lock, in the transaction of whatever changed the deposit.
"""

import datetime as dt
from decimal import Decimal

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State
from applications.services import clock_text
from deposits import announcements
from deposits.models import ZERO, DemandCause, Deposit, Purpose, TopUpDemand
from deposits.orders import begin_closing
from deposits.states import DEMAND_OPEN, DemandOutcome, OrderState
from tmall_sp.core import clock, rules

# Who has to keep its deposit full. One that is leaving pays its obligations only.
FILLING_UP = (State.DEPOSIT_PAID, State.ACTIVE, State.SUSPENDED)

DAYS = {DemandCause.DEDUCTION: "deposit.topup_days", DemandCause.RAISED: "deposit.raise_days"}


def demand_if_short(deposit: Deposit, cause: DemandCause = DemandCause.DEDUCTION) -> TopUpDemand | None:
    """Demand what the deposit misses now, or close the demand if it misses nothing. The open demand, if any.

    Call it once after each deduction, or raise of the required amount: that has its full days from now, also
    if a demand is open already. Tells the company. Hold the application's lock; `deposit` may be out of date.
    """
    deposit = _as_it_is(deposit)
    if not deposit.shortfall:
        close_if_met(deposit)
        return None
    _close_orders_too_high(deposit)
    demand = open_demand(deposit)
    if deposit.application.state not in FILLING_UP:
        return demand
    now = clock.now()
    due_at = now + rules.days(DAYS[cause], now)
    if demand is None:
        demand = TopUpDemand(deposit=deposit, cause=cause, opened_at=now, due_at=due_at)
    elif demand.lapsed_at is None:
        demand.due_at = max(demand.due_at, due_at)
    demand.reminders = reminders_reached(demand, now)
    demand.save()
    _tell(deposit, demand)
    return demand


def close_if_met(deposit: Deposit) -> None:
    """Close the demand if nothing is missing any more. Call it after each increase of the deposit, each waiver,
    and each lowering of the required amount. Hold the application's lock; `deposit` may be out of date.
    """
    deposit = _as_it_is(deposit)
    _close_orders_too_high(deposit)
    demand = open_demand(deposit)
    if demand is not None and not deposit.shortfall:
        _close(demand, DemandOutcome.MET)


def open_demand(deposit: Deposit) -> TopUpDemand | None:
    return deposit.demands.filter(DEMAND_OPEN).first()


def payable(deposit: Deposit) -> Decimal:
    """What a member can pay now: what is missing; while it is leaving, only what it owes."""
    if deposit.application.state == State.EXITING:
        return deposit.owed
    return deposit.shortfall if deposit.application.state in FILLING_UP else ZERO


def reminders_reached(demand: TopUpDemand, now: dt.datetime) -> int:
    """How many of the reminders' moments lie behind."""
    days: list[int] = rules.value("deposit.reminder_days", now)
    return sum(1 for before in days if demand.due_at - dt.timedelta(days=before) <= now)


def _as_it_is(deposit: Deposit) -> Deposit:
    return Deposit.objects.select_related("application").get(pk=deposit.pk)


def _close(demand: TopUpDemand, outcome: DemandOutcome) -> None:
    demand.closed_at = clock.now()
    demand.outcome = outcome
    demand.save(update_fields=["closed_at", "outcome"])


def _close_orders_too_high(deposit: Deposit) -> None:
    """An order over more than can be paid now would be refused once it is paid: better that nobody pays it."""
    too_high = deposit.orders.select_for_update(of=("self",)).filter(
        state=OrderState.OPEN, purpose=Purpose.TOP_UP, amount__gt=payable(deposit)
    )
    for order in too_high:
        begin_closing(order)


def _tell(deposit: Deposit, demand: TopUpDemand) -> None:
    announcements.tell_merchant(
        deposit.application,
        key=f"demand:{demand.pk}:{demand.due_at:%Y%m%d%H%M%S}:{deposit.shortfall}",
        subject=_("Please top up your deposit"),
        body=format_lazy(
            _("Your deposit misses {amount}. Top it up by {until}; otherwise your membership is suspended."),
            amount=f"¥{deposit.shortfall:,}",
            until=clock_text(demand.due_at),
        ),
    )
