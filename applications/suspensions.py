"""暂停服务: a member is suspended while at least one reason for it is open; each has a row of its own.

Every verb locks the application. `seen` is the version of the page that the person acted on; an older one
raises StaleVersion. Neither verb minds being repeated.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from applications import permissions, selectors
from applications.door import enter, move, refuse_stale, wrong_state
from applications.guards import refuse_empty
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import CURABLE, LIFTED_BY_A_PERSON, Application, Suspension, SuspensionCause
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import NotPermitted


def suspend(
    pk: int, *, cause: str, reason: str, actor: User | None = None, case: str = "", seen: int | None = None
) -> Suspension:
    """Open a suspension for a reason that the company reads; the one already open for this cause and case, if any.

    An active member is suspended. One that is suspended, or on its way out, has one reason more, which keeps
    it from being active again. `actor` is a person of operations, or None: the system, for any cause but `ops`.
    NotPermitted; DomainError `no_reason`, and `wrong_state` for whoever doesn't serve, or never did.
    """
    refuse_empty(reason)
    with transaction.atomic():
        application = lock_application(pk)
        if not _may_suspend(actor, cause):
            raise NotPermitted("not_permitted", _("You may not do this."))
        refuse_stale(application, seen)
        if not can_be_suspended(application):
            raise wrong_state(application)
        if (suspension := _open(application, cause, case)) is not None:
            return suspension
        suspension = open_row(application, cause=cause, case=case, reason=reason, actor=actor)
        if application.state == State.ACTIVE:
            move(pk, "suspend", actor=actor, reason=reason)
        else:
            enter(application, "add_suspension", actor=actor, reason=reason)
    return suspension


def lift(
    pk: int,
    *,
    cause: str,
    case: str = "",
    actor: User | None = None,
    reason: str = "",
    seen: int | None = None,
) -> Suspension | None:
    """Close the open suspension for this cause and case; the member is active again once none is open.

    None if there was none to close. A sanction, or a decision of operations, is lifted by a person of operations
    only (NotPermitted); the system (`actor` None) lifts the others when their cause is gone.
    """
    with transaction.atomic():
        application = lock_application(pk)
        if not _may_lift(actor, cause):
            raise NotPermitted("not_permitted", _("Only operations can lift this suspension."))
        refuse_stale(application, seen)
        suspension = _open(application, cause, case)
        if suspension is None:
            return None
        suspension.lifted_at = clock.now()
        suspension.lifted_by = actor
        suspension.lift_reason = reason
        suspension.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        if application.state == State.SUSPENDED and not selectors.open_suspensions(application).exists():
            move(pk, "reinstate", actor=actor, reason=reason)
        else:
            enter(application, "lift_suspension", actor=actor, reason=reason)
    return suspension


def open_row(
    application: Application, *, cause: str, reason: str, actor: User | None, case: str = ""
) -> Suspension:
    """The row alone, for a step that suspends by itself. Hold the application's lock."""
    now = clock.now()
    return Suspension.objects.create(
        application=application,
        cause=SuspensionCause(cause),
        case=case,
        reason=reason,
        opened_at=now,
        opened_by=actor,
        exit_due_at=now + rules.days("suspension.exit_days", now) if cause in CURABLE else None,
    )


def can_be_suspended(application: Application) -> bool:
    """It serves, is suspended, or was one of both before it began to leave."""
    state = application.exit_origin if application.state == State.EXITING else application.state
    return state in (State.ACTIVE, State.SUSPENDED)


def _may_suspend(actor: User | None, cause: str) -> bool:
    return cause != SuspensionCause.OPS if actor is None else permissions.are_operations(actor)


def _may_lift(actor: User | None, cause: str) -> bool:
    return cause not in LIFTED_BY_A_PERSON if actor is None else permissions.are_operations(actor)


def _open(application: Application, cause: str, case: str) -> Suspension | None:
    return selectors.open_suspensions(application).filter(cause=SuspensionCause(cause), case=case).first()
