"""Whether a deposit goes back by itself (design §4: clean record, rule v1).

Every part of the programme that may know of a blemish registers a function here; layers above this one do so
from their `ready`.
"""

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from applications.models import Application
from deposits.books.accounts import Kind
from deposits.duties.obligations import OVERTURNED
from deposits.models import LedgerTransfer, Obligation, Proposal
from deposits.states import ObligationState, ProposalState

Source = Callable[[Application], str]

_SOURCES: list[Source] = []

DEDUCTIONS = (Kind.COMPENSATION, Kind.PENALTY, Kind.BREACH)


def blemish_from(source: Source) -> Source:
    """Register a function that gives the reason why two people look at a refund, or "" for none.

    The reason is read by the company and by finance. The function is called under the application's lock.
    """
    if source not in _SOURCES:
        _SOURCES.append(source)
    return source


def blemishes(application: Application) -> list[str]:
    """Every reason why the deposit of this membership does not go back by itself; none: a clean record.

    Hold the application's lock.
    """
    return [reason for source in _SOURCES if (reason := source(application))]


@blemish_from
def _deducted(application: Application) -> str:
    """What was corrected afterwards counts no more."""
    rows = LedgerTransfer.objects.filter(deposit__application=application, kind__in=DEDUCTIONS)
    return _("something was deducted from the deposit") if rows.filter(reversed_by=None).exists() else ""


@blemish_from
def _owed(application: Application) -> str:
    """Debts bar a voluntary exit; one that was waived was a debt all the same, unless its case was overturned."""
    debts = Obligation.objects.filter(deposit__application=application)
    overturned = Proposal.objects.filter(
        obligation=OuterRef("pk"), state=ProposalState.ACCEPTED, details__has_key=OVERTURNED
    )
    unpaid = debts.filter(
        Q(state=ObligationState.OPEN) | (Q(state=ObligationState.WAIVED) & ~Exists(overturned))
    )
    return _("an obligation was not paid") if unpaid.exists() else ""


@blemish_from
def _frozen(application: Application) -> str:
    return _("part of the deposit is frozen for a case") if application.deposit.frozen else ""
