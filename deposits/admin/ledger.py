"""The ledger's rows."""

from django.contrib import admin

from deposits.admin.base import MoneyAdmin
from deposits.models import LedgerTransfer


@admin.register(LedgerTransfer)
class LedgerTransferAdmin(MoneyAdmin):
    list_display = ["at", "kind", "deposit", "debit", "credit", "amount", "note"]
    list_select_related = ["deposit__application"]
    list_filter = ["kind", "debit", "credit"]
    search_fields = ["key", "note", "case", "deposit__application__number"]
    date_hierarchy = "at"
