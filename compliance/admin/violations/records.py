"""Sanctions and appeals: to be read. They come with the steps of their violation."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from applications.services import clock_text
from compliance.models import AppealState, Sanction, ViolationAppeal
from deposits.admin.base import amount, name
from deposits.admin.tabs import Tab, TabFilter
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

APPEAL_COLOURS: dict[str, str] = {
    AppealState.OPEN: "warning",
    AppealState.PROPOSED: "warning",
    AppealState.UPHELD: "success",
    AppealState.REJECTED: "",
}


class OfViolationAdmin(ReadOnlyAdmin):
    """Rows of a violation: everything about them stands on its page."""

    list_per_page = 50
    search_fields = [
        "violation__title",
        "violation__application__number",
        "violation__application__company_name",
    ]
    search_help_text = _("Title, company, or the number of the provider.")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """There is no page of its own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(self.get_queryset(request), pk=unquote(object_id))
        return redirect("admin:compliance_violation_change", row.violation_id)

    @admin.display(description=_("violation"))
    def case(self, row: Any) -> SafeString:
        return name(row.violation.title)

    @admin.display(description=_("company"))
    def company(self, row: Any) -> SafeString:
        return name(row.violation.application.company_name)


@admin.register(Sanction)
class SanctionAdmin(OfViolationAdmin):
    list_display = ["case", "company", "measure", "deducted", "sum", "imposed", "until", "taken_back"]
    list_filter = ["measure"]
    list_select_related = ["violation__application"]
    ordering = ["-imposed_at", "-pk"]

    @admin.display(description=_("points"), ordering="points")
    def deducted(self, sanction: Sanction) -> int | str:
        return sanction.points or "—"

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, sanction: Sanction) -> SafeString:
        return amount(sanction.amount)

    @admin.display(description=_("imposed"), ordering="imposed_at")
    def imposed(self, sanction: Sanction) -> str:
        return clock_text(sanction.imposed_at)

    @admin.display(description=_("to be put right by"), ordering="rectify_by")
    def until(self, sanction: Sanction) -> str:
        return clock_text(sanction.rectify_by) if sanction.rectify_by else "—"

    @admin.display(description=_("taken back"), ordering="taken_back_at")
    def taken_back(self, sanction: Sanction) -> str:
        return clock_text(sanction.taken_back_at) if sanction.taken_back_at else "—"


class AppealTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("open", _("Waiting"), Q(state__in=[AppealState.OPEN, AppealState.PROPOSED])),
        Tab("upheld", _("Upheld"), Q(state=AppealState.UPHELD)),
        Tab("rejected", _("Rejected"), Q(state=AppealState.REJECTED)),
    )


@admin.register(ViolationAppeal)
class ViolationAppealAdmin(OfViolationAdmin):
    list_display = ["case", "company", "state_label", "appealed", "decided"]
    list_filter = [AppealTabs]
    list_before_template = "admin/deposits/list_head.html"
    list_select_related = ["violation__application"]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> Any:
        tabs = AppealTabs.shown(request, ViolationAppeal.objects.all(), summed=False)
        return super().changelist_view(request, {"tabs": tabs, **(extra_context or {})})

    @display(description=_("state"), ordering="state", label=APPEAL_COLOURS)
    def state_label(self, appeal: ViolationAppeal) -> tuple[str, str]:
        return appeal.state, appeal.get_state_display()

    @admin.display(description=_("appealed"), ordering="at")
    def appealed(self, appeal: ViolationAppeal) -> str:
        return clock_text(appeal.at)

    @admin.display(description=_("decided"), ordering="decided_at")
    def decided(self, appeal: ViolationAppeal) -> str:
        return clock_text(appeal.decided_at) if appeal.decided_at else "—"
