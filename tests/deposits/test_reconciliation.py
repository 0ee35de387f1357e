"""Every day's bills against our rows: when they are asked for, and until when (issue 3, protocols B9)."""

import datetime as dt
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from pytest_django import Settings

from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.models import BillLine, Difference, LedgerTransfer, ReconciliationRun
from deposits.reconciliation import days as reconciliation
from deposits.reconciliation import decisions as reconciliation_decisions
from deposits.reconciliation import matching as reconciliation_matching
from tests.database import owner_role
from tests.deposits.conftest import (
    OTHER_COMPANY,
    PERSON,
    Pay,
    books_agree,
    leave,
    pay_out,
    settle,
)
from tests.deposits.days import Day, compare, compare_again, day, differences, pay_outside, set_balance
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

__all__ = ["day"]

BILL = "alipay.data.dataservice.bill.downloadurl.query"
DOWNLOAD = "/bills/download"
ONE_DAY = dt.timedelta(days=1)


def attempt(date: dt.date) -> ReconciliationRun:
    """As the sweep does when the time has come."""
    ReconciliationRun.objects.filter(date=date, due_at__isnull=False).update(due_at=clock.now())
    return compare(date)


# A day ---------------------------------------------------------------------------------------------


def test_a_day_of_everything_agrees(
    approved: Application, pay: Pay, alipay: SandboxClient, day: Day, finance: User
) -> None:
    """Payments, one of them refused and sent back, a refund, and Alipay's fees, which are booked by this."""
    alipay.change_settings(fee_basis_points=60)
    settle(pay(approved, buyer=OTHER_COMPANY))
    pay_out()
    settle(pay(approved))
    leave(approved)
    pay_out()
    date = day.end()

    run = compare(date)

    assert (run.state, run.last_error, run.due_at) == ("balanced", "", None)
    assert differences() == []
    assert list(BillLine.objects.values_list("business", flat=True).filter(bill="signcustomer")) == [
        "在线支付",
        "收费",
        "交易退款",
        "在线支付",
        "收费",
        "交易退款",
    ]
    assert not reconciliation_matching.lines_without_match().exists()
    fees = LedgerTransfer.objects.filter(kind=Kind.GATEWAY_FEE)
    assert [row.amount for row in fees] == [Decimal("600.00"), Decimal("600.00")]
    assert {row.at.astimezone(clock.SHANGHAI).date() for row in fees} == {date}
    assert ledger.totals()[Account.GATEWAY_FEES] == Decimal("1200.00")
    assert (run.opening, run.closing, run.our_cash) == (500_000, 498_800, -1200)
    assert str(run.closing) == alipay.books()["seller_balance"]
    assert books_agree()
    assert not Notice.objects.filter(recipient=finance, key__contains="differences").exists()


def test_a_fee_is_booked_once_however_often_the_bill_is_read(
    approved: Application, pay: Pay, alipay: SandboxClient, day: Day
) -> None:
    alipay.change_settings(fee_basis_points=10)
    settle(pay(approved))
    date = day.end()
    compare(date)

    for _again in range(3):
        run = compare_again(date)

    assert (run.state, run.attempts) == ("balanced", 4)
    assert LedgerTransfer.objects.filter(kind=Kind.GATEWAY_FEE).count() == 1
    assert BillLine.objects.count() == 3


def test_it_begins_at_half_past_ten(active: Application, alipay: SandboxClient, day: Day) -> None:
    date = day.end(hour=10.49)
    tasks.sweep_reconciliation()
    assert not ReconciliationRun.objects.exists()

    day.move_to(clock.day_start(date + ONE_DAY) + dt.timedelta(hours=10.5))
    assert compare(date).state == "balanced"


def test_nothing_is_asked_for_before_anything_moved(alipay: SandboxClient, db: None) -> None:
    tasks.sweep_reconciliation()
    assert not ReconciliationRun.objects.exists()
    assert BILL not in alipay.books()["calls"]


def test_every_missed_day_is_made_up_for(active: Application, alipay: SandboxClient, day: Day) -> None:
    """No worker for a week."""
    first = day.end()
    day.move_to(clock.now() + 6 * ONE_DAY)

    tasks.sweep_reconciliation()

    runs = ReconciliationRun.objects.order_by("date")
    assert [run.date for run in runs] == [first + number * ONE_DAY for number in range(7)]
    assert {run.state for run in runs} == {"balanced"}
    assert {run.closing for run in runs} == {Decimal("600000.00")}


def test_a_night_without_a_worker_is_made_up_for(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    compare(day.end())
    day.move_to(clock.now() + 3 * ONE_DAY)
    tasks.sweep_reconciliation()
    assert ReconciliationRun.objects.filter(state="balanced").count() == 4


# No bill -------------------------------------------------------------------------------------------


def test_a_bill_that_is_late_is_waited_for_with_growing_pauses(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    alipay.change_settings(bill_ready_hour=13)
    date = day.end()

    pauses = []
    for _attempt in range(4):
        run = attempt(date)
        assert (run.state, run.last_error) == ("waiting", "no_bill")
        assert run.due_at is not None
        pauses.append(round((run.due_at - clock.now()).total_seconds() / 60))
    assert pauses == [5, 10, 20, 40]
    assert compare(date).attempts == 4, "it is asked when its time has come, and not before"

    day.move_to(clock.day_start(date + ONE_DAY) + dt.timedelta(hours=13.1))
    run = attempt(date)
    assert (run.state, run.last_error, run.due_at) == ("balanced", "", None)


def test_an_absent_bill_is_an_empty_day_if_we_have_nothing_either(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    compare(day.end())
    date = day.end()

    run = compare(date)

    assert (run.state, run.has_trade_bill, run.has_fund_bill) == ("balanced", False, False)
    assert run.closing == Decimal("600000.00"), "as the day before left it"


def test_an_empty_day_is_looked_at_once_more(active: Application, alipay: SandboxClient, day: Day) -> None:
    """Its bill may have been late, with something in it that we know nothing of."""
    compare(day.end())
    alipay.change_settings(bill_ready_hour=13)
    pay_outside(alipay, "OUTSIDE1", PERSON)
    date = day.end()
    assert compare(date).state == "balanced"

    day.end()
    run = compare(date)

    assert run.state == "different"
    assert run.due_at is None


def test_an_absent_bill_is_no_empty_day_if_we_have_something(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    alipay.reset()  # its books are gone, and with them the payment
    date = day.end()

    run = compare(date)

    assert (run.state, run.last_error) == ("waiting", "no_bill")
    assert run.done_at is None and not Difference.objects.exists()
    waiting = Notice.objects.filter(recipient=finance, key__contains="no-bill")
    assert not waiting.exists()

    day.move_to(clock.now() + dt.timedelta(hours=6))
    for _attempt in range(3):
        attempt(date)
    assert waiting.count() == 1
    day.move_to(clock.now() + ONE_DAY)
    attempt(date)
    assert waiting.count() == 2


@pytest.mark.parametrize(
    ("target", "kind", "params", "code"),
    [
        (BILL, "system_error", {}, "SYSTEM_ERROR"),
        (BILL, "code_20000", {}, None),
        (BILL, "bad_sign", {}, "bad_signature"),
        (BILL, "drop", {}, "dropped"),
        (DOWNLOAD, "http_502", {}, "http_status"),
        (DOWNLOAD, "drop", {}, "dropped"),
        (DOWNLOAD, "executes_then_drops", {}, "dropped"),
        (DOWNLOAD, "garbage", {}, "malformed"),
        (DOWNLOAD, "garbage", {"body": "PK\x03\x04"}, "malformed"),
    ],
)
def test_a_failure_of_alipays_is_never_a_difference(
    active: Application,
    alipay: SandboxClient,
    day: Day,
    target: str,
    kind: str,
    params: dict[str, Any],
    code: str | None,
) -> None:
    alipay.fault(target, kind, **params)
    date = day.end()

    run = compare(date)
    assert run.state == "waiting" and run.last_error
    assert code is None or run.last_error == code
    assert not Difference.objects.exists() and not BillLine.objects.exists()

    assert attempt(date).state == "balanced"


def test_half_of_the_bills_is_no_result(active: Application, alipay: SandboxClient, day: Day) -> None:
    alipay.fault(DOWNLOAD, "http_502", skip=1)
    date = day.end()
    assert compare(date).state == "waiting"
    assert not BillLine.objects.exists()
    assert attempt(date).state == "balanced"


def test_a_link_that_has_ended_is_asked_for_anew(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    alipay.change_settings(bill_url_seconds=-1)
    date = day.end()
    assert (compare(date).state, compare(date).last_error) == ("waiting", "http_status")

    alipay.change_settings(bill_url_seconds=30)
    assert attempt(date).state == "balanced"


def test_the_address_of_a_bill_stands_in_no_log(
    active: Application, alipay: SandboxClient, day: Day, caplog: pytest.LogCaptureFixture
) -> None:
    alipay.fault(DOWNLOAD, "http_502")
    with caplog.at_level(logging.DEBUG):
        attempt(date := day.end())
        attempt(date)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert any("http_status" in line for line in ours)
    assert not any("token=" in line or "download" in line for line in ours)


def test_without_keys_the_day_waits(
    active: Application, alipay: SandboxClient, day: Day, settings: Settings, tmp_path: Any
) -> None:
    settings.ALIPAY_KEY_DIR = tmp_path
    run = compare(day.end())
    assert (run.state, run.last_error) == ("waiting", "key_files")


# Again, and at the same time -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_worker_compares_a_day_at_a_time(active: Application, alipay: SandboxClient, day: Day) -> None:
    alipay.change_settings(fee_basis_points=10)
    day.end()
    day.end()
    reconciliation.add_missing_days()
    pks = list(ReconciliationRun.objects.values_list("pk", flat=True))

    def work(number: int) -> None:
        try:
            reconciliation.reconcile(pks[number % len(pks)])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))

    runs = ReconciliationRun.objects.all()
    assert [(run.state, run.attempts) for run in runs] == [("balanced", 1), ("balanced", 1)]
    assert BillLine.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_days_that_are_compared_at_the_same_time_share_no_row(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    """Both claims are old, as if their workers had been held up; both record."""
    alipay.change_settings(fee_basis_points=10)
    pay_outside(alipay, "OUTSIDE1", PERSON)
    date = day.end()
    reconciliation.add_missing_days()
    run = ReconciliationRun.objects.get(date=date)

    def work(_number: int) -> None:
        try:
            ReconciliationRun.objects.filter(pk=run.pk).update(due_at=clock.now())
            reconciliation.reconcile(run.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    compare_again(date)

    assert BillLine.objects.count() == 5
    assert Difference.objects.count() == 2
    assert LedgerTransfer.objects.filter(kind=Kind.GATEWAY_FEE).count() == 1


def test_a_worker_that_was_thought_dead_records_nothing(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    date = day.end()
    reconciliation.add_missing_days()
    first = ReconciliationRun.objects.get(date=date)
    first.attempts = 1
    found = reconciliation._fetch(date)
    compare(date)
    compare_again(date)

    assert reconciliation._record(first, found) == []
    reconciliation._try_again_later(first, "late")

    run = ReconciliationRun.objects.get(date=date)
    assert (run.attempts, run.last_error, run.due_at) == (2, "", None)


def test_a_failed_repetition_leaves_the_result_as_it_was(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    date = day.end()
    before = compare(date)
    alipay.fault(BILL, "http_502")

    run = compare_again(date)

    assert (run.state, run.done_at, run.last_error) == ("balanced", before.done_at, "http_status")
    assert run.due_at is not None
    assert attempt(date).last_error == ""


def test_a_bill_that_takes_back_what_it_said_changes_nothing(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    set_balance(alipay, "600000.01")
    date = day.end()
    compare(date)
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE deposits_billline DISABLE TRIGGER USER")
        cursor.execute("UPDATE deposits_billline SET amount = 0.02 WHERE amount = 0.01")
        cursor.execute("ALTER TABLE deposits_billline ENABLE TRIGGER USER")

    run = compare_again(date)

    assert (run.state, run.last_error) == ("different", "bill_changed")
    assert BillLine.objects.filter(amount=Decimal("0.02")).exists()


# The command ---------------------------------------------------------------------------------------


def run_command(**options: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("reconcile", stdout=out, stderr=err, **options)
        code = 0
    except SystemExit as stop:
        code = int(str(stop.code))
    return code, out.getvalue(), err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_figures_and_exits_0(active: Application, alipay: SandboxClient, day: Day) -> None:
    code, out, err = run_command(date=day.end())
    assert (code, err) == (0, "")
    assert "balanced" in out and out.count("1 × 100,000.00") == 4
    assert "600,000.00" in out and "500,000.00" in out


@pytest.mark.django_db(transaction=True)
def test_the_command_exits_1_on_open_differences(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    set_balance(alipay, "600123.45")
    date = day.end()

    code, out, _err = run_command(date=date)
    assert code == 1
    assert "theirs_only" in out and "123.45" in out

    difference = Difference.objects.get()
    reconciliation_decisions.explain(difference.pk, actor=finance, note="自有资金转入")
    code, out, _err = run_command(date=date)
    assert code == 0
    assert "自有资金转入" in out
    assert ReconciliationRun.objects.get().attempts == 1, "what has been compared is not asked for again"
    assert run_command(date=date, again=True)[0] == 0
    assert ReconciliationRun.objects.get().attempts == 2


@pytest.mark.django_db(transaction=True)
def test_the_command_says_that_alipay_cant_be_reached(db: None, settings: Settings, day: Day) -> None:
    settings.ALIPAY_GATEWAY_URL = "http://127.0.0.1:9/gateway.do"
    code, _out, err = run_command()
    assert code == 2
    assert "connection" in err or "key_files" in err


@pytest.mark.django_db(transaction=True)
def test_the_command_refuses_a_day_that_is_not_over(day: Day) -> None:
    with pytest.raises(CommandError):
        call_command("reconcile", date=clock.today())


@pytest.mark.slow
def test_the_command_needs_nothing_that_runs_and_says_what_is_missing(tmp_path: Path) -> None:
    """As in a fresh clone: its own database starts; at first it is empty, and Alipay can't be asked at all."""
    ours = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = ours | {"TMALL_SP_ENV": "demo", "RUN_DIR": str(tmp_path / "run")}

    def manage(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)

    empty = manage("reconcile")
    assert (empty.returncode, empty.stderr.strip()) == (
        1,
        "CommandError: There are no books yet: run `manage.py migrate` first.",
    )
    assert manage("migrate", "--verbosity", "0").returncode == 0
    alone = manage("reconcile", "--date", "2026-11-01")
    assert alone.returncode == 2
    assert "2026-11-01  waiting" in alone.stdout
    assert "No result of this attempt (key_files)" in alone.stderr


# The same rules, past Python -----------------------------------------------------------------------


@pytest.mark.parametrize("table", ["reconciliationrun", "billline", "difference", "explanation"])
def test_sql_deletes_nothing_of_it(active: Application, table: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM deposits_{table}")


@pytest.mark.parametrize(
    "change", ["amount = 1", "key = 'x'", "bill = 'trade'", "at = now()", "numbers = '{}'"]
)
def test_sql_changes_no_line(active: Application, alipay: SandboxClient, day: Day, change: str) -> None:
    compare(day.end())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_billline SET {change} WHERE bill = 'signcustomer'")


def test_sql_makes_no_day_agree_that_has_a_difference(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    set_balance(alipay, "600000.01")
    compare(day.end())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deposits_reconciliationrun SET state = 'balanced'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_no_run_begins_with_a_result(db: None) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ReconciliationRun.objects.create(
            date=dt.date(2026, 1, 1),
            state="balanced",
            done_at=clock.now(),
            has_trade_bill=True,
            has_fund_bill=True,
        )
