"""The queue of violations, one page for each, and a page for each step."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from compliance import permissions, violations
from compliance.admin.forms import ReportForm, StepForm
from compliance.admin.steps import STEPS, Step, offered
from compliance.lifecycle import OPEN, ViolationState
from compliance.models import Severity, Violation
from compliance.selectors import waiting_for_verification
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys(ViolationState, ""),
    ViolationState.REPORTED: "warning",
    ViolationState.INVESTIGATING: "primary",
    ViolationState.VERIFIED: "danger",
}
SEVERITY_COLOURS: dict[str, str] = {Severity.SEVERE: "danger", Severity.GENERAL: "info"}


class WorkFilter(admin.SimpleListFilter):
    """Whose turn it is."""

    title = gettext_lazy("work")
    parameter_name = "work"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("Undecided")),
            ("reported", _("To take up")),
            ("mine", _("Mine")),
            ("proposed", _("To verify")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Violation]) -> QuerySet[Violation]:
        match self.value():
            case "open":
                return queryset.filter(state__in=OPEN)
            case "reported":
                return queryset.filter(state=ViolationState.REPORTED)
            case "mine":
                return queryset.filter(state=ViolationState.INVESTIGATING, investigator=request.user.pk)
            case "proposed":
                return queryset.filter(pk__in=waiting_for_verification().values("pk"))
        return queryset


@admin.register(Violation)
class ViolationAdmin(ReadOnlyAdmin):
    list_display = ["title", "provider", "severity_label", "state_label", "investigator_name", "reported_at"]
    list_filter = [WorkFilter, "state", "severity"]
    list_select_related = ["application", "investigator"]
    list_per_page = 50
    search_fields = ["title", "application__number", "application__company_name"]
    ordering = ["reported_at", "pk"]

    # The list

    @admin.display(description=gettext_lazy("provider"))
    def provider(self, violation: Violation) -> str:
        return str(violation.application)

    @display(description=gettext_lazy("severity"), ordering="severity", label=SEVERITY_COLOURS)
    def severity_label(self, violation: Violation) -> tuple[str, str]:
        return violation.severity, violation.get_severity_display()

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, violation: Violation) -> tuple[str, str]:
        return violation.state, violation.get_state_display()

    @admin.display(description=gettext_lazy("investigator"), ordering="investigator")
    def investigator_name(self, violation: Violation) -> str:
        return violation.investigator.display_name if violation.investigator else "—"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shows the button; violations.report asks again."""
        return permissions.may_handle(_person(request))

    # The pages

    def get_urls(self) -> list[URLPattern]:
        """No change, delete or history; a URL for each step."""
        return [
            self._path("", self.changelist_view, "changelist"),
            self._path("add/", self.report, "add"),
            self._path("<int:pk>/change/", self.page, "change"),
            *(
                self._path(f"<int:pk>/{step.name}/", partial(self.step, step=step), step.name)
                for step in STEPS
            ),
        ]

    def _path(self, route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        pattern: URLPattern = path(
            route, self.admin_site.admin_view(view), name=f"compliance_violation_{name}"
        )
        return pattern

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
        context = {**self._site_context(request), "title": _("Report a violation"), "form": form}
        return TemplateResponse(request, "admin/compliance/report.html", context)

    @method_decorator(require_safe)
    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everything about one violation, and the steps that this person can take now."""
        violation = self._violation(request, pk)
        context = {
            **self._context(request, violation),
            "steps": offered(_person(request), violation),
            "others": violation.application.violations.exclude(pk=pk),
            "history": violation.steps.select_related("actor"),
        }
        return TemplateResponse(request, "admin/compliance/violation.html", context)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def step(self, request: HttpRequest, pk: int, *, step: Step) -> HttpResponse:
        """GET says what the step will do; only POST does it.

        1. The page of a step that isn't this person's has status 403 and no button.
        2. A form with errors, or a step that violations.py refuses, is shown again with every word typed.
        3. A page that was out of date is shown again with the present state, for the person to decide anew.
        """
        violation = self._violation(request, pk)
        if request.method != "POST":
            return self._step_page(request, violation, step, step.form(violation))
        form = step.form(violation, request.POST)
        if not form.is_valid():
            return self._step_page(request, violation, step, form)
        try:
            step.run(pk, _person(request), form)
        except DomainError as error:
            return self._refused(request, pk, step, form, error)
        messages.success(request, str(step.done))
        return redirect("admin:compliance_violation_change", pk)

    def _refused(
        self, request: HttpRequest, pk: int, step: Step, form: StepForm, error: DomainError
    ) -> HttpResponse:
        violation = self._violation(request, pk)
        if isinstance(error, StaleVersion):
            form = form.shown_again(violation)
            form.full_clean()
        field = error.field if error.field in form.fields else None
        form.add_error(field, str(error.message))
        status = 403 if isinstance(error, NotPermitted) else 409
        return self._step_page(request, violation, step, form, status=status)

    def _step_page(
        self, request: HttpRequest, violation: Violation, step: Step, form: StepForm, status: int = 200
    ) -> HttpResponse:
        person = _person(request)
        if not step.may(person, violation, violation.application) and status == 200:
            status = 403
        context = {
            **self._context(request, violation),
            "title": step.title,
            "step": step,
            "consequences": step.consequences(violation),
            "form": form,
            "is_offered": step.is_offered(person, violation),
        }
        return TemplateResponse(request, "admin/compliance/step.html", context, status=status)

    def _violation(self, request: HttpRequest, pk: int) -> Violation:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows: QuerySet[Violation] = self.get_queryset(request)
        return get_object_or_404(
            rows.select_related(
                "application__company",
                "application__approved_by",
                "application__deposit",
                "reported_by",
                "investigator",
                "verifier",
            ),
            pk=pk,
        )

    def _context(self, request: HttpRequest, violation: Violation) -> dict[str, Any]:
        return {
            **self._site_context(request),
            "original": violation,
            "violation": violation,
            "application": violation.application,
            "title": violation.title,
            "state_colour": STATE_COLOURS.get(violation.state, ""),
            "severity_colour": SEVERITY_COLOURS[violation.severity],
        }

    def _site_context(self, request: HttpRequest) -> dict[str, Any]:
        request.current_app = self.admin_site.name
        return {**self.admin_site.each_context(request), "opts": self.opts, "inline_admin_formsets": []}


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
