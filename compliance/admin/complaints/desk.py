"""The queue of complaints by their deadlines, one page for each, a page for each step, and one to enter another."""

import datetime as dt
from typing import Any

from csp.decorators import csp
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Concat
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from applications import served_files
from applications.admin.application import STATE_COLOURS as MEMBERSHIP_COLOURS
from applications.services import clock_text
from compliance.admin.complaints import decisions
from compliance.admin.complaints.forms import DecisionForm, EnterForm
from compliance.admin.complaints.queue import SOON, WorkTabs, shows_queue
from compliance.admin.complaints.steps import STEPS
from compliance.complaints import permissions, services
from compliance.complaints.dossier import dossier
from compliance.complaints.lifecycle import OPEN, ComplaintState
from compliance.models import Complaint, ComplaintFile, Liability
from deposits.admin.base import MoneyAdmin, amount, person, two_lines
from deposits.books.accounts import Account
from deposits.books.growth import change
from deposits.models import ZERO, LedgerTransfer
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import Step, StepPages

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys(ComplaintState, ""),
    ComplaintState.AWAITING_RESPONSE: "info",
    ComplaintState.EVIDENCE: "info",
    ComplaintState.AWAITING_DECISION: "primary",
    ComplaintState.APPEALED: "warning",
    ComplaintState.FINAL: "success",
}
READERS = (Role.OPS, Role.FINANCE, Role.AUDITOR)


@admin.register(Complaint)
class ComplaintAdmin(StepPages[Complaint], MoneyAdmin):
    steps = STEPS
    head_template = "admin/compliance/complaints/_head.html"
    page_template = "admin/compliance/complaints/complaint.html"
    step_template = "admin/compliance/complaints/step.html"
    list_display = ["number", "provider", "claimed_amount", "frozen_amount", "state_label", "due", "handler"]
    list_filter = [WorkTabs, "state", "channel", "question"]
    list_before_template = "admin/deposits/list_head.html"
    list_select_related = ["application", "claimed_by"]
    show_facets = admin.ShowFacets.NEVER
    search_fields = [
        "number",
        "order_number",
        "complainant_name",
        "application__number",
        "application__company_name",
    ]
    search_help_text = gettext_lazy("Number, order, complainant or provider; looks in every state.")

    # The list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Complaint]:
        rows: QuerySet[Complaint] = super().get_queryset(request)
        return rows.annotate(frozen=_frozen())

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """What is due first comes first; of everything, the newest."""
        tab = request.GET.get(WorkTabs.parameter_name)
        by_deadline = shows_queue(request) or tab in {tab.name for tab in WorkTabs.tabs_of(request)}
        return [F("due_at").asc(nulls_last=True), "pk"] if by_deadline else ["-filed_at", "-pk"]

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": WorkTabs.shown(request, Complaint.objects.all())}

    @admin.display(description=gettext_lazy("provider"), ordering="application__company_name")
    def provider(self, complaint: Complaint) -> SafeString:
        return two_lines(complaint.application.company_name, complaint.application.number)

    @admin.display(description=pgettext_lazy("complaint", "claimed"), ordering="claimed")
    def claimed_amount(self, complaint: Complaint) -> SafeString:
        return amount(complaint.claimed)

    @admin.display(description=gettext_lazy("frozen"))
    def frozen_amount(self, complaint: Any) -> SafeString:
        return amount(complaint.frozen)

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, complaint: Complaint) -> tuple[str, str]:
        return complaint.state, complaint.get_state_display()

    @admin.display(description=gettext_lazy("due"), ordering="due_at")
    def due(self, complaint: Complaint) -> SafeString | str:
        if complaint.due_at is None:
            return "—"
        return format_html(
            '<span class="desk-name"><span class="desk-fixed">{}</span><br><span class="{}">{}</span></span>',
            clock_text(complaint.due_at),
            "desk-late" if _presses(complaint) else "desk-muted",
            _time_left(complaint.due_at),
        )

    @admin.display(description=gettext_lazy("handled by"), ordering="claimed_by")
    def handler(self, complaint: Complaint) -> str:
        return complaint.claimed_by.display_name if complaint.claimed_by else "—"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shows the button; services.enter asks again."""
        return permissions.may_handle(person(request))

    # The pages

    def objects(self, request: HttpRequest) -> QuerySet[Complaint]:
        return Complaint.objects.select_related(
            "application__company",
            "application__approved_by",
            "application__deposit__application",
            "appeal_decided_by",
            "claimed_by",
            "complainant",
            "decided_by",
            "entered_by",
            "question",
            "served_shop",
        )

    def object_context(self, request: HttpRequest, obj: Complaint) -> dict[str, Any]:
        return {
            "complaint": obj,
            "application": obj.application,
            "title": obj.number,
            "state_colour": STATE_COLOURS[obj.state],
            "membership_colour": MEMBERSHIP_COLOURS[obj.application.state],
            "time_left": _time_left(obj.due_at) if obj.due_at else "",
            "presses": _presses(obj),
            "is_open": obj.state in OPEN,
        }

    def page_context(self, request: HttpRequest, obj: Complaint) -> dict[str, Any]:
        return {"dossier": dossier(obj), "may_handle": permissions.may_handle(person(request))}

    def step_context(self, request: HttpRequest, obj: Complaint) -> dict[str, Any]:
        return {"dossier": dossier(obj)}

    def other_urls(self) -> list[URLPattern]:
        return [
            self.url("add/", self.enter, "add"),
            self.url("<int:pk>/files/<int:file_id>/", self.file, "file"),
        ]

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def file(self, request: HttpRequest, pk: int, file_id: int) -> FileResponse:
        """Evidence, shown in the browser where that is safe. It is about people: roles read it, no superuser."""
        if not has_role(person(request), *READERS):
            raise PermissionDenied
        self.load(request, pk)
        row = get_object_or_404(ComplaintFile, pk=file_id, complaint=pk)
        return served_files.for_staff(row.file, name=row.original_name, content_type=row.content_type)

    # Two pages before a decision counts

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def step(self, request: HttpRequest, pk: int, *, step: Step[Complaint]) -> HttpResponse:
        """A decision is typed on one page, and confirmed on another that says what it does.

        1. The form, sent without a button of the second page, leads there once it has no error.
        2. `edit` leads back with every word typed.
        3. `confirm` decides; the figures must be those that were shown, or else they are shown anew.
        """
        if request.method != "POST" or not issubclass(step.form, DecisionForm):
            return super().step(request, pk, step=step)
        obj = self.load(request, pk)
        if not step.is_offered(request.user, obj):
            return super().step(request, pk, step=step)
        if "edit" in request.POST:
            return self._step_page(request, obj, step, step.form.typed(obj, request.POST))
        form = step.form(obj, request.POST)
        if not form.is_valid() or str(form.cleaned_data["seen"]) != str(form.seen_of(obj)):
            return super().step(request, pk, step=step)
        figures = decisions.figures(obj)
        if "confirm" in request.POST and form.cleaned_data["figures"] == figures:
            return super().step(request, pk, step=step)
        expected = decisions.preview(obj, form)
        context = {
            **self._context(request, obj),
            "title": step.title,
            "step": step,
            "form": form,
            "finding": Liability(form.cleaned_data["liability"]).label,
            "expected": expected,
            "figures": figures,
            "has_changed": "confirm" in request.POST,
            "consequences": decisions.consequences(obj, expected),
        }
        return TemplateResponse(request, "admin/compliance/complaints/preview.html", context)

    # Another complaint

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def enter(self, request: HttpRequest) -> HttpResponse:
        """A complaint of somebody without an account. What can't be entered is shown again with every word typed."""
        who = person(request)
        if not permissions.may_handle(who):
            raise PermissionDenied
        initial = {"provider": request.GET.get("application", "")}
        form = EnterForm(request.POST or None, request.FILES or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                complaint = services.enter(
                    data["provider"].pk,
                    actor=who,
                    claim=form.claim(),
                    name=data["complainant_name"],
                    contact=data["complainant_contact"],
                    uploads=data["files"],
                )
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error.message))
            else:
                messages.success(request, _("Entered. The provider has been told, and has to respond."))
                return redirect("admin:compliance_complaint_change", complaint.pk)
        context = {**self.site_context(request), "title": _("Enter a complaint"), "form": form}
        return TemplateResponse(request, "admin/compliance/complaints/enter.html", context)


def _frozen() -> Coalesce:
    """What the case has frozen now, in CNY; worked out for the rows that are shown."""
    rows = (
        LedgerTransfer.objects.filter(
            deposit__application=OuterRef("application"),
            case=Concat(Value(Complaint.CASE), OuterRef("number")),
        )
        .order_by()
        .values("case")
        .annotate(total=Sum(change(Account.DEPOSIT_FROZEN)))
        .values("total")
    )
    return Coalesce(Subquery(rows), Value(ZERO), output_field=DecimalField(max_digits=14, decimal_places=2))


def _presses(complaint: Complaint) -> bool:
    """Operations owe a decision before long, or are late with it."""
    owed = complaint.state in (ComplaintState.AWAITING_DECISION, ComplaintState.APPEALED)
    return owed and complaint.due_at is not None and complaint.due_at < clock.now() + SOON


def _time_left(due: dt.datetime) -> str:
    now = clock.now()
    if now > due:
        return _("overdue by %(time)s") % {"time": timesince(due, now)}
    return _("%(time)s left") % {"time": timeuntil(due, now)}
