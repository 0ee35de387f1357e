"""What the page of an application says about its complaints."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from applications.admin.panels import Panel, application_panel
from applications.models import Application
from compliance.models import Complaint

# The newest; the list behind the title has all.
SHOWN = 5


@application_panel
def complaints_panel(request: HttpRequest, application: Application) -> Panel | None:
    if not request.user.has_perm("compliance.view_complaint"):
        return None
    newest = application.complaints.select_related("question").order_by("-filed_at", "-pk")[:SHOWN]
    rows = [(complaint.number, _line(complaint)) for complaint in newest]
    address = reverse("admin:compliance_complaint_changelist")
    return Panel(_("Complaints"), rows, f"{address}?{urlencode({'q': application.number})}") if rows else None


def _line(complaint: Complaint) -> str:
    return f"{complaint.question} · ¥{complaint.claimed:,.2f} · {complaint.get_state_display()}"
