"""Where a complainant's compensation goes: named with the claim or any time later.

One person never sends money alone: where operations entered a complaint and silence decided it, nobody else has
looked at it yet, so finance names the payee (deposits/outgoing/compensations.py).
"""

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


def payee_to_pay(complaint: Complaint) -> Payee | None:
    """Whom a compensation is sent to by itself; None where it waits for the complainant or for finance."""
    return None if _is_one_persons_word(complaint) else payee_of(complaint)


def name_payee(pk: int, *, actor: User, payee: Payee) -> Complaint:
    """Where the compensation goes, said by the complainant's side; what waits only for that is sent.

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
        _send_what_waits(complaint)
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
        _send_what_waits(lock_complaint(pk))
    return True


def _send_what_waits(complaint: Complaint) -> None:
    payee = payee_to_pay(complaint)
    if payee is None:
        return
    for compensation in compensations.waiting_of(complaint.case):
        compensations.name_payee(compensation.pk, payee)


def _is_one_persons_word(complaint: Complaint) -> bool:
    people = (complaint.decided_by_id, complaint.appeal_decided_by_id)
    return complaint.complainant_id is None and not any(people) and not complaint.is_admitted


def _is_due(complaint: Complaint) -> bool:
    """Whether money of a closed case is still to come: it waits, or the provider owes it."""
    owed = Obligation.objects.filter(case=complaint.case, state=ObligationState.OPEN)
    return bool(compensations.waiting_of(complaint.case)) or owed.exists()
