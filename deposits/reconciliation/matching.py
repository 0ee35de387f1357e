"""Which row of ours belongs to which line of Alipay's bills: by number, whatever the day.

Both sides' dates differ at the day's edge, after an outage, and for a transfer that takes days. So every line
without a row looks for one, of whichever day, whenever lines are read or time has passed; nothing that has
found its match is looked at again, but for rows that were corrected away.

The caller is in a transaction and holds `lock_matching`.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Case, DateTimeField, F, Model, Q, QuerySet, When
from django.db.models.functions import Coalesce

from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.models import BillKind, BillLine, LedgerTransfer, Method, PaymentOrder, Payout, Sort
from deposits.reconciliation.bills import Line
from deposits.states import ORDER_SETTLED, PayoutState

ModelT = TypeVar("ModelT", bound=Model)
Index = dict[str, list[BillLine]]

# Any constant will do that no other lock of the database has.
_LOCK = 0x7265636F6E
# Our clock and Alipay's may differ by so much at the end of a day: such a row is looked for in the next bill, too.
EDGE = dt.timedelta(minutes=10)
# A booking that names no line of the bill is one of the same amount, so near.
NEAR = dt.timedelta(days=3)
# A fee is booked by itself, once for each line.
FEE_KEY = "alipay:{}"

RECEIVED = (Kind.PAYMENT, Kind.TOP_UP, Kind.REFUSED_PAYMENT)
BY_HAND = (Kind.FUNDING, Kind.WITHDRAWAL, Kind.GATEWAY_FEE)

_WORDS: tuple[tuple[Sort, tuple[str, ...]], ...] = (
    (Sort.RETURN, ("退回", "退票")),
    (Sort.FEE, ("收费", "服务费", "手续费", "退费")),
    (Sort.REFUND, ("退款",)),
    (Sort.WITHDRAWAL, ("提现",)),
    (Sort.FUNDING, ("充值",)),
    (Sort.TRANSFER, ("转账",)),
    (Sort.PAYMENT, ("支付", "付款", "收款", "交易")),
)


def sort_of(line: Line) -> Sort:
    """By Alipay's word for it, which is prose of theirs: what is not understood is OTHER, and a person looks."""
    return next((sort for sort, words in _WORDS if any(word in line.business for word in words)), Sort.OTHER)


def lock_matching() -> None:
    """One matches at a time: two would give one row to two lines. Until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


# Ours ----------------------------------------------------------------------------------------------


def movements() -> QuerySet[Any]:
    """Rows that moved our cash at Alipay, `effective_at` as near to Alipay's time as we know it.

    What a correction took back never happened there, nor did what came in before these books began.
    """
    rows = LedgerTransfer.objects.filter(Q(debit=Account.ALIPAY_CASH) | Q(credit=Account.ALIPAY_CASH))
    rows = rows.exclude(kind__in=[Kind.OPENING_BALANCE, Kind.CORRECTION])
    return rows.exclude(reversed_by__kind=Kind.CORRECTION).annotate(
        effective_at=Case(
            When(kind__in=RECEIVED, then=Coalesce("order__paid_at", "at")),
            default=F("at"),
            output_field=DateTimeField(),
        ),
        gained=Case(When(debit=Account.ALIPAY_CASH, then=F("amount")), default=-F("amount")),
    )


def payments() -> QuerySet[Any]:
    """Payments that Alipay has confirmed."""
    return PaymentOrder.objects.filter(state__in=ORDER_SETTLED).annotate(
        effective_at=F("paid_at"), gained=F("paid_amount")
    )


def refunds() -> QuerySet[Any]:
    """Refunds of trades that Alipay has confirmed."""
    return Payout.objects.filter(method=Method.TRADE_REFUND, state=PayoutState.DONE).annotate(
        effective_at=F("done_at"), gained=-F("amount")
    )


def unmatched(rows: QuerySet[ModelT], begin: dt.datetime, end: dt.datetime) -> QuerySet[ModelT]:
    """Those of `movements`, `payments` or `refunds` in [begin, end) that no line of a bill belongs to."""
    return rows.filter(effective_at__gte=begin, effective_at__lt=end, bill_line__isnull=True)


# Finding each other --------------------------------------------------------------------------------


def lines_without_match() -> QuerySet[BillLine]:
    return BillLine.objects.filter(
        entry__isnull=True, order__isnull=True, payout__isnull=True, offset_by__isnull=True
    )


def match() -> list[BillLine]:
    """Bring every line that has no row together with one, if there is one now; the lines that changed.

    A fee without a row gets one: it needs no decision.
    """
    parted = _part_from_corrected()
    lines = list(lines_without_match().order_by("at", "pk"))
    of_funds = [line for line in lines if line.bill == BillKind.FUND]
    changed = _match_trades([line for line in lines if line.bill == BillKind.TRADE])
    changed += _match_funds(of_funds)
    changed += _offset([line for line in of_funds if line.entry is None])
    changed += _book_fees([line for line in of_funds if line.entry is None])
    BillLine.objects.bulk_update(changed, ["entry", "order", "payout", "offset_by"], batch_size=500)
    return [*parted, *changed]


def _part_from_corrected() -> list[BillLine]:
    """A row that two people took back has nothing to do with the bill any more."""
    lines = list(BillLine.objects.filter(entry__reversed_by__kind=Kind.CORRECTION))
    for line in lines:
        line.entry = None
        line.save(update_fields=["entry"])
    return lines


@dataclass(frozen=True)
class _Pair:
    """A line and a row that name the same number, and how well they fit: the lower the better."""

    line: BillLine
    row: Model
    rank: tuple[bool, int, dt.timedelta]


def _marry(pairs: Iterable[_Pair]) -> Iterator[tuple[BillLine, Model]]:
    """The best fits first, each line and each row once."""
    lines: set[int] = set()
    rows: set[int] = set()
    for pair in sorted(pairs, key=lambda pair: (pair.rank, pair.line.pk, pair.row.pk)):
        if pair.line.pk not in lines and pair.row.pk not in rows:
            lines.add(pair.line.pk)
            rows.add(pair.row.pk)
            yield pair.line, pair.row


def _rank(line: BillLine, gained: Decimal, at: dt.datetime, nearness: int) -> tuple[bool, int, dt.timedelta]:
    """Same amount first, then the closer number, then the time."""
    return gained != line.amount, nearness, abs(at - line.at)


# The trade bill

OWN, TRADES = 0, 1  # the number of the movement itself; only that of the trade that it belongs to


def _match_trades(lines: Sequence[BillLine]) -> list[BillLine]:
    taken = []
    coming = [line for line in lines if line.sort != Sort.REFUND]
    going = [line for line in lines if line.sort == Sort.REFUND]
    for line, row in _marry(_payment_pairs(coming)):
        assert isinstance(row, PaymentOrder)
        line.order = row
        taken.append(line)
    for line, row in _marry(_refund_pairs(going)):
        assert isinstance(row, Payout)
        line.payout = row
        taken.append(line)
    return taken


def _payment_pairs(lines: Sequence[BillLine]) -> Iterator[_Pair]:
    by_number = _index(lines)
    rows = payments().filter(bill_line__isnull=True)
    for row in rows.filter(Q(out_trade_no__in=by_number) | Q(trade_no__in=by_number)):
        for line in _named(by_number, row.out_trade_no, row.trade_no):
            yield _Pair(line, row, _rank(line, row.gained, row.effective_at, OWN))


def _refund_pairs(lines: Sequence[BillLine]) -> Iterator[_Pair]:
    by_number = _index(lines)
    rows = refunds().filter(bill_line__isnull=True).select_related("order")
    for row in rows.filter(
        Q(number__in=by_number) | Q(order__out_trade_no__in=by_number) | Q(order__trade_no__in=by_number)
    ):
        assert row.order is not None  # payout_knows_where_to
        for line in _named(by_number, row.number):
            yield _Pair(line, row, _rank(line, row.gained, row.effective_at, OWN))
        yield from _pairs_by_trade(by_number, row, row.order)


# The fund bill


def _match_funds(lines: Sequence[BillLine]) -> list[BillLine]:
    taken = []
    for line, row in _marry([*_numbered_pairs(lines), *_booked_pairs(lines)]):
        assert isinstance(row, LedgerTransfer)
        line.entry = row
        taken.append(line)
    return taken


def _numbered_pairs(lines: Sequence[BillLine]) -> Iterator[_Pair]:
    """Payments and payouts, by our numbers or Alipay's. A refund may be named by its trade alone."""
    by_number = _index([line for line in lines if line.sort != Sort.FEE])
    rows = movements().filter(bill_line__isnull=True).select_related("order", "payout")
    named = (
        Q(order__out_trade_no__in=by_number)
        | Q(order__trade_no__in=by_number)
        | Q(payout__number__in=by_number)
        | (Q(payout__alipay_number__in=by_number) & ~Q(payout__alipay_number=""))
    )
    for row in rows.filter(named):
        for line in _named(by_number, *_own_numbers(row)):
            if (line.amount > 0) == (row.gained > 0):
                yield _Pair(line, row, _rank(line, row.gained, row.effective_at, OWN))
        if row.order and row.payout and row.payout.method == Method.TRADE_REFUND:
            yield from _pairs_by_trade(by_number, row, row.order)


def _own_numbers(row: LedgerTransfer) -> tuple[str, ...]:
    if row.payout is not None:
        return row.payout.number, row.payout.alipay_number
    return (row.order.out_trade_no, row.order.trade_no) if row.order else ()


def _pairs_by_trade(by_number: Index, row: Any, order: PaymentOrder) -> Iterator[_Pair]:
    """Refunds by a bill that names no more than the trade that was refunded: then the amount must be the same."""
    numbers = {order.out_trade_no, order.trade_no}
    for line in _named(by_number, *numbers):
        if numbers.issuperset(line.numbers) and line.amount == row.gained:
            yield _Pair(line, row, _rank(line, row.gained, row.effective_at, TRADES))


def _booked_pairs(lines: Sequence[BillLine]) -> Iterator[_Pair]:
    """Fees and own money, by the number of the line that the booking names, else by amount and day."""
    by_key = {line.key: line for line in lines}
    rows = movements().filter(bill_line__isnull=True, kind__in=BY_HAND).select_related("proposal")
    for row in rows:
        named = next((by_key[word] for word in _words_of(row) if word in by_key), None)
        if named is not None:
            if (named.amount > 0) == (row.gained > 0):
                yield _Pair(named, row, _rank(named, row.gained, row.effective_at, OWN))
            continue
        for line in lines:
            fits = line.sort == Sort.FEE if row.kind == Kind.GATEWAY_FEE else not line.numbers
            if fits and line.amount == row.gained and abs(line.at - row.effective_at) <= NEAR:
                yield _Pair(line, row, _rank(line, row.gained, row.effective_at, TRADES))


def _words_of(row: LedgerTransfer) -> Iterator[str]:
    yield row.key.rpartition(":")[2]
    if row.proposal is not None:
        yield from (value.strip() for value in row.proposal.details.values() if isinstance(value, str))


def _offset(lines: Sequence[BillLine]) -> list[BillLine]:
    """A transfer that failed for good: out and back at Alipay, and no row of ours will ever come."""
    by_number: dict[str, list[BillLine]] = defaultdict(list)
    for line in lines:
        if line.sort in (Sort.TRANSFER, Sort.RETURN) and line.number:
            by_number[line.number].append(line)
    dead = Payout.objects.filter(
        Q(state=PayoutState.REPLACED) | Q(state=PayoutState.ATTENTION, unpaid_at__isnull=False),
        number__in=[number for number, found in by_number.items() if len(found) > 1],
    )
    changed = []
    for number in dead.values_list("number", flat=True):
        out = [line for line in by_number[number] if line.amount < 0]
        for back in (line for line in by_number[number] if line.amount > 0):
            gone = next((line for line in out if line.amount == -back.amount), None)
            if gone is not None:
                out.remove(gone)
                gone.offset_by, back.offset_by = back, gone
                changed += [gone, back]
    return changed


def _book_fees(lines: Sequence[BillLine]) -> list[BillLine]:
    """Alipay has taken them: nobody has anything to decide. One that two people took back is not booked again."""
    keys = {FEE_KEY.format(line.key): line for line in lines if line.sort == Sort.FEE and line.amount < 0}
    booked = set(LedgerTransfer.objects.filter(key__in=keys).values_list("key", flat=True))
    fees = [line for key, line in keys.items() if key not in booked]
    for line in fees:
        line.entry = ledger.post(
            Kind.GATEWAY_FEE,
            -line.amount,
            key=FEE_KEY.format(line.key),
            note=" ".join(filter(None, [line.business, line.number]))[:200],
            at=line.at,
        )
    return fees


# Indexes -------------------------------------------------------------------------------------------


def _index(lines: Sequence[BillLine]) -> Index:
    """Every number that a line names → the lines that name it."""
    found: Index = defaultdict(list)
    for line in lines:
        for number in {*line.numbers, line.trade_no, line.key} - {""}:
            found[number].append(line)
    return found


def _named(index: Index, *numbers: str) -> list[BillLine]:
    found = {line.pk: line for number in numbers if number for line in index.get(number, [])}
    return list(found.values())
