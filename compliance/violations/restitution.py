"""The money of a penalty that was overturned: proposed to finance, who accept (deposits/proposals.py).

Two people move money back: the one who decided the appeal proposes, another of finance accepts.
"""

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from compliance.locks import lock_violation
from compliance.models import CHARGES, Violation
from compliance.violations.lifecycle import ViolationState
from compliance.violations.permissions import may_handle
from deposits import announcements, proposals
from deposits.duties.obligations import OVERTURNED
from deposits.models import LedgerTransfer, Obligation, Proposal, ProposalKind
from deposits.states import ObligationState, ProposalState
from tmall_sp.accounts.models import User


def propose(violation: Violation, *, actor: User, reason: str) -> None:
    """Correct each entry of its penalty, and waive what of it is still owed. Nothing is proposed twice.

    Hold the application's lock.
    """
    for entry in _taken().filter(case=violation.case):
        proposals.propose(ProposalKind.CORRECT_ENTRY, actor=actor, reason=reason, target=entry)
    for obligation in _owed().filter(case=violation.case):
        proposals.propose(
            ProposalKind.WAIVE_OBLIGATION,
            actor=actor,
            reason=reason,
            target=obligation,
            details={OVERTURNED: violation.case},
        )


def left_over() -> QuerySet[Violation]:
    """Overturned ones whose penalty was taken after that: a top-up paid the obligation before it was waived."""
    case = Concat(Value("violation:"), Cast(OuterRef("pk"), CharField()))
    return Violation.objects.filter(
        Exists(_taken().filter(case=case)), state=ViolationState.OVERTURNED
    ).order_by("pk")


def propose_left_over(pk: int) -> bool:
    """Propose it in the name of who decided the appeal, or tell finance where that person may not any more."""
    with transaction.atomic():
        application, violation = lock_violation(pk)
        appeal = violation.appeal_case
        assert appeal.decider is not None
        if may_handle(appeal.decider):
            propose(violation, actor=appeal.decider, reason=appeal.reason)
        else:
            announcements.tell_finance(
                key=f"{violation.case}:left-over",
                subject=_("A penalty that was overturned on appeal has to go back"),
                body=f"{application.number} {application.company_name}\n{violation.title}",
                link=reverse("admin:deposits_deposit_change", args=[application.deposit.pk]),
            )
    return True


def _taken() -> QuerySet[LedgerTransfer]:
    """Entries of penalties that stand, and that nobody proposed to correct. What finance refused stays refused."""
    corrections = Proposal.objects.filter(entry=OuterRef("pk"), kind=ProposalKind.CORRECT_ENTRY)
    return LedgerTransfer.objects.filter(~Exists(corrections), kind__in=CHARGES, reversed_by=None).order_by(
        "pk"
    )


def _owed() -> QuerySet[Obligation]:
    waiting = Proposal.objects.filter(
        obligation=OuterRef("pk"), kind=ProposalKind.WAIVE_OBLIGATION, state=ProposalState.OPEN
    )
    return Obligation.objects.filter(~Exists(waiting), kind__in=CHARGES, state=ObligationState.OPEN).order_by(
        "pk"
    )
