"""Tabs above a list: each a filter, with how many rows stand behind it, and how much money where that says more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet, Sum, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from deposits.books.growth import MONEY
from deposits.models import ZERO


@dataclass(frozen=True)
class Tab:
    """`rows` is a condition on the list's rows; `urgent`: whatever is behind it wants somebody."""

    name: str
    title: str | Promise
    rows: Q
    urgent: bool = False


class TabFilter(admin.SimpleListFilter):
    """The same filter in the list's sheet of filters. Subclasses name their tabs."""

    parameter_name = "tab"
    title = _("work")
    tabs: Sequence[Tab] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(tab.name, tab.title) for tab in self.tabs_of(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        shown = next((tab for tab in self.tabs_of(request) if tab.name == self.value()), None)
        return queryset.filter(shown.rows) if shown else queryset

    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        """For lists whose tabs depend on who looks."""
        return cls.tabs

    @classmethod
    def shown(cls, request: HttpRequest, rows: QuerySet, *, summed: bool = True) -> list[dict[str, Any]]:
        """The tabs with their counts (and sums of `amount`), in one query over `rows`."""
        tabs = cls.tabs_of(request)
        found: dict[str, Any] = {"all_count": Count("pk")}
        for tab in tabs:
            found[f"{tab.name}_count"] = Count("pk", filter=tab.rows)
            if summed:
                found[f"{tab.name}_sum"] = Sum(
                    "amount", filter=tab.rows, default=Value(ZERO), output_field=MONEY
                )
        figures = rows.order_by().aggregate(**found)
        address = reverse(f"admin:{rows.model._meta.app_label}_{rows.model._meta.model_name}_changelist")
        chosen = request.GET.get(cls.parameter_name, "")
        named = [
            {
                "title": tab.title,
                "count": figures[f"{tab.name}_count"],
                "sum": figures.get(f"{tab.name}_sum"),
                "url": f"{address}?{cls.parameter_name}={tab.name}",
                "active": chosen == tab.name,
                "urgent": tab.urgent and figures[f"{tab.name}_count"] > 0,
            }
            for tab in tabs
        ]
        everything = {
            "title": _("All"),
            "count": figures["all_count"],
            "url": address,
            "active": not chosen,
            "urgent": False,
        }
        return [*named, everything]
