"""What deposits owe, and the demands to fill them up."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from deposits.admin.base import OfDepositAdmin, amount, headed, moment, two_lines
from deposits.admin.steps import OBLIGATION_STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.colours import OBLIGATION_COLOURS
from deposits.duties.case_names import case_words
from deposits.models import Obligation, TopUpDemand
from deposits.states import DEMAND_OPEN, ObligationState
from tmall_sp.core import clock
from tmall_sp.core.step_pages import StepPages


class ObligationTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("open", pgettext_lazy("obligation", "open"), Q(state=ObligationState.OPEN)),
        Tab("settled", pgettext_lazy("obligation", "paid"), Q(state=ObligationState.SETTLED)),
        Tab("waived", _("waived"), Q(state=ObligationState.WAIVED)),
    )


@admin.register(Obligation)
class ObligationAdmin(StepPages[Obligation], OfDepositAdmin):
    steps = OBLIGATION_STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/obligation.html"
    list_display = [
        "number",
        "company",
        "kind",
        "of_case",
        "sum",
        "settled_amount",
        "outstanding_amount",
        "state_label",
        "created",
    ]
    list_filter = [ObligationTabs, "kind"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["case", "deposit__application__number", "deposit__application__company_name"]
    search_help_text = _("Case, number or company.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": ObligationTabs.shown(request, Obligation.objects.all())}

    @admin.display(description=_("settled"), ordering="settled")
    def settled_amount(self, obligation: Obligation) -> SafeString:
        return amount(obligation.settled)

    @admin.display(description=_("still owed"))
    def outstanding_amount(self, obligation: Obligation) -> SafeString:
        return amount(obligation.outstanding if obligation.state == ObligationState.OPEN else None)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, obligation: Obligation) -> SafeString | str:
        return moment(obligation.created_at)

    @admin.display(description=_("case"), ordering="case")
    def of_case(self, obligation: Obligation) -> str:
        return case_words(obligation.case)

    @display(description=_("state"), ordering="state", label=OBLIGATION_COLOURS)
    def state_label(self, obligation: Obligation) -> tuple[str, str]:
        return obligation.state, obligation.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[Obligation]:
        rows: QuerySet[Obligation] = self.get_queryset(request)
        return rows.select_related("deposit__application")

    def object_context(self, request: HttpRequest, obj: Obligation) -> dict[str, Any]:
        return {
            "obligation": obj,
            "deposit": obj.deposit,
            "title": f"{obj.deposit} · {obj.get_kind_display()}",
            "heading": headed(_("obligation"), obj.amount),
        }

    def page_context(self, request: HttpRequest, obj: Obligation) -> dict[str, Any]:
        return {
            "rows": obj.transfers.order_by("at", "pk"),
            "proposals": obj.proposals.select_related("proposed_by", "decided_by"),
        }


class DemandTabs(TabFilter):
    title = _("state")

    @classmethod
    def tabs_of(cls, request: HttpRequest) -> tuple[Tab, ...]:
        late = DEMAND_OPEN & Q(due_at__lt=clock.now())
        return (
            Tab("open", pgettext_lazy("demand", "open"), DEMAND_OPEN),
            Tab("overdue", _("Overdue"), late, urgent=True),
            Tab("closed", _("Closed"), ~DEMAND_OPEN),
        )


@admin.register(TopUpDemand)
class TopUpDemandAdmin(OfDepositAdmin):
    list_display = [
        "number",
        "company",
        "cause",
        "opened",
        "due",
        "reminders",
        "lapsed",
        "closed",
    ]
    list_filter = [DemandTabs, "cause", "outcome"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["deposit__application__number", "deposit__application__company_name"]

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": DemandTabs.shown(request, TopUpDemand.objects.all(), summed=False)}

    @admin.display(description=_("opened"), ordering="opened_at")
    def opened(self, demand: TopUpDemand) -> SafeString | str:
        return moment(demand.opened_at)

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, demand: TopUpDemand) -> SafeString | str:
        return moment(demand.due_at)

    @admin.display(description=_("passed unpaid"), ordering="lapsed_at")
    def lapsed(self, demand: TopUpDemand) -> SafeString | str:
        return moment(demand.lapsed_at)

    @admin.display(description=_("closed"), ordering="closed_at")
    def closed(self, demand: TopUpDemand) -> SafeString | str:
        return two_lines(moment(demand.closed_at), demand.get_outcome_display()) if demand.closed_at else "—"
