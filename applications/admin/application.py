"""The queue, and one page for everything about an application."""

from typing import Any

from csp.decorators import csp
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.decorators import display

from applications import served_files
from applications.admin import decisions, membership_steps, queue
from applications.admin.filters import CategoryFilter, ReviewFilter, StateFilter, shows_queue
from applications.admin.panels import panels
from applications.admin.steps import STEPS
from applications.dossier import category_names, dossier
from applications.lifecycle import State
from applications.models import Application, Document
from applications.services import clock_text
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.step_pages import StepPages

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys(State, ""),
    State.UNDER_REVIEW: "primary",
    State.CHANGES_REQUESTED: "warning",
    State.SHOP_UNQUALIFIED: "warning",
    State.SUSPENDED: "warning",
    State.EXITING: "warning",
    State.APPROVED: "info",
    State.DEPOSIT_PAID: "info",
    State.ACTIVE: "success",
    State.REJECTED: "danger",
    State.EXPELLED: "danger",
}


@admin.register(Application)
class ApplicationAdmin(StepPages[Application]):
    steps = (*STEPS, *membership_steps.STEPS)
    head_template = "admin/applications/_head.html"
    page_template = "admin/applications/application.html"
    step_template = "admin/applications/step.html"
    list_display = [
        "number",
        "company_or_nick",
        "taobao_nick",
        "kinds",
        "state_label",
        "reviewer_name",
        "due",
    ]
    list_display_links = ["number", "company_or_nick"]
    list_filter = [StateFilter, ReviewFilter, CategoryFilter]
    list_select_related = ["reviewer"]
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    list_before_template = "admin/applications/queue_tabs.html"
    search_fields = ["number", "company_name", "credit_code", "taobao_nick"]
    search_help_text = gettext_lazy("Number, company, credit code or nick; looks in every state.")

    # The list

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["review_due_at", "pk"] if shows_queue(request) else ["-state_since", "-pk"]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        tabs = {"tabs": _tabs(request), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, tabs)
        return response

    @admin.display(description=gettext_lazy("company"), ordering="company_name")
    def company_or_nick(self, application: Application) -> str:
        return application.company_name or "—"

    @admin.display(description=gettext_lazy("categories"))
    def kinds(self, application: Application) -> str:
        return category_names(application)

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, application: Application) -> tuple[str, str]:
        return application.state, application.get_state_display()

    @admin.display(description=gettext_lazy("reviewer"), ordering="reviewer")
    def reviewer_name(self, application: Application) -> str:
        return application.reviewer.display_name if application.reviewer else "—"

    @admin.display(description=gettext_lazy("due"), ordering="review_due_at")
    def due(self, application: Application) -> str:
        if application.state != State.UNDER_REVIEW or application.review_due_at is None:
            return "—"
        late = clock.now() > application.review_due_at
        return format_html(
            '{}<br><span class="{}">{}</span>',
            clock_text(application.review_due_at),
            "desk-late" if late else "desk-muted",
            _time_left(application),
        )

    # The page

    def objects(self, request: HttpRequest) -> QuerySet[Application]:
        rows: QuerySet[Application] = self.get_queryset(request)
        return rows.select_related("applicant", "company", "reviewer", "approved_by")

    def object_context(self, request: HttpRequest, obj: Application) -> dict[str, Any]:
        return {
            "application": obj,
            "title": obj.number,
            "state_colour": STATE_COLOURS.get(obj.state, ""),
            "time_left": _time_left(obj),
            "is_late": bool(obj.review_due_at and clock.now() > obj.review_due_at),
        }

    def page_context(self, request: HttpRequest, obj: Application) -> dict[str, Any]:
        return {
            "dossier": dossier(obj),
            "panels": list(panels(request, obj)),
            "may_see_documents": request.user.has_perm("applications.view_document"),
            **_membership(request, obj),
        }

    def step_context(self, request: HttpRequest, obj: Application) -> dict[str, Any]:
        latest = obj.transitions.select_related("actor", "proposed_by").order_by("-at", "-pk")[:3]
        return {"latest": list(latest)}

    def other_urls(self) -> list[URLPattern]:
        return [self.url("<int:pk>/documents/<int:document_id>/", self.document, "document")]

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def document(self, request: HttpRequest, pk: int, document_id: int) -> FileResponse:
        """A file of the application, shown in the browser where that is safe."""
        application = self.load(request, pk)
        if not request.user.has_perm("applications.view_document"):
            raise PermissionDenied
        document = get_object_or_404(Document, pk=document_id, application=application)
        return served_files.for_staff(
            document.file, name=document.original_name, content_type=document.content_type
        )


def _membership(request: HttpRequest, application: Application) -> dict[str, Any]:
    """What waits for somebody about a membership; an application has none of it."""
    if not application.approved_by_id:
        return {}
    renewals = application.licence_renewals.all() if _sees(request, "licencerenewal") else []
    open_decisions = decisions.open_of(application) if _sees(request, "decision") else []
    return {"renewals": list(renewals), "decisions": list(open_decisions)}


def _sees(request: HttpRequest, model: str) -> bool:
    return request.user.has_perm(f"applications.view_{model}")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _time_left(application: Application) -> str:
    """How long the review has, or by how much it is late; empty when nothing is due."""
    due = application.review_due_at
    if application.state != State.UNDER_REVIEW or due is None:
        return ""
    now = clock.now()
    if now > due:
        return _("overdue by %(time)s") % {"time": timesince(due, now)}
    return _("%(time)s left") % {"time": timeuntil(due, now)}


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    counts = queue.counts(_person(request))
    shown = request.GET.get("review", "") if shows_queue(request) else None
    everything = reverse("admin:applications_application_changelist") + "?state=all"
    return [
        {"title": _("Under review"), "count": counts.total, "url": queue.url(), "active": shown == ""},
        {
            "title": _("Mine"),
            "count": counts.mine,
            "url": queue.url(review="mine"),
            "active": shown == "mine",
        },
        {
            "title": _("Unclaimed"),
            "count": counts.unclaimed,
            "url": queue.url(review="unclaimed"),
            "active": shown == "unclaimed",
        },
        {
            "title": _("Overdue"),
            "count": counts.overdue,
            "url": queue.url(review="overdue"),
            "active": shown == "overdue",
            "urgent": counts.overdue > 0,
        },
        {"title": _("All"), "url": everything, "active": shown is None},
    ]
