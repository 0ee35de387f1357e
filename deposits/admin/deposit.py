"""Deposits: the list, and one page for each."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import MEMBER
from applications.services import clock_text
from deposits.admin.base import MoneyAdmin
from deposits.models import Deposit
from deposits.selectors import statement


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
