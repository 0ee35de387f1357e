"""补缴: the demand to fill a deposit up again, from the deduction to the day on which it is met.

A member (not one that is leaving) whose deposit is short has one open demand with a date. How much is to be
paid is the deposit's shortfall whenever it is read, so the demand holds only the date. The date's own instant
is still in time; what follows when it has passed stands in overdue.py. Every verb needs the application's
lock, in the transaction of whatever changed the deposit.
"""

import datetime as dt
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from applications import suspensions
from applications.door import clock_text
from applications.lifecycle import State
from applications.models import Application, SuspensionCause
from deposits import announcements
from deposits.duties import reminders
from deposits.incoming.orders import begin_closing
from deposits.locks import lock_deposit
from deposits.models import ZERO, DemandCause, Deposit, Purpose, TopUpDemand
from deposits.states import DEMAND_OPEN, DemandOutcome, OrderState
from tmall_sp.core import clock, rules

# Who has to keep its deposit full. One that is leaving pays its obligations only.
FILLING_UP = (State.DEPOSIT_PAID, State.ACTIVE, State.SUSPENDED)

DAYS = {DemandCause.DEDUCTION: "deposit.topup_days", DemandCause.RAISED: "deposit.raise_days"}
REMINDERS = "deposit.reminder_days"


def payable(application: Application, deposit: Deposit) -> Decimal:
    """What a member can pay now, in CNY: what is missing; while it is leaving, only what it owes."""
    if application.state == State.EXITING:
        owed: Decimal = deposit.owed
        return owed
    return deposit.shortfall if application.state in FILLING_UP else ZERO


# The demand ----------------------------------------------------------------------------------------


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
    _save_as_told(demand)
    _tell_demand(deposit, demand)
    return demand


def close_if_met(deposit: Deposit) -> None:
    """If nothing is missing any more, close the demand and lift the suspension that followed from it.

    Orders that ask for more than is missing are closed, too.

    Call it after each increase of the deposit, each waiver, and each lowering of the required amount. Hold
    the application's lock; `deposit` may be out of date, and an application read before it is so afterwards.
    """
    deposit = _as_it_is(deposit)
    _close_orders_too_high(deposit)
    if deposit.shortfall:
        return
    if (demand := open_demand(deposit)) is not None:
        _close(demand, DemandOutcome.MET)
    if deposit.application.state in (State.SUSPENDED, State.EXITING):
        suspensions.lift(
            deposit.application.pk,
            cause=SuspensionCause.SHORTFALL,
            reason=gettext("The deposit is full again."),
        )


def end(deposit: Deposit) -> None:
    """The membership has ended: nobody waits for a top-up any more. Hold the application's lock."""
    demand = open_demand(deposit)
    if demand is not None:
        _close(demand, DemandOutcome.ENDED)


def pause(deposit: Deposit) -> None:
    """The member is leaving: it owes its obligations only. Hold the application's lock."""
    _close_orders_too_high(_as_it_is(deposit))


def resume(deposit: Deposit, *, paused_since: dt.datetime) -> None:
    """The member stays after all: the time in which it was leaving, and couldn't top up, doesn't count.

    Hold the application's lock; `deposit` may be out of date.
    """
    deposit = _as_it_is(deposit)
    demand = open_demand(deposit)
    if demand is None or not deposit.shortfall:
        demand_if_short(deposit)
    elif demand.lapsed_at is None:
        demand.due_at += clock.now() - max(paused_since, demand.opened_at)
        _save_as_told(demand)
        _tell_demand(deposit, demand)


def open_demand(deposit: Deposit) -> TopUpDemand | None:
    return deposit.demands.filter(DEMAND_OPEN).first()


def _as_it_is(deposit: Deposit) -> Deposit:
    return Deposit.objects.select_related("application").get(pk=deposit.pk)


def _close(demand: TopUpDemand, outcome: DemandOutcome) -> None:
    demand.closed_at = clock.now()
    demand.outcome = outcome
    demand.save(update_fields=["closed_at", "outcome"])


def _close_orders_too_high(deposit: Deposit) -> None:
    """An order over more than can be paid now would be refused once it is paid: better that nobody pays it."""
    too_high = deposit.orders.select_for_update(of=("self",)).filter(
        state=OrderState.OPEN,
        purpose=Purpose.TOP_UP,
        amount__gt=payable(deposit.application, deposit),
    )
    for order in too_high:
        begin_closing(order)


def _tell_demand(deposit: Deposit, demand: TopUpDemand) -> None:
    announcements.tell_merchant(
        deposit.application,
        key=f"{_key(demand)}:{deposit.required}:{deposit.shortfall}",
        subject=_("Please top up your deposit"),
        body=_text(deposit, demand),
    )


def _text(deposit: Deposit, demand: TopUpDemand) -> Promise:
    if demand.lapsed_at is not None:
        text = _("Your deposit misses {missing}. Your membership stays suspended until it is full again.")
    elif demand.cause == DemandCause.RAISED:
        text = _(
            "The required deposit is now {required}; yours misses {missing}. Top it up by {until}, or your"
            " membership will be suspended."
        )
    else:
        text = _("Your deposit misses {missing}. Top it up by {until}, or your membership will be suspended.")
    return format_lazy(
        text,
        missing=f"¥{deposit.shortfall:,}",
        required=f"¥{deposit.required:,}",
        until=clock_text(demand.due_at),
    )


def _key(demand: TopUpDemand) -> str:
    """Of what is told of a demand and its date."""
    return f"demand:{demand.pk}:{int(demand.due_at.timestamp())}"


# Reminders -----------------------------------------------------------------------------------------


def to_remind(now: dt.datetime) -> QuerySet[TopUpDemand]:
    """Open demands of which one more of the rule's moments has come since they were last told of."""
    return TopUpDemand.objects.filter(
        DEMAND_OPEN,
        reminders.come(REMINDERS, "due_at", "opened_at", now),
        deposit__application__state__in=FILLING_UP,
    )


def remind(pk: int) -> bool:
    """Remind of one demand, once for each of the rule's moments; of several missed ones only for the nearest."""
    with transaction.atomic():
        # Whose a demand is never changes, so this read needs no lock.
        application, deposit = lock_deposit(
            TopUpDemand.objects.values_list("deposit__application_id", flat=True).get(pk=pk)
        )
        demand = to_remind(clock.now()).filter(pk=pk).first()
        if demand is not None and deposit.shortfall:
            _save_as_told(demand)
            announcements.tell_merchant(
                application,
                key=f"{_key(demand)}:reminder:{demand.reminders}",
                subject=_("Reminder: please top up your deposit"),
                body=_text(deposit, demand),
            )
    return True


def _save_as_told(demand: TopUpDemand) -> None:
    """Whoever is told of the date now needs no reminder whose moment lies behind."""
    demand.reminders = reminders.dealt_with(REMINDERS, demand.due_at, demand.opened_at, clock.now())
    demand.save()


# What no verb has seen -----------------------------------------------------------------------------


def astray(deposits: QuerySet[Deposit]) -> QuerySet[Deposit]:
    """Of members: those that are short without a demand, and those with one that is met."""
    demanded = Exists(TopUpDemand.objects.filter(DEMAND_OPEN, deposit=OuterRef("pk")))
    short = Q(required__gt=F("available") + F("frozen") - F("owed"))
    return deposits.filter((short & ~demanded) | (~short & demanded), application__state__in=FILLING_UP)


def put_right(pk: int) -> bool:
    """Open or close the demand of one deposit as its balance says."""
    with transaction.atomic():
        _application, deposit = lock_deposit(
            Deposit.objects.values_list("application_id", flat=True).get(pk=pk)
        )
        if astray(Deposit.objects.filter(pk=pk)).exists():
            demand_if_short(deposit)
    return True
