"""The books put right, or brought up to what happened at Alipay: two people decide (registered in proposals.py).

`Proposal.details`, all texts:
- correct an entry: nothing;
- book a movement: `kind` (funding, withdrawal or gateway_fee), `amount` with two places, `serial`, Alipay's
  number of the movement, and `at`, when it happened, as ISO time with its offset.
"""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.lifecycle import State
from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import BALANCES, Kind
from deposits.duties import obligations, topups
from deposits.models import Deposit, LedgerTransfer, Proposal
from deposits.outgoing import refunds
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

# What moved no money at Alipay, or was booked by hand. The rest follows from orders, payouts and cases.
CORRECTABLE = (
    Kind.PENALTY,
    Kind.BREACH,
    Kind.FORFEITURE,
    Kind.GATEWAY_FEE,
    Kind.FUNDING,
    Kind.WITHDRAWAL,
    Kind.OPENING_BALANCE,
)
BY_HAND = (Kind.FUNDING, Kind.WITHDRAWAL, Kind.GATEWAY_FEE)
SERIAL = re.compile(r"[0-9A-Za-z_-]{1,64}")
LARGEST = Decimal("9999999999.99")


# An entry ------------------------------------------------------------------------------------------


def may_be_corrected(entry: LedgerTransfer) -> bool:
    """Whether two people may reverse the row: its kind allows it, and nobody has."""
    return entry.kind in CORRECTABLE and not LedgerTransfer.objects.filter(reverses=entry).exists()


def check_correction(proposal: Proposal) -> None:
    entry = _entry(proposal)
    if entry.kind not in CORRECTABLE:
        raise DomainError(
            "not_correctable", _("Entries of this kind follow from something else: they are not corrected.")
        )
    if not may_be_corrected(entry):
        raise DomainError("corrected", _("This entry has been reversed already."))
    if _lacks(entry):
        raise DomainError("insufficient", _("The deposit has not that much."))


def correct(proposal: Proposal) -> None:
    """The row's mirror image. What a deposit gets back pays its obligations first.

    For a company that has left, the rest goes back to it like any refund. What an expelled one gets back stays
    available: whoever corrected that, decides where it goes.
    """
    entry = _entry(proposal)
    row = ledger.reverse(
        entry,
        Kind.CORRECTION,
        note=proposal.reason[:200],
        proposal=proposal,
        actor=proposal.decided_by,
    )
    if row.deposit is not None and row.credit in BALANCES:
        _after_return(row.deposit, row)


def _after_return(deposit: Deposit, row: LedgerTransfer) -> None:
    application = deposit.application
    announcements.enter_timeline(application, "entry_corrected", f"¥{row.amount:,}")
    announcements.tell_merchant(
        application,
        key=f"corrected:{row.pk}",
        subject=gettext_lazy("A deduction from your deposit has been corrected"),
        body=format_lazy(gettext_lazy("{amount} are yours again."), amount=f"¥{row.amount:,}"),
    )
    paid = obligations.settle(deposit)
    if application.state == State.EXITED and row.amount > paid:
        refunds.queue_refund(
            deposit, row.amount - paid, key=f"correction:{row.pk}", reason=_("A deduction was corrected")
        )
    topups.close_if_met(deposit)


def _lacks(entry: LedgerTransfer) -> bool:
    """Whether the mirror image would take more from the deposit than is there."""
    field = BALANCES.get(entry.credit)  # type: ignore[call-overload]
    return entry.deposit is not None and field is not None and getattr(entry.deposit, field) < entry.amount


def _entry(proposal: Proposal) -> LedgerTransfer:
    assert proposal.entry_id is not None  # proposal_names_its_target
    return LedgerTransfer.objects.select_related("deposit__application").get(pk=proposal.entry_id)


# A movement at Alipay ------------------------------------------------------------------------------


def check_movement(proposal: Proposal) -> None:
    _kind(proposal)
    _amount(proposal)
    _at(proposal)
    if _bookings(proposal).filter(reversed_by=None).exists():
        raise _booked()


def book_movement(proposal: Proposal) -> None:
    """One row for one movement, named by Alipay's own number; another only once that was corrected."""
    # Read once: a booking that appeared since the check must not count as one that was corrected.
    corrections = list(_bookings(proposal).values_list("reversed_by", flat=True))
    if None in corrections:
        raise _booked()
    earlier = len(corrections)
    try:
        with transaction.atomic():
            ledger.post(
                _kind(proposal),
                _amount(proposal),
                key=f"{_key(proposal)}:{earlier}" if earlier else _key(proposal),
                proposal=proposal,
                note=proposal.details["serial"],
                actor=proposal.decided_by,
                at=_at(proposal),
            )
    except IntegrityError as error:
        # Two decisions about the same movement were carried out at the same moment.
        raise _booked() from error


def _bookings(proposal: Proposal) -> QuerySet[LedgerTransfer]:
    key = _key(proposal)
    return LedgerTransfer.objects.filter(Q(key=key) | Q(key__startswith=f"{key}:"))


def _booked() -> DomainError:
    return DomainError("booked", _("This movement has been booked already."), field="serial")


def _kind(proposal: Proposal) -> Kind:
    kind = proposal.details.get("kind")
    if kind not in BY_HAND:
        raise DomainError("no_kind", _("Say what kind of movement it is."), field="kind")
    return Kind(kind)


def _amount(proposal: Proposal) -> Decimal:
    try:
        amount = Decimal(proposal.details["amount"])
        if amount.is_finite() and 0 < amount <= LARGEST and amount == amount.quantize(ledger.CENT):
            return amount.quantize(ledger.CENT)
    except (KeyError, TypeError, InvalidOperation):
        pass
    raise DomainError("no_amount", _("An amount has at most two places and is above zero."), field="amount")


def _at(proposal: Proposal) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(proposal.details["at"])
    except (KeyError, TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None or at > clock.now():
        raise DomainError("no_time", _("Give the time of the movement, which has passed."), field="at")
    return at


def _key(proposal: Proposal) -> str:
    serial = proposal.details.get("serial")
    if not isinstance(serial, str) or not SERIAL.fullmatch(serial):
        raise DomainError(
            "no_serial", _("Give Alipay's number of the movement, as its bill has it."), field="serial"
        )
    return f"alipay:{serial}"
