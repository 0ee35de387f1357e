"""A suspension with time to put right what was wrong: a person of operations confirms that it was.

Nothing happens by itself at its end but that operations are told: they look, and decide what follows.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from applications import suspensions
from applications.models import Application, Suspension, SuspensionCause
from compliance.locks import lock_violation
from compliance.models import Measure, Sanction, Violation, ViolationStep
from compliance.violations import announcements
from compliance.violations.door import note_step, record, refuse_empty, refuse_partial
from compliance.violations.lifecycle import STANDS
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

NOT_RECTIFIED = "not_rectified"


def open_suspension(violation: Violation) -> Suspension | None:
    """The suspension that it brought, as long as it lasts."""
    return Suspension.objects.filter(
        application=violation.application_id,
        cause=SuspensionCause.SANCTION,
        case=violation.case,
        lifted_at__isnull=True,
    ).first()


def confirm_rectified(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """A person of operations has seen that it was put right: the suspension for it ends, early or late.

    `reason` is what the company reads. NotPermitted; DomainError `not_impartial`, `not_suspended`.
    """
    refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def guard(application: Application, violation: Violation) -> None:
        refuse_partial(actor, application, violation)
        if open_suspension(violation) is None:
            raise DomainError("not_suspended", _("Nothing is suspended for this violation (any more)."))

    def follow(application: Application, violation: Violation, step: ViolationStep) -> None:
        announcements.rectified(application, violation, step, reason.strip())
        suspensions.lift(
            application.pk,
            cause=SuspensionCause.SANCTION,
            case=violation.case,
            actor=actor,
            reason=reason.strip(),
        )

    return note_step(
        pk,
        "confirm_rectified",
        actor=actor,
        states=STANDS,
        guard=guard,
        follow=follow,
        note=reason,
        seen=seen,
    )


def overdue() -> QuerySet[Sanction]:
    """Suspensions whose time to put things right is over, and operations not told yet. The instant itself is in time."""
    told = ViolationStep.objects.filter(violation=OuterRef("violation"), name=NOT_RECTIFIED)
    return Sanction.objects.filter(
        ~Exists(told), measure=Measure.SUSPENSION, taken_back_at__isnull=True, rectify_by__lt=clock.now()
    ).order_by("rectify_by", "pk")


def tell_overdue(violation_pk: int) -> bool:
    """Tell operations, once, unless the suspension has ended meanwhile."""
    with transaction.atomic():
        application, violation = lock_violation(violation_pk)
        violation.application = application
        if not overdue().filter(violation=violation).exists():
            return True
        step = record(violation, NOT_RECTIFIED, before=violation.state, actor=None)
        if open_suspension(violation) is not None:
            announcements.not_rectified(violation, step)
    return True
