"""Payments that were not accepted, and their way back."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits.admin.base import OfDepositAdmin, headed, moment, name
from deposits.admin.payouts import STUCK
from deposits.admin.tabs import Tab, TabFilter
from deposits.colours import BACK_COLOURS
from deposits.models import Payout, ReturnedPayment
from deposits.states import BackState
from tmall_sp.core.step_pages import StepPages

_STUCK = Q(pk__in=Payout.objects.filter(state__in=STUCK, returned__isnull=False).values("returned"))


class ReturnedTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("under_way", _("Under way"), Q(state=BackState.IN_PROGRESS) & ~_STUCK),
        Tab("attention", _("Need a decision"), Q(state=BackState.IN_PROGRESS) & _STUCK, urgent=True),
        Tab("done", _("Done"), Q(state=BackState.DONE)),
    )


@admin.register(ReturnedPayment)
class ReturnedPaymentAdmin(StepPages[ReturnedPayment], OfDepositAdmin):
    steps = ()
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/returned_payment.html"
    list_display = ["order", "company", "sum", "reason", "state_label", "created", "done"]
    list_select_related = ["order__deposit__application"]
    list_filter = [ReturnedTabs, "reason"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["order__out_trade_no", "order__trade_no", "order__buyer_name", "payouts__number"]
    search_help_text = _("Number of the payment, of a payout, or the payer.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": ReturnedTabs.shown(request, ReturnedPayment.objects.all())}

    @admin.display(description=_("company"), ordering="order__deposit__application__company_name")
    def company(self, row: Any) -> SafeString:
        return name(row.order.deposit.application.company_name)

    @display(description=_("state"), ordering="state", label=BACK_COLOURS)
    def state_label(self, returned: ReturnedPayment) -> tuple[str, str]:
        return returned.state, returned.get_state_display()

    @admin.display(description=_("created"), ordering="created_at")
    def created(self, returned: ReturnedPayment) -> SafeString | str:
        return moment(returned.created_at)

    @admin.display(description=_("done"), ordering="done_at")
    def done(self, returned: ReturnedPayment) -> SafeString | str:
        return moment(returned.done_at)

    def objects(self, request: HttpRequest) -> QuerySet[ReturnedPayment]:
        rows: QuerySet[ReturnedPayment] = self.get_queryset(request)
        return rows.select_related("order__deposit__application")

    def object_context(self, request: HttpRequest, obj: ReturnedPayment) -> dict[str, Any]:
        return {
            "returned": obj,
            "order": obj.order,
            "deposit": obj.order.deposit,
            "title": obj.order.out_trade_no,
            "heading": headed(_("refused payment"), obj.amount),
        }

    def page_context(self, request: HttpRequest, obj: ReturnedPayment) -> dict[str, Any]:
        return {
            "legs": obj.payouts.select_related("order", "replaces").order_by("pk"),
            "rows": obj.order.transfers.order_by("at", "pk"),
        }
