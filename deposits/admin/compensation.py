"""Compensation that deposits have given up for somebody, until it is paid."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits.admin.base import OfDepositAdmin, headed, moment
from deposits.admin.payouts import STUCK
from deposits.admin.steps import COMPENSATION_STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.colours import COMPENSATION_COLOURS
from deposits.duties.case_names import case_words
from deposits.models import Compensation, LedgerTransfer, Payout
from deposits.states import CompensationState
from tmall_sp.core.step_pages import StepPages

_STUCK = Q(pk__in=Payout.objects.filter(state__in=STUCK, compensation__isnull=False).values("compensation"))


class CompensationTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("waiting", _("Without a payee"), Q(state=CompensationState.WAITING), urgent=True),
        Tab("under_way", _("Under way"), Q(state=CompensationState.IN_PROGRESS) & ~_STUCK),
        Tab("attention", _("Need a decision"), Q(state=CompensationState.IN_PROGRESS) & _STUCK, urgent=True),
        Tab("done", _("Done"), Q(state=CompensationState.DONE)),
    )


@admin.register(Compensation)
class CompensationAdmin(StepPages[Compensation], OfDepositAdmin):
    steps = COMPENSATION_STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/compensation.html"
    list_display = ["number", "company", "of_case", "sum", "payee_name", "state_label", "created", "done"]
    list_filter = [CompensationTabs]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["case", "payee_name", "deposit__application__number", "payouts__number"]
    search_help_text = _("Case, payee, number of the deposit or of a payout.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": CompensationTabs.shown(request, Compensation.objects.all())}

    @admin.display(description=_("case"), ordering="case")
    def of_case(self, compensation: Compensation) -> str:
        return case_words(compensation.case)

    @display(description=_("state"), ordering="state", label=COMPENSATION_COLOURS)
    def state_label(self, compensation: Compensation) -> tuple[str, str]:
        return compensation.state, compensation.get_state_display()

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, compensation: Compensation) -> SafeString | str:
        return moment(compensation.created_at)

    @admin.display(description=_("done"), ordering="done_at")
    def done(self, compensation: Compensation) -> SafeString | str:
        return moment(compensation.done_at)

    def objects(self, request: HttpRequest) -> QuerySet[Compensation]:
        rows: QuerySet[Compensation] = self.get_queryset(request)
        return rows.select_related("deposit__application", "entry__actor")

    def object_context(self, request: HttpRequest, obj: Compensation) -> dict[str, Any]:
        return {
            "compensation": obj,
            "deposit": obj.deposit,
            "title": str(obj),
            "heading": headed(_("compensation"), obj.amount),
        }

    def page_context(self, request: HttpRequest, obj: Compensation) -> dict[str, Any]:
        return {
            "legs": obj.payouts.select_related("order", "replaces").order_by("pk"),
            "rows": LedgerTransfer.objects.filter(Q(pk=obj.entry_id) | Q(payout__compensation=obj)).order_by(
                "at", "pk"
            ),
        }
