"""What the page of an application says about its violations and its exit."""

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.admin.panels import Panel, application_panel
from applications.models import Application
from applications.services import clock_text
from compliance import selectors
from compliance.admin.violations.work import violations_url
from compliance.models import Violation


@application_panel
def violations_panel(request: HttpRequest, application: Application) -> Panel | None:
    if not request.user.has_perm("compliance.view_violation"):
        return None
    rows = [(violation.title, _line(violation)) for violation in application.violations.all()]
    return Panel(gettext_lazy("Violations"), rows, violations_url(q=application.number)) if rows else None


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
