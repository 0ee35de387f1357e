"""Who is liable, and for how much: written by an admission, by silence, or by the person who decides."""

from decimal import Decimal

from django.utils.translation import gettext as _

from compliance.models import Complaint, Liability
from deposits.books.ledger import CENT
from deposits.models import ZERO
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


def find(
    complaint: Complaint, liability: Liability, award: Decimal, reason: str, *, decided_by: User | None
) -> None:
    """The first finding. `decided_by` None: admitted, or decided by silence. The caller saves."""
    refuse_finding(complaint, liability, award, reason)
    complaint.liability = liability
    complaint.award = award
    complaint.decided_by = decided_by
    complaint.decided_at = clock.now()
    complaint.decision_reason = reason.strip()


def find_on_appeal(
    complaint: Complaint, liability: Liability, award: Decimal, reason: str, *, decided_by: User
) -> None:
    """The finding that takes the place of the first: the case is decided anew. The caller saves."""
    refuse_finding(complaint, liability, award, reason)
    complaint.liability = liability
    complaint.award = award
    complaint.appeal_decided_by = decided_by
    complaint.appeal_decided_at = clock.now()
    complaint.appeal_reason = reason.strip()


def refuse_finding(complaint: Complaint, liability: Liability, award: Decimal, reason: str) -> None:
    """DomainError, beside its field, for a finding without a reason or with an award that doesn't fit."""
    if not reason.strip():
        raise DomainError("empty", _("Give the reason that both sides read."), field="reason")
    if award != award.quantize(CENT):
        raise DomainError("award", _("Give the award in whole cents."), field="award")
    if liability is Liability.NOT_LIABLE and award:
        raise DomainError("award", _("Who is not liable pays nothing."), field="award")
    if liability is not Liability.NOT_LIABLE and not ZERO < award <= complaint.claimed:
        raise DomainError(
            "award", _("Award an amount above zero, and at most what is claimed."), field="award"
        )
