"""What a membership's steps do to its deposit: rows only, in the step's own transaction (design §3)."""

from typing import Any

from django.dispatch import receiver
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.lifecycle import State
from applications.models import Application, Transition
from applications.signals import moved
from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import obligations, topups
from deposits.incoming.orders import begin_closing
from deposits.models import Deposit
from deposits.outgoing import refunds
from deposits.states import ORDER_UNRESOLVED, OrderState
from tmall_sp.core import rules
from tmall_sp.core.errors import DomainError


@receiver(moved, dispatch_uid="deposits.follow")
def follow(application: Application, transition: Transition, **kwargs: Any) -> None:
    if transition.name == "overturn_expulsion":
        _bring_back(application, transition)
    match transition.to_state:
        case State.APPROVED:
            Deposit.objects.get_or_create(
                application=application,
                defaults={
                    "required": rules.amount("deposit.required", transition.at),
                    "opened_at": transition.at,
                },
            )
        case State.WITHDRAWN | State.LAPSED | State.REJECTED:
            _end_unpaid(application, transition)
        case State.EXPELLED:
            _forfeit(application, transition)
        case State.EXITED:
            _give_back(application, transition)


def _end_unpaid(application: Application, transition: Transition) -> None:
    """Nothing is due any more. A payment that comes all the same is refused and goes back by itself.

    Whoever withdraws, or lets lapse, has closed the trade at Alipay first (services.py): one who did not is
    stopped here. Two people who revoke an approval are not.
    """
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None:
        return
    states = {State.WITHDRAWN: [OrderState.OPEN], State.LAPSED: ORDER_UNRESOLVED}
    must_be_closed = states.get(State(transition.to_state), [])
    if deposit.orders.filter(state__in=must_be_closed).exists():
        raise DomainError(
            "order_open", _("First the open payment has to be closed at Alipay: use the page of the deposit.")
        )
    _close_orders(deposit)


def _forfeit(application: Application, transition: Transition) -> None:
    """Everything available, at once. What is frozen waits for the decision on its case (cases.py).

    A deposit that owes something has nothing available: its obligations stay, and are paid before anything
    more is forfeited.
    """
    deposit = Deposit.objects.select_for_update().filter(application=application).first()
    if deposit is None:
        return
    _close_orders(deposit)
    if deposit.available:
        row = ledger.post(
            Kind.FORFEITURE,
            deposit.available,
            key=f"forfeiture:{transition.pk}",
            deposit=deposit,
            case=f"expulsion:{transition.pk}",
            note=transition.reason[:200],
            actor=transition.actor,
            at=transition.at,
        )
        announcements.tell_merchant(
            application,
            key=f"forfeited:{transition.pk}",
            subject=gettext_lazy("Your deposit has been forfeited"),
            body=f"¥{row.amount:,}\n{transition.reason}",
            receipt=row,
        )


def _bring_back(application: Application, transition: Transition) -> None:
    """The expulsion was overturned: all that was forfeited since, also what its cases set free, is there again."""
    expulsion = application.transitions.filter(name="expel").latest("at", "pk")
    deposit = Deposit.objects.select_for_update().filter(application=application).first()
    if deposit is None:
        return
    forfeited = deposit.transfers.filter(kind=Kind.FORFEITURE, at__gte=expulsion.at, reversed_by=None)
    rows = [
        ledger.reverse(row, Kind.CORRECTION, note=transition.reason[:200], actor=transition.actor)
        for row in forfeited.order_by("at", "pk")
    ]
    if rows:
        returned = f"¥{sum(row.amount for row in rows):,}"
        announcements.enter_timeline(application, "forfeiture_returned", returned)
        announcements.tell_merchant(
            application,
            key=f"forfeiture-returned:{transition.pk}",
            subject=gettext_lazy("Your forfeited deposit is there again"),
            body=returned,
        )
    obligations.settle(deposit)
    topups.demand_if_short(deposit)


def _give_back(application: Application, transition: Transition) -> None:
    deposit = Deposit.objects.select_for_update().filter(application=application).first()
    if deposit is None:
        return
    _close_orders(deposit)
    if deposit.available:
        refunds.queue_refund(
            deposit, deposit.available, key=f"exit:{transition.pk}", reason=_("Exit completed")
        )


def _close_orders(deposit: Deposit) -> None:
    for order in deposit.orders.select_for_update(of=("self",)).filter(state=OrderState.OPEN).order_by("pk"):
        begin_closing(order)
