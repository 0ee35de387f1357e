"""What operations do: one claims a case and decides it; an appeal is decided by another person."""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from compliance.complaints import deadlines, door, endings, findings, permissions
from compliance.complaints.lifecycle import CLAIMABLE, ComplaintState
from compliance.locks import lock_complaint
from compliance.models import Complaint, Liability
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted


def claim(pk: int, *, actor: User, seen: int | None = None) -> Complaint:
    """Take the case. One of many who press at once gets it; the others are told who.

    Once its decision is overdue, somebody else may take it over.
    """
    with transaction.atomic():
        complaint = lock_complaint(pk)
        door.refuse_stale(complaint, seen)
        if complaint.state not in CLAIMABLE:
            raise door.wrong_state(complaint)
        _refuse_partial(actor, complaint)
        if not _is_overdue(complaint):
            _refuse_claimed(actor, complaint)
        _assign(complaint, actor, actor, "claim")
    return complaint


def release(pk: int, *, actor: User, seen: int | None = None) -> Complaint:
    """Give a claimed case back to the queue."""
    with transaction.atomic():
        complaint = lock_complaint(pk)
        if complaint.claimed_by_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the person who claimed it can release it."))
        door.refuse_stale(complaint, seen)
        _assign(complaint, None, actor, "release")
    return complaint


def decide(
    pk: int,
    *,
    actor: User,
    liability: str,
    award: Decimal,
    reason: str,
    internal_note: str = "",
    seen: int | None = None,
) -> Complaint:
    """Find who is liable, and for how much (CNY); either side may appeal once. `reason` is read by both."""

    def guard(complaint: Complaint) -> None:
        _take(actor, complaint)
        findings.find(complaint, Liability(liability), award, reason, decided_by=actor)

    return door.move(pk, "decide", actor=actor, guard=guard, note=reason, internal=internal_note, seen=seen)


def decide_appeal(
    pk: int,
    *,
    actor: User,
    liability: str,
    award: Decimal,
    reason: str,
    internal_note: str = "",
    seen: int | None = None,
) -> Complaint:
    """Another person's decision, which is final: the money moves in the same transaction."""

    def guard(complaint: Complaint) -> None:
        _take(actor, complaint)
        findings.find_on_appeal(complaint, Liability(liability), award, reason, decided_by=actor)

    return door.move(
        pk,
        "decide_appeal",
        actor=actor,
        guard=guard,
        follow=endings.settle,
        note=reason,
        internal=internal_note,
        seen=seen,
    )


def _take(actor: User, complaint: Complaint) -> None:
    """Whoever decides handles the case; what somebody else claimed is theirs."""
    _refuse_partial(actor, complaint)
    _refuse_claimed(actor, complaint)
    complaint.claimed_by = actor


def _refuse_partial(actor: User, complaint: Complaint) -> None:
    appealed = complaint.state == ComplaintState.APPEALED
    may = permissions.may_decide_appeal if appealed else permissions.may_decide
    if not may(actor, complaint):
        raise NotPermitted(
            "not_impartial",
            _("Who entered the complaint, admitted the company or decided before can't decide on it."),
        )


def _refuse_claimed(actor: User, complaint: Complaint) -> None:
    if complaint.claimed_by_id not in (None, actor.pk):
        raise DomainError(
            "already_claimed",
            _("%(name)s has already claimed this case.") % {"name": complaint.claimed_by},
        )


def _is_overdue(complaint: Complaint) -> bool:
    owed = complaint.state in (ComplaintState.AWAITING_DECISION, ComplaintState.APPEALED)
    return owed and deadlines.is_over(complaint)


def _assign(complaint: Complaint, person: User | None, actor: User, name: str) -> None:
    """The version stays: it would put the page of a side out of date that is about to answer."""
    complaint.claimed_by = person
    complaint.save(update_fields=["claimed_by"])
    door.record(complaint, name, actor=actor)
