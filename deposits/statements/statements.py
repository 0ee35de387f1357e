"""The statement of one deposit over a period of days (Asia/Shanghai), as finance prints it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum, Value

from deposits.books.accounts import Account
from deposits.books.growth import MONEY, change
from deposits.models import ZERO, Deposit, LedgerTransfer
from tmall_sp.core import clock


@dataclass(frozen=True)
class Balance:
    """What stood in a deposit at one instant, in CNY."""

    available: Decimal
    frozen: Decimal

    @property
    def together(self) -> Decimal:
        return self.available + self.frozen


@dataclass(frozen=True)
class Line:
    """One row of the ledger: what it changed, and what stood there after it."""

    row: LedgerTransfer
    available: Decimal
    frozen: Decimal
    after: Balance

    @property
    def change(self) -> Decimal:
        return self.available + self.frozen


@dataclass(frozen=True)
class Statement:
    """From the begin of `first` to the end of `last`."""

    deposit: Deposit
    first: dt.date
    last: dt.date
    opening: Balance
    lines: list[Line]

    @property
    def closing(self) -> Balance:
        return self.lines[-1].after if self.lines else self.opening

    @property
    def came(self) -> Decimal:
        return sum((line.change for line in self.lines if line.change > 0), ZERO)

    @property
    def went(self) -> Decimal:
        return -sum((line.change for line in self.lines if line.change < 0), ZERO)


def statement(deposit: Deposit, first: dt.date | None = None, last: dt.date | None = None) -> Statement:
    """From the deposit's first day until today where nothing else is said."""
    first = first or deposit.opened_at.astimezone(clock.SHANGHAI).date()
    last = last or clock.today()
    begin, end = clock.day_start(first), clock.day_start(last + dt.timedelta(days=1))
    opening = _balance_before(deposit, begin)
    rows = deposit.transfers.filter(at__gte=begin, at__lt=end).annotate(
        change_available=change(Account.DEPOSIT_AVAILABLE), change_frozen=change(Account.DEPOSIT_FROZEN)
    )
    lines = []
    balance = opening
    for row in rows.order_by("at", "pk"):
        balance = Balance(balance.available + row.change_available, balance.frozen + row.change_frozen)
        lines.append(Line(row, row.change_available, row.change_frozen, balance))
    return Statement(deposit, first, last, opening, lines)


def _balance_before(deposit: Deposit, instant: dt.datetime) -> Balance:
    sums = deposit.transfers.filter(at__lt=instant).aggregate(
        available=Sum(change(Account.DEPOSIT_AVAILABLE), default=Value(ZERO), output_field=MONEY),
        frozen=Sum(change(Account.DEPOSIT_FROZEN), default=Value(ZERO), output_field=MONEY),
    )
    return Balance(sums["available"], sums["frozen"])
