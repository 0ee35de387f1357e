"""The Alipay adapter against a loopback gateway that signs for real (protocols B3–B9)."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from deposits.gateways import alipay as module
from deposits.gateways.alipay import (
    Alipay,
    BillType,
    CloseOutcome,
    IdentityType,
    RefundAnswer,
    RefundState,
    TradeStatus,
    Transfer,
    TransferStatus,
)
from tests.gateways import keys
from tests.gateways.loopback import Loopback, Reply, Request
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind

AMOUNT = Decimal("100000.00")


@pytest.fixture
def alipay(settings: Any, tmp_path: Path, loopback: Loopback, key_ring: keys.KeyRing) -> Alipay:
    (tmp_path / "app_private_key.pem").write_text(key_ring.app_private_pem)
    (tmp_path / "app_cert.pem").write_text(key_ring.app_cert)
    (tmp_path / "alipay_cert.pem").write_text(key_ring.alipay_cert)
    (tmp_path / "alipay_root_cert.pem").write_text(key_ring.root_cert)
    settings.ALIPAY_KEY_DIR = tmp_path
    settings.ALIPAY_APP_ID = "2021000000000001"
    settings.ALIPAY_GATEWAY_URL = f"{loopback.url}/gateway.do"
    return Alipay.from_settings()


@pytest.fixture
def answer(loopback: Loopback, key_ring: keys.KeyRing) -> Callable[..., None]:
    """Queue a signed answer of the method that is asked."""

    def queue(**fields: object) -> None:
        def reply(request: Request) -> Reply:
            root = request.form["method"].replace(".", "_") + "_response"
            return Reply(key_ring.signed(root, keys.inner(**fields)))

        loopback.answers.append(reply)

    return queue


def asked(loopback: Loopback, index: int = 0) -> tuple[str, dict[str, Any]]:
    form = loopback.requests[index].form
    return form["method"], json.loads(form["biz_content"])


def trade(**fields: object) -> dict[str, Any]:
    return {
        "code": "10000",
        "msg": "Success",
        "out_trade_no": "D1",
        "trade_no": "2026112422001",
        "trade_status": "TRADE_SUCCESS",
        "total_amount": "100000.00",
        "send_pay_date": "2026-11-24 12:00:00",
        "buyer_user_id": "2088102169481075",
        "buyer_user_type": "CORPORATE",
        **fields,
    }


def business_failure(sub_code: str) -> dict[str, Any]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "小店甲余额不足"}


def refund(alipay: Alipay) -> RefundAnswer:
    return alipay.refund("D1", AMOUNT, "R1", "exit")


def transfer(alipay: Alipay, **changes: Any) -> Transfer:
    arguments: dict[str, Any] = {
        "out_biz_no": "T1",
        "amount": AMOUNT,
        "payee_identity": "2088102169481075",
        "identity_type": IdentityType.USER_ID,
        "payee_name": None,
        "title": "保证金退还",
        "remark": "exit",
    }
    return alipay.transfer(**{**arguments, **changes})


# The cashier ------------------------------------------------------------------------------------------


def test_the_cashier_address_is_signed_and_says_what_is_to_be_paid(
    alipay: Alipay, key_ring: keys.KeyRing, loopback: Loopback
) -> None:
    url = alipay.cashier_url(
        "D1",
        AMOUNT,
        "保证金 {小店甲} & co",
        dt.datetime(2026, 12, 9, 16, 0, tzinfo=dt.UTC),
        "http://127.0.0.1:8000/alipay/notify/",
        "http://127.0.0.1:8000/console/deposit/",
        passback="a=1&b",
    )

    assert url.startswith(f"{loopback.url}/gateway.do?")
    params = dict(parse_qsl(urlsplit(url).query))
    signature = params.pop("sign")
    text = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
    assert keys.is_signed(key_ring.app_key.public_key(), text, signature)
    assert params["method"] == "alipay.trade.page.pay"
    assert params["notify_url"] == "http://127.0.0.1:8000/alipay/notify/"
    assert params["return_url"] == "http://127.0.0.1:8000/console/deposit/"
    content = json.loads(params["biz_content"])
    assert unquote(content.pop("passback_params")) == "a=1&b"
    assert content == {
        "out_trade_no": "D1",
        "total_amount": "100000.00",
        "subject": "保证金 {小店甲} & co",
        "product_code": "FAST_INSTANT_TRADE_PAY",
        "time_expire": "2026-12-10 00:00:00",
    }
    assert loopback.requests == []


@pytest.mark.parametrize("amount", [Decimal("0"), Decimal("-1"), Decimal("0.001"), 100.0, "100"])
def test_an_amount_that_is_no_money_is_a_mistake(alipay: Alipay, amount: Any) -> None:
    with pytest.raises(ValueError, match="amount"):
        alipay.refund("D1", amount, "R1", "exit")


def test_a_naive_deadline_is_a_mistake(alipay: Alipay) -> None:
    with pytest.raises(ValueError, match="naive"):
        alipay.cashier_url("D1", AMOUNT, "s", dt.datetime(2026, 12, 1), "n", "r")


# Notifications ----------------------------------------------------------------------------------------


@pytest.fixture
def notification(key_ring: keys.KeyRing) -> Callable[..., dict[str, str]]:
    """Signed by the V1 rule, empty values included."""

    def make(**changes: str) -> dict[str, str]:
        params = {
            "notify_id": "n1",
            "app_id": "2021000000000001",
            "out_trade_no": "D1",
            "trade_status": "TRADE_SUCCESS",
            "total_amount": "100000.00",
            "subject": "保证金 & } =",
            "body": "",
            **changes,
        }
        text = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
        return {**params, "sign_type": "RSA2", "sign": keys.sign(key_ring.alipay_key, text)}

    return make


def test_a_notification_of_alipay_verifies_and_is_left_as_it_is(
    alipay: Alipay, notification: Callable[..., dict[str, str]]
) -> None:
    params = notification()
    before = dict(params)

    assert alipay.verify_notification(params)
    assert params == before


def test_a_notification_verifies_with_the_certificate_number_signed_or_not(
    alipay: Alipay, notification: Callable[..., dict[str, str]]
) -> None:
    assert alipay.verify_notification(notification(alipay_cert_sn="abc"))
    assert alipay.verify_notification({**notification(), "alipay_cert_sn": "abc"})


@pytest.mark.parametrize(
    "change",
    [
        {"total_amount": "1.00"},
        {"body": "x"},
        {"added": ""},
        {"sign": ""},
        {"sign": "no base64!"},
        {"sign": "é"},
        {"sign": "A" * 344},
        {"sign_type": "RSA"},
        {"subject": "\ud800"},
    ],
)
def test_a_changed_notification_does_not_verify(
    alipay: Alipay, notification: Callable[..., dict[str, str]], change: Any
) -> None:
    assert not alipay.verify_notification({**notification(), **change})


def test_a_notification_with_a_value_or_the_signature_missing_does_not_verify(
    alipay: Alipay, notification: Callable[..., dict[str, str]]
) -> None:
    for name in ("body", "sign", "app_id"):
        assert not alipay.verify_notification({k: v for k, v in notification().items() if k != name})
    assert not alipay.verify_notification({})


def test_a_notification_signed_by_another_key_does_not_verify(alipay: Alipay, key_ring: keys.KeyRing) -> None:
    assert not alipay.verify_notification({"a": "1", "sign": keys.sign(key_ring.app_key, "a=1")})


# Trades -----------------------------------------------------------------------------------------------


def test_a_paid_trade_is_read(alipay: Alipay, answer: Callable[..., None], loopback: Loopback) -> None:
    answer(**trade(buyer_user_name="小店甲"))

    found = alipay.query_trade("D1")
    assert found is not None

    assert asked(loopback) == ("alipay.trade.query", {"out_trade_no": "D1"})
    assert found == module.Trade(
        trade_no="2026112422001",
        out_trade_no="D1",
        status=TradeStatus.TRADE_SUCCESS,
        total_amount=AMOUNT,
        buyer_user_id="2088102169481075",
        buyer_open_id=None,
        buyer_user_type="CORPORATE",
        buyer_user_name="小店甲",
        paid_at=dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC),
    )
    assert found.is_paid
    assert found.paid_at is not None
    assert found.paid_at.tzinfo == clock.SHANGHAI


def test_a_trade_that_waits_is_not_paid(alipay: Alipay, answer: Callable[..., None]) -> None:
    answer(**trade(trade_status="WAIT_BUYER_PAY", send_pay_date="", total_amount=100000.0))

    found = alipay.query_trade("D1")
    assert found is not None

    assert not found.is_paid
    assert found.paid_at is None
    assert found.total_amount == AMOUNT


def test_an_unknown_trade_is_none(alipay: Alipay, answer: Callable[..., None]) -> None:
    answer(**business_failure("ACQ.TRADE_NOT_EXIST"))

    assert alipay.query_trade("D1") is None


@pytest.mark.parametrize(
    "change",
    [
        {"out_trade_no": "D2"},
        {"trade_no": None},
        {"trade_status": "TRADE_MAYBE"},
        {"trade_status": None},
        {"total_amount": None},
        {"total_amount": "1e400"},
        {"total_amount": "NaN"},
        {"total_amount": "0.001"},
        {"total_amount": "-1"},
        {"total_amount": [1]},
        {"send_pay_date": "yesterday"},
        {"buyer_user_id": 2088},
    ],
)
def test_a_signed_but_garbled_trade_is_unknown(
    alipay: Alipay, answer: Callable[..., None], change: Any
) -> None:
    answer(**trade(**change))

    with pytest.raises(GatewayError) as error:
        alipay.query_trade("D1")

    assert (error.value.kind, error.value.code) == (Kind.UNKNOWN, "malformed")


def test_an_unpaid_trade_is_closed(alipay: Alipay, answer: Callable[..., None], loopback: Loopback) -> None:
    answer(code="10000", out_trade_no="D1")

    assert alipay.close_trade("D1") is CloseOutcome.CLOSED
    assert asked(loopback) == ("alipay.trade.close", {"out_trade_no": "D1"})


def test_a_trade_that_was_never_opened_does_not_exist(alipay: Alipay, answer: Callable[..., None]) -> None:
    answer(**business_failure("ACQ.TRADE_NOT_EXIST"))

    assert alipay.close_trade("D1") is CloseOutcome.NOT_EXIST


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (trade(), CloseOutcome.ALREADY_PAID),
        (trade(trade_status="TRADE_FINISHED"), CloseOutcome.ALREADY_PAID),
        (trade(trade_status="TRADE_CLOSED"), CloseOutcome.ALREADY_PAID),
        (trade(trade_status="TRADE_CLOSED", send_pay_date=None), CloseOutcome.CLOSED),
        (business_failure("ACQ.TRADE_NOT_EXIST"), CloseOutcome.NOT_EXIST),
    ],
)
def test_a_trade_that_cannot_be_closed_is_asked_why(
    alipay: Alipay, answer: Callable[..., None], state: dict[str, Any], outcome: CloseOutcome
) -> None:
    answer(**business_failure("ACQ.TRADE_STATUS_ERROR"))
    answer(**state)

    assert alipay.close_trade("D1") is outcome


def test_a_trade_that_is_open_and_does_not_close_is_unknown(
    alipay: Alipay, answer: Callable[..., None]
) -> None:
    answer(**business_failure("ACQ.TRADE_STATUS_ERROR"))
    answer(**trade(trade_status="WAIT_BUYER_PAY", send_pay_date=None))

    with pytest.raises(GatewayError) as error:
        alipay.close_trade("D1")

    assert error.value.kind is Kind.UNKNOWN


# Refunds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "moved"), [("Y", True), ("N", False)])
def test_a_refund_says_whether_it_moved_money(
    alipay: Alipay, answer: Callable[..., None], loopback: Loopback, change: Any, moved: bool
) -> None:
    answer(code="10000", out_trade_no="D1", fund_change=change, refund_fee="100000.00")

    assert refund(alipay) == RefundAnswer(fund_change=moved, total_refunded=AMOUNT)
    assert asked(loopback) == (
        "alipay.trade.refund",
        {"out_trade_no": "D1", "refund_amount": "100000.00", "out_request_no": "R1", "refund_reason": "exit"},
    )


def test_a_refund_that_was_carried_out_is_found(alipay: Alipay, answer: Callable[..., None]) -> None:
    answer(
        code="10000",
        out_trade_no="D1",
        out_request_no="R1",
        refund_status="REFUND_SUCCESS",
        refund_amount="5.00",
        gmt_refund_pay="2026-11-24 12:00:00",
    )

    assert alipay.query_refund("D1", "R1") == RefundState(
        amount=Decimal("5.00"), refunded_at=dt.datetime(2026, 11, 24, 12, tzinfo=clock.SHANGHAI)
    )


@pytest.mark.parametrize(
    "fields", [{"code": "10000", "out_trade_no": "D1"}, business_failure("ACQ.TRADE_NOT_EXIST")]
)
def test_a_refund_that_was_not_received_or_failed_is_none(
    alipay: Alipay, answer: Callable[..., None], fields: dict[str, Any]
) -> None:
    answer(**fields)

    assert alipay.query_refund("D1", "R1") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"refund_status": "REFUND_MAYBE", "refund_amount": "5.00"},
        {"refund_status": "REFUND_SUCCESS"},
        {"refund_status": "REFUND_SUCCESS", "refund_amount": "5.00", "out_request_no": "R2"},
        {"out_trade_no": "D2"},
    ],
)
def test_a_garbled_refund_state_is_unknown(
    alipay: Alipay, answer: Callable[..., None], fields: dict[str, Any]
) -> None:
    answer(code="10000", **fields)

    with pytest.raises(GatewayError) as error:
        alipay.query_refund("D1", "R1")

    assert error.value.kind is Kind.UNKNOWN


# Transfers --------------------------------------------------------------------------------------------


def test_a_transfer_sends_texts_and_no_empty_name(
    alipay: Alipay, answer: Callable[..., None], loopback: Loopback
) -> None:
    answer(
        code="10000",
        out_biz_no="T1",
        order_id="O1",
        pay_fund_order_id="P1",
        status="SUCCESS",
        trans_date="2026-11-24 12:00:00",
    )

    sent = transfer(alipay)

    assert (sent.status, sent.order_id, sent.pay_fund_order_id) == (TransferStatus.SUCCESS, "O1", "P1")
    assert sent.transferred_at == dt.datetime(2026, 11, 24, 12, tzinfo=clock.SHANGHAI)
    assert asked(loopback) == (
        "alipay.fund.trans.uni.transfer",
        {
            "out_biz_no": "T1",
            "trans_amount": "100000.00",
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            "order_title": "保证金退还",
            "payee_info": {"identity": "2088102169481075", "identity_type": "ALIPAY_USER_ID"},
            "remark": "exit",
        },
    )


def test_a_transfer_to_a_login_id_names_the_payee(
    alipay: Alipay, answer: Callable[..., None], loopback: Loopback
) -> None:
    answer(code="10000", out_biz_no="T1", status="DEALING")

    with pytest.raises(ValueError, match="name"):
        transfer(alipay, identity_type=IdentityType.LOGON_ID, payee_identity="a@b.cn")
    assert (
        transfer(
            alipay, identity_type=IdentityType.LOGON_ID, payee_identity="a@b.cn", payee_name="小店甲"
        ).status
        is TransferStatus.DEALING
    )

    assert asked(loopback)[1]["payee_info"] == {
        "identity": "a@b.cn",
        "identity_type": "ALIPAY_LOGON_ID",
        "name": "小店甲",
    }


def test_a_transfer_that_came_back_says_why(
    alipay: Alipay, answer: Callable[..., None], loopback: Loopback
) -> None:
    answer(code="10000", out_biz_no="T1", status="REFUND", error_code="PAYEE_CLOSED", pay_date="")

    found = alipay.query_transfer("T1")
    assert found is not None

    assert (found.status, found.error_code) == (TransferStatus.REFUND, "PAYEE_CLOSED")
    assert asked(loopback) == (
        "alipay.fund.trans.common.query",
        {"out_biz_no": "T1", "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"},
    )


def test_an_unknown_transfer_is_none(alipay: Alipay, answer: Callable[..., None]) -> None:
    answer(**business_failure("ORDER_NOT_EXIST"))

    assert alipay.query_transfer("T1") is None


@pytest.mark.parametrize("fields", [{"status": "MAYBE"}, {}, {"status": "SUCCESS", "out_biz_no": "T2"}])
def test_a_garbled_transfer_is_unknown(
    alipay: Alipay, answer: Callable[..., None], fields: dict[str, Any]
) -> None:
    answer(code="10000", **fields)

    with pytest.raises(GatewayError) as error:
        transfer(alipay)

    assert error.value.kind is Kind.UNKNOWN


# What a failure means ---------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [refund, transfer])
@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"code": "20000", "sub_code": "isp.unknow-error"}, Kind.UNKNOWN),
        ({"code": "20000"}, Kind.UNKNOWN),
        ({"code": "10003"}, Kind.UNKNOWN),
        ({"code": "99999"}, Kind.UNKNOWN),
        ({}, Kind.UNKNOWN),
        ({"code": 10000}, Kind.UNKNOWN),
        ({"code": "40005", "sub_code": "isv.app-call-limited"}, Kind.NOT_EXECUTED),
        *[({"code": code, "sub_code": "isv.x"}, Kind.REFUSED) for code in sorted(module.REFUSED_CODES)],
        (business_failure("ACQ.SYSTEM_ERROR"), Kind.UNKNOWN),
        (business_failure("SYSTEM_ERROR"), Kind.UNKNOWN),
        (business_failure("ACQ.DISCORDANT_REPEAT_REQUEST"), Kind.UNKNOWN),
        (business_failure("PAYMENT_INFO_INCONSISTENCY"), Kind.UNKNOWN),
        (business_failure("ACQ.NEVER_HEARD_OF"), Kind.UNKNOWN),
        (business_failure(""), Kind.UNKNOWN),
        (business_failure("EXCEED_LIMIT_ENT_SM_AMOUNT"), Kind.REFUSED),
        *[(business_failure(code), Kind.NOT_EXECUTED) for code in sorted(module.NOT_EXECUTED_SUB_CODES)],
        *[(business_failure(code), Kind.REFUSED) for code in sorted(module.REFUSED_SUB_CODES)],
    ],
)
def test_a_signed_failure_says_what_is_known(
    alipay: Alipay,
    answer: Callable[..., None],
    call: Callable[[Alipay], object],
    fields: dict[str, Any],
    kind: Kind,
) -> None:
    answer(**fields)

    with pytest.raises(GatewayError) as error:
        call(alipay)

    assert error.value.kind is kind
    assert error.value.code == str(fields.get("sub_code") or fields.get("code") or "unknown")
    assert error.value.prose == str(fields.get("sub_msg") or fields.get("msg") or "")
    assert "小店甲" not in str(error.value)


# Bills ------------------------------------------------------------------------------------------------


def test_a_bill_is_asked_for_and_downloaded(
    alipay: Alipay, answer: Callable[..., None], loopback: Loopback
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bill.csv", "明细".encode("gbk"))
    answer(code="10000", bill_download_url=f"{loopback.url}/bill?token=1")
    loopback.answers.append(Reply(packed.getvalue()))

    url = alipay.bill_url(BillType.SIGNCUSTOMER, dt.date(2026, 11, 23))
    assert url is not None

    assert asked(loopback) == (
        "alipay.data.dataservice.bill.downloadurl.query",
        {"bill_type": "signcustomer", "bill_date": "2026-11-23"},
    )
    assert alipay.download_bill(url) == packed.getvalue()
    assert loopback.requests[1].method == "GET"


@pytest.mark.parametrize("sub_code", ["BILL_NOT_EXIST", "isp.bill_not_exist"])
def test_a_day_without_a_bill_is_none(alipay: Alipay, answer: Callable[..., None], sub_code: str) -> None:
    answer(**business_failure(sub_code))

    assert alipay.bill_url(BillType.TRADE, dt.date(2026, 11, 23)) is None


@pytest.mark.parametrize("reply", [Reply(b"<html>expired</html>"), Reply(b"PK", status=404), Reply(b"")])
def test_what_is_no_zip_is_no_bill(alipay: Alipay, loopback: Loopback, reply: Reply) -> None:
    loopback.answers = [reply]

    with pytest.raises(GatewayError) as error:
        alipay.download_bill(f"{loopback.url}/bill")

    assert error.value.kind is Kind.UNKNOWN


# Keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app_private_key", "app_cert", "alipay_cert", "alipay_root_cert"])
def test_a_missing_key_file_is_named(alipay: Alipay, settings: Any, name: str) -> None:
    (settings.ALIPAY_KEY_DIR / f"{name}.pem").unlink()

    with pytest.raises(GatewayError, match=name) as error:
        Alipay.from_settings()

    assert (error.value.kind, error.value.code) == (Kind.NOT_EXECUTED, "key_files")


@pytest.mark.parametrize("name", ["app_private_key", "app_cert", "alipay_cert", "alipay_root_cert"])
def test_a_broken_key_file_is_no_crash(alipay: Alipay, settings: Any, name: str) -> None:
    (settings.ALIPAY_KEY_DIR / f"{name}.pem").write_text("garbage")

    with pytest.raises(GatewayError) as error:
        Alipay.from_settings()

    assert error.value.code == "key_files"
