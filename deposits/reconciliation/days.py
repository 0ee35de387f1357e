"""Every day's bills of Alipay against our rows: when, until it is done, and what people say about the rest.

A day has a row before anybody asks for its bills, from 10:30 on the day after (protocols B9). One attempt:

1. Claim: a short transaction moves the next attempt on and counts this one.
2. Ask for both bills' addresses and download each at once, without a transaction: an address lives 30 s.
3. Record, one at a time: keep the lines, match (matching.py), list the differences
   (differences.py).

A bill that isn't there is waited for as long as a row of ours asks for it. A day may be compared again at any
time: that adds what is new, and loses neither differences nor explanations.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.gateways.alipay import Alipay, BillType
from deposits.incoming import payments
from deposits.models import (
    BillKind,
    BillLine,
    Cause,
    Difference,
    LedgerTransfer,
    Payout,
    ReconciliationRun,
    RunState,
)
from deposits.reconciliation import bills, differences, matching, news
from deposits.reconciliation.bills import Bill
from deposits.states import PayoutState
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.gateway import GatewayError

logger = logging.getLogger(__name__)

# Alipay has yesterday's bills from ten o'clock on.
DUE = dt.time(10, 30)
DAY = dt.timedelta(days=1)
# Four calls take 140 s at most; a claim older than this belongs to a worker that died.
CLAIM = dt.timedelta(minutes=4)
FIRST_PAUSE = dt.timedelta(minutes=5)
LONGEST_PAUSE = dt.timedelta(hours=2)
# Finance hears of a day without its bill after this, once a day; it goes on trying.
WORRY_AFTER = dt.timedelta(hours=6)
# Days further back are compared by the command, one at a time.
FURTHEST_BACK = dt.timedelta(days=400)

NO_BILL = "no_bill"
BILL_CHANGED = "bill_changed"


# Which days ----------------------------------------------------------------------------------------


def due_at(day: dt.date) -> dt.datetime:
    """When the bills of a day are asked for first."""
    return dt.datetime.combine(day + DAY, DUE, clock.SHANGHAI)


def add_missing_days() -> None:
    """A row for each day whose time has come since the first one, whether or not anything moved on it."""
    now = clock.now()
    last = now.date() - DAY if now >= due_at(now.date() - DAY) else now.date() - 2 * DAY
    first = _first_day(last)
    if first is None:
        return
    known = set(
        ReconciliationRun.objects.filter(date__gte=first, date__lte=last).values_list("date", flat=True)
    )
    days = (first + DAY * number for number in range((last - first).days + 1))
    ReconciliationRun.objects.bulk_create(
        [ReconciliationRun(date=day, due_at=now, created_at=now) for day in days if day not in known],
        ignore_conflicts=True,
    )


def _first_day(last: dt.date) -> dt.date | None:
    """Of the days that have a row, and of those on which our cash moved; None before anything did."""
    first = ReconciliationRun.objects.order_by("date").values_list("date", flat=True).first()
    rows = LedgerTransfer.objects.filter(Q(debit=Account.ALIPAY_CASH) | Q(credit=Account.ALIPAY_CASH))
    moved = rows.exclude(kind=Kind.OPENING_BALANCE).order_by("at").values_list("at", flat=True).first()
    days = [first] if first is not None else []
    days += [moved.astimezone(clock.SHANGHAI).date()] if moved is not None else []
    return max(min(days), last - FURTHEST_BACK) if days else None


def day_of(date: dt.date) -> ReconciliationRun:
    """The row of one day, made if it has none. DomainError `too_early` for a day that isn't over."""
    if date >= clock.today():
        raise DomainError("too_early", _("Alipay has the bills of a day on the day after."))
    run, _new = ReconciliationRun.objects.get_or_create(date=date, defaults={"due_at": clock.now()})
    return run


def due(now: dt.datetime) -> QuerySet[ReconciliationRun]:
    return ReconciliationRun.objects.filter(due_at__lte=now)


# One attempt ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bills:
    """What Alipay has of a day; None: no such bill."""

    trade: Bill | None
    fund: Bill | None

    def __iter__(self) -> Iterator[tuple[BillKind, Bill | None]]:
        yield BillKind.TRADE, self.trade
        yield BillKind.FUND, self.fund


class _Wait(Exception):
    """This attempt brought no result; `code` says why, and the day is tried again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def reconcile(pk: int) -> bool:
    """Compare one day that is due for it. False: Alipay couldn't be asked. Call it outside a transaction."""
    now = clock.now()
    if not due(now).filter(pk=pk).update(due_at=now + CLAIM, attempts=F("attempts") + 1):
        return True
    run = ReconciliationRun.objects.get(pk=pk)
    try:
        found = _fetch(run.date)
    except GatewayError as error:
        logger.warning("The bills of %s could not be had: %s", run, error)
        _try_again_later(run, error.code)
        return False
    try:
        news = _record(run, found)
    except _Wait as wait:
        logger.info("The bills of %s: %s", run, wait.code)
        _try_again_later(run, wait.code)
        return True
    _ask_about(news)
    return True


def reconcile_now(run: ReconciliationRun) -> bool:
    """The same without waiting for its time. Call it outside a transaction."""
    ReconciliationRun.objects.filter(pk=run.pk).update(due_at=clock.now())
    return reconcile(run.pk)


def _fetch(day: dt.date) -> _Bills:
    alipay = Alipay.from_settings()
    return _Bills(_bill(alipay, BillType.TRADE, day), _bill(alipay, BillType.SIGNCUSTOMER, day))


def _bill(alipay: Alipay, kind: BillType, day: dt.date) -> Bill | None:
    """The address is used at once, never kept and never logged: whoever has it has the bill."""
    address = alipay.bill_url(kind, day)
    if address is None:
        return None
    return bills.read(kind, day, alipay.download_bill(address), account=settings.ALIPAY_SELLER_ID)


@transaction.atomic
def _record(claimed: ReconciliationRun, found: _Bills) -> list[Difference]:
    """Keep, match, compare; the differences that are new. _Wait if a bill is missing, or has changed."""
    matching.lock_matching()
    run = ReconciliationRun.objects.select_for_update().get(pk=claimed.pk)
    if run.attempts != claimed.attempts:
        return []  # another worker took over
    for kind, bill in found:
        _keep_lines(run, kind, bill)
    touched = matching.match()
    _refuse_missing(run, found)
    now = clock.now()
    run.due_at = _second_look(run, found)
    run.last_error = ""
    run.done_at = now
    run.has_trade_bill, run.has_fund_bill = found.trade is not None, found.fund is not None
    run.opening = found.fund.opening if found.fund else None
    run.closing = found.fund.closing if found.fund else None
    run.our_cash = ledger.totals(before=clock.day_start(run.date + DAY))[Account.ALIPAY_CASH]
    run.save()
    others = differences.touched_by(touched).exclude(pk=run.pk)
    appeared = differences.refresh([run, *others, *_day_after(run)])
    news.tell_of(appeared)
    return appeared


def _keep_lines(run: ReconciliationRun, kind: BillKind, bill: Bill | None) -> None:
    """Add the lines that are new. A bill that takes back what it said is no bill."""
    known = {line.key: line for line in run.lines.filter(bill=kind)}
    lines = {line.key: line for line in bill.lines} if bill is not None else {}
    for key, old in known.items():
        if key not in lines or (lines[key].amount, lines[key].at) != (old.amount, old.at):
            raise _Wait(BILL_CHANGED)
    BillLine.objects.bulk_create(
        [_as_row(run, kind, line) for key, line in lines.items() if key not in known], batch_size=500
    )


def _as_row(run: ReconciliationRun, kind: BillKind, line: bills.Line) -> BillLine:
    return BillLine(
        run=run,
        bill=kind,
        key=line.key,
        sort=matching.sort_of(line),
        at=line.at,
        amount=line.amount,
        fee=line.fee,
        balance=line.balance,
        business=line.business,
        number=line.numbers[0] if line.numbers else "",
        numbers=list(line.numbers),
        trade_no=line.trade_no,
        title=line.title,
        other_side=line.other_side,
        note=line.note,
    )


def _refuse_missing(run: ReconciliationRun, found: _Bills) -> None:
    """No bill means an empty day only if we, too, have nothing of that day."""
    for kind, bill in found:
        missed = differences.ours_without_line(run, kind)
        if bill is None and any(rows.exists() for rows in missed):
            raise _Wait(NO_BILL)


def _second_look(run: ReconciliationRun, found: _Bills) -> dt.datetime | None:
    """A bill that came late says nothing at 10:30: a day that seemed empty is looked at once more, a day later."""
    everything = found.trade is not None and found.fund is not None
    look = due_at(run.date) + DAY
    return None if everything or clock.now() >= look else look


def _day_after(run: ReconciliationRun) -> Iterable[ReconciliationRun]:
    """It begins with what this day ended with."""
    return ReconciliationRun.objects.filter(date=run.date + DAY).exclude(state=RunState.WAITING)


def _try_again_later(claimed: ReconciliationRun, code: str) -> None:
    now = clock.now()
    pause = min(FIRST_PAUSE * (1 << min(claimed.attempts - 1, 10)), LONGEST_PAUSE)
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update().get(pk=claimed.pk)
        if run.attempts != claimed.attempts:
            return
        run.due_at = now + pause
        run.last_error = code
        run.save(update_fields=["due_at", "last_error"])
        if run.state == RunState.WAITING and now >= due_at(run.date) + WORRY_AFTER:
            news.tell_of_waiting(run)


def _ask_about(news: Iterable[Difference]) -> None:
    """Have Alipay asked about what it has and we don't: the answer books it, and the next sweep matches it."""
    for difference in news:
        if difference.cause == Cause.UNSETTLED_ORDER and difference.order is not None:
            payments.ask_soon(difference.order)
        elif difference.cause == Cause.UNBOOKED_RETURN and difference.payout is not None:
            Payout.objects.filter(pk=difference.payout.pk, state=PayoutState.DONE).update(
                watch_at=clock.now()
            )


@transaction.atomic
def match_again() -> None:
    """Look for the rows of lines that have none yet: what has been booked since settles differences by itself."""
    if not _may_match():
        return
    matching.lock_matching()
    lines = matching.match()
    news.tell_of(differences.refresh(list(differences.touched_by(lines))))


def _may_match() -> bool:
    corrected = BillLine.objects.filter(entry__reversed_by__kind=Kind.CORRECTION)
    return matching.lines_without_match().exists() or corrected.exists()
