"""Deposits: the list, and one page for each."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.decorators import display

from applications.admin.application import STATE_COLOURS
from applications.lifecycle import ADMITTED, MEMBER
from deposits import overview, permissions
from deposits.admin import statement
from deposits.admin.base import MoneyAdmin, amount, name, person
from deposits.admin.deposit_filters import MembershipFilter, MoneyFilter
from deposits.admin.steps import DEPOSIT_STEPS
from deposits.dossier import dossier
from deposits.duties import topups
from deposits.models import Deposit, ProposalKind
from deposits.statements.table_files import FORMATS
from deposits.states import ProposalState
from tmall_sp.core import clock
from tmall_sp.core.step_pages import StepPages


@admin.register(Deposit)
class DepositAdmin(StepPages[Deposit], MoneyAdmin):
    steps = DEPOSIT_STEPS
    head_template = "admin/deposits/_head.html"
    page_template = "admin/deposits/deposit.html"
    list_display = [
        "application_number",
        "company",
        "membership",
        "required_amount",
        "available_amount",
        "frozen_amount",
        "owed_amount",
        "missing_amount",
    ]
    list_select_related = ["application"]
    list_filter = [MoneyFilter, MembershipFilter]
    list_before_template = "admin/deposits/deposit_list_head.html"
    search_fields = ["application__number", "application__company_name", "application__credit_code"]
    search_help_text = _("Number, company or credit code.")

    # The list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deposit]:
        return overview.with_figures(super().get_queryset(request))

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        rows = overview.with_figures(Deposit.objects.all())
        return {"tabs": MoneyFilter.shown(request, rows, summed=False), "sums": overview.sums(cl.queryset)}

    @admin.display(description=_("number"), ordering="application__number")
    def application_number(self, deposit: Deposit) -> str:
        return deposit.application.number

    @admin.display(description=_("company"), ordering="application__company_name")
    def company(self, deposit: Deposit) -> SafeString:
        return name(deposit.application.company_name)

    @display(description=_("state"), ordering="application__state", label=STATE_COLOURS)
    def membership(self, deposit: Deposit) -> tuple[str, str]:
        return deposit.application.state, deposit.application.get_state_display()

    @admin.display(description=_("required"), ordering="required")
    def required_amount(self, deposit: Deposit) -> SafeString:
        return amount(deposit.required if deposit.application.state in ADMITTED else None)

    @admin.display(description=_("available"), ordering="available")
    def available_amount(self, deposit: Deposit) -> SafeString:
        return amount(deposit.available)

    @admin.display(description=_("frozen"), ordering="frozen")
    def frozen_amount(self, deposit: Deposit) -> SafeString:
        return amount(deposit.frozen)

    @admin.display(description=_("owed"), ordering="owed")
    def owed_amount(self, deposit: Deposit) -> SafeString:
        return amount(deposit.owed)

    @admin.display(description=_("shortfall"), ordering="missing")
    def missing_amount(self, deposit: Any) -> SafeString:
        """And by when it is demanded."""
        if deposit.demand_due_at is None:
            return amount(deposit.missing)
        return format_html(
            '{}<span class="desk-amount {}">{}</span>',
            amount(deposit.missing),
            "desk-late" if deposit.demand_due_at < clock.now() else "desk-muted",
            f"{deposit.demand_due_at.astimezone(clock.SHANGHAI):%Y-%m-%d}",
        )

    # The page and the statement

    def other_urls(self) -> list[URLPattern]:
        return [
            self.url("<int:pk>/statement/", self.statement, "statement"),
            self.url("<int:pk>/statement.<str:extension>", self.statement_file, "statement_file"),
        ]

    @method_decorator(require_safe)
    def statement(self, request: HttpRequest, pk: int) -> HttpResponse:
        return statement.page(request, self.load(request, pk))

    @method_decorator(require_safe)
    def statement_file(self, request: HttpRequest, pk: int, extension: str) -> HttpResponse:
        if extension not in FORMATS:
            raise Http404
        return statement.file(request, self.load(request, pk), extension)

    def objects(self, request: HttpRequest) -> QuerySet[Deposit]:
        rows: QuerySet[Deposit] = self.get_queryset(request)
        return rows.select_related("application")

    def object_context(self, request: HttpRequest, obj: Deposit) -> dict[str, Any]:
        application = obj.application
        return {
            "deposit": obj,
            "application": application,
            "title": application.number,
            "state_colour": STATE_COLOURS[application.state],
        }

    def page_context(self, request: HttpRequest, obj: Deposit) -> dict[str, Any]:
        everything = dossier(obj, person(request))
        waiting = [row for row in everything.proposals or () if row.state == ProposalState.OPEN]
        return {
            "dossier": everything,
            "waiting_obligations": {row.obligation_id for row in waiting},
            "waiting_refunds": {row.refund_id for row in waiting},
            "may_waive": permissions.may_propose(person(request), ProposalKind.WAIVE_OBLIGATION),
            "may_handle_money": permissions.may_handle_money(person(request)),
            "payable": topups.payable(obj.application, obj),
            "is_member": obj.application.state in MEMBER,
            "is_wanted": obj.application.state in ADMITTED,
            "now": clock.now(),
        }
