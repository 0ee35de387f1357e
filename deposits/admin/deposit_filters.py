"""Filters of the list of deposits."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import ADMITTED, ENDED, State
from deposits import overview
from deposits.admin.tabs import Tab, TabFilter
from deposits.models import Deposit
from tmall_sp.core import clock

# The order in which a membership goes through them.
STATES = (*ADMITTED, State.EXPELLED, *ENDED)


class MoneyFilter(TabFilter):
    """What is the matter with the money."""

    title = _("money")

    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        return (
            Tab("short", _("Short"), Q(missing__gt=0)),
            Tab("demanded", _("Top-up demanded"), overview.demanded()),
            Tab("overdue", _("Top-up overdue"), overview.demanded(due_before=clock.now()), urgent=True),
            Tab("owing", _("Owing"), Q(owed__gt=0)),
            Tab("frozen", _("Partly frozen"), Q(frozen__gt=0)),
        )


class MembershipFilter(admin.SimpleListFilter):
    """The states that a membership with a deposit can be in."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deposit]) -> QuerySet[Deposit]:
        return queryset.filter(application__state=self.value()) if self.value() else queryset
