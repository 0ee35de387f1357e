"""Filters of the reviewers' queue."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State
from applications.models import Application, Category
from tmall_sp.core import clock

ALL = "all"


def shows_queue(request: HttpRequest) -> bool:
    """Whether the list shows what is under review: by default, but not while somebody searches."""
    state = request.GET.get("state")
    return state == State.UNDER_REVIEW or (not state and not request.GET.get(SEARCH_VAR))


class StateFilter(admin.SimpleListFilter):
    """Under review unless said otherwise; a search looks everywhere."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(ALL, _("All")), *State.choices]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """No choice for 'no value': that is the default."""
        shown = self.value() or ALL
        for value, title in self.lookup_choices:
            yield {
                "selected": shown == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        if shows_queue(request):
            self.used_parameters[self.parameter_name] = State.UNDER_REVIEW

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        if self.value() in State.values:
            return queryset.filter(state=self.value())
        return queryset


class ReviewFilter(admin.SimpleListFilter):
    title = _("review")
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("mine", _("Mine")), ("unclaimed", _("Unclaimed")), ("overdue", _("Overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        match self.value():
            case "mine":
                return queryset.filter(reviewer=request.user.pk)
            case "unclaimed":
                return queryset.filter(reviewer__isnull=True)
            case "overdue":
                return queryset.filter(review_due_at__lt=clock.now())
        return queryset


class CategoryFilter(admin.SimpleListFilter):
    title = _("category")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Category.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Application]) -> QuerySet[Application]:
        if self.value() in Category.values:
            return queryset.filter(categories__contains=[self.value()])
        return queryset
