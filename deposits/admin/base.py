"""What the desk's lists of money share."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from applications.door import clock_text
from tmall_sp.accounts.models import User
from tmall_sp.core.read_only_admin import ReadOnlyAdmin


class MoneyAdmin(ReadOnlyAdmin):
    list_per_page = 50

    def get_list_display_links(self, request: HttpRequest, list_display: list[str]) -> list[str]:
        return list_display[:1]

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        response: HttpResponse = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            context |= self.list_context(request, context["cl"])
        return response

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        """What stands above the list; `cl.queryset` is every row that the filters leave, not only those shown."""
        return {}


class OfDepositAdmin(MoneyAdmin):
    """Rows that name their deposit in `deposit`, and an `amount`."""

    list_select_related: Sequence[str] = ["deposit__application"]

    @admin.display(description=_("number"), ordering="deposit__application__number")
    def number(self, row: Any) -> str:
        return str(row.deposit.application.number)

    @admin.display(description=_("company"), ordering="deposit__application__company_name")
    def company(self, row: Any) -> SafeString:
        return name(row.deposit.application.company_name)

    @admin.display(description=_("amount"), ordering="amount")
    def sum(self, row: Any) -> SafeString:
        return amount(row.amount)


def amount(value: Decimal | None) -> SafeString:
    """A figure in a column: to the right, zero left out."""
    return format_html('<span class="desk-amount">{}</span>', f"{value:,.2f}" if value else "—")


def name(text: str) -> SafeString:
    """A name in a column, which is never as narrow as one letter."""
    return format_html('<span class="desk-name">{}</span>', text or "—")


def moment(at: dt.datetime | None) -> SafeString | str:
    """A time in a column."""
    return format_html('<span class="desk-fixed">{}</span>', clock_text(at)) if at else "—"


def two_lines(first: object, second: object) -> SafeString:
    """What belongs together, in one column."""
    return format_html(
        '<span class="desk-name">{}<br><span class="desk-muted">{}</span></span>', first, second
    )


def headed(what: str | Promise, value: Decimal) -> str:
    """The heading of a page: what it is, and how much."""
    return f"{what} ¥{value:,.2f}"


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
