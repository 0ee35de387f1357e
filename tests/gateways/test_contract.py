"""The real clients against the sandbox: the two sides were written apart, from the same facts."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from applications.gateways.taobao import TopClient
from deposits.gateways.alipay import (
    Alipay,
    BillType,
    CloseOutcome,
    IdentityType,
    TradeStatus,
    TransferStatus,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.taobao.oauth import Token, authorize_url, exchange_code
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind

SELLER = 2200606100001
SUB_ACCOUNT = 2200606100010
BUYER = "2088101000000101"
BACK = "http://127.0.0.1:8000/accounts/taobao/login/callback/"
AMOUNT = Decimal("100000.00")


def log_in(sandbox: SandboxClient, user: int = SELLER) -> Token:
    return exchange_code(sandbox.authorize(user, BACK), BACK)


@pytest.fixture
def top(sandbox: SandboxClient) -> TopClient:
    return TopClient.from_settings()


@pytest.fixture
def alipay(sandbox: SandboxClient) -> Alipay:
    return Alipay.from_settings()


@pytest.fixture
def paid(sandbox: SandboxClient, alipay: Alipay) -> Callable[[str], None]:
    """Open the cashier of a number and pay there."""

    def pay(out_trade_no: str) -> None:
        assert open_cashier(alipay, out_trade_no).status_code == 302
        sandbox.pay(out_trade_no, BUYER, lose_notification=True)

    return pay


def open_cashier(alipay: Alipay, out_trade_no: str) -> httpx.Response:
    url = alipay.cashier_url(
        out_trade_no,
        AMOUNT,
        "保证金 {杭州云栖} & co",
        clock.now() + dt.timedelta(hours=1),
        "http://127.0.0.1:8000/alipay/notify/",
        "http://127.0.0.1:8000/console/",
        passback="a=1&b",
    )
    return httpx.get(url, trust_env=False)


# Taobao -----------------------------------------------------------------------------------------------


def test_the_authorize_page_accepts_our_address(sandbox: SandboxClient) -> None:
    assert httpx.get(authorize_url(BACK, "nonce"), trust_env=False).status_code == 200


def test_a_code_is_good_once(sandbox: SandboxClient) -> None:
    code = sandbox.authorize(SELLER, BACK)
    token = exchange_code(code, BACK)

    with pytest.raises(GatewayError) as error:
        exchange_code(code, BACK)

    assert (token.taobao_user_id, token.nick) == (str(SELLER), "杭州云栖电商服务")
    assert token.expires_at > clock.now()
    assert error.value.kind is Kind.REAUTHORISE


def test_a_sub_account_logs_in_for_its_seller(sandbox: SandboxClient) -> None:
    token = log_in(sandbox, SUB_ACCOUNT)

    assert token.taobao_user_id == str(SELLER)
    assert (token.sub_taobao_user_id, token.sub_nick) == (str(SUB_ACCOUNT), "杭州云栖电商服务:客服主管")


def test_a_wrong_secret_is_refused(sandbox: SandboxClient, settings: Settings) -> None:
    settings.TAOBAO_APP_SECRET = "wrong"

    with pytest.raises(GatewayError) as token_error:
        log_in(sandbox)
    with pytest.raises(GatewayError) as call_error:
        TopClient.from_settings().server_time()

    assert (token_error.value.kind, token_error.value.code) == (Kind.REFUSED, "invalid_client")
    assert (call_error.value.kind, call_error.value.code) == (Kind.REFUSED, "25")


def test_a_shop_is_read(sandbox: SandboxClient, top: TopClient) -> None:
    token = log_in(sandbox)

    seller = top.seller(token.access_token)
    shop = top.shop(token.access_token)
    legacy = top.legacy_shop(token.nick, token.access_token)

    assert (seller.user_id, seller.nick, seller.type, seller.status) == (
        str(SELLER),
        token.nick,
        "B",
        "normal",
    )
    assert seller.has_shop is True
    assert seller.credit_level is not None
    assert shop is not None
    assert shop.title == f"{token.nick}旗舰店"
    assert legacy is not None
    assert legacy.created == dt.datetime(2019, 3, 12, 10, tzinfo=clock.SHANGHAI)
    assert legacy.item_score is not None


def test_what_taobao_does_not_give_is_not_available(sandbox: SandboxClient, top: TopClient) -> None:
    bare = log_in(sandbox, 2200606100009)
    refused = log_in(sandbox, 2200606100008)
    none = log_in(sandbox, 2200606100007)

    legacy = top.legacy_shop(bare.nick, bare.access_token)

    assert legacy is not None
    assert (legacy.created, legacy.item_score) == (None, None)
    assert top.legacy_shop(refused.nick, refused.access_token) is None
    assert top.legacy_shop(none.nick, none.access_token) is None
    assert top.shop(none.access_token) is None
    assert top.seller(none.access_token).has_shop is False


def test_service_orders_are_read(sandbox: SandboxClient, top: TopClient) -> None:
    token = log_in(sandbox)

    (order,) = top.service_orders(token.nick, "FW_GOODS-1000001", token.access_token)

    assert order.cycle_start is not None
    assert order.cycle_start < clock.now()
    assert top.service_orders(token.nick, "FW_GOODS-0", token.access_token) == []


def test_the_clocks_agree(top: TopClient) -> None:
    assert abs(top.server_time() - clock.now()) < dt.timedelta(seconds=5)


def test_an_expired_session_needs_the_merchant(sandbox: SandboxClient, top: TopClient) -> None:
    token = log_in(sandbox)
    sandbox.expire_session(SELLER)

    with pytest.raises(GatewayError) as error:
        top.seller(token.access_token)

    assert (error.value.kind, error.value.code) == (Kind.REAUTHORISE, "27")


def test_a_moment_of_trouble_is_survived(sandbox: SandboxClient, top: TopClient) -> None:
    sandbox.fault("taobao.time.get", "top_error", times=2)

    assert top.server_time()


@pytest.mark.parametrize("kind", ["http_502", "drop", "garbage", "top_error"])
def test_a_taobao_in_trouble_is_no_answer(sandbox: SandboxClient, top: TopClient, kind: str) -> None:
    sandbox.fault("taobao.time.get", kind, times=-1)

    with pytest.raises(GatewayError) as error:
        top.server_time()

    assert error.value.kind is Kind.UNKNOWN


# Alipay -----------------------------------------------------------------------------------------------


def test_a_trade_from_cashier_to_refund(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    assert alipay.query_trade("D1") is None
    paid("D1")

    trade = alipay.query_trade("D1")
    assert trade is not None
    assert (trade.status, trade.total_amount) == (TradeStatus.TRADE_SUCCESS, AMOUNT)
    assert (trade.buyer_user_id, trade.buyer_user_type) == (BUYER, "CORPORATE")
    assert trade.buyer_user_name == "杭州云栖电商服务有限公司"
    assert trade.paid_at is not None

    assert alipay.query_refund("D1", "R1") is None
    first = alipay.refund("D1", Decimal("40000.00"), "R1", "part")
    again = alipay.refund("D1", Decimal("40000.00"), "R1", "part")
    rest = alipay.refund("D1", Decimal("60000.00"), "R2", "rest")

    assert (first.fund_change, first.total_refunded) == (True, Decimal("40000.00"))
    assert (again.fund_change, again.total_refunded) == (False, Decimal("40000.00"))
    assert (rest.fund_change, rest.total_refunded) == (True, AMOUNT)
    state = alipay.query_refund("D1", "R1")
    assert state is not None
    assert state.amount == Decimal("40000.00")
    assert state.refunded_at is not None
    assert sandbox.books()["balanced"]


def test_a_number_with_another_amount_is_unknown_until_it_is_queried(
    alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    alipay.refund("D1", Decimal("1.00"), "R1", "x")

    with pytest.raises(GatewayError) as error:
        alipay.refund("D1", Decimal("2.00"), "R1", "x")

    assert (error.value.kind, error.value.code) == (Kind.UNKNOWN, "ACQ.DISCORDANT_REPEAT_REQUEST")


def test_more_than_was_paid_is_refused(alipay: Alipay, paid: Callable[[str], None]) -> None:
    paid("D1")

    with pytest.raises(GatewayError) as error:
        alipay.refund("D1", AMOUNT + 1, "R1", "x")

    assert error.value.kind is Kind.REFUSED


def test_past_its_window_a_trade_is_finished(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    sandbox.change_settings(refund_window_days=0)

    trade = alipay.query_trade("D1")
    with pytest.raises(GatewayError) as error:
        alipay.refund("D1", AMOUNT, "R1", "x")

    assert trade is not None
    assert trade.status is TradeStatus.TRADE_FINISHED
    assert trade.is_paid
    assert (error.value.kind, error.value.code) == (Kind.REFUSED, "ACQ.TRADE_HAS_FINISHED")


def test_closing_tells_what_it_found(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    cashier = open_cashier(alipay, "D2")
    httpx.get(
        cashier.headers["location"]
        if "://" in cashier.headers["location"]
        else f"{sandbox.url}{cashier.headers['location']}",
        trust_env=False,
    )

    assert alipay.close_trade("D1") is CloseOutcome.ALREADY_PAID
    assert alipay.close_trade("D2") is CloseOutcome.CLOSED
    assert alipay.close_trade("D2") is CloseOutcome.CLOSED
    assert alipay.close_trade("D3") is CloseOutcome.NOT_EXIST


def test_an_account_may_be_known_by_its_open_id_alone(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    sandbox.change_settings(open_id_only=True)

    trade = alipay.query_trade("D1")
    assert trade is not None
    assert trade.buyer_user_id is None
    assert trade.buyer_open_id is not None

    sent = alipay.transfer("T1", AMOUNT, trade.buyer_open_id, IdentityType.OPEN_ID, None, "退还", "exit")

    assert sent.status is TransferStatus.SUCCESS


def test_a_transfer_is_made_once(sandbox: SandboxClient, alipay: Alipay) -> None:
    assert alipay.query_transfer("T1") is None

    first = alipay.transfer("T1", AMOUNT, BUYER, IdentityType.USER_ID, None, "保证金退还", "exit")
    again = alipay.transfer("T1", AMOUNT, BUYER, IdentityType.USER_ID, None, "保证金退还", "exit")

    assert first.status is TransferStatus.SUCCESS
    assert first.order_id == again.order_id
    found = alipay.query_transfer("T1")
    assert found is not None
    assert found.order_id == first.order_id
    assert found.transferred_at is not None
    (row,) = sandbox.transfers(out_biz_no="T1")
    assert row["executions"] == 1


def test_a_transfer_under_way_is_dealing_and_may_come_back(sandbox: SandboxClient, alipay: Alipay) -> None:
    sandbox.change_settings(transfer_mode="dealing")
    sent = alipay.transfer("T1", AMOUNT, BUYER, IdentityType.USER_ID, None, "保证金退还", "exit")
    sandbox.post("transfers", out_biz_no="T1", status="SUCCESS")
    arrived = alipay.query_transfer("T1")
    sandbox.post("transfers", out_biz_no="T1", status="REFUND", reason="PAYEE_CLOSED")
    back = alipay.query_transfer("T1")

    assert arrived is not None
    assert back is not None
    assert [sent.status, arrived.status, back.status] == [
        TransferStatus.DEALING,
        TransferStatus.SUCCESS,
        TransferStatus.REFUND,
    ]
    assert back.error_code == "PAYEE_CLOSED"


@pytest.mark.parametrize(
    ("identity", "kind", "name", "amount", "code"),
    [
        ("nobody@example.com", IdentityType.LOGON_ID, "无名", AMOUNT, "PAYEE_NOT_EXIST"),
        (BUYER, IdentityType.USER_ID, "别的公司", AMOUNT, "PAYEE_USER_INFO_ERROR"),
        (BUYER, IdentityType.USER_ID, None, AMOUNT + 1, "EXCEED_LIMIT_ENT_SM_AMOUNT"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(
    alipay: Alipay, identity: str, kind: IdentityType, name: str | None, amount: Decimal, code: str
) -> None:
    with pytest.raises(GatewayError) as error:
        alipay.transfer("T1", amount, identity, kind, name, "保证金退还", "exit")

    assert (error.value.kind, error.value.code) == (Kind.REFUSED, code)


def test_a_transfer_without_the_money_waits_for_a_top_up(sandbox: SandboxClient, alipay: Alipay) -> None:
    def send(number: int) -> object:
        return alipay.transfer(f"T{number}", AMOUNT, BUYER, IdentityType.USER_ID, None, "保证金退还", "exit")

    for number in range(5):
        send(number)
    with pytest.raises(GatewayError) as error:
        send(5)

    assert (error.value.kind, error.value.code) == (Kind.NOT_EXECUTED, "PAYER_BALANCE_NOT_ENOUGH")


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("http_502", {}),
        ("drop", {}),
        ("executes_then_drops", {}),
        ("garbage", {}),
        ("no_sign", {}),
        ("bad_sign", {}),
        ("code_20000", {"executed": True}),
        ("code_20000", {}),
        ("system_error", {"executed": True}),
        ("system_error", {}),
        ("wrong_values", {"set": {"out_trade_no": "D9"}}),
    ],
)
def test_after_every_fault_a_refund_is_made_once(
    sandbox: SandboxClient,
    alipay: Alipay,
    paid: Callable[[str], None],
    fault: str,
    params: dict[str, Any],
) -> None:
    paid("D1")
    sandbox.fault("alipay.trade.refund", fault, **params)

    with pytest.raises(GatewayError) as error:
        alipay.refund("D1", AMOUNT, "R1", "exit")
    if alipay.query_refund("D1", "R1") is None:
        alipay.refund("D1", AMOUNT, "R1", "exit")

    assert error.value.kind is Kind.UNKNOWN
    assert alipay.query_refund("D1", "R1") is not None
    books = sandbox.books()
    assert books["balanced"]
    assert books["refunded"] == "100000.00"
    assert books["refunds_executed_more_than_once"] == []


def test_notifications_of_the_sandbox_verify_and_forged_ones_do_not(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    genuine, forged = (
        sandbox.notify(url="http://127.0.0.1:9/", out_trade_no="D1", forge=forge) for forge in (False, True)
    )

    def fields(row: dict[str, object]) -> dict[str, str]:
        (found,) = [n for n in sandbox.notifications() if n["notify_id"] == row["notify_id"]]
        return dict(found["fields"])

    assert alipay.verify_notification(fields(genuine))
    assert not alipay.verify_notification(fields(forged))


def test_a_bill_is_downloaded_the_day_after(
    sandbox: SandboxClient, alipay: Alipay, paid: Callable[[str], None]
) -> None:
    paid("D1")
    today = clock.today()
    clock.set_offset(dt.timedelta(days=1, hours=12))
    try:
        url = alipay.bill_url(BillType.TRADE, today)
        absent = alipay.bill_url(BillType.TRADE, today - dt.timedelta(days=30))
        assert url is not None
        content = alipay.download_bill(url)
    finally:
        clock.set_offset(dt.timedelta())

    assert absent is None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = "".join(archive.read(name).decode("gbk") for name in archive.namelist())
    assert "D1" in text
