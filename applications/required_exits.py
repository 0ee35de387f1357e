"""An exit that the programme requires: by two people of operations, or by itself after a suspension that was not cured.

The exit then runs as one that the company asked for, with its notice period and its clearance; only it can't
be cancelled.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from applications import licence_renewals, permissions, selectors
from applications.door import clock_text, move, wrong_state
from applications.guards import refuse_empty, refuse_one_sided
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import Application, Suspension, SuspensionCause
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


def require_exit(
    pk: int, *, actor: User, second_actor: User, reason: str, seen: int | None = None
) -> Application:
    """Two different people of operations, neither of whom admitted the company; it reads the reason."""
    refuse_empty(reason)

    def guard(application: Application) -> None:
        refuse_one_sided(application, actor, second_actor, involved=[application.approved_by_id])
        _mark(application)

    return move(
        pk,
        "require_exit",
        actor=second_actor,
        proposed_by=actor,
        may=lambda a: permissions.are_operations(actor, second_actor),
        guard=guard,
        reason=reason,
        seen=seen,
    )


def require_exit_by_system(pk: int) -> Application:
    """End the membership of a company that left a suspension uncured until its date (rule `suspension.exit_days`).

    DomainError `not_due`, and `wrong_state` for one that isn't suspended.
    """

    with transaction.atomic():
        application = lock_application(pk)
        overdue = _overdue(selectors.open_suspensions(application)).first()
        if application.state != State.SUSPENDED:
            raise wrong_state(application)
        if overdue is None or overdue.exit_due_at is None:
            raise DomainError("not_due", "No suspension is past its date.")
        reason = _("Suspended since %(since)s, not cured by %(until)s: %(cause)s") % {
            "since": clock_text(overdue.opened_at),
            "until": clock_text(overdue.exit_due_at),
            "cause": overdue.get_cause_display(),
        }
        return move(pk, "require_exit", actor=None, guard=_mark, reason=reason)


def due() -> QuerySet[Application]:
    """Suspended companies with a suspension past its date, the longest waiting first."""
    overdue = _overdue(Suspension.objects.filter(application=OuterRef("pk"), lifted_at__isnull=True))
    return Application.objects.filter(Exists(overdue), state=State.SUSPENDED).order_by("state_since", "pk")


def _mark(application: Application) -> None:
    application.exit_origin = application.state
    application.exit_required = True


def _overdue(suspensions: QuerySet[Suspension]) -> QuerySet[Suspension]:
    """The instant itself is still in time; so is a renewed licence that came by then and waits for us."""
    handed_in = licence_renewals.queue().filter(
        application=OuterRef("application"), handed_in_at__lte=OuterRef("exit_due_at")
    )
    return suspensions.filter(
        ~(Q(cause=SuspensionCause.LICENCE_EXPIRED) & Exists(handed_in)), exit_due_at__lt=clock.now()
    )
