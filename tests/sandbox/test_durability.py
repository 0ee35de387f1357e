"""What was answered is still there after SIGKILL, and what was to be sent is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.process import Receiver, Sandbox
from tests.sandbox.wire import Alipay

COMPANY = "2088101000000101"


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path)
    sandbox.start()
    yield sandbox
    sandbox.kill()


def test_books_survive_being_killed(own_sandbox: Sandbox) -> None:
    alipay = Alipay(own_sandbox.url, own_sandbox.keys)
    alipay.open_cashier("D1")
    own_sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)
    for number in range(5):
        alipay.call(
            "alipay.trade.refund", out_trade_no="D1", refund_amount="10000.00", out_request_no=f"R{number}"
        )
    own_sandbox.fault("alipay.trade.query", "http_502")
    own_sandbox.kill()

    own_sandbox.start()

    again = alipay.call(
        "alipay.trade.refund", out_trade_no="D1", refund_amount="10000.00", out_request_no="R4"
    )
    books = own_sandbox.get("books")
    assert again["fund_change"] == "N"
    assert (books["refunded"], books["seller_balance"]) == ("50000.00", "550000.00")
    assert books["balanced"]
    assert len(own_sandbox.get("faults")) == 1


def test_a_notification_outlives_the_process(own_sandbox: Sandbox, merchant: Receiver) -> None:
    merchant.answers = [(500, b"")]
    own_sandbox.post("settings", notify_gap_scale=1 / 240)
    alipay = Alipay(own_sandbox.url, own_sandbox.keys)
    alipay.open_cashier("D1", notify_url=merchant.url)
    own_sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)
    merchant.wait_for(1)
    own_sandbox.kill()

    own_sandbox.start()

    first, second = merchant.wait_for(2)
    assert first["notify_id"] == second["notify_id"]


def test_it_starts_in_less_than_three_seconds(own_sandbox: Sandbox) -> None:
    """One of three starts: other tests may keep the machine busy."""

    def restart() -> float:
        own_sandbox.stop()
        return own_sandbox.start()

    assert any(restart() < 3 for _ in range(3))
