"""Money that goes out: refunds, refused payments, and each movement at Alipay."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits.admin.base import MoneyAdmin
from deposits.models import Payout, Refund, ReturnedPayment
from deposits.states import BackState, PayoutState

PAYOUT_COLOURS: dict[str, str] = {
    PayoutState.DONE: "success",
    PayoutState.ATTENTION: "danger",
    PayoutState.REPLACED: "secondary",
    PayoutState.DEALING: "warning",
    PayoutState.CALLING: "warning",
    PayoutState.QUEUED: "info",
}
BACK_COLOURS: dict[str, str] = {BackState.DONE: "success", BackState.IN_PROGRESS: "warning"}


class BackAdmin(MoneyAdmin):
    list_filter = ["state"]
    readonly_fields = ["legs"]

    @display(description=_("state"), ordering="state", label=BACK_COLOURS)
    def state_label(self, whole: Refund | ReturnedPayment) -> tuple[str, str]:
        return whole.state, whole.get_state_display()

    @admin.display(description=_("payouts"))
    def legs(self, whole: Refund | ReturnedPayment) -> SafeString:
        return format_html_join(
            SafeString("<br>"),
            '<a class="desk-link" href="{}">{}</a> · {} · {} · {} {}',
            (
                (
                    reverse("admin:deposits_payout_change", args=[payout.pk]),
                    payout.number,
                    payout.get_method_display(),
                    f"{payout.amount:,}",
                    payout.get_state_display(),
                    payout.last_code,
                )
                for payout in whole.payouts.all()
            ),
        )


@admin.register(Refund)
class RefundAdmin(BackAdmin):
    list_display = ["deposit", "amount", "state_label", "reason", "created_at", "done_at"]
    list_select_related = ["deposit__application"]
    search_fields = ["deposit__application__number", "payouts__number"]


@admin.register(ReturnedPayment)
class ReturnedPaymentAdmin(BackAdmin):
    list_display = ["order", "amount", "reason", "state_label", "created_at", "done_at"]
    list_select_related = ["order"]
    search_fields = ["order__out_trade_no", "payouts__number"]


@admin.register(Payout)
class PayoutAdmin(MoneyAdmin):
    list_display = [
        "number",
        "cause",
        "method",
        "amount",
        "state_label",
        "last_code",
        "attempts",
        "due_at",
        "done_at",
    ]
    list_select_related = ["refund__deposit__application", "returned__order"]
    list_filter = ["state", "method"]
    search_fields = ["number", "alipay_number", "refund__deposit__application__number"]

    @admin.display(description=_("cause"))
    def cause(self, payout: Payout) -> str:
        return str(payout.refund or payout.returned)

    @display(description=_("state"), ordering="state", label=PAYOUT_COLOURS)
    def state_label(self, payout: Payout) -> tuple[str, str]:
        return payout.state, payout.get_state_display()
