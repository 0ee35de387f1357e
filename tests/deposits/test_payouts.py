"""Money out, exactly once, whatever Alipay answers and whoever dies when (protocols B6–B8)."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from applications.lifecycle import State
from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.models import Deposit, Payout, ProposalKind, Refund
from deposits.outgoing import payouts
from tests.deposits.conftest import (
    BOUND,
    REQUIRED,
    Pay,
    deposit_of,
    leave,
    pay_out,
    reload,
    settle,
    two_decide,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

REFUND = "alipay.trade.refund"
TRANSFER = "alipay.fund.trans.uni.transfer"


def only(application: Application) -> Payout:
    return Payout.objects.get(refund__deposit__application=application)


def balance(alipay: SandboxClient, user_id: str = BOUND) -> str:
    [account] = alipay.get("alipay-accounts", user_id=user_id)
    return str(account["balance"])


def paid_back_once(application: Application, alipay: SandboxClient) -> None:
    """The whole deposit is with its payer, by one execution, and the books say so."""
    refund = Refund.objects.get(deposit__application=application)
    assert (refund.state, refund.amount) == ("done", REQUIRED)
    assert balance(alipay) == "1000000.00"
    assert [row["executions"] for row in alipay.refunds()] == [1]
    totals = ledger.totals()
    assert totals[Account.ALIPAY_CASH] == totals[Account.REFUND_IN_TRANSIT] == 0
    assert [row.kind for row in deposit_of(application).transfers.order_by("pk")] == [
        "payment",
        "refund",
        "refund_paid",
    ]


def test_an_exit_takes_the_deposit_out_and_queues_its_way_back(exited: Application) -> None:
    deposit = deposit_of(exited)
    payout = only(exited)

    assert reload(exited).state == State.EXITED
    assert deposit.available == 0
    assert ledger.totals()[Account.REFUND_IN_TRANSIT] == REQUIRED
    assert (payout.state, payout.method, payout.amount) == ("queued", "trade_refund", REQUIRED)


def test_the_worker_pays_the_deposit_back(exited: Application, alipay: SandboxClient, merchant: User) -> None:
    tasks.sweep_payouts()

    paid_back_once(exited, alipay)
    assert only(exited).attempts == 1
    assert "refund_paid" in [row.name for row in exited.transitions.all()]
    assert Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund-done:").exists()


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("system_error", {"executed": True}),
        ("system_error", {"executed": False}),
        ("code_20000", {"executed": True}),
        ("code_20000", {"executed": False}),
        ("executes_then_drops", {}),
        ("drop", {}),
        ("http_502", {}),
        ("garbage", {}),
        ("no_sign", {}),
        ("bad_sign", {}),
    ],
)
def test_an_unknown_outcome_is_asked_for_before_anything_is_repeated(
    exited: Application, alipay: SandboxClient, kind: str, params: dict[str, Any]
) -> None:
    alipay.fault(REFUND, kind, **params)
    tasks.sweep_payouts()
    assert (only(exited).state, only(exited).attempts) == ("queued", 1)

    pay_out()

    paid_back_once(exited, alipay)


def test_a_query_that_fails_repeats_nothing(exited: Application, alipay: SandboxClient) -> None:
    alipay.fault(REFUND, "executes_then_drops")
    alipay.fault("alipay.trade.fastpay.refund.query", "http_502", times=3)

    pay_out()

    paid_back_once(exited, alipay)
    [refund] = alipay.refunds()
    assert refund["calls"] == 1


def test_a_worker_that_dies_after_the_call_is_replaced(
    exited: Application, alipay: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(payouts, "_record", die)
        with pytest.raises(SystemExit):
            payouts.send(only(exited).pk)
    assert only(exited).state == "calling"

    tasks.sweep_payouts()
    assert only(exited).state == "calling", "the claim is still fresh"
    pay_out()

    paid_back_once(exited, alipay)
    [refund] = alipay.refunds()
    assert refund["calls"] == 1


def test_a_worker_that_was_thought_dead_records_nothing(exited: Application, alipay: SandboxClient) -> None:
    first = payouts._claim(only(exited).pk)
    assert first is not None
    pay_out()

    payouts._record(first, payouts.Outcome(payouts.PayoutState.ATTENTION, "late"))

    paid_back_once(exited, alipay)


@pytest.mark.django_db(transaction=True)
def test_ten_workers_pay_once(exited: Application, alipay: SandboxClient) -> None:
    pk = only(exited).pk

    def work(_number: int) -> None:
        try:
            payouts.send(pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(20)))

    paid_back_once(exited, alipay)
    assert only(exited).attempts == 1


# What a person has to decide -----------------------------------------------------------------------


def test_too_little_money_waits_and_finance_is_told_once_a_day(
    finance: User, exited: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    """One notice for all of them, however often they are tried."""
    alipay.fault(REFUND, "sub_code", sub_code="ACQ.SELLER_BALANCE_NOT_ENOUGH", times=9)
    notices = Notice.objects.filter(recipient=finance)

    for _attempt in range(8):
        Payout.objects.update(due_at=clock.now())
        tasks.sweep_payouts()
    payout = only(exited)
    assert (payout.state, payout.last_code, payout.attempts) == ("queued", "ACQ.SELLER_BALANCE_NOT_ENOUGH", 8)
    assert notices.count() == 1
    assert "100,000.00" in notices.get().body

    move_clock(days=1)
    tasks.sweep_payouts()
    assert notices.count() == 2

    pay_out()
    paid_back_once(exited, alipay)
    assert notices.count() == 2


def test_what_fails_for_long_is_told_once_a_day(
    finance: User, exited: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    alipay.fault(REFUND, "http_502", times=-1)
    notices = Notice.objects.filter(recipient=finance)
    for day in range(2):
        for _attempt in range(payouts.WORRY_AFTER + 1):
            Payout.objects.update(due_at=clock.now())
            tasks.sweep_payouts()
        assert notices.count() == day + 1
        move_clock(days=1)

    alipay.clear_faults()
    pay_out()
    paid_back_once(exited, alipay)


def test_a_number_that_alipay_knows_with_another_amount_waits_for_finance(
    exited: Application, alipay: SandboxClient
) -> None:
    alipay.fault(REFUND, "drop")
    alipay.fault(
        "alipay.trade.fastpay.refund.query",
        "wrong_values",
        set={"refund_amount": "1.00", "refund_status": "REFUND_SUCCESS"},
    )
    pay_out()
    assert (only(exited).state, only(exited).last_code) == ("attention", "amount_differs")


# By transfer ---------------------------------------------------------------------------------------


def test_past_the_refund_window_the_money_goes_by_transfer(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    move_clock(days=400)
    leave(active)

    pay_out()

    first, second = Payout.objects.order_by("pk")
    assert (first.state, first.last_code) == ("replaced", "ACQ.TRADE_HAS_FINISHED")
    assert (second.state, second.method, second.payee_identity) == ("done", "transfer", BOUND)
    assert second.replaces == first
    assert Refund.objects.get().state == "done"
    assert balance(alipay) == "1000000.00"
    assert not alipay.refunds()
    assert [row["executions"] for row in alipay.transfers()] == [1]
    assert ledger.totals()[Account.ALIPAY_CASH] == 0


def test_a_transfer_of_unknown_outcome_is_asked_for(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    move_clock(days=400)
    leave(active)
    alipay.fault(TRANSFER, "executes_then_drops")
    alipay.fault("alipay.fund.trans.common.query", "http_502")

    pay_out()

    assert [(row["executions"], row["calls"]) for row in alipay.transfers()] == [(1, 1)]
    assert Refund.objects.get().state == "done"


def test_a_transfer_that_is_being_processed_is_polled(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    alipay.change_settings(transfer_mode="dealing")
    move_clock(days=400)
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    transfer = Payout.objects.get(method="transfer")
    assert transfer.state == "dealing"

    alipay.post("transfers", out_biz_no=transfer.number, status="SUCCESS")
    pay_out()

    assert Payout.objects.get(method="transfer").state == "done"
    assert [row["executions"] for row in alipay.transfers()] == [1]


def test_a_transfer_that_fails_waits_for_finance(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    alipay.change_settings(transfer_mode="fail")
    move_clock(days=400)
    leave(active)

    pay_out()

    transfer = Payout.objects.get(method="transfer")
    assert (transfer.state, transfer.last_code) == ("attention", "PAYEE_ACCOUNT_STATUS_ERROR")


def test_a_large_transfer_is_split(
    active: Application, pay: Pay, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    Deposit.objects.filter(application=active).update(required=REQUIRED + 50_000)
    settle(pay(active))
    move_clock(days=400)
    leave(active)

    pay_out()

    sent = Payout.objects.filter(method="transfer", state="done")
    assert sorted(payout.amount for payout in sent) == [50_000, 100_000]
    assert balance(alipay) == "1000000.00"


def test_over_the_days_limit_the_transfer_waits_for_tomorrow(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    alipay.change_settings(transfer_daily_limit_fen=100)
    move_clock(days=400)
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()

    transfer = Payout.objects.get(method="transfer")
    assert (transfer.state, transfer.last_code) == ("queued", "EXCEED_LIMIT_DM_MAX_AMOUNT")
    assert transfer.due_at >= clock.day_start(clock.today() + dt.timedelta(days=1))


# Legs ----------------------------------------------------------------------------------------------


def test_the_newest_payment_goes_back_first(
    active: Application,
    pay: Pay,
    alipay: SandboxClient,
    move_clock: Callable[..., None],
    finance: User,
    second_finance: User,
) -> None:
    """A payment past its window and one within it: one refund, both ways."""
    move_clock(days=300)
    Deposit.objects.filter(application=active).update(required=REQUIRED + 500)
    newest = settle(pay(active))
    ledger.post(Kind.PENALTY, Decimal("200.00"), key="p", deposit=deposit_of(active))
    move_clock(days=100)
    leave(active)
    two_decide(ProposalKind.RELEASE_REFUND, Refund.objects.get(), finance, second_finance)

    pay_out()

    done = Payout.objects.filter(state="done").order_by("amount")
    assert [(payout.method, payout.amount) for payout in done] == [
        ("trade_refund", 500),
        ("transfer", Decimal("99800.00")),
    ]
    assert done[0].order == newest
    assert balance(alipay) == "999800.00"


def test_what_no_payment_covers_goes_to_the_bound_account(
    approved: Application, alipay: SandboxClient
) -> None:
    """Money from before these books."""
    deposit = deposit_of(approved)
    ledger.post(Kind.PAYMENT, REQUIRED, key="loaded", deposit=deposit)
    from applications import services

    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    leave(approved)

    pay_out()

    assert (only(approved).method, only(approved).payee_identity) == ("transfer", BOUND)
    assert balance(alipay) == "1100000.00"


# The same rules, past Python -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    ["amount = 1", "number = 'x'", "state = 'done'", "method = 'transfer'", "refund_id = NULL"],
)
def test_sql_changes_no_payout(exited: Application, change: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_payout SET {change}")


@pytest.mark.parametrize(
    ("table", "state"),
    [("payout", "queued"), ("payout", "returned"), ("refund", "in_progress"), ("refund", "held")],
)
def test_sql_brings_nothing_finished_back(
    exited: Application, alipay: SandboxClient, table: str, state: str
) -> None:
    """A refund is reopened together with a leg that the bank has returned, and that with its ledger row."""
    pay_out()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_{table} SET state = %s", [state])


def test_sql_finishes_no_refund_before_its_legs(exited: Application) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Refund.objects.update(state="done", done_at=clock.now())
