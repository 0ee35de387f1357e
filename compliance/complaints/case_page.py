"""What a side reads of its complaint. Staff's names and notes are none of it, nor the other side's own data."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.complaints.lifecycle import ComplaintState
from compliance.complaints.standing import offers, standing
from compliance.complaints.step_names import step_name
from compliance.models import Complaint, ComplaintFile, ComplaintStatement, ComplaintStep, Side
from deposits.books.accounts import Account
from deposits.duties import previews
from deposits.models import ZERO, Compensation, Deposit, LedgerTransfer, Obligation
from deposits.states import CompensationState, ObligationState, PayoutState
from tmall_sp.accounts.models import User

# Who of staff handles a case is their own business.
INTERNAL = {"claim", "release"}
# The complainant's own business.
COMPLAINANTS_OWN = {"name_payee"}
# Their words stand where the side speaks, or with the decision.
SAID_ELSEWHERE = {"admit", "contest", "add_evidence", "appeal", "decide", "decide_appeal", "default"}


@dataclass(frozen=True)
class Statement:
    """What a side said in one step."""

    at: dt.datetime
    text: str


@dataclass(frozen=True)
class ShownFile:
    """A file with where this side finds it."""

    file: ComplaintFile
    url: str

    @property
    def is_picture(self) -> bool:
        return self.file.content_type.startswith("image/")


@dataclass(frozen=True)
class Voice:
    """One side's part: what it said, in order of time, and what it showed."""

    title: str | Promise
    statements: list[Statement]
    files: list[ShownFile]
    done_at: dt.datetime | None


@dataclass(frozen=True)
class Entry:
    """A step of the history."""

    name: str | Promise
    at: dt.datetime
    who: str | Promise
    note: str


@dataclass(frozen=True)
class Finding:
    """An admission or a decision, with its reason; `counts`: none came after it."""

    name: str | Promise
    at: dt.datetime
    liability: str
    award: Decimal
    reason: str
    counts: bool


def for_complainant(complaint: Complaint, user: User) -> dict[str, Any]:
    payment = _payment(complaint)
    return _common(complaint, Side.COMPLAINANT) | {
        "offers": offers(complaint, user, Side.COMPLAINANT, money_to_come=payment.waits_for_payee),
        "payment": payment,
    }


def for_provider(complaint: Complaint, user: User) -> dict[str, Any]:
    """`complaint` comes with its application and that one's deposit."""
    return _common(complaint, Side.PROVIDER) | {
        "offers": offers(complaint, user, Side.PROVIDER),
        "deposit": _deposit_of(complaint),
    }


def _common(complaint: Complaint, side: Side) -> dict[str, Any]:
    steps = [step for step in complaint.steps.select_related("actor") if _is_shown(step, side)]
    statements = list(complaint.statements.all())
    shown = [ShownFile(row, _url(complaint, row, side)) for row in complaint.files.all()]
    return {
        "complaint": complaint,
        "application": complaint.application,
        "side": side.value,
        "standing": standing(complaint, side),
        "voices": [
            _voice(complaint, of, statements, shown, side) for of in (Side.COMPLAINANT, Side.PROVIDER)
        ],
        "findings": _findings(steps),
        "history": [_entry(step) for step in reversed(steps)],
    }


def _is_shown(step: ComplaintStep, side: Side) -> bool:
    return step.name not in INTERNAL and (side is Side.COMPLAINANT or step.name not in COMPLAINANTS_OWN)


def _url(complaint: Complaint, row: ComplaintFile, side: Side) -> str:
    if side is Side.COMPLAINANT:
        return reverse("complaints:file", args=[complaint.number, row.pk])
    return reverse("cases:file", args=[complaint.application.number, complaint.number, row.pk])


def _voice(
    complaint: Complaint, of: Side, statements: list[ComplaintStatement], files: list[ShownFile], reader: Side
) -> Voice:
    """What operations entered, they entered for the complainant."""
    complains = of is Side.COMPLAINANT
    sides = {Side.COMPLAINANT, Side.OPERATIONS} if complains else {of}
    said = [Statement(row.at, row.text) for row in statements if row.side in sides]
    claim = [Statement(complaint.filed_at, complaint.text)] if complains else []
    return Voice(
        title=_title(of, reader),
        statements=claim + said,
        files=[shown for shown in files if shown.file.side in sides],
        done_at=complaint.complainant_done_at if complains else complaint.provider_done_at,
    )


def _title(of: Side, reader: Side) -> str | Promise:
    if of is reader:
        return _("What you say") if of is Side.COMPLAINANT else _("What your company says")
    return _("What the complainant says") if of is Side.COMPLAINANT else _("What the provider says")


def _findings(steps: list[ComplaintStep]) -> list[Finding]:
    """The newest first."""
    found = [step for step in steps if step.liability]
    return [
        Finding(
            step_name(step.name),
            step.at,
            step.get_liability_display(),
            step.award or ZERO,
            _reason(step),
            counts=step is found[-1],
        )
        for step in reversed(found)
    ]


def _reason(step: ComplaintStep) -> str:
    return step.note or (str(_("The provider did not respond in time.")) if step.name == "default" else "")


def _entry(step: ComplaintStep) -> Entry:
    note = "" if step.name in SAID_ELSEWHERE else step.note
    return Entry(step_name(step.name), step.at, _who(step), note)


def _who(step: ComplaintStep) -> str | Promise:
    """Nobody is named: a side speaks as a whole, and so do staff."""
    if step.side:
        return step.get_side_display()
    return _("System") if step.actor is None else _("Programme staff (淘宝小二)")


# The complainant's money ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A sum that is paid to the complainant, and how far it has come."""

    amount: Decimal
    state: str
    done_at: dt.datetime | None
    is_stuck: bool
    """Finance has to look at it: Alipay refused it, or the bank sent it back."""


@dataclass(frozen=True)
class Payment:
    """Compensation: what is on its way or there, and what the provider's deposit could not give (yet), in CNY."""

    parts: list[Part]
    owed: Decimal
    waived: Decimal

    @property
    def waits_for_payee(self) -> bool:
        """Whether the payee can still be named to some effect."""
        return bool(self.owed) or any(part.state == CompensationState.WAITING for part in self.parts)

    @property
    def is_anything(self) -> bool:
        return bool(self.parts or self.owed or self.waived)


STUCK = {PayoutState.ATTENTION, PayoutState.RETURNED}


def _payment(complaint: Complaint) -> Payment:
    rows = Compensation.objects.filter(case=complaint.case).order_by("created_at", "pk")
    debts = list(Obligation.objects.filter(case=complaint.case))
    return Payment(
        parts=[_part(row) for row in rows.prefetch_related("payouts")],
        owed=sum((debt.outstanding for debt in debts if debt.state == ObligationState.OPEN), ZERO),
        waived=sum((debt.outstanding for debt in debts if debt.state == ObligationState.WAIVED), ZERO),
    )


def _part(row: Compensation) -> Part:
    stuck = any(leg.state in STUCK for leg in row.payouts.all())
    return Part(row.amount, row.state, row.done_at, stuck and row.state == CompensationState.IN_PROGRESS)


# The provider's money ------------------------------------------------------------------------------


@dataclass(frozen=True)
class CaseInDeposit:
    """What the case has frozen of the deposit, its movements there, and what of it is owed, in CNY."""

    frozen: Decimal
    rows: list[LedgerTransfer]
    owed: Decimal


def _deposit_of(complaint: Complaint) -> CaseInDeposit | None:
    deposit: Deposit | None = getattr(complaint.application, "deposit", None)
    if deposit is None:
        return None
    rows = list(deposit.transfers.filter(case=complaint.case).order_by("at", "pk"))
    debts = deposit.obligations.filter(case=complaint.case, state=ObligationState.OPEN)
    return CaseInDeposit(
        frozen=sum((_frozen_by(row) for row in rows), ZERO),
        rows=rows,
        owed=sum((debt.outstanding for debt in debts), ZERO),
    )


def _frozen_by(row: LedgerTransfer) -> Decimal:
    amount = Decimal(row.amount)
    if row.credit == Account.DEPOSIT_FROZEN:
        return amount
    return -amount if row.debit == Account.DEPOSIT_FROZEN else ZERO


def cost(complaint: Complaint, award: Decimal | None) -> previews.Preview | None:
    """What paying `award` (CNY) would do to the deposit, as it is now; None where nothing can be admitted."""
    deposit: Deposit | None = getattr(complaint.application, "deposit", None)
    if award is None or deposit is None or complaint.state != ComplaintState.AWAITING_RESPONSE:
        return None
    deposit.application = complaint.application
    return previews.foresee(award, previews.standing(deposit, complaint.case))
