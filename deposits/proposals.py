"""Decisions about money that need two people: one proposes, another of finance accepts or refuses.

Accepting carries the decision out in the same transaction, or raises and changes nothing. The database asks
for an accepted proposal wherever it matters (triggers `…_by_two`), so nobody decides alone past this module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.locks import lock_application
from deposits import announcements, permissions
from deposits.books import corrections
from deposits.duties import obligations
from deposits.locks import deposit_of
from deposits.models import Deposit, LedgerTransfer, Obligation, Payout, Proposal, ProposalKind, Refund
from deposits.models.proposal import TARGETS
from deposits.outgoing import payout_decisions, refund_decisions
from deposits.states import ProposalState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

Target = Obligation | Refund | Payout | LedgerTransfer | Deposit | None


@dataclass(frozen=True)
class Decision:
    """`check` refuses, by DomainError, what can't be done (now); `carry_out` does it, under the same locks."""

    check: Callable[[Proposal], None]
    carry_out: Callable[[Proposal], None]


DECISIONS: dict[ProposalKind, Decision] = {
    ProposalKind.WAIVE_OBLIGATION: Decision(obligations.check_waive, obligations.waive),
    ProposalKind.RELEASE_REFUND: Decision(refund_decisions.check_release, refund_decisions.release),
    ProposalKind.HOLD_REFUND: Decision(refund_decisions.check_hold, refund_decisions.hold),
    ProposalKind.REFUND_BY_HAND: Decision(refund_decisions.check_by_hand, refund_decisions.by_hand),
    ProposalKind.REDIRECT_PAYOUT: Decision(payout_decisions.check_redirect, payout_decisions.redirect),
    ProposalKind.SETTLE_PAYOUT: Decision(payout_decisions.check_settle, payout_decisions.settle),
    ProposalKind.CORRECT_ENTRY: Decision(corrections.check_correction, corrections.correct),
    ProposalKind.BOOK_MOVEMENT: Decision(corrections.check_movement, corrections.book_movement),
}


def propose(
    kind: ProposalKind,
    *,
    actor: User,
    reason: str,
    target: Target = None,
    details: Mapping[str, Any] | None = None,
) -> Proposal:
    """Put a decision before a second person, and tell finance.

    `target` is the row that TARGETS names for the kind. NotPermitted; DomainError `empty` without a reason,
    `already_proposed`, and whatever the kind's check refuses.
    """
    if not permissions.may_propose(actor, kind, target):
        raise NotPermitted("not_permitted", _("You may not do this."))
    _refuse_empty(reason)
    proposal = Proposal(
        kind=kind,
        details=dict(details or {}),
        reason=reason.strip(),
        proposed_by=actor,
        proposed_at=clock.now(),
        deposit=_deposit(target),
    )
    if kind in TARGETS:
        setattr(proposal, TARGETS[kind], target)
    with transaction.atomic():
        _lock(proposal)
        DECISIONS[kind].check(proposal)
        try:
            with transaction.atomic():
                proposal.save(force_insert=True)
        except IntegrityError as error:
            if "one_open_proposal_per_" not in str(error):
                raise
            raise DomainError("already_proposed", _("This already waits for a second person.")) from error
        _tell_finance(proposal)
    return proposal


def accept(pk: int, *, actor: User, reason: str = "") -> Proposal:
    """The second person's word: carries the decision out at once.

    NotPermitted for the proposer and whoever isn't finance; DomainError `decided` if somebody was faster.
    """
    with transaction.atomic():
        proposal = _open_proposal(pk)
        if not permissions.may_decide(actor, proposal):
            raise NotPermitted("not_permitted", _("Another person of finance must decide this."))
        DECISIONS[ProposalKind(proposal.kind)].check(proposal)
        _decide(proposal, ProposalState.ACCEPTED, actor, reason)
        DECISIONS[ProposalKind(proposal.kind)].carry_out(proposal)
    return proposal


def refuse(pk: int, *, actor: User, reason: str) -> Proposal:
    """The second person says no; the proposer reads why."""
    _refuse_empty(reason)
    with transaction.atomic():
        proposal = _open_proposal(pk)
        if not permissions.may_decide(actor, proposal):
            raise NotPermitted("not_permitted", _("Another person of finance must decide this."))
        _decide(proposal, ProposalState.REFUSED, actor, reason)
        announcements.tell_person(
            proposal.proposed_by,
            key=f"proposal:{proposal.pk}:refused",
            subject=gettext_lazy("Your proposal was refused"),
            body=f"{proposal.get_kind_display()}\n{reason.strip()}",
            link=reverse("admin:deposits_proposal_change", args=[proposal.pk]),
        )
    return proposal


def withdraw(pk: int, *, actor: User) -> Proposal:
    """The proposer takes it back."""
    with transaction.atomic():
        proposal = _open_proposal(pk)
        if proposal.proposed_by_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the person who proposed it can withdraw it."))
        _decide(proposal, ProposalState.WITHDRAWN, actor, "")
    return proposal


def _open_proposal(pk: int) -> Proposal:
    """The proposal, still open, after the lock of the application that it is about."""
    # Whom a proposal is about never changes, so this read needs no lock.
    _lock(Proposal.objects.select_related("deposit").get(pk=pk))
    proposal = Proposal.objects.select_for_update(of=("self",)).get(pk=pk)
    if proposal.state != ProposalState.OPEN:
        raise DomainError(
            "decided",
            _("This was decided meanwhile: %(state)s.") % {"state": proposal.get_state_display()},
        )
    return proposal


def _lock(proposal: Proposal) -> None:
    if proposal.deposit is not None:
        lock_application(proposal.deposit.application_id)


def _deposit(target: Target) -> Deposit | None:
    match target:
        case Deposit():
            return target
        case Payout():
            return deposit_of(target)
        case None:
            return None
    return target.deposit


def _decide(proposal: Proposal, state: ProposalState, actor: User, reason: str) -> None:
    proposal.state = state
    proposal.decided_by = actor
    proposal.decided_at = clock.now()
    proposal.decision_reason = reason.strip()
    proposal.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])


def _refuse_empty(reason: str) -> None:
    if not reason.strip():
        raise DomainError("empty", _("Give the reason."), field="reason")


def _tell_finance(proposal: Proposal) -> None:
    announcements.tell_finance(
        key=f"proposal:{proposal.pk}",
        subject=gettext_lazy("A decision about money waits for a second person"),
        body=f"{proposal.get_kind_display()} · {proposal.deposit or ''}\n{proposal.reason}",
        link=reverse("admin:deposits_proposal_change", args=[proposal.pk]),
        but=proposal.proposed_by,
    )
