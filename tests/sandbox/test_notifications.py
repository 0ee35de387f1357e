"""Notifications: signed, repeated with the same id until `success`, and wrong on demand (protocols B4)."""

import time

import pytest

from tests.sandbox.process import Receiver, Sandbox
from tests.sandbox.wire import APP_ID, SELLER, Alipay

COMPANY = "2088101000000101"


def _pay(sandbox: Sandbox, alipay: Alipay, merchant: Receiver, number: str = "D1") -> None:
    alipay.open_cashier(number, notify_url=merchant.url)
    sandbox.post("pay", out_trade_no=number, buyer=COMPANY)


def test_a_payment_is_notified_with_a_true_signature(
    sandbox: Sandbox, alipay: Alipay, merchant: Receiver
) -> None:
    _pay(sandbox, alipay, merchant)

    fields = merchant.wait_for(1)[0]

    assert alipay.is_true_notification(fields)
    assert fields["trade_status"] == "TRADE_SUCCESS"
    assert fields["total_amount"] == "100000.00"
    assert (fields["app_id"], fields["seller_id"], fields["buyer_id"]) == (APP_ID, SELLER, COMPANY)
    assert fields["body"] == "", "an empty field is sent and signed"


def test_it_is_repeated_until_the_answer_is_exactly_success(
    sandbox: Sandbox, alipay: Alipay, merchant: Receiver
) -> None:
    merchant.answers = [(500, b"success"), (200, b"success\n"), (200, b"SUCCESS"), (200, b"success")]
    _pay(sandbox, alipay, merchant)

    received = merchant.wait_for(4)
    time.sleep(0.6)

    assert len(merchant.received) == 4
    assert len({fields["notify_id"] for fields in received}) == 1
    assert len({fields["sign"] for fields in received}) == 1
    assert [n["status"] for n in sandbox.get("notifications")] == ["delivered"]


def test_it_gives_up_after_eight_deliveries(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    sandbox.post("settings", notify_gap_scale=1 / 1_000_000)
    merchant.answers = [(200, b"fail")] * 20
    _pay(sandbox, alipay, merchant)

    merchant.wait_for(8)
    time.sleep(0.6)

    assert len(merchant.received) == 8
    assert sandbox.get("notifications")[0]["status"] == "given_up"


def test_refunds_and_closing_are_notified(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    _pay(sandbox, alipay, merchant)
    merchant.wait_for(1)
    for amount, number in (("40000.00", "R1"), ("60000.00", "R2")):
        alipay.call("alipay.trade.refund", out_trade_no="D1", refund_amount=amount, out_request_no=number)
    alipay.open_cashier("D2", notify_url=merchant.url)
    alipay.call("alipay.trade.close", out_trade_no="D2")

    partly, fully, closed = sorted(
        merchant.wait_for(4)[1:], key=lambda f: (f["out_trade_no"], f.get("out_biz_no", ""))
    )

    assert (partly["trade_status"], partly["out_biz_no"], partly["refund_fee"]) == (
        "TRADE_SUCCESS",
        "R1",
        "40000.00",
    )
    assert (fully["trade_status"], fully["refund_fee"]) == ("TRADE_CLOSED", "100000.00")
    assert (closed["out_trade_no"], closed["trade_status"]) == ("D2", "TRADE_CLOSED")


def test_a_lost_notification_never_comes(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    sandbox.fault("notification", "lost")
    _pay(sandbox, alipay, merchant)

    time.sleep(0.6)

    assert merchant.received == []
    assert sandbox.get("notifications")[0]["status"] == "lost"


def test_a_doubled_notification_comes_twice(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    sandbox.fault("notification", "doubled")
    _pay(sandbox, alipay, merchant)

    first, second = merchant.wait_for(2)

    assert first == second


def test_a_late_notification_comes_late(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    sandbox.fault("notification", "late", seconds=1)
    _pay(sandbox, alipay, merchant)

    time.sleep(0.5)
    assert merchant.received == []
    merchant.wait_for(1)


def test_reordered_notifications_arrive_the_other_way_round(
    sandbox: Sandbox, alipay: Alipay, merchant: Receiver
) -> None:
    sandbox.fault("notification", "reordered")
    _pay(sandbox, alipay, merchant)
    alipay.call("alipay.trade.refund", out_trade_no="D1", refund_amount="100000.00")

    received = merchant.wait_for(2)

    assert [fields["trade_status"] for fields in received] == ["TRADE_CLOSED", "TRADE_SUCCESS"]


def test_a_forged_notification_does_not_verify(sandbox: Sandbox, alipay: Alipay, merchant: Receiver) -> None:
    sandbox.fault("notification", "forged")
    _pay(sandbox, alipay, merchant)

    received = merchant.wait_for(2)

    assert sorted(alipay.is_true_notification(fields) for fields in received) == [False, True]


@pytest.mark.parametrize("forge", [False, True])
def test_any_notification_can_be_sent_on_order(
    sandbox: Sandbox, alipay: Alipay, merchant: Receiver, forge: bool
) -> None:
    sandbox.post(
        "notify",
        url=merchant.url,
        fields={"out_trade_no": "D9", "trade_status": "TRADE_SUCCESS"},
        forge=forge,
    )

    fields = merchant.wait_for(1)[0]

    assert fields["out_trade_no"] == "D9"
    assert alipay.is_true_notification(fields) is not forge
