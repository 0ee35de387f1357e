"""Where a complainant's compensation goes: named with the claim or any time later."""

from django.db import transaction
from django.utils.translation import gettext as _

from compliance.complaints import door
from compliance.complaints.lifecycle import OPEN
from compliance.locks import lock_complaint
from compliance.models import Complaint, Side
from deposits.gateways.alipay import IdentityType
from deposits.models import Compensation, Obligation
from deposits.outgoing import compensations
from deposits.outgoing.payees import Payee
from deposits.states import CompensationState, ObligationState
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError


def payee_of(complaint: Complaint) -> Payee | None:
    """Where the complainant wants the money; None as long as nobody said."""
    if not complaint.payee_identity:
        return None
    return Payee(complaint.payee_identity, IdentityType(complaint.payee_identity_type), complaint.payee_name)


def name_payee(pk: int, *, actor: User, payee: Payee) -> Complaint:
    """Where the compensation goes, said by the complainant's side; what already waits for it is sent.

    DomainError `nothing_due` once nothing can be paid (any more), or where the payee can't be paid.
    """
    payee.check()
    with transaction.atomic():
        complaint = lock_complaint(pk)
        side = door.speaker(actor, complaint, Side.COMPLAINANT)
        if complaint.state not in OPEN and not _is_due(complaint):
            raise DomainError("nothing_due", _("Nothing is to be paid out."))
        write(complaint, payee)
        complaint.save(update_fields=["payee_identity", "payee_identity_type", "payee_name"])
        door.record(complaint, "name_payee", actor=actor, side=side)
        _send(complaint, payee)
    return complaint


def write(complaint: Complaint, payee: Payee) -> None:
    """Set the columns; the caller saves."""
    complaint.payee_identity = payee.identity
    complaint.payee_identity_type = payee.identity_type.value
    complaint.payee_name = payee.name


def waiting_with_payee() -> list[int]:
    """Complaints with a payee whose compensation waits all the same: a debt was paid after the payee was named."""
    waiting = Compensation.objects.filter(state=CompensationState.WAITING, case__startswith=Complaint.CASE)
    numbers = [case.removeprefix(Complaint.CASE) for case in waiting.values_list("case", flat=True)]
    found = Complaint.objects.filter(number__in=numbers).exclude(payee_identity="")
    return list(found.values_list("pk", flat=True))


def send_waiting(pk: int) -> bool:
    """Send what waits to the payee that the complaint has. Repeats change nothing."""
    with transaction.atomic():
        complaint = lock_complaint(pk)
        payee = payee_of(complaint)
        if payee is not None:
            _send(complaint, payee)
    return True


def _send(complaint: Complaint, payee: Payee) -> None:
    for compensation in compensations.waiting_of(complaint.case):
        compensations.name_payee(compensation.pk, payee)


def _is_due(complaint: Complaint) -> bool:
    """Whether money of a closed case is still to come: it waits, or the provider owes it."""
    owed = Obligation.objects.filter(case=complaint.case, state=ObligationState.OPEN)
    return bool(compensations.waiting_of(complaint.case)) or owed.exists()
