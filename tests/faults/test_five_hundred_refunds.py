"""500 members leave while Alipay answers badly and workers die: each gets its deposit back once."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.faults import trouble
from tests.faults.damage import Damage
from tests.faults.stage import Stage
from tests.faults.storm import Storm
from tests.faults.trouble import Card, Trouble
from tests.stack import Stack

pytestmark = pytest.mark.faults

WORKERS = 2
COUNT = 500
SEED = "five hundred refunds"
DEATHS = 24
# One member after the other, so that somebody leaves all through the storm, whose jumps are longer.
SECONDS_BETWEEN = 4.0
# Days; some of them paid longer ago (crowd.PAID). A year would be as many bills to compare.
REFUND_WINDOW = 30
DEPOSIT = Decimal("100000.00")
# Of ten members, five paid once and one twice; two paid once and two twice, the first time too long ago.
TRADE_REFUNDS, TRANSFERS = COUNT * 9 // 10, COUNT * 4 // 10

REFUND, REFUND_QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
TRANSFER, TRANSFER_QUERY = "alipay.fund.trans.uni.transfer", "alipay.fund.trans.common.query"
DECKS = {
    REFUND: [
        *trouble.unknown_outcomes(wrong={"out_trade_no": "another"}),
        *trouble.not_executed("ACQ.SELLER_BALANCE_NOT_ENOUGH"),
        trouble.too_late(),
    ],
    TRANSFER: [
        *trouble.unknown_outcomes(wrong={"out_biz_no": "another"}),
        *trouble.not_executed("PAYER_BALANCE_NOT_ENOUGH"),
        trouble.too_late(),
    ],
    REFUND_QUERY: [
        *trouble.unknown_outcomes(wrong={"out_request_no": "another"}),
        *trouble.not_executed(),
        # What Alipay's query does not show yet is sent again, by the same number.
        Card("wrong_values", "not shown yet", {"set": {"refund_status": ""}}),
    ],
    TRANSFER_QUERY: [
        *trouble.unknown_outcomes(wrong={"out_biz_no": "another"}),
        *trouble.not_executed(),
        Card("sub_code", "not shown yet", {"sub_code": "ORDER_NOT_EXIST"}),
    ],
}


def test_each_of_500_deposits_goes_back_once(
    stack: Stack, stage: Stage, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.load("leaving", COUNT, SECONDS_BETWEEN)
    stage.assert_books_balance()
    cash, cash_at_alipay = stage.cash(), stage.cash_at_alipay()
    stack.sandbox.change_settings(
        refund_window_days=REFUND_WINDOW,
        transfer_daily_limit_fen=10**11,
        transfer_mode="dealing",
        transfer_settle_seconds=90,
    )
    storm = Storm(stack, stage, damage, held=lambda: in_hand(stack), seed=SEED)

    stage.let_pass(dt.timedelta(hours=1))  # until then nobody leaves
    with Trouble(stack.sandbox, DECKS, seed=SEED) as faults:
        storm.rage(lambda: refunded(stack), COUNT // 2, deaths=DEATHS // 2, seconds=180)
        dealing = len(stack.sandbox.transfers(status="DEALING"))
        stack.sandbox.change_settings(transfer_mode="success")
        storm.rage(lambda: refunded(stack) - COUNT // 2, COUNT // 2, deaths=DEATHS // 2, seconds=180)
    storm.wait(lambda: not leaving(stack) and not under_way(stack), "every refund is finished", 180)

    with capsys.disabled():
        print(f"\n{COUNT} refunds; {storm.report()}; {attempts(stack)}\n{faults.report()}")
    assert_each_is_finished(stack)
    assert_alipay_paid_each_once(stack)
    stage.assert_books_balance()
    assert cash - stage.cash() == cash_at_alipay - stage.cash_at_alipay() == COUNT * DEPOSIT
    assert storm.at_work >= DEATHS // 2 and sum(damage.done.values()) >= DEATHS and dealing
    assert faults.kinds == dict.fromkeys(DECKS, trouble.OF_A_CALL)


def leaving(stack: Stack) -> int:
    """Members whose notice is not over, or whose exit no worker has completed yet."""
    [(count,)] = stack.sql("SELECT count(*) FROM applications_application WHERE state = 'exiting'")
    return int(count)


def refunded(stack: Stack) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM deposits_refund WHERE state = 'done'")
    return int(count)


def in_hand(stack: Stack) -> int:
    """Payouts that a worker is sending, or was when it died."""
    [(count,)] = stack.sql("SELECT count(*) FROM deposits_payout WHERE state = 'calling'")
    return int(count)


def under_way(stack: Stack) -> int:
    [(count,)] = stack.sql(
        "SELECT count(*) FROM deposits_payout WHERE state NOT IN ('done', 'replaced', 'attention')"
    )
    return int(count)


def attempts(stack: Stack) -> str:
    [(payouts, most, average)] = stack.sql(
        "SELECT count(*), max(attempts), round(avg(attempts), 2) FROM deposits_payout"
    )
    return f"{payouts} payouts, of {average} attempts on average and {most} at most"


def assert_each_is_finished(stack: Stack) -> None:
    """Every member is out, told once, with one refund in as many legs as it had payments; nothing waits."""
    assert stack.sql("SELECT state, count(*) FROM applications_application GROUP BY state") == [
        ("exited", COUNT)
    ]
    assert stack.sql(
        "SELECT state, amount, count(*), count(DISTINCT deposit_id) FROM deposits_refund GROUP BY state, amount"
    ) == [("done", DEPOSIT, COUNT, COUNT)]
    legs = stack.sql(
        "SELECT method, state, sum(amount), count(*) FROM deposits_payout GROUP BY method, state ORDER BY 1, 2"
    )
    assert legs == [
        ("trade_refund", "done", COUNT * Decimal("68000.00"), TRADE_REFUNDS),
        ("trade_refund", "replaced", COUNT * Decimal("32000.00"), TRANSFERS),
        ("transfer", "done", COUNT * Decimal("32000.00"), TRANSFERS),
    ]
    assert stack.sql(
        "SELECT kind, count(*), count(DISTINCT deposit_id), count(DISTINCT payout_id), sum(amount)"
        " FROM deposits_ledgertransfer WHERE kind LIKE 'refund%%' GROUP BY kind ORDER BY kind"
    ) == [
        ("refund", COUNT, COUNT, 0, COUNT * DEPOSIT),
        ("refund_paid", TRADE_REFUNDS + TRANSFERS, COUNT, TRADE_REFUNDS + TRANSFERS, COUNT * DEPOSIT),
    ]
    assert stack.sql(
        "SELECT count(*), count(DISTINCT application_id) FROM applications_transition WHERE name = 'refund_paid'"
    ) == [(COUNT, COUNT)]


def assert_alipay_paid_each_once(stack: Stack) -> None:
    """What Alipay executed is what we booked, number by number, and each company has what it had paid."""
    ours = stack.sql("SELECT number, method, amount FROM deposits_payout WHERE state = 'done'")
    refunds = stack.sandbox.refunds(limit=5000)
    transfers = stack.sandbox.transfers(limit=5000)
    assert {row["executions"] for row in [*refunds, *transfers]} == {1}
    assert {row["status"] for row in transfers} == {"SUCCESS"}
    theirs = [(row["out_request_no"], "trade_refund", Decimal(row["amount"])) for row in refunds]
    theirs += [(row["out_biz_no"], "transfer", Decimal(row["amount"])) for row in transfers]
    assert sorted(theirs) == sorted(ours)
    paid = stack.sql("SELECT alipay_account_id FROM applications_application")
    accounts = {row["user_id"]: row["balance"] for row in stack.sandbox.get("alipay-accounts", limit=5000)}
    assert {accounts[account] for (account,) in paid} == {str(DEPOSIT)}
