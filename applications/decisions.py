"""Decisions about a membership that need two people: one of operations proposes, another accepts or refuses.

Accepting carries the decision out in the same transaction, or raises and changes nothing. Nobody, a superuser
included, is both people: a constraint asks for another one, here and on the timeline's entry.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from applications import permissions, required_exits, reversals
from applications.door import refuse_stale, wrong_state
from applications.guards import refuse_empty
from applications.locks import lock_application
from applications.models import Application, Decision, DecisionKind, DecisionState
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.notices import notify

K = DecisionKind
# What each kind does: takes the proposer, the decider, and the reason that the company reads.
CARRY_OUT: dict[DecisionKind, Callable[[int, User, User, str], Application]] = {
    K.REQUIRE_EXIT: lambda pk, first, second, reason: required_exits.require_exit(
        pk, actor=first, second_actor=second, reason=reason
    ),
    K.REVOKE_APPROVAL: lambda pk, first, second, reason: reversals.revoke_approval(
        pk, proposer=first, decider=second, reason=reason
    ),
}


def propose(
    kind: DecisionKind, pk: int, *, actor: User, reason: str, note: str = "", seen: int | None = None
) -> Decision:
    """Put a decision before a second person, and tell operations. The company reads `reason` once it is taken.

    NotPermitted; DomainError `no_reason`, `wrong_state`, `not_impartial`, `already_proposed`.
    """
    refuse_empty(reason)
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.are_operations(actor):
            raise NotPermitted("not_permitted", _("You may not do this."))
        refuse_stale(application, seen)
        if not can_be_taken(kind, application):
            raise wrong_state(application)
        _refuse_involved(actor, application, kind)
        decision = Decision(
            application=application,
            kind=kind,
            reason=reason.strip(),
            note=note.strip(),
            proposed_by=actor,
            proposed_at=clock.now(),
        )
        try:
            with transaction.atomic():
                decision.save(force_insert=True)
        except IntegrityError as error:
            if "one_open_decision_per_kind" not in str(error):
                raise
            raise DomainError("already_proposed", _("This already waits for a second person.")) from error
        _tell(
            staff_with(Role.OPS).exclude(pk=actor.pk),
            decision,
            gettext_lazy("A decision about a membership waits for a second person"),
            "proposed",
            decision.reason,
        )
    return decision


def accept(pk: int, *, actor: User, reason: str = "") -> Decision:
    """The second person's word: carries the decision out at once.

    NotPermitted for the proposer and whoever isn't operations; DomainError `decided` if somebody was faster,
    and whatever the step itself refuses.
    """
    with transaction.atomic():
        decision = _open_decision(pk)
        if not may_decide(actor, decision):
            raise NotPermitted("not_permitted", _("Another person of operations must decide this."))
        _decide(decision, DecisionState.ACCEPTED, actor, reason)
        CARRY_OUT[DecisionKind(decision.kind)](
            decision.application_id, decision.proposed_by, actor, decision.reason
        )
    return decision


def refuse(pk: int, *, actor: User, reason: str) -> Decision:
    """The second person says no; the proposer reads why."""
    if not reason.strip():
        raise DomainError("no_reason", _("Give the reason."), field="reason")
    with transaction.atomic():
        decision = _open_decision(pk)
        if not may_decide(actor, decision):
            raise NotPermitted("not_permitted", _("Another person of operations must decide this."))
        _decide(decision, DecisionState.REFUSED, actor, reason)
        _tell(
            [decision.proposed_by],
            decision,
            gettext_lazy("Your proposal was refused"),
            "refused",
            decision.decision_reason,
        )
    return decision


def withdraw(pk: int, *, actor: User) -> Decision:
    """The proposer takes it back."""
    with transaction.atomic():
        decision = _open_decision(pk)
        if decision.proposed_by_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the person who proposed it can withdraw it."))
        _decide(decision, DecisionState.WITHDRAWN, actor, "")
    return decision


def may_decide(user: User, decision: Decision) -> bool:
    """The second person: of operations, and not the one who proposed it."""
    return permissions.are_operations(user) and user.pk != decision.proposed_by_id


def can_be_taken(kind: DecisionKind, application: Application) -> bool:
    """Whether the membership is in a state in which this can be decided."""
    return bool(can_proceed(getattr(application, DecisionKind(kind).value)))


# Parts ---------------------------------------------------------------------------------------------


def _refuse_involved(actor: User, application: Application, kind: DecisionKind) -> None:
    """Whoever could not be one of the two is told before anybody else has looked at it."""
    admitted_it = kind == K.REQUIRE_EXIT and actor.pk == application.approved_by_id
    if admitted_it or permissions.belongs_to(actor, application):
        raise DomainError(
            "not_impartial",
            _("Who admitted the company or belongs to it can't decide on it."),
        )


def _open_decision(pk: int) -> Decision:
    """The decision, still open, after the lock of the application that it is about."""
    # Whom a decision is about never changes, so this read needs no lock.
    lock_application(Decision.objects.values_list("application_id", flat=True).get(pk=pk))
    decision = (
        Decision.objects.select_for_update(of=("self",))
        .select_related("application", "proposed_by")
        .get(pk=pk)
    )
    if decision.state != DecisionState.OPEN:
        raise DomainError(
            "decided",
            _("This was decided meanwhile: %(state)s.") % {"state": decision.get_state_display()},
        )
    return decision


def _decide(decision: Decision, state: DecisionState, actor: User, reason: str) -> None:
    decision.state = state
    decision.decided_by = actor
    decision.decided_at = clock.now()
    decision.decision_reason = reason.strip()
    decision.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])


def _tell(people: Any, decision: Decision, subject: str | Promise, event: str, words: str) -> None:
    application = decision.application
    notify(
        people,
        key=f"decision:{decision.pk}:{event}",
        subject=subject,
        body=format_lazy(
            "{kind} · {number} {company}\n{words}",
            kind=decision.get_kind_display(),
            number=application.number,
            company=application.company_name,
            words=words,
        ),
        link=reverse("admin:applications_decision_change", args=[decision.pk]),
    )
