"""What the page of an application says about its violations and its exit, and what waits on the desk."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.admin.panels import Panel, application_panel
from applications.models import Application
from applications.services import clock_text
from compliance import selectors
from compliance.models import Violation
from compliance.violations.lifecycle import ViolationState
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.desk import Task, tasks_from


@application_panel
def violations_panel(request: HttpRequest, application: Application) -> Panel | None:
    if not request.user.has_perm("compliance.view_violation"):
        return None
    rows = [(violation.title, _line(violation)) for violation in application.violations.all()]
    return Panel(gettext_lazy("Violations"), rows, _violations_url(q=application.number)) if rows else None


def _line(violation: Violation) -> str:
    return f"{violation.get_severity_display()} · {violation.get_state_display()}"


@application_panel
def exit_panel(request: HttpRequest, application: Application) -> Panel | None:
    if not request.user.has_perm("compliance.view_exitrequest"):
        return None
    last = selectors.latest_exit(application)
    if last is None:
        return None
    rows: list[tuple[str, object]] = [
        (_("requested"), clock_text(last.requested_at)),
        (_("end of the notice period"), clock_text(last.notice_ends_at)),
    ]
    if last.closed_at:
        rows.append((last.get_outcome_display(), clock_text(last.closed_at)))
    return Panel(gettext_lazy("Exit"), rows)


@tasks_from
def violation_tasks(request: HttpRequest) -> list[Task]:
    person = request.user
    if not isinstance(person, User) or not has_role(person, Role.OPS):
        return []
    reported = Violation.objects.filter(state=ViolationState.REPORTED)
    waiting = selectors.waiting_for_verification()
    mine = Violation.objects.filter(state=ViolationState.INVESTIGATING, investigator=person)
    return [
        Task(
            _("Violations to take up"),
            reported.exclude(reported_by=person).count(),
            _violations_url(work="reported"),
        ),
        Task(_("My investigations"), mine.count(), _violations_url(work="mine")),
        Task(
            _("Violations to verify"),
            waiting.exclude(investigator=person).exclude(reported_by=person).count(),
            _violations_url(work="proposed"),
        ),
    ]


def _violations_url(**parameters: str) -> str:
    return f"{reverse('admin:compliance_violation_changelist')}?{urlencode(parameters)}"
