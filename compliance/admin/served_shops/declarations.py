"""Declared figures: the queue, one page for each with its evidence, and a page for each decision."""

from collections.abc import Sequence
from typing import Any

from csp.decorators import csp
from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from applications import served_files
from compliance.models import Declaration, DeclarationState
from compliance.served_shops import declarations, permissions, selectors
from deposits.admin.base import MoneyAdmin, two_lines
from deposits.admin.tabs import Tab, TabFilter
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import SeenStateForm, Step, StepPages

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    DeclarationState.DECLARED: "warning",
    DeclarationState.VERIFIED: "success",
    DeclarationState.REFUSED: "danger",
}

# The decisions --------------------------------------------------------------------------------------


def _box(label: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label,
        error_messages={"required": _("Tick that you have looked at this.")},
        widget=UnfoldBooleanWidget,
    )


class VerifyForm(SeenStateForm):
    boxes_title = _("I have looked at this:")
    figure = _box(_("The evidence shows this figure, for this company or shop and this time."))
    genuine = _box(_("Nothing in it looks altered, and the figure is plausible."))

    def boxes(self) -> list[forms.BoundField]:
        return list(self.visible_fields())


class RefuseForm(SeenStateForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company reads it."),
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _may_decide(user: User, declaration: Declaration) -> bool:
    return permissions.may_decide(user, declaration, declaration.application)


def _what_verifying_does(declaration: Declaration) -> Sequence[str]:
    return [
        gettext("%(figure)s counts for %(company)s from the next rating on.")
        % {"figure": str(declaration), "company": declaration.application.company_name},
        gettext("The company is told. The figure can still be refused later, with a reason."),
    ]


def _what_refusing_does(declaration: Declaration) -> Sequence[str]:
    lines = [gettext("The company is told, reads the reason, and can declare the figure anew.")]
    if declaration.state == DeclarationState.VERIFIED:
        lines.append(
            gettext("It was verified: it stops counting. Ratings that are published stay as they are.")
        )
    return lines


STEPS: tuple[Step[Declaration], ...] = (
    Step(
        name="verify",
        title=_("The figure is right"),
        consequences=_what_verifying_does,
        done=_("Verified. The company has been told."),
        may=_may_decide,
        is_open=lambda declaration: bool(declaration.state == DeclarationState.DECLARED),
        run=lambda pk, user, form: declarations.verify(pk, actor=user, seen=form.cleaned_data["seen"]),
        form=VerifyForm,
        variant="primary",
        icon="check_circle",
    ),
    Step(
        name="refuse",
        title=_("Refuse the figure"),
        consequences=_what_refusing_does,
        done=_("Refused. The company has been told the reason."),
        may=_may_decide,
        is_open=lambda declaration: bool(declaration.state != DeclarationState.REFUSED),
        run=lambda pk, user, form: declarations.refuse(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=RefuseForm,
        variant="danger",
        icon="cancel",
    ),
)


# What waits -----------------------------------------------------------------------------------------


class DeclarationTabs(TabFilter):
    tabs = (
        Tab(
            "waiting",
            pgettext_lazy("declaration", "To verify"),
            Q(state=DeclarationState.DECLARED),
            urgent=True,
        ),
        Tab("verified", pgettext_lazy("declaration", "Verified"), Q(state=DeclarationState.VERIFIED)),
        Tab("refused", pgettext_lazy("declaration", "Refused"), Q(state=DeclarationState.REFUSED)),
    )


@tasks_from
def declaration_tasks(request: HttpRequest) -> list[Task]:
    user = request.user
    if not isinstance(user, User) or not has_role(user, Role.OPS):
        return []
    url = reverse("admin:compliance_declaration_changelist") + "?tab=waiting"
    return [Task(_("Declared figures to verify"), selectors.waiting_to_be_verified().count(), url)]


# The pages ------------------------------------------------------------------------------------------


@admin.register(Declaration)
class DeclarationAdmin(StepPages[Declaration], MoneyAdmin):
    steps = STEPS
    head_template = "admin/compliance/served_shops/_declaration_head.html"
    page_template = "admin/compliance/served_shops/declaration.html"
    step_template = "admin/compliance/served_shops/declaration_step.html"
    list_display = ["figure", "provider", "shop", "state_label", "uploaded_at"]
    list_select_related = ["application", "served_shop"]
    list_filter = [DeclarationTabs, "state", "quarter"]
    list_before_template = "admin/deposits/list_head.html"
    ordering = ["uploaded_at", "pk"]
    search_fields = ["application__number", "application__company_name", "served_shop__shop_name"]
    search_help_text = _("Number or name of the provider, or the shop.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": DeclarationTabs.shown(request, Declaration.objects.all(), summed=False)}

    @admin.display(description=_("figure"), ordering="input")
    def figure(self, declaration: Declaration) -> str:
        return str(declaration)

    @admin.display(description=_("provider"), ordering="application__company_name")
    def provider(self, declaration: Declaration) -> SafeString:
        return two_lines(declaration.application.company_name, declaration.application.number)

    @admin.display(description=_("shop and quarter"), ordering="quarter")
    def shop(self, declaration: Declaration) -> SafeString | str:
        if declaration.served_shop is None:
            return "—"
        return two_lines(declaration.served_shop.shop_name, declaration.quarter)

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, declaration: Declaration) -> tuple[str, str]:
        return declaration.state, declaration.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[Declaration]:
        rows: QuerySet[Declaration] = self.get_queryset(request)
        return rows.select_related("application", "served_shop", "uploaded_by", "decided_by")

    def object_context(self, request: HttpRequest, obj: Declaration) -> dict[str, Any]:
        return {
            "declaration": obj,
            "application": obj.application,
            "title": str(obj),
            "colour": STATE_COLOURS[obj.state],
        }

    def page_context(self, request: HttpRequest, obj: Declaration) -> dict[str, Any]:
        """With what the company declared of the same kind before: a figure that jumps stands out."""
        same = Declaration.objects.filter(
            application=obj.application, input=obj.input, served_shop=obj.served_shop
        )
        return {"others": same.exclude(pk=obj.pk)[:10], "history": obj.steps.select_related("actor")}

    def other_urls(self) -> list[URLPattern]:
        return [self.url("<int:pk>/evidence/", self.evidence, "evidence")]

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def evidence(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file that was handed in, shown in the browser where that is safe."""
        row = self.load(request, pk)
        return served_files.for_staff(row.file, name=row.original_name, content_type=row.content_type)
