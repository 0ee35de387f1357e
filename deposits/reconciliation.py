"""Every day's bills of Alipay against our rows: when, until it is done, and what people say about the rest.

A day has a row before anybody asks for its bills, from 10:30 on the day after (protocols B9). One attempt:

1. Claim: a short transaction moves the next attempt on and counts this one.
2. Ask for both bills' addresses and download each at once, without a transaction: an address lives 30 s.
3. Record, one at a time: keep the lines, match (reconciliation_matching.py), list the differences
   (reconciliation_differences.py).

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
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from deposits import (
    announcements,
    bills,
    ledger,
    payments,
    permissions,
    reconciliation_differences,
    reconciliation_matching,
)
from deposits.accounts import Account, Kind
from deposits.bills import Bill
from deposits.gateways.alipay import Alipay, BillType
from deposits.models import (
    BillKind,
    BillLine,
    Cause,
    Difference,
    Explanation,
    LedgerTransfer,
    Mismatch,
    Payout,
    ReconciliationRun,
    RunState,
)
from deposits.states import PayoutState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.gateway import GatewayError
from tmall_sp.core.jobs import enqueue

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
# Where nothing was ever reconciled: the sweep begins at the ledger's first movement, but no longer ago than this.
FURTHEST_BACK = dt.timedelta(days=60)

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
    first = ReconciliationRun.objects.order_by("date").values_list("date", flat=True).first()
    if first is not None:
        return first
    moved = LedgerTransfer.objects.filter(Q(debit=Account.ALIPAY_CASH) | Q(credit=Account.ALIPAY_CASH))
    row = moved.exclude(kind=Kind.OPENING_BALANCE).order_by("at").values_list("at", flat=True).first()
    if row is None:
        return None
    day: dt.date = row.astimezone(clock.SHANGHAI).date()
    return max(day, last - FURTHEST_BACK)


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
    reconciliation_matching.lock_matching()
    run = ReconciliationRun.objects.select_for_update().get(pk=claimed.pk)
    if run.attempts != claimed.attempts:
        return []  # another worker took over
    for kind, bill in found:
        _keep_lines(run, kind, bill)
    touched = reconciliation_matching.match()
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
    others = reconciliation_differences.touched_by(touched).exclude(pk=run.pk)
    news = reconciliation_differences.refresh([run, *others, *_day_after(run)])
    _tell_of(news)
    return news


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
        sort=reconciliation_matching.sort_of(line),
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
        missed = reconciliation_differences.ours_without_line(run, kind)
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
            _tell_of_waiting(run)


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
    reconciliation_matching.lock_matching()
    lines = reconciliation_matching.match()
    _tell_of(reconciliation_differences.refresh(list(reconciliation_differences.touched_by(lines))))


def _may_match() -> bool:
    corrected = BillLine.objects.filter(entry__reversed_by__kind=Kind.CORRECTION)
    return reconciliation_matching.lines_without_match().exists() or corrected.exists()


# What people do ------------------------------------------------------------------------------------


def again(pk: int, *, actor: User, seen: int | None = None) -> ReconciliationRun:
    """Ask for a day's bills anew and compare again, now. NotPermitted; StaleVersion.

    `seen` is the number of attempts on the page that the person acted on.
    """
    _refuse_others(actor)
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update().get(pk=pk)
        if seen is not None and seen != run.attempts:
            raise StaleVersion(
                "stale", _("This page is out of date: the bills were asked for again meanwhile.")
            )
        make_due(run)
    return run


def make_due(run: ReconciliationRun) -> None:
    """Have a worker compare the day now. The caller is in a transaction."""
    from deposits import tasks

    run.due_at = clock.now()
    run.save(update_fields=["due_at"])
    enqueue(tasks.reconcile, run.pk)


def explain(pk: int, *, actor: User, note: str, seen: str | None = None) -> Difference:
    """Say what a difference is: it is no longer open, as long as its figures stay what they are.

    The row of the other bill about the same number and amount gets the same note. `seen` is `mark_of` what the
    page showed. NotPermitted; StaleVersion; DomainError `empty`, `settled`.
    """
    _refuse_others(actor)
    if not note.strip():
        raise DomainError("empty", _("Say what you found out."), field="note")
    with transaction.atomic():
        reconciliation_matching.lock_matching()
        difference = Difference.objects.select_for_update(of=("self",)).get(pk=pk)
        if difference.settled_at is not None:
            raise DomainError("settled", _("This has been settled meanwhile: both sides agree."))
        if seen is not None and seen != mark_of(difference):
            raise StaleVersion("stale", _("This page is out of date: look at the difference as it is now."))
        for row in (difference, *twins_of(difference)):
            _explain(row, actor, note.strip())
    return difference


def mark_of(difference: Difference) -> str:
    """The same as long as a decision about the difference rests on the same."""
    figures = (difference.mismatch, difference.their_amount, difference.our_amount, difference.explanation_id)
    return ":".join(str(figure) for figure in figures)


def twins_of(difference: Difference) -> QuerySet[Difference]:
    """The same movement as the day's other bill has it, still unexplained."""
    if not difference.number:
        return Difference.objects.none()
    return (
        difference.run.differences.filter(
            settled_at__isnull=True,
            explanation__isnull=True,
            mismatch=difference.mismatch,
            their_amount=difference.their_amount,
            our_amount=difference.our_amount,
        )
        .filter(_same_number(difference))
        .exclude(bill=difference.bill)
    )


def _same_number(difference: Difference) -> Q:
    same = Q(number=difference.number)
    if difference.line is not None and difference.line.trade_no:
        same |= Q(line__trade_no=difference.line.trade_no)
    return same


def _explain(difference: Difference, actor: User, note: str) -> None:
    difference.explanation = Explanation.objects.create(
        difference=difference,
        note=note,
        mismatch=difference.mismatch,
        their_amount=difference.their_amount,
        our_amount=difference.our_amount,
        actor=actor,
        at=clock.now(),
    )
    difference.save(update_fields=["explanation"])


def _refuse_others(actor: User) -> None:
    if not permissions.may_handle_money(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))


# Telling finance -----------------------------------------------------------------------------------

# So many stand in the notice itself; the page has all.
TOLD = 10


def _tell_of(news: Iterable[Difference]) -> None:
    by_run: dict[ReconciliationRun, list[Difference]] = {}
    for difference in news:
        by_run.setdefault(difference.run, []).append(difference)
    for run, found in by_run.items():
        shown = found[:TOLD]
        words = [word for row in shown for word in (Mismatch(row.mismatch).label, _amount(row), row.number)]
        announcements.tell_finance(
            key=f"differences:{run.date}:{run.attempts}:{max(row.pk for row in found)}",
            subject=format_lazy(
                ngettext_lazy(
                    "Reconciliation of {day}: {count} difference",
                    "Reconciliation of {day}: {count} differences",
                    len(found),
                ),
                day=run,
                count=len(found),
            ),
            body=format_lazy("\n".join(["{} · {} · {}"] * len(shown)), *words),
            link=reverse("admin:deposits_reconciliationrun_change", args=[run.pk]),
        )


def _amount(difference: Difference) -> str:
    value = difference.their_amount if difference.their_amount is not None else difference.our_amount
    return f"¥{value:,}"


def _tell_of_waiting(run: ReconciliationRun) -> None:
    announcements.tell_finance(
        key=f"no-bill:{run.date}:{clock.today()}",
        subject=format_lazy(gettext_lazy("There is still no bill of {day} from Alipay"), day=run),
        body=format_lazy(
            gettext_lazy("It is asked for again by itself. Last answer: {code}. Asked {count} times."),
            code=run.last_error,
            count=run.attempts,
        ),
        link=reverse("admin:deposits_reconciliationrun_change", args=[run.pk]),
    )
