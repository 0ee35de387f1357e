"""What members find on their to-do list about violations (applications/todo.py)."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.models import Application, SuspensionCause
from applications.permissions import may_edit
from applications.todo import Task, tasks_from
from compliance.models import Measure, Sanction, Violation
from compliance.violations import deadlines, permissions
from compliance.violations.lifecycle import ViolationState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

# From so long before its end on, what is to be put right stands out.
PRESSING = dt.timedelta(days=2)


@tasks_from
def appeals(user: User, application: Application) -> Iterator[Task]:
    """An appeal that is still in time, also of a company that was expelled for it."""
    if not permissions.may_appeal(user, application):
        return
    verified = application.violations.filter(state=ViolationState.VERIFIED, appeal_case__isnull=True)
    for violation in verified.order_by("decided_at", "pk"):
        if not deadlines.is_over(violation):
            yield Task(
                "appeal_violation",
                format_lazy(_("You may appeal: {title}"), title=violation.title),
                _("Once, with your reasons and evidence. Afterwards the decision is final."),
                _("Look"),
                _page(application, violation),
                deadlines.appeal_until(violation),
            )


@tasks_from
def to_put_right(user: User, application: Application) -> Iterator[Task]:
    """What a suspension waits for, until operations have seen that it was put right."""
    if not may_edit(user, application):
        return
    cases = set(
        application.suspensions.filter(cause=SuspensionCause.SANCTION, lifted_at__isnull=True).values_list(
            "case", flat=True
        )
    )
    sanctions = Sanction.objects.filter(
        application=application, measure=Measure.SUSPENSION, taken_back_at__isnull=True
    ).select_related("violation")
    for sanction in sanctions if cases else ():
        if sanction.violation.case in cases and sanction.rectify_by is not None:
            yield Task(
                "put_right",
                format_lazy(_("Put right: {title}"), title=sanction.violation.title),
                _("Then tell operations, who lift the suspension once they have seen it."),
                _("Look"),
                _page(application, sanction.violation),
                sanction.rectify_by,
                urgent=sanction.rectify_by - clock.now() <= PRESSING,
            )


def _page(application: Application, violation: Violation) -> str:
    return reverse("cases:violation", args=[application.number, violation.pk])
