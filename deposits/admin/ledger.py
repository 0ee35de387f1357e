"""The ledger's rows, and one page for each."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum, Value
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from deposits.admin import totals
from deposits.admin.base import MoneyAdmin, amount, headed, moment, name
from deposits.admin.proposals import links
from deposits.admin.steps import ENTRY_STEPS
from deposits.books.growth import MONEY
from deposits.duties.case_names import case_words
from deposits.models import ZERO, LedgerTransfer
from deposits.statements.table_files import FORMATS, download
from tmall_sp.core.step_pages import StepPages


@admin.register(LedgerTransfer)
class LedgerTransferAdmin(StepPages[LedgerTransfer], MoneyAdmin):
    steps = ENTRY_STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/entry.html"
    list_display = ["time", "what", "deposit", "accounts", "row_amount", "of_case", "short_note"]
    list_select_related = ["deposit__application"]
    list_filter = ["kind", "debit", "credit"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["key", "note", "case", "deposit__application__number"]
    search_help_text = _("Case, note, or the number of the deposit.")
    date_hierarchy = "at"

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        found: dict[str, Any] = cl.queryset.order_by().aggregate(
            count=Count("pk"), sum=Sum("amount", default=Value(ZERO), output_field=MONEY)
        )
        monthly = (_("Monthly totals"), reverse("admin:deposits_ledgertransfer_totals"))
        return {**found, "links": [monthly, *links(request)]}

    @admin.display(description=_("time"), ordering="at")
    def time(self, row: LedgerTransfer) -> SafeString | str:
        return moment(row.at)

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, row: LedgerTransfer) -> SafeString:
        return name(row.get_kind_display())

    @admin.display(description=_("debit and credit"))
    def accounts(self, row: LedgerTransfer) -> SafeString:
        return format_html(
            '<span class="desk-fixed">{}<br>{}</span>', row.get_debit_display(), row.get_credit_display()
        )

    @admin.display(description=_("case"), ordering="case")
    def of_case(self, row: LedgerTransfer) -> str:
        return case_words(row.case) or "—"

    @admin.display(description=_("note"))
    def short_note(self, row: LedgerTransfer) -> SafeString:
        return name(Truncator(row.note).chars(60))

    @admin.display(description=_("amount"), ordering="amount")
    def row_amount(self, row: LedgerTransfer) -> SafeString:
        return amount(row.amount)

    # A month's totals

    def other_urls(self) -> list[URLPattern]:
        return [
            self.url("totals/", self.totals, "totals"),
            self.url("totals/print/", self.printed_totals, "printed_totals"),
            self.url("totals.<str:extension>", self.totals_file, "totals_file"),
        ]

    @method_decorator(require_safe)
    def totals(self, request: HttpRequest) -> HttpResponse:
        return self._totals_page(request, "admin/deposits/totals.html")

    @method_decorator(require_safe)
    def printed_totals(self, request: HttpRequest) -> HttpResponse:
        return self._totals_page(request, "admin/deposits/printed_totals.html")

    @method_decorator(require_safe)
    def totals_file(self, request: HttpRequest, extension: str) -> HttpResponse:
        self._refuse_others(request)
        found = totals.context(request)
        if extension not in FORMATS or "problem" in found:
            raise Http404
        return download(totals.table(found["totals"]), name=f"{found['month']}", extension=extension)

    def _totals_page(self, request: HttpRequest, template: str) -> HttpResponse:
        self._refuse_others(request)
        found = totals.context(request)
        context = {**self.site_context(request), "title": _("Monthly totals"), **found}
        return TemplateResponse(request, template, context, status=404 if "problem" in found else 200)

    def _refuse_others(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    # The page of a row

    def objects(self, request: HttpRequest) -> QuerySet[LedgerTransfer]:
        rows: QuerySet[LedgerTransfer] = self.get_queryset(request)
        return rows.select_related(
            "deposit__application",
            "order",
            "payout",
            "obligation",
            "proposal",
            "reverses",
            "reversed_by",
            "actor",
        )

    def object_context(self, request: HttpRequest, obj: LedgerTransfer) -> dict[str, Any]:
        return {
            "entry": obj,
            "deposit": obj.deposit,
            "reversed_by": getattr(obj, "reversed_by", None),
            "title": str(obj),
            "heading": headed(obj.get_kind_display(), obj.amount),
        }

    def page_context(self, request: HttpRequest, obj: LedgerTransfer) -> dict[str, Any]:
        return {"proposals": obj.proposals.select_related("proposed_by", "decided_by")}
