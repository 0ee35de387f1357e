"""The figures of one day: what Alipay's bills add up to, what our rows do, and why the two may differ."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from deposits.books.growth import MONEY
from deposits.models import (
    ZERO,
    BillKind,
    BillLine,
    Difference,
    ReconciliationRun,
)
from deposits.models.reconciliation import OPEN_DIFFERENCES
from deposits.reconciliation.days import DAY
from deposits.reconciliation.matching import movements, payments, refunds
from tmall_sp.core import clock


@dataclass(frozen=True)
class Tally:
    count: int = 0
    amount: Decimal = ZERO


@dataclass(frozen=True)
class Comparison:
    """One kind of movement by both sides, signed as our account gained."""

    bill: BillKind
    name: str | Promise
    theirs: Tally
    """In the day's bill."""
    ours: Tally
    """Of the day by our own time."""
    ours_elsewhere: Tally
    """Of ours, what stands in the bill of another day."""
    theirs_elsewhere: Tally
    """Of theirs, what we date on another day."""
    offset: Tally
    """Of theirs, what went out and came back, and never was with us."""
    fees: Decimal = ZERO

    @property
    def gap(self) -> Decimal:
        return self.theirs.amount - self.ours.amount


_MATCHED = Q(entry__isnull=False) | Q(order__isnull=False) | Q(payout__isnull=False)
_OFFSET = Q(offset_by__isnull=False)
_IN, _OUT = Q(amount__gt=0), Q(amount__lt=0)


def comparisons(run: ReconciliationRun) -> list[Comparison]:
    """Four queries, whatever there is."""
    theirs: dict[str, dict[str, Any]] = {
        row["bill"]: dict(row)
        for row in run.lines.order_by()
        .values("bill")
        .annotate(
            **_tallied("came", "amount", _IN),
            **_tallied("went", "amount", _OUT),
            **_tallied("came_matched", "amount", _IN & _MATCHED),
            **_tallied("went_matched", "amount", _OUT & _MATCHED),
            **_tallied("came_offset", "amount", _IN & _OFFSET),
            **_tallied("went_offset", "amount", _OUT & _OFFSET),
            fees=_sum("fee", Q()),
        )
    }
    trade, fund = theirs.get(BillKind.TRADE, {}), theirs.get(BillKind.FUND, {})
    paid, refunded = _ours(run, payments()), _ours(run, refunds())
    moved = _ours(run, movements())
    return [
        _comparison(BillKind.TRADE, _("payments"), trade, "came", paid),
        _comparison(BillKind.TRADE, pgettext_lazy("bill", "refunds"), trade, "went", refunded),
        _comparison(BillKind.FUND, _("came in"), fund, "came", moved),
        _comparison(BillKind.FUND, _("went out"), fund, "went", moved),
    ]


def _ours(run: ReconciliationRun, rows: QuerySet) -> dict[str, Any]:
    """What is ours by our own time, and where it stands with Alipay."""
    begin = clock.day_start(run.date)
    of_day = rows.order_by().filter(effective_at__gte=begin, effective_at__lt=begin + DAY)
    came, went = Q(gained__gt=0), Q(gained__lt=0)
    here = Q(bill_line__run=run)
    found: dict[str, Any] = of_day.aggregate(
        **_tallied("came", "gained", came),
        **_tallied("went", "gained", went),
        **_tallied("came_here", "bill_line__amount", came & here),
        **_tallied("went_here", "bill_line__amount", went & here),
        **_tallied("came_elsewhere", "gained", came & ~here & Q(bill_line__isnull=False)),
        **_tallied("went_elsewhere", "gained", went & ~here & Q(bill_line__isnull=False)),
    )
    return found


def _tallied(name: str, column: str, rows: Q) -> dict[str, Any]:
    return {f"{name}_count": Count("pk", filter=rows), f"{name}_sum": _sum(column, rows)}


def _sum(column: str, rows: Q) -> Coalesce:
    return Coalesce(Sum(column, filter=rows), Value(ZERO), output_field=MONEY)


def _comparison(
    bill: BillKind, name: str | Promise, theirs: dict[str, Any], way: str, ours: dict[str, Any]
) -> Comparison:
    matched, here = _tally(theirs, f"{way}_matched"), _tally(ours, f"{way}_here")
    return Comparison(
        bill=bill,
        name=name,
        theirs=_tally(theirs, way),
        ours=_tally(ours, way),
        ours_elsewhere=_tally(ours, f"{way}_elsewhere"),
        theirs_elsewhere=Tally(matched.count - here.count, matched.amount - here.amount),
        offset=_tally(theirs, f"{way}_offset"),
        fees=theirs.get("fees", ZERO) if (bill, way) == (BillKind.TRADE, "came") else ZERO,
    )


def _tally(found: dict[str, Any], name: str) -> Tally:
    return Tally(found.get(f"{name}_count", 0), found.get(f"{name}_sum", ZERO))


# All days ------------------------------------------------------------------------------------------


def with_counts(runs: QuerySet[ReconciliationRun]) -> QuerySet[Any]:
    """Each day with what is matched, open, explained and settled, and with what moved at Alipay."""
    return runs.annotate(
        matched=_per_run(BillLine.objects.filter(_MATCHED | _OFFSET), Count("pk")),
        open=_per_run(Difference.objects.filter(OPEN_DIFFERENCES), Count("pk")),
        explained=_per_run(
            Difference.objects.filter(settled_at__isnull=True, explanation__isnull=False), Count("pk")
        ),
        came_in=_per_run(BillLine.objects.filter(_IN, bill=BillKind.FUND), Sum("amount"), MONEY),
        went_out=_per_run(BillLine.objects.filter(_OUT, bill=BillKind.FUND), Sum("amount"), MONEY),
    )


def _per_run(rows: QuerySet, total: Any, field: Any = None) -> Coalesce:
    per_run = rows.filter(run=OuterRef("pk")).order_by().values("run").annotate(total=total).values("total")
    return Coalesce(
        Subquery(per_run), Value(ZERO if field else 0), **({"output_field": field} if field else {})
    )
