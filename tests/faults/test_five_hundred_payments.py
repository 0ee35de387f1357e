"""500 companies pay while news of it is lost, Alipay answers badly and workers die: each is settled once."""

from concurrent.futures import ThreadPoolExecutor
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
SEED = "five hundred payments"
DEATHS = 24
# The time in which they all pay, in seconds.
SECONDS = 60

NEWS, QUERY = "notification", "alipay.trade.query"
DECKS = {
    NEWS: [
        *[Card("lost")] * 4,
        *[Card("doubled", params={"copies": copies}) for copies in (2, 2, 5)],
        *[Card("late", params={"seconds": seconds}) for seconds in (2, 15)],
        *[Card("reordered", params={"seconds": seconds}) for seconds in (4, 20)],
        *[Card("forged")] * 2,
    ],
    QUERY: [
        *trouble.unknown_outcomes(wrong={"out_trade_no": "another"}),
        *trouble.not_executed("ACQ.TRADE_NOT_EXIST"),  # as if Alipay had not heard of it itself
        trouble.too_late(),
    ],
}


def test_each_of_500_payments_is_settled_once(
    stack: Stack, stage: Stage, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.load("approved", COUNT)
    before = stage.cash_at_alipay()
    storm = Storm(stack, stage, damage, held=lambda: waiting(stack), seed=SEED)

    with ThreadPoolExecutor(1) as pool, Trouble(stack.sandbox, DECKS, seed=SEED) as faults:
        buyers = pool.submit(stage.act, "pay_one_after_the_other", SECONDS, SEED)
        storm.rage(lambda: settled(stack), COUNT, deaths=DEATHS, seconds=180)
        buyers.result()
    storm.wait(lambda: not waiting(stack), "every payment is settled", 180)

    with capsys.disabled():
        print(
            f"\n{COUNT} payments; {storm.report()}\n{faults.report()}\nwhat came of the news: {news(stack)}"
        )
    assert_each_is_settled_once(stack)
    stage.assert_books_balance()
    assert stage.cash() == stage.cash_at_alipay() - before == COUNT * Decimal("100000.00")
    assert sum(damage.done.values()) >= DEATHS
    assert faults.kinds == {NEWS: trouble.OF_A_NOTIFICATION, QUERY: trouble.OF_A_CALL}


def waiting(stack: Stack) -> int:
    """Orders of which it is not known yet what became of them."""
    [(count,)] = stack.sql("SELECT count(*) FROM deposits_paymentorder WHERE state IN ('open', 'closing')")
    return int(count)


def settled(stack: Stack) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM deposits_paymentorder WHERE state = 'paid'")
    return int(count)


def news(stack: Stack) -> dict[str, tuple[int, int]]:
    """Of each verdict: how many notifications were kept, and how often they came."""
    rows = stack.sql(
        "SELECT verdict, count(*), sum(deliveries)::int FROM deposits_alipaynotification GROUP BY verdict"
    )
    return {verdict: (kept, came) for verdict, kept, came in rows}


def assert_each_is_settled_once(stack: Stack) -> None:
    """One order, one row in the ledger, one step for each; and nothing was taken for a refused payment."""
    assert stack.sql("SELECT state, count(*) FROM applications_application GROUP BY state") == [
        ("active", COUNT)
    ]
    assert stack.sql(
        "SELECT state, count(*), count(DISTINCT trade_no), count(next_check_at)"
        " FROM deposits_paymentorder GROUP BY state"
    ) == [("paid", COUNT, COUNT, 0)]
    assert stack.sql(
        "SELECT kind, amount, count(*), count(DISTINCT order_id), count(DISTINCT deposit_id)"
        " FROM deposits_ledgertransfer GROUP BY kind, amount"
    ) == [("payment", Decimal("100000.00"), COUNT, COUNT, COUNT)]
    assert stack.sql(
        "SELECT name, count(*), count(DISTINCT application_id) FROM applications_transition GROUP BY name"
        " ORDER BY name"
    ) == [("activate", COUNT, COUNT), ("record_deposit", COUNT, COUNT)]
    assert stack.sql("SELECT count(*) FROM deposits_payout") == [(0,)]
    assert stack.sandbox.books()["trades"] == {"TRADE_SUCCESS": {"count": COUNT, "amount": "50000000.00"}}
    assert set(news(stack)) == {"believed", "bad_signature"}
