"""Payments: orders at the cashier and what Alipay told of them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits.admin.base import MoneyAdmin
from deposits.colours import ORDER_COLOURS
from deposits.models import AlipayNotification, PaymentOrder, Verdict

VERDICT_COLOURS: dict[str, str] = {
    Verdict.BELIEVED: "success",
    Verdict.OTHER_AMOUNT: "warning",
    Verdict.BAD_SIGNATURE: "danger",
    Verdict.OTHER_APP: "danger",
    Verdict.OTHER_SELLER: "danger",
    Verdict.UNKNOWN_ORDER: "danger",
}


@admin.register(PaymentOrder)
class PaymentOrderAdmin(MoneyAdmin):
    list_display = [
        "out_trade_no",
        "deposit",
        "purpose",
        "amount",
        "state_label",
        "paid_amount",
        "paid_at",
        "last_error",
    ]
    list_select_related = ["deposit__application"]
    list_filter = ["state", "purpose"]
    search_fields = ["out_trade_no", "trade_no", "deposit__application__number", "buyer_name"]

    @display(description=_("state"), ordering="state", label=ORDER_COLOURS)
    def state_label(self, order: PaymentOrder) -> tuple[str, str]:
        return order.state, order.get_state_display()


@admin.register(AlipayNotification)
class AlipayNotificationAdmin(MoneyAdmin):
    list_display = ["received_at", "notify_id", "verdict_label", "reason", "order", "deliveries"]
    list_select_related = ["order"]
    list_filter = ["verdict"]
    search_fields = ["notify_id", "order__out_trade_no"]

    @display(description=_("verdict"), ordering="verdict", label=VERDICT_COLOURS)
    def verdict_label(self, notification: AlipayNotification) -> tuple[str, str]:
        return notification.verdict, notification.get_verdict_display()
