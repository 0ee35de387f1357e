"""The totals of a calendar month (Asia/Shanghai): what moved, by kind, and how each account went through it."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Min, Sum

from deposits.books import ledger
from deposits.books.accounts import GROWS_BY_DEBIT, Account, Kind
from deposits.models import ZERO, LedgerTransfer
from tmall_sp.core import clock


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month; `first` is its first day."""

    first: dt.date

    @classmethod
    def of(cls, day: dt.date) -> "Month":
        return cls(day.replace(day=1))

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Of `2026-11`; ValueError for anything else."""
        if not re.fullmatch(r"2\d{3}-\d\d", text, re.ASCII):
            raise ValueError(text)
        return cls(dt.date.fromisoformat(f"{text}-01"))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    def plus(self, months: int) -> "Month":
        return Month(clock.add_months(self.first, months))

    @property
    def begin(self) -> dt.datetime:
        return clock.day_start(self.first)

    @property
    def end(self) -> dt.datetime:
        """The first instant that no longer belongs to it."""
        return self.plus(1).begin

    @property
    def last(self) -> dt.date:
        return self.plus(1).first - dt.timedelta(days=1)


@dataclass(frozen=True)
class Moved:
    """All rows of one kind between the same two accounts."""

    kind: Kind
    debit: Account
    credit: Account
    count: int
    amount: Decimal


@dataclass(frozen=True)
class AccountLine:
    """An account's way through the month, in CNY. `ledger` is what the ledger says at the end of it."""

    account: Account
    opening: Decimal
    moved: Decimal
    ledger: Decimal

    @property
    def closing(self) -> Decimal:
        return self.opening + self.moved

    @property
    def agrees(self) -> bool:
        return self.closing == self.ledger


@dataclass(frozen=True)
class Totals:
    month: Month
    moved: list[Moved]
    accounts: list[AccountLine]

    @property
    def agrees(self) -> bool:
        """Whether opening and what moved come to what the ledger says, for every account."""
        return all(line.agrees for line in self.accounts)

    @property
    def count(self) -> int:
        return sum(line.count for line in self.moved)


def totals(month: Month) -> Totals:
    """The month's totals; of the current month, until now."""
    read = _read(month)
    # A row that was written between two of the queries looks like a difference.
    return read if read.agrees else _read(month)


def _read(month: Month) -> Totals:
    moved = list(_moved(month))
    opening = ledger.totals(before=month.begin)
    # The whole ledger, and not what lies before the month's end: a row that is dated later must show.
    closing = ledger.totals(before=month.end if month < current() else None)
    changes = _changes(moved)
    accounts = [
        AccountLine(account, opening[account], changes[account], closing[account]) for account in Account
    ]
    return Totals(month, moved, accounts)


def current() -> Month:
    return Month.of(clock.today())


def known() -> list[Month]:
    """Every month from the ledger's first row to the current one, the newest first."""
    first = LedgerTransfer.objects.aggregate(first=Min("at"))["first"]
    month = oldest = current()
    if first is not None:
        oldest = min(month, Month.of(first.astimezone(clock.SHANGHAI).date()))
    months = [month]
    while months[-1] > oldest:
        months.append(months[-1].plus(-1))
    return months


def _moved(month: Month) -> Iterator[Moved]:
    """In the order of the kinds."""
    rows = (
        LedgerTransfer.objects.filter(at__gte=month.begin, at__lt=month.end)
        .order_by()
        .values_list("kind", "debit", "credit")
        .annotate(Count("pk"), Sum("amount"))
    )
    order = list(Kind)
    for kind, debit, credit, count, amount in sorted(rows, key=lambda row: (order.index(row[0]), row[1:3])):
        yield Moved(Kind(kind), Account(debit), Account(credit), count, amount)


def _changes(moved: list[Moved]) -> dict[Account, Decimal]:
    changes: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for line in moved:
        changes[line.credit] += line.amount
        changes[line.debit] -= line.amount
    for account in GROWS_BY_DEBIT:
        changes[account] = -changes[account]
    return changes
