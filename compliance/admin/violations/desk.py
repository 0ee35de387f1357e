"""The queue of violations, one page for each, and a page for each step."""

from typing import Any

from csp.decorators import csp
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, DateTimeField, QuerySet, When
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from applications import served_files
from applications.services import clock_text
from compliance.admin.violations import words
from compliance.admin.violations.forms import ReportForm
from compliance.admin.violations.steps import STEPS
from compliance.admin.violations.work import WAITING, WorkTabs
from compliance.models import AppealFile, Severity, Violation, ViolationFile
from compliance.violations import permissions
from compliance.violations import services as violations
from compliance.violations.dossier import dossier
from compliance.violations.lifecycle import ViolationState
from deposits.admin.base import two_lines
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import StepPages

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys(ViolationState, ""),
    ViolationState.REPORTED: "warning",
    ViolationState.INVESTIGATING: "primary",
    ViolationState.VERIFIED: "danger",
    ViolationState.APPEALED: "warning",
    ViolationState.OVERTURNED: "success",
}
SEVERITY_COLOURS: dict[str, str] = {Severity.SEVERE: "danger", Severity.GENERAL: "info"}


WAITING_SINCE = Case(When(state__in=WAITING, then="reported_at"), output_field=DateTimeField())


@admin.register(Violation)
class ViolationAdmin(StepPages[Violation]):
    steps = STEPS
    head_template = "admin/compliance/violations/_head.html"
    page_template = "admin/compliance/violations/violation.html"
    step_template = "admin/compliance/violations/step.html"
    list_display = ["title", "provider", "severity_label", "state_label", "investigator_name", "age"]
    list_filter = [WorkTabs, "state", "severity"]
    list_select_related = ["application", "investigator"]
    list_before_template = "admin/deposits/list_head.html"
    list_per_page = 50
    show_facets = admin.ShowFacets.NEVER
    search_fields = ["title", "application__number", "application__company_name"]
    search_help_text = gettext_lazy("Title, company, or the number of the provider.")
    # What waits, the longest first; then what is decided, the newest first.
    ordering = [WAITING_SINCE.asc(nulls_last=True), "-reported_at", "-pk"]

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        tabs = WorkTabs.shown(request, Violation.objects.all(), summed=False)
        response: HttpResponse = super().changelist_view(request, {"tabs": tabs, **(extra_context or {})})
        return response

    @admin.display(description=gettext_lazy("provider"))
    def provider(self, violation: Violation) -> SafeString:
        return two_lines(violation.application.company_name, violation.application.number)

    @display(description=gettext_lazy("severity"), ordering="severity", label=SEVERITY_COLOURS)
    def severity_label(self, violation: Violation) -> tuple[str, str]:
        if violation.counts_as_severe:
            return Severity.SEVERE, _("counts as severe")
        return violation.severity, violation.get_severity_display()

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, violation: Violation) -> tuple[str, str]:
        return violation.state, violation.get_state_display()

    @admin.display(description=gettext_lazy("investigator"), ordering="investigator")
    def investigator_name(self, violation: Violation) -> str:
        return violation.investigator.display_name if violation.investigator else "—"

    @admin.display(description=gettext_lazy("reported"), ordering="reported_at")
    def age(self, violation: Violation) -> SafeString | str:
        """When, and for how long it has been waiting."""
        reported = clock_text(violation.reported_at)
        if violation.state not in WAITING:
            return reported
        return two_lines(
            reported, _("%(time)s ago") % {"time": timesince(violation.reported_at, clock.now())}
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shows the button; violations.report asks again."""
        return permissions.may_handle(_person(request))

    # The pages

    def objects(self, request: HttpRequest) -> QuerySet[Violation]:
        rows: QuerySet[Violation] = self.get_queryset(request)
        return rows.select_related(
            "application__company",
            "application__approved_by",
            "application__deposit",
            "reported_by",
            "investigator",
            "verifier",
            "appeal_case__by",
            "appeal_case__proposer",
            "appeal_case__decider",
        )

    def object_context(self, request: HttpRequest, obj: Violation) -> dict[str, Any]:
        return {
            "violation": obj,
            "application": obj.application,
            "title": obj.title,
            "state_colour": STATE_COLOURS.get(obj.state, ""),
            "severity_colour": SEVERITY_COLOURS[obj.severity],
            "is_waiting": obj.state in WAITING,
            "may_handle": permissions.may_handle(_person(request)),
        }

    def page_context(self, request: HttpRequest, obj: Violation) -> dict[str, Any]:
        return {
            "dossier": dossier(obj),
            "may_read_files": _may_read_files(_person(request)),
            "would_follow": words.of_verification(obj) if _waits_for_second(obj) else [],
            "others": obj.application.violations.exclude(pk=obj.pk),
            "history": obj.steps.select_related("actor"),
        }

    def step_context(self, request: HttpRequest, obj: Violation) -> dict[str, Any]:
        return {"dossier": dossier(obj), "may_read_files": _may_read_files(_person(request))}

    def other_urls(self) -> list[URLPattern]:
        return [
            self.url("add/", self.report, "add"),
            self.url("<int:pk>/files/<int:file_id>/", self.report_file, "report_file"),
            self.url("<int:pk>/appeal-files/<int:file_id>/", self.appeal_file, "appeal_file"),
        ]

    def report_file(self, request: HttpRequest, pk: int, file_id: int) -> FileResponse:
        """Evidence that came with the report."""
        return self._file(request, pk, ViolationFile.objects.filter(pk=file_id, violation=pk))

    def appeal_file(self, request: HttpRequest, pk: int, file_id: int) -> FileResponse:
        """Evidence that came with the appeal."""
        return self._file(request, pk, AppealFile.objects.filter(pk=file_id, appeal__violation=pk))

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def _file(
        self, request: HttpRequest, pk: int, found: QuerySet[ViolationFile] | QuerySet[AppealFile]
    ) -> FileResponse:
        """Shown in the browser where that is safe. Roles read it, no superuser: it is about people."""
        if not _may_read_files(_person(request)):
            raise PermissionDenied
        self.load(request, pk)
        row = get_object_or_404(found)
        return served_files.for_staff(row.file, name=row.original_name, content_type=row.content_type)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def report(self, request: HttpRequest) -> HttpResponse:
        """A new suspicion. What can't be reported is shown again with every word typed."""
        person = _person(request)
        if not permissions.may_handle(person):
            raise PermissionDenied
        form = ReportForm(request.POST or None, initial={"number": request.GET.get("application", "")})
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                violation = violations.report(
                    data["number"].pk,
                    actor=person,
                    severity=data["severity"],
                    title=data["title"],
                    facts=data["facts"],
                )
            except DomainError as error:
                form.add_error("number", str(error.message))
            else:
                messages.success(request, _("Reported. Others of operations have been told."))
                return redirect("admin:compliance_violation_change", violation.pk)
        context = {**self.site_context(request), "title": _("Report a violation"), "form": form}
        return TemplateResponse(request, "admin/compliance/violations/report.html", context)


def _waits_for_second(violation: Violation) -> bool:
    return violation.is_open and violation.proposed_at is not None


def _may_read_files(person: User) -> bool:
    return has_role(person, Role.OPS, Role.AUDITOR)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
