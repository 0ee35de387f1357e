"""Renewed licences: the queue, and one page for each, with the old and the new licence side by side."""

from typing import Any

from csp.decorators import csp
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from applications import licence_renewals, permissions, selectors, served_files
from applications.models import Application, DocumentKind, LicenceRenewal, RenewalState
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import SeenStateForm, Step, StepPages, plainly

COLOURS: dict[str, str] = {
    RenewalState.WAITING: "warning",
    RenewalState.VERIFIED: "success",
    RenewalState.REFUSED: "danger",
    RenewalState.WITHDRAWN: "",
}


class VerifyForm(SeenStateForm):
    """What no machine has checked is ticked one by one."""

    boxes_title = _("I have looked at what was not checked automatically:")
    company = forms.BooleanField(
        label=_("It is the business licence of this company, with this credit code."),
        error_messages={"required": _("Tick that you have looked at this.")},
        widget=UnfoldBooleanWidget,
    )
    last_day = forms.BooleanField(
        label=_("Its last day is the one that was typed."),
        error_messages={"required": _("Tick that you have looked at this.")},
        widget=UnfoldBooleanWidget,
    )

    def boxes(self) -> list[forms.BoundField]:
        return [self["company"], self["last_day"]]


class RefuseForm(SeenStateForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The merchant reads it: say what was not met."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


def _may_look(user: User, renewal: LicenceRenewal) -> bool:
    return permissions.may_look_at_licence(user, renewal.application)


def _waits(renewal: LicenceRenewal) -> bool:
    return bool(renewal.state == RenewalState.WAITING)


STEPS = (
    Step[LicenceRenewal](
        name="verify",
        title=pgettext_lazy("licence", "Verify"),
        consequences=plainly(
            _("Its file and its last day become the company's."),
            _(
                "A suspension for the expired licence ends at once; without another one the member serves again."
            ),
            _("The company is told."),
        ),
        done=_("Verified. The company has been told."),
        may=_may_look,
        is_open=_waits,
        run=lambda pk, user, form: licence_renewals.verify(pk, actor=user),
        form=VerifyForm,
        variant="primary",
        icon="check_circle",
    ),
    Step[LicenceRenewal](
        name="refuse",
        title=_("Refuse"),
        consequences=plainly(
            _("The licence in force stays as it is. The company reads the reason, and may hand in another."),
            _("A suspension for an expired licence goes on, or begins, if the last day has passed."),
        ),
        done=_("Refused. The company has been told the reason."),
        may=_may_look,
        is_open=_waits,
        run=lambda pk, user, form: licence_renewals.refuse(
            pk, actor=user, reason=form.cleaned_data["reason"]
        ),
        form=RefuseForm,
        variant="danger",
        icon="cancel",
    ),
)


@admin.register(LicenceRenewal)
class LicenceRenewalAdmin(StepPages[LicenceRenewal]):
    steps = STEPS
    head_template = "admin/applications/_licence_head.html"
    page_template = "admin/applications/licence.html"
    step_template = "admin/applications/licence_step.html"
    list_display = ["company", "number", "valid_until", "handed_in_at", "state_label", "decided_by"]
    list_display_links = ["company"]
    list_filter = ["state"]
    list_select_related = ["application", "decided_by"]
    list_per_page = 50
    search_fields = ["application__number", "application__company_name", "application__credit_code"]
    search_help_text = _("Number, company or credit code.")

    @admin.display(description=_("company"), ordering="application__company_name")
    def company(self, renewal: LicenceRenewal) -> str:
        return renewal.application.company_name

    @admin.display(description=_("number"), ordering="application__number")
    def number(self, renewal: LicenceRenewal) -> str:
        return renewal.application.number

    @display(description=_("state"), ordering="state", label=COLOURS)
    def state_label(self, renewal: LicenceRenewal) -> tuple[str, str]:
        return renewal.state, renewal.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[LicenceRenewal]:
        rows: QuerySet[LicenceRenewal] = self.get_queryset(request)
        return rows.select_related("application", "handed_in_by", "decided_by")

    def object_context(self, request: HttpRequest, obj: LicenceRenewal) -> dict[str, Any]:
        licences = selectors.documents_of(obj.application).filter(kind=DocumentKind.LICENCE)
        return {
            "renewal": obj,
            "application": obj.application,
            "title": obj.application.company_name,
            "state_colour": COLOURS[obj.state],
            "in_force": licences.select_related("uploaded_by").first(),
            "may_see_documents": request.user.has_perm("applications.view_document"),
        }

    def page_context(self, request: HttpRequest, obj: LicenceRenewal) -> dict[str, Any]:
        return {"suspensions": list(selectors.open_suspensions(obj.application))}

    def other_urls(self) -> list[URLPattern]:
        return [self.url("<int:pk>/file/", self.file, "file")]

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def file(self, request: HttpRequest, pk: int) -> FileResponse:
        """The renewed licence, shown in the browser where that is safe."""
        renewal = self.load(request, pk)
        if not request.user.has_perm("applications.view_document"):
            raise PermissionDenied
        return served_files.for_staff(
            renewal.file, name=renewal.original_name, content_type=renewal.content_type
        )


def url(application: Application | None = None) -> str:
    """The list of what waits, or of all that one company handed in."""
    path = reverse("admin:applications_licencerenewal_changelist")
    return f"{path}?q={application.number}" if application else f"{path}?state__exact={RenewalState.WAITING}"


@tasks_from
def licences_waiting(request: HttpRequest) -> list[Task]:
    assert isinstance(request.user, User)
    if not has_role(request.user, Role.REVIEWER, Role.OPS):
        return []
    return [Task(_("Renewed licences"), licence_renewals.queue().count(), url())]
