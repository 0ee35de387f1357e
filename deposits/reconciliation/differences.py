"""What a day's bills and our rows don't agree on: found anew whenever something changed, kept as rows.

A difference stays when it is settled, and so does what people wrote about it. Found again as it was, it is
still explained; found with other figures, it is open again.

The caller is in a transaction and holds `lock_matching`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db.models import Case, F, Q, QuerySet, When

from deposits.books.accounts import Kind
from deposits.models import (
    BillKind,
    BillLine,
    Cause,
    Difference,
    LedgerTransfer,
    Mismatch,
    PaymentOrder,
    Payout,
    ReconciliationRun,
    RunState,
    Sort,
)
from deposits.reconciliation.matching import (
    EDGE,
    RECEIVED,
    lines_without_match,
    movements,
    payments,
    refunds,
    unmatched,
)
from tmall_sp.core import clock

T = TypeVar("T")

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Finding:
    """A difference as it is now; `key` names the row without a match."""

    key: str
    bill: BillKind
    mismatch: Mismatch
    cause: Cause
    at: dt.datetime
    number: str = ""
    their_amount: Decimal | None = None
    our_amount: Decimal | None = None
    line: BillLine | None = None
    entry: LedgerTransfer | None = None
    order: PaymentOrder | None = None
    payout: Payout | None = None


def refresh(runs: Collection[ReconciliationRun]) -> list[Difference]:
    """Look at days that have been compared as they are now; the differences that are new, or open again."""
    return [difference for run in runs for difference in _refresh(run)]


def touched_by(lines: Collection[BillLine]) -> QuerySet[ReconciliationRun]:
    """The days to which lines that found or lost their match make a difference.

    That is their own, and the one on which the row of ours was missed.
    """
    keys = [f"entry:{line.entry_id}" for line in lines if line.entry_id]
    keys += [f"order:{line.order_id}" for line in lines if line.order_id]
    keys += [f"payout:{line.payout_id}" for line in lines if line.payout_id]
    runs = ReconciliationRun.objects.exclude(state=RunState.WAITING)
    days = Q(pk__in={line.run_id for line in lines})
    return runs.filter(
        days | Q(pk__in=Difference.objects.filter(key__in=keys, settled_at__isnull=True).values("run"))
    ).order_by("date")


def ours_without_line(run: ReconciliationRun, bill: BillKind) -> list[QuerySet]:
    """Our rows that this day's bill should tell of. Those of its last minutes are the next day's to miss."""
    begin = clock.day_start(run.date) - EDGE
    sources = (payments(), refunds()) if bill == BillKind.TRADE else (movements(),)
    return [unmatched(rows, begin, begin + DAY) for rows in sources]


# Finding -------------------------------------------------------------------------------------------


def _findings(run: ReconciliationRun) -> Iterator[Finding]:
    yield from _theirs(run)
    yield from _of_two_amounts(run)
    yield from _ours(run)
    yield from _gaps(run)


def _theirs(run: ReconciliationRun) -> Iterator[Finding]:
    lines = list(lines_without_match().filter(run=run))
    numbers = {number for line in lines for number in (*line.numbers, line.trade_no) if number}
    named = PaymentOrder.objects.filter(Q(out_trade_no__in=numbers) | Q(trade_no__in=numbers))
    orders = {number: row for row in named for number in (row.out_trade_no, row.trade_no) if number}
    payouts = {payout.number: payout for payout in Payout.objects.filter(number__in=numbers)}
    for line in lines:
        names = [*line.numbers, line.trade_no]
        order = _first(orders, names)
        payout = _first(payouts, names)
        yield Finding(
            key=f"line:{line.pk}",
            bill=BillKind(line.bill),
            mismatch=Mismatch.THEIRS_ONLY,
            cause=_cause(line, order, payout),
            at=line.at,
            number=line.number or line.trade_no or line.key,
            their_amount=line.amount,
            line=line,
            order=order,
            payout=payout,
        )


def _first(rows: Mapping[str, T], names: Iterable[str]) -> T | None:
    return next((rows[name] for name in names if name in rows), None)


def _cause(line: BillLine, order: PaymentOrder | None, payout: Payout | None) -> Cause:
    if line.sort == Sort.FEE:
        return Cause.FEE_RETURNED if line.amount > 0 else Cause.MONEY_OUT
    if line.amount > 0:
        return _cause_of_gain(line, order, payout)
    if payout is not None:
        return Cause.OPEN_PAYOUT
    if line.sort == Sort.REFUND:
        return Cause.FOREIGN_REFUND
    return Cause.FOREIGN_TRANSFER if line.sort == Sort.TRANSFER else Cause.MONEY_OUT


def _cause_of_gain(line: BillLine, order: PaymentOrder | None, payout: Payout | None) -> Cause:
    if payout is not None:
        return Cause.UNBOOKED_RETURN
    if order is not None:
        return Cause.UNSETTLED_ORDER
    if line.bill == BillKind.TRADE or line.sort == Sort.PAYMENT:
        return Cause.FOREIGN_PAYMENT
    return Cause.MONEY_IN


def _of_two_amounts(run: ReconciliationRun) -> Iterator[Finding]:
    ours = Case(
        When(entry__debit="alipay_cash", then=F("entry__amount")),
        When(entry__isnull=False, then=-F("entry__amount")),
        When(order__isnull=False, then=F("order__paid_amount")),
        default=-F("payout__amount"),
    )
    matched = BillLine.objects.filter(run=run).exclude(
        entry__isnull=True, order__isnull=True, payout__isnull=True
    )
    for line in matched.annotate(ours=ours).exclude(amount=F("ours")):
        yield Finding(
            key=f"line:{line.pk}",
            bill=BillKind(line.bill),
            mismatch=Mismatch.AMOUNT,
            cause=Cause.OTHER_AMOUNT,
            at=line.at,
            number=line.number or line.key,
            their_amount=line.amount,
            our_amount=line.ours,
            line=line,
            entry=line.entry,
            order=line.order or (line.entry.order if line.entry else None),
            payout=line.payout or (line.entry.payout if line.entry else None),
        )


def _ours(run: ReconciliationRun) -> Iterator[Finding]:
    orders, payouts = ours_without_line(run, BillKind.TRADE)
    for order in orders:
        yield Finding(
            key=f"order:{order.pk}",
            bill=BillKind.TRADE,
            mismatch=Mismatch.OURS_ONLY,
            cause=Cause.MISSING_PAYMENT,
            at=order.effective_at,
            number=order.out_trade_no,
            our_amount=order.gained,
            order=order,
        )
    for payout in payouts.select_related("order"):
        yield Finding(
            key=f"payout:{payout.pk}",
            bill=BillKind.TRADE,
            mismatch=Mismatch.OURS_ONLY,
            cause=Cause.MISSING_PAYOUT,
            at=payout.effective_at,
            number=payout.number,
            our_amount=payout.gained,
            order=payout.order,
            payout=payout,
        )
    [entries] = ours_without_line(run, BillKind.FUND)
    for entry in entries.select_related("order", "payout"):
        yield Finding(
            key=f"entry:{entry.pk}",
            bill=BillKind.FUND,
            mismatch=Mismatch.OURS_ONLY,
            cause=_cause_of_entry(entry),
            at=entry.effective_at,
            number=_number_of(entry),
            our_amount=entry.gained,
            entry=entry,
            order=entry.order,
            payout=entry.payout,
        )


def _cause_of_entry(entry: LedgerTransfer) -> Cause:
    if entry.kind in RECEIVED:
        return Cause.MISSING_PAYMENT
    if entry.kind == Kind.BANK_RETURN:
        return Cause.MISSING_RETURN
    return Cause.MISSING_PAYOUT if entry.payout_id else Cause.MISSING_BOOKING


def _number_of(entry: LedgerTransfer) -> str:
    if entry.payout is not None:
        return entry.payout.number
    return entry.order.out_trade_no if entry.order else entry.key.removeprefix("alipay:")


def _gaps(run: ReconciliationRun) -> Iterator[Finding]:
    """The balance after each movement follows from the one before it, and the day begins where the last one ended."""
    if not run.has_fund_bill or run.opening is None or run.closing is None:
        return
    before = _day_before(run)
    expected = before.closing if before is not None and before.closing is not None else run.opening
    for line in run.lines.filter(bill=BillKind.FUND):
        expected += line.amount
    if expected != run.closing:
        yield Finding(
            key=f"balance:{run.date}",
            bill=BillKind.FUND,
            mismatch=Mismatch.BALANCE,
            cause=Cause.BALANCE_GAP,
            at=clock.day_start(run.date) + DAY,
            their_amount=run.closing,
            our_amount=expected,
        )


def _day_before(run: ReconciliationRun) -> ReconciliationRun | None:
    return ReconciliationRun.objects.filter(date=run.date - DAY).exclude(state=RunState.WAITING).first()


# Keeping -------------------------------------------------------------------------------------------

_FACTS = ("mismatch", "cause", "at", "number", "their_amount", "our_amount", "entry", "order", "payout")
# An explanation is one of these figures.
_FIGURES = ("mismatch", "their_amount", "our_amount")


def _refresh(run: ReconciliationRun) -> Iterator[Difference]:
    if not run.has_fund_bill:
        before = _day_before(run)
        run.opening = run.closing = before.closing if before else None
    findings = {finding.key: finding for finding in _findings(run)}
    known = {
        row.key: row for row in Difference.objects.select_for_update(of=("self",)).filter(key__in=findings)
    }
    news = []
    for finding in findings.values():
        difference = known.get(finding.key)
        if difference is None:
            news.append(_create(run, finding))
        elif _update(difference, finding):
            news.append(difference)
    run.differences.filter(settled_at__isnull=True).exclude(key__in=findings).update(settled_at=clock.now())
    run.state = RunState.DIFFERENT if findings else RunState.BALANCED
    run.save(update_fields=["state", "opening", "closing"])
    yield from news


def _create(run: ReconciliationRun, finding: Finding) -> Difference:
    return Difference.objects.create(
        run=run,
        bill=finding.bill,
        key=finding.key,
        line=finding.line,
        found_at=clock.now(),
        **{fact: getattr(finding, fact) for fact in _FACTS},
    )


def _update(difference: Difference, finding: Finding) -> bool:
    """Whether it became open by this."""
    was_open = difference.state == "open"
    if any(getattr(difference, figure) != getattr(finding, figure) for figure in _FIGURES):
        difference.explanation = None
    for fact in _FACTS:
        setattr(difference, fact, getattr(finding, fact))
    difference.settled_at = None
    difference.save(update_fields=[*_FACTS, "settled_at", "explanation"])
    return difference.state == "open" and not was_open
