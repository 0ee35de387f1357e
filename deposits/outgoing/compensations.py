"""Compensation on its way to whom a case gave it: out of the deposit already, sent once its payee is known."""

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.locks import lock_application
from deposits import announcements, permissions
from deposits.books.accounts import Kind
from deposits.models import Compensation, LedgerTransfer
from deposits.outgoing import payout_legs
from deposits.outgoing.payees import Payee
from deposits.states import CompensationState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

__all__ = ["Payee", "name_payee", "open_compensation", "waiting_of"]


def open_compensation(entry: LedgerTransfer, *, payee: Payee | None = None) -> Compensation:
    """Make what a row of kind COMPENSATION took out of a deposit ready to be sent, once per row.

    With a payee it is queued at once, in as many transfers as the limit asks for; without one it waits and
    finance is told. DomainError where the payee can't be paid. Hold the application's lock.
    """
    if entry.kind != Kind.COMPENSATION or entry.deposit is None:
        raise ValueError("Only a deduction for compensation is paid out.")
    if payee is not None:
        payee.check()
    earlier = Compensation.objects.filter(entry=entry).first()
    if earlier is not None:
        return earlier
    compensation = Compensation.objects.create(
        deposit=entry.deposit, case=entry.case, amount=entry.amount, entry=entry, created_at=clock.now()
    )
    if payee is None:
        _tell_finance(compensation)
    else:
        _send(compensation, payee)
    return compensation


def name_payee(pk: int, payee: Payee, *, actor: User | None = None) -> Compensation:
    """Send a compensation that waits to the account that is now known. None: the case's own process names it.

    NotPermitted for whoever isn't finance, and for the person who took the money out of the deposit: two take
    part. DomainError `named` where somebody was faster, or where the payee can't be paid.
    """
    payee.check()
    with transaction.atomic():
        # Whose a compensation is never changes, so this read needs no lock.
        deposit_id = Compensation.objects.values_list("deposit__application_id", flat=True).get(pk=pk)
        lock_application(deposit_id)
        compensation = Compensation.objects.select_for_update(of=("self",)).get(pk=pk)
        if actor is not None:
            _refuse_alone(actor, compensation)
        if compensation.state != CompensationState.WAITING:
            raise DomainError("named", _("The payee has been named meanwhile."))
        _send(compensation, payee)
    return compensation


def waiting_of(case: str) -> list[Compensation]:
    """What of one case still waits for a payee, oldest first."""
    return list(
        Compensation.objects.filter(case=case, state=CompensationState.WAITING).order_by("created_at", "pk")
    )


def _refuse_alone(actor: User, compensation: Compensation) -> None:
    if not permissions.may_handle_money(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if compensation.entry.actor_id == actor.pk:
        raise NotPermitted(
            "same_person", _("You took this amount out of the deposit: somebody else names the payee.")
        )


def _send(compensation: Compensation, payee: Payee) -> None:
    compensation.payee_identity = payee.identity
    compensation.payee_identity_type = payee.identity_type.value
    compensation.payee_name = payee.name
    compensation.state = CompensationState.IN_PROGRESS
    compensation.save(update_fields=["payee_identity", "payee_identity_type", "payee_name", "state"])
    payout_legs.pay_compensation(compensation, payee)


def _tell_finance(compensation: Compensation) -> None:
    announcements.tell_finance(
        key=f"compensation-waiting:{compensation.pk}",
        subject=gettext_lazy("A compensation waits for its payee"),
        body=f"{compensation.deposit} · {compensation.case} · ¥{compensation.amount:,}",
        link=reverse("admin:deposits_compensation_change", args=[compensation.pk]),
    )
