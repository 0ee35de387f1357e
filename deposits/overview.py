"""Deposits side by side: what each lacks, computed by the database, and the sums of a whole set."""

import datetime as dt
from dataclasses import dataclass, fields
from decimal import Decimal

from django.db.models import (
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Greatest

from applications.lifecycle import ADMITTED, State
from deposits.books.growth import MONEY
from deposits.duties import topups
from deposits.models import ZERO, Deposit, TopUpDemand
from deposits.states import DEMAND_OPEN

# As topups.payable: what is missing of a member's deposit; of one that is leaving, what it owes.
SHORTFALL = Case(
    When(
        application__state__in=topups.FILLING_UP,
        then=Greatest(F("required") - F("available") - F("frozen") + F("owed"), Value(ZERO)),
    ),
    When(application__state=State.EXITING, then=F("owed")),
    default=Value(ZERO),
    output_field=MONEY,
)


def with_figures(deposits: QuerySet[Deposit]) -> QuerySet[Deposit]:
    """Adds `missing` (CNY, as topups.payable) and `demand_due_at` (of the open demand, or None)."""
    demand = TopUpDemand.objects.filter(DEMAND_OPEN, deposit=OuterRef("pk"))
    return deposits.annotate(missing=SHORTFALL, demand_due_at=Subquery(demand.values("due_at")[:1]))


def demanded(*, due_before: dt.datetime | None = None) -> Q:
    """Deposits that a top-up is demanded for; `due_before`: by a date before that instant."""
    demands = TopUpDemand.objects.filter(DEMAND_OPEN)
    if due_before is not None:
        demands = demands.filter(due_at__lt=due_before)
    return Q(pk__in=demands.order_by().values("deposit"))


@dataclass(frozen=True)
class Sums:
    """Of a set of deposits, in CNY. `required` counts those whose membership stands."""

    count: int
    required: Decimal
    available: Decimal
    frozen: Decimal
    owed: Decimal
    missing: Decimal


def sums(deposits: QuerySet[Deposit]) -> Sums:
    """One query, whatever the set."""

    def total(expression: Case | F, of: Q | None = None) -> Sum:
        return Sum(expression, filter=of, default=Value(ZERO), output_field=MONEY)

    found = deposits.order_by().aggregate(
        sum_count=Count("pk"),
        sum_required=total(F("required"), Q(application__state__in=ADMITTED)),
        sum_available=total(F("available")),
        sum_frozen=total(F("frozen")),
        sum_owed=total(F("owed")),
        sum_missing=total(SHORTFALL),
    )
    return Sums(**{field.name: found[f"sum_{field.name}"] for field in fields(Sums)})
