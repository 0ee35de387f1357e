"""Refunds by state, and one page for each with its legs."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits.admin.base import OfDepositAdmin, headed, moment, two_lines
from deposits.admin.payouts import STUCK
from deposits.admin.steps import REFUND_STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.colours import REFUND_COLOURS
from deposits.models import Payout, Refund
from deposits.states import RefundState
from tmall_sp.core.step_pages import StepPages

_STUCK = Q(pk__in=Payout.objects.filter(state__in=STUCK, refund__isnull=False).values("refund"))


class RefundTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("held", _("Held"), Q(state=RefundState.HELD)),
        Tab("under_way", _("Under way"), Q(state=RefundState.IN_PROGRESS) & ~_STUCK),
        Tab("attention", _("Need a decision"), Q(state=RefundState.IN_PROGRESS) & _STUCK, urgent=True),
        Tab("done", _("Done"), Q(state=RefundState.DONE)),
    )


@admin.register(Refund)
class RefundAdmin(StepPages[Refund], OfDepositAdmin):
    steps = REFUND_STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/refund.html"
    list_display = [
        "number",
        "company",
        "sum",
        "state_label",
        "why",
        "created",
        "done",
    ]
    list_filter = [RefundTabs]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = [
        "deposit__application__number",
        "deposit__application__company_name",
        "payouts__number",
    ]
    search_help_text = _("Number or company of the deposit, or our number of a payout.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": RefundTabs.shown(request, Refund.objects.all())}

    @display(description=_("state"), ordering="state", label=REFUND_COLOURS)
    def state_label(self, refund: Refund) -> tuple[str, str]:
        return refund.state, refund.get_state_display()

    @admin.display(description=_("reason"))
    def why(self, refund: Refund) -> SafeString:
        """And, while it is held, because of what."""
        held = refund.hold_reason if refund.state == RefundState.HELD else ""
        return two_lines(refund.reason, held)

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, refund: Refund) -> SafeString | str:
        return moment(refund.created_at)

    @admin.display(description=_("done"), ordering="done_at")
    def done(self, refund: Refund) -> SafeString | str:
        return moment(refund.done_at)

    def objects(self, request: HttpRequest) -> QuerySet[Refund]:
        rows: QuerySet[Refund] = self.get_queryset(request)
        return rows.select_related("deposit__application")

    def object_context(self, request: HttpRequest, obj: Refund) -> dict[str, Any]:
        return {
            "refund": obj,
            "deposit": obj.deposit,
            "title": str(obj),
            "heading": headed(_("refund"), obj.amount),
        }

    def page_context(self, request: HttpRequest, obj: Refund) -> dict[str, Any]:
        return {
            "legs": obj.payouts.select_related("order", "replaces").order_by("pk"),
            "rows": obj.deposit.transfers.filter(Q(case=f"refund:{obj.pk}") | Q(payout__refund=obj)).order_by(
                "at", "pk"
            ),
            "proposals": obj.proposals.select_related("proposed_by", "decided_by"),
        }
