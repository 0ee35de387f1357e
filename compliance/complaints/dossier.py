"""All that is known of one complaint, for whoever decides it: the evidence of both sides, money, history, likes of it."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.complaints import deadlines
from compliance.complaints.step_names import step_name
from compliance.models import Complaint, ComplaintFile, ComplaintStatement, ComplaintStep, Side
from deposits.books.accounts import Account
from deposits.models import ZERO, Compensation, Deposit, LedgerTransfer
from deposits.states import ObligationState
from tmall_sp.accounts.models import User
from tmall_sp.core import rules

# How many other cases are named.
OTHERS = 10
# Their words stand with the evidence.
SAID_AS_EVIDENCE = {"admit", "contest", "add_evidence", "appeal"}


@dataclass(frozen=True)
class Item:
    """Something that a side said or showed."""

    at: dt.datetime
    by: User | None
    title: str | Promise = ""
    text: str = ""
    file: ComplaintFile | None = None


@dataclass(frozen=True)
class Entry:
    """A step of the history; `note` is empty where the evidence has the words."""

    name: str | Promise
    step: ComplaintStep
    note: str


@dataclass(frozen=True)
class Money:
    """The provider's deposit and what the case has done to it, in CNY."""

    deposit: Deposit
    frozen: Decimal
    """For this case."""
    owed: Decimal
    """The rest of this case's award, which the provider has yet to pay in."""
    rows: list[LedgerTransfer]
    compensations: list[Compensation]


@dataclass(frozen=True)
class Dossier:
    complainant: list[Item]
    provider: list[Item]
    history: list[Entry]
    money: Money | None
    of_provider: list[Complaint]
    of_complainant: list[Complaint]
    hours: list[tuple[str, int]]

    @property
    def findings(self) -> list[Entry]:
        """What was decided, or admitted, the last first: that is the one that counts."""
        return [entry for entry in reversed(self.history) if entry.step.liability]


def dossier(complaint: Complaint) -> Dossier:
    """A fixed number of queries. `complaint` comes with its application and that one's deposit."""
    statements = list(complaint.statements.select_related("by"))
    files = list(complaint.files.select_related("uploaded_by"))
    return Dossier(
        complainant=_said(complaint, Side.COMPLAINANT, statements, files),
        provider=_said(complaint, Side.PROVIDER, statements, files),
        history=[_entry(step) for step in complaint.steps.select_related("actor")],
        money=_money(complaint),
        of_provider=_others(complaint, Q(application=complaint.application_id)),
        of_complainant=_others(complaint, same) if (same := _by_the_same(complaint)) else [],
        hours=_hours(complaint),
    )


def _said(
    complaint: Complaint,
    side: Side,
    statements: Iterable[ComplaintStatement],
    files: Iterable[ComplaintFile],
) -> list[Item]:
    """In order of time. What operations entered, they entered for the complainant."""
    sides = {side, Side.OPERATIONS} if side is Side.COMPLAINANT else {side}
    items = [Item(row.at, row.by, text=row.text) for row in statements if row.side in sides]
    items += [Item(row.uploaded_at, row.uploaded_by, file=row) for row in files if row.side in sides]
    if side is Side.COMPLAINANT:
        by = complaint.complainant or complaint.entered_by
        items.append(Item(complaint.filed_at, by, title=_("The complaint"), text=complaint.text))
    # Of one moment the words come before the files.
    return sorted(items, key=lambda item: (item.at, item.file is not None))


def _entry(step: ComplaintStep) -> Entry:
    return Entry(step_name(step.name), step, "" if step.name in SAID_AS_EVIDENCE else step.note)


def _money(complaint: Complaint) -> Money | None:
    deposit: Deposit | None = getattr(complaint.application, "deposit", None)
    if deposit is None:
        return None
    rows = list(deposit.transfers.filter(case=complaint.case).order_by("at", "pk"))
    owed = deposit.obligations.filter(case=complaint.case, state=ObligationState.OPEN)
    return Money(
        deposit=deposit,
        frozen=sum((_frozen_by(row) for row in rows), ZERO),
        owed=sum((obligation.outstanding for obligation in owed), ZERO),
        rows=rows,
        compensations=list(Compensation.objects.filter(case=complaint.case).order_by("created_at", "pk")),
    )


def _frozen_by(row: LedgerTransfer) -> Decimal:
    amount: Decimal = row.amount
    if row.credit == Account.DEPOSIT_FROZEN:
        return amount
    return -amount if row.debit == Account.DEPOSIT_FROZEN else ZERO


def _by_the_same(complaint: Complaint) -> Q | None:
    """Who has no account is known by the contact alone."""
    if complaint.complainant_id:
        return Q(complainant=complaint.complainant_id)
    contact = complaint.complainant_contact
    return Q(complainant__isnull=True, complainant_contact=contact) if contact else None


def _others(complaint: Complaint, which: Q) -> list[Complaint]:
    found: QuerySet[Complaint] = Complaint.objects.filter(which).exclude(pk=complaint.pk)
    return list(found.select_related("application", "question").order_by("-filed_at", "-pk")[:OTHERS])


def _hours(complaint: Complaint) -> list[tuple[str, int]]:
    """How long each state lasts, by the rules of the day on which the complaint was filed."""
    return [
        (str(state.label), rules.value(rule, complaint.filed_at)) for state, rule in deadlines.HOURS.items()
    ]
