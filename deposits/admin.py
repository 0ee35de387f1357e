"""Finance's and the auditor's reading of the books. Nothing here writes."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from applications.lifecycle import MEMBER
from applications.services import clock_text
from deposits.models import (
    AlipayNotification,
    Deposit,
    LedgerTransfer,
    PaymentOrder,
    Payout,
    Refund,
    ReturnedPayment,
    Verdict,
)
from deposits.selectors import statement
from deposits.states import BackState, OrderState, PayoutState
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

ORDER_COLOURS: dict[str, str] = {
    OrderState.PAID: "success",
    OrderState.REFUSED: "danger",
    OrderState.CLOSED: "secondary",
    OrderState.CLOSING: "warning",
    OrderState.OPEN: "info",
}
PAYOUT_COLOURS: dict[str, str] = {
    PayoutState.DONE: "success",
    PayoutState.ATTENTION: "danger",
    PayoutState.REPLACED: "secondary",
    PayoutState.DEALING: "warning",
    PayoutState.CALLING: "warning",
    PayoutState.QUEUED: "info",
}
BACK_COLOURS: dict[str, str] = {BackState.DONE: "success", BackState.IN_PROGRESS: "warning"}
VERDICT_COLOURS: dict[str, str] = {
    Verdict.BELIEVED: "success",
    Verdict.OTHER_AMOUNT: "warning",
    Verdict.BAD_SIGNATURE: "danger",
    Verdict.OTHER_APP: "danger",
    Verdict.OTHER_SELLER: "danger",
    Verdict.UNKNOWN_ORDER: "danger",
}


class MoneyAdmin(ReadOnlyAdmin):
    list_per_page = 50

    def get_list_display_links(self, request: HttpRequest, list_display: list[str]) -> list[str]:
        return list_display[:1]


@admin.register(Deposit)
class DepositAdmin(MoneyAdmin):
    list_display = [
        "application_number",
        "company",
        "membership",
        "required",
        "available",
        "frozen",
        "missing",
    ]
    list_select_related = ["application"]
    list_filter = ["application__state"]
    search_fields = ["application__number", "application__company_name", "application__credit_code"]
    fields = [
        "application_link",
        "required",
        "available",
        "frozen",
        "missing",
        "opened_at",
        "orders_table",
        "statement_table",
    ]
    readonly_fields = ["application_link", "missing", "orders_table", "statement_table"]

    @admin.display(description=_("number"), ordering="application__number")
    def application_number(self, deposit: Deposit) -> str:
        return deposit.application.number

    @admin.display(description=_("company"), ordering="application__company_name")
    def company(self, deposit: Deposit) -> str:
        return deposit.application.company_name

    @admin.display(description=_("state"), ordering="application__state")
    def membership(self, deposit: Deposit) -> str:
        return deposit.application.get_state_display()

    @admin.display(description=_("shortfall"))
    def missing(self, deposit: Deposit) -> str:
        return f"{deposit.shortfall:,}" if deposit.application.state in MEMBER else "—"

    @admin.display(description=_("application"))
    def application_link(self, deposit: Deposit) -> SafeString:
        address = reverse("admin:applications_application_change", args=[deposit.application_id])
        return format_html('<a class="desk-link" href="{}">{}</a>', address, deposit.application)

    @admin.display(description=_("payment orders"))
    def orders_table(self, deposit: Deposit) -> SafeString:
        return format_html_join(
            SafeString("<br>"),
            '<a class="desk-link" href="{}">{}</a> · {} · {}',
            (
                (
                    reverse("admin:deposits_paymentorder_change", args=[order.pk]),
                    order.out_trade_no,
                    f"{order.amount:,}",
                    order.get_state_display(),
                )
                for order in deposit.orders.all()
            ),
        )

    @admin.display(description=_("statement"))
    def statement_table(self, deposit: Deposit) -> SafeString:
        return format_html_join(
            SafeString("<br>"),
            "{} · {} · {} · {}",
            (
                (
                    clock_text(line.row.at),
                    line.row.get_kind_display(),
                    f"{line.change:+,}" if line.change else f"({line.row.amount:,})",
                    f"{line.balance:,}",
                )
                for line in statement(deposit)
            ),
        )


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


@admin.register(LedgerTransfer)
class LedgerTransferAdmin(MoneyAdmin):
    list_display = ["at", "kind", "deposit", "debit", "credit", "amount", "note"]
    list_select_related = ["deposit__application"]
    list_filter = ["kind", "debit", "credit"]
    search_fields = ["key", "note", "case", "deposit__application__number"]
    date_hierarchy = "at"
