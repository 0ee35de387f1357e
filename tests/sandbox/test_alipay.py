"""Alipay's gateway and books, as a client of the portal meets them (protocols B1–B8)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.sandbox.process import Sandbox
from tests.sandbox.wire import SELLER, Alipay, beijing_now

COMPANY, OTHER, POOR, PERSON = "2088101000000101", "2088101000000199", "2088101000000190", "2088102000000201"
RETURN = "http://127.0.0.1:8000/console/deposit/return/"


def _paid(
    sandbox: Sandbox, alipay: Alipay, number: str = "D1", amount: str = "100000.00", buyer: str = COMPANY
) -> None:
    assert alipay.open_cashier(number, amount).status_code == 200
    sandbox.post("pay", out_trade_no=number, buyer=buyer)


def _refund(alipay: Alipay, amount: str, request: str, number: str = "D1") -> dict[str, Any]:
    return alipay.call(
        "alipay.trade.refund", out_trade_no=number, refund_amount=amount, out_request_no=request
    )


def _transfer(alipay: Alipay, number: str, amount: str, payee: str = COMPANY, **info: str) -> dict[str, Any]:
    return alipay.call(
        "alipay.fund.trans.uni.transfer",
        out_biz_no=number,
        trans_amount=amount,
        product_code="TRANS_ACCOUNT_NO_PWD",
        biz_scene="DIRECT_TRANSFER",
        order_title="保证金退还",
        payee_info={"identity": payee, "identity_type": "ALIPAY_USER_ID"} | info,
    )


def _press(sandbox: Sandbox, page: Any, **form: str) -> Any:
    path = urlsplit(str(page.url)).path
    sandbox.http.get(path)
    token = sandbox.http.cookies["sandbox_csrftoken"]
    return sandbox.http.post(path, data=form | {"csrfmiddlewaretoken": token})


def test_get_and_post_are_both_understood(alipay: Alipay) -> None:
    params = alipay.params("alipay.trade.query", {"out_trade_no": "none"})

    by_get = alipay.verified(alipay.http.get(alipay.url, params=params), "alipay.trade.query")
    split = dict(params)
    query = {name: split.pop(name) for name in ("charset", "method", "app_id")}
    by_both = alipay.verified(alipay.http.post(alipay.url, params=query, data=split), "alipay.trade.query")

    assert by_get["sub_code"] == by_both["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_key_mode_has_no_certificate_serial_and_no_transfer(alipay: Alipay) -> None:
    def ask(method: str) -> Any:
        biz = {"out_trade_no": "none", "out_biz_no": "none"}
        return alipay.http.post(
            alipay.url, data=alipay.params(method, biz, app_cert_sn="", alipay_root_cert_sn="")
        )

    query = ask("alipay.trade.query")

    assert alipay.verified(query, "alipay.trade.query")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert "alipay_cert_sn" not in query.json()
    assert (
        ask("alipay.fund.trans.uni.transfer").json()["alipay_fund_trans_uni_transfer_response"]["code"]
        == "40006"
    )


@pytest.mark.parametrize(
    ("changed", "sub_code"),
    [
        ({"biz_content": '{"out_trade_no":"forged"}'}, "isv.invalid-signature"),
        ({"sign": ""}, "isv.missing-signature"),
        ({"app_id": "1"}, "isv.invalid-app-id"),
        ({"method": "alipay.nothing"}, "isv.invalid-method"),
    ],
)
def test_requests_that_do_not_hold_get_an_unsigned_refusal(
    alipay: Alipay, changed: dict[str, str], sub_code: str
) -> None:
    params = alipay.params("alipay.trade.query", {"out_trade_no": "none"})

    answer = alipay.http.post(alipay.url, data=params | changed).json()

    assert "sign" not in answer
    assert next(iter(answer.values()))["sub_code"] == sub_code


def test_a_timestamp_in_utc_is_refused(alipay: Alipay) -> None:
    alipay.offset = timedelta(hours=-8)
    params = alipay.params("alipay.trade.query", {"out_trade_no": "none"})

    answer = alipay.http.post(alipay.url, data=params).json()

    assert answer["alipay_trade_query_response"]["sub_code"] == "isv.invalid-timestamp"


def test_a_trade_exists_from_the_opened_cashier_on(sandbox: Sandbox, alipay: Alipay) -> None:
    def query() -> dict[str, Any]:
        return alipay.call("alipay.trade.query", out_trade_no="D1")

    before = query()
    alipay.open_cashier("D1")
    waiting = query()
    sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)
    paid = query()

    assert before["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert waiting["trade_status"] == "WAIT_BUYER_PAY"
    assert "buyer_user_id" not in waiting
    assert paid["trade_status"] == "TRADE_SUCCESS"
    assert paid["total_amount"] == "100000.00"
    assert paid["buyer_user_id"] == COMPANY
    assert paid["buyer_user_type"] == "CORPORATE"
    assert paid["buyer_user_name"] == "杭州云栖电商服务有限公司"
    assert paid["buyer_logon_id"] == "fin***@yunqi-ec.example.com"


def test_open_id_only_hides_the_user_id(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.post("settings", open_id_only=True)
    _paid(sandbox, alipay)

    answer = alipay.call("alipay.trade.query", out_trade_no="D1")

    account = sandbox.get("alipay-accounts", user_id=COMPANY)[0]
    assert answer["buyer_open_id"] == account["open_id"]
    assert "buyer_user_id" not in answer


def test_paying_on_the_page_leads_back_with_signed_parameters(sandbox: Sandbox, alipay: Alipay) -> None:
    page = alipay.open_cashier("D1", return_url=RETURN)

    response = _press(sandbox, page, action="pay", account=COMPANY)

    fields = dict(parse_qsl(urlsplit(response.headers["location"]).query, keep_blank_values=True))
    assert response.headers["location"].startswith(RETURN)
    assert fields["out_trade_no"] == "D1"
    assert fields["seller_id"] == SELLER
    assert alipay.is_true_notification(fields)


def test_a_private_person_and_a_new_account_can_pay(sandbox: Sandbox, alipay: Alipay) -> None:
    _press(sandbox, alipay.open_cashier("D1"), action="pay", account=PERSON)
    _press(
        sandbox,
        alipay.open_cashier("D2"),
        action="pay",
        account="new",
        new_user_id="2088900000000007",
        new_name="昆明新账号有限公司",
        new_kind="CORPORATE",
    )

    first = alipay.call("alipay.trade.query", out_trade_no="D1")
    second = alipay.call("alipay.trade.query", out_trade_no="D2")
    assert first["buyer_user_type"] == "PRIVATE"
    assert second["buyer_user_name"] == "昆明新账号有限公司"


def test_refused_payments_keep_the_page_and_say_why(sandbox: Sandbox, alipay: Alipay) -> None:
    page = alipay.open_cashier("D1")

    poor = _press(sandbox, page, action="pay", account=POOR)
    malformed = _press(
        sandbox, page, action="pay", account="new", new_user_id="1", new_name="某公司", new_kind="CORPORATE"
    )

    assert poor.status_code == malformed.status_code == 422
    assert "余额不足" in poor.text
    assert "2088 开头" in malformed.text


def test_a_trade_is_closed_at_its_absolute_expiry(sandbox: Sandbox, alipay: Alipay) -> None:
    alipay.open_cashier("D1", time_expire=beijing_now(timedelta(minutes=5)))
    sandbox.set_clock(301)

    payment = sandbox.http.post("/control/pay", json={"out_trade_no": "D1", "buyer": COMPANY})
    answer = alipay.call("alipay.trade.query", out_trade_no="D1")
    late = alipay.open_cashier("D2", time_expire=beijing_now())

    assert payment.json()["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
    assert answer["trade_status"] == "TRADE_CLOSED"
    assert late.status_code == 400


def test_closing_is_for_unpaid_trades(sandbox: Sandbox, alipay: Alipay) -> None:
    alipay.open_cashier("D1")
    closed = alipay.call("alipay.trade.close", out_trade_no="D1")
    _paid(sandbox, alipay, "D2")
    refused = alipay.call("alipay.trade.close", out_trade_no="D2")

    assert closed["code"] == "10000"
    assert alipay.call("alipay.trade.query", out_trade_no="D1")["trade_status"] == "TRADE_CLOSED"
    assert alipay.open_cashier("D1").text.count("交易已关闭")
    assert refused["sub_code"] == "ACQ.TRADE_STATUS_ERROR"


def test_a_refund_number_moves_money_once(sandbox: Sandbox, alipay: Alipay) -> None:
    _paid(sandbox, alipay)

    first = _refund(alipay, "40000.00", "R1")
    again = _refund(alipay, "40000.00", "R1")
    other = _refund(alipay, "50000.00", "R1")
    rest = _refund(alipay, "60000.00", "R2")

    assert (first["fund_change"], first["refund_fee"]) == ("Y", "40000.00")
    assert (again["fund_change"], again["refund_fee"]) == ("N", "40000.00")
    assert other["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert rest["refund_fee"] == "100000.00", "the total so far"
    assert alipay.call("alipay.trade.query", out_trade_no="D1")["trade_status"] == "TRADE_CLOSED"
    assert _refund(alipay, "60000.00", "R2")["fund_change"] == "N", "also after the trade is closed"
    assert [(r["calls"], r["executions"]) for r in sandbox.get("refunds")] == [(2, 1), (2, 1)]
    assert sandbox.get("books")["balanced"]


def test_eight_callers_of_one_refund_move_money_once(sandbox: Sandbox, alipay: Alipay) -> None:
    _paid(sandbox, alipay)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _refund(alipay, "100000.00", "R1")["fund_change"], range(8)))

    assert sorted(answers) == ["N"] * 7 + ["Y"]
    assert sandbox.get("refunds")[0]["executions"] == 1
    assert sandbox.get("books")["seller_balance"] == "500000.00"


def test_refunds_are_refused_where_they_must_be(sandbox: Sandbox, alipay: Alipay) -> None:
    alipay.open_cashier("D0")
    _paid(sandbox, alipay)

    refusals = [
        _refund(alipay, "1.00", "R1", "none")["sub_code"],
        _refund(alipay, "1.00", "R1", "D0")["sub_code"],
        _refund(alipay, "100000.01", "R1")["sub_code"],
        alipay.call("alipay.trade.refund", out_trade_no="D1", refund_amount="1.00")["sub_code"],
        _refund(alipay, "1.001", "R1")["sub_code"],
    ]
    sandbox.post("alipay-accounts", user_id=SELLER, balance="10.00")
    refusals.append(_refund(alipay, "100000.00", "R1")["sub_code"])

    assert refusals == [
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.INVALID_PARAMETER",
        "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    ]
    assert sandbox.get("refunds") == []


def test_after_the_window_the_trade_is_finished(sandbox: Sandbox, alipay: Alipay) -> None:
    _paid(sandbox, alipay)
    sandbox.set_clock(365 * 86400 + 60)
    alipay.offset = timedelta(days=365, seconds=60)

    assert alipay.call("alipay.trade.query", out_trade_no="D1")["trade_status"] == "TRADE_FINISHED"
    assert _refund(alipay, "100000.00", "R1")["sub_code"] == "ACQ.TRADE_HAS_FINISHED"


def test_refund_query_has_no_status_for_what_was_not_executed(sandbox: Sandbox, alipay: Alipay) -> None:
    _paid(sandbox, alipay)
    _refund(alipay, "40000.00", "R1")

    def query(request: str) -> dict[str, Any]:
        return alipay.call("alipay.trade.fastpay.refund.query", out_trade_no="D1", out_request_no=request)

    assert query("R1")["refund_status"] == "REFUND_SUCCESS"
    assert query("R1")["refund_amount"] == "40000.00"
    assert query("R2")["code"] == "10000"
    assert "refund_status" not in query("R2")


def test_a_transfer_number_moves_money_once(sandbox: Sandbox, alipay: Alipay) -> None:
    first = _transfer(alipay, "T1", "100000.00", name="杭州云栖电商服务有限公司")
    again = _transfer(alipay, "T1", "100000.00", name="杭州云栖电商服务有限公司")
    other = _transfer(alipay, "T1", "90000.00")

    found = alipay.call(
        "alipay.fund.trans.common.query",
        out_biz_no="T1",
        product_code="TRANS_ACCOUNT_NO_PWD",
        biz_scene="DIRECT_TRANSFER",
    )
    assert first["status"] == again["status"] == found["status"] == "SUCCESS"
    assert first["order_id"] == again["order_id"]
    assert other["sub_code"] == "PAYMENT_INFO_INCONSISTENCY"
    assert [(t["calls"], t["executions"]) for t in sandbox.get("transfers")] == [(2, 1)]
    assert sandbox.get("alipay-accounts", user_id=COMPANY)[0]["balance"] == "1100000.00"
    assert sandbox.get("books")["balanced"]


def test_transfers_are_refused_where_they_must_be(sandbox: Sandbox, alipay: Alipay) -> None:
    login = {"identity_type": "ALIPAY_LOGON_ID"}
    refusals = [
        _transfer(alipay, "T1", "100000.01")["sub_code"],
        _transfer(alipay, "T1", "50000.01", PERSON)["sub_code"],
        _transfer(alipay, "T1", "1.00", name="另一家公司")["sub_code"],
        _transfer(alipay, "T1", "1.00", "2088999999999999")["sub_code"],
        _transfer(alipay, "T1", "1.00", "lisi@example.com", **login)["sub_code"],
        _transfer(alipay, "T1", "0.01")["sub_code"],
        _transfer(alipay, "T1", "1.00", SELLER)["sub_code"],
    ]
    sandbox.post("alipay-accounts", user_id=SELLER, balance="10.00")
    refusals.append(_transfer(alipay, "T1", "100.00")["sub_code"])

    assert refusals == [
        "EXCEED_LIMIT_ENT_SM_AMOUNT",
        "EXCEED_LIMIT_PERSONAL_SM_AMOUNT",
        "PAYEE_USER_INFO_ERROR",
        "PAYEE_NOT_EXIST",
        "INVALID_PARAMETER",
        "EXCEED_LIMIT_SM_MIN_AMOUNT",
        "PAYER_PAYEE_CANNOT_SAME",
        "PAYER_BALANCE_NOT_ENOUGH",
    ]
    missing = alipay.call("alipay.fund.trans.common.query", out_biz_no="T1")
    assert missing["sub_code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize(
    ("end", "seller", "payee"), [("SUCCESS", "490000.00", "1010000.00"), ("FAIL", "500000.00", "1000000.00")]
)
def test_a_dealing_transfer_is_settled_later(
    sandbox: Sandbox, alipay: Alipay, end: str, seller: str, payee: str
) -> None:
    sandbox.post("settings", transfer_mode="dealing")

    begun = _transfer(alipay, "T1", "10000.00")
    in_transit = sandbox.get("books")
    sandbox.post("transfers", out_biz_no="T1", status=end)

    assert begun["status"] == "DEALING"
    assert in_transit["in_transit"] == "10000.00"
    assert in_transit["balanced"]
    assert alipay.call("alipay.fund.trans.common.query", out_biz_no="T1")["status"] == end
    assert sandbox.get("books")["seller_balance"] == seller
    assert sandbox.get("alipay-accounts", user_id=COMPANY)[0]["balance"] == payee


def test_a_bank_returns_a_transfer_after_success(sandbox: Sandbox, alipay: Alipay) -> None:
    _transfer(alipay, "T1", "10000.00")

    sandbox.post("transfers", out_biz_no="T1", status="REFUND")

    assert alipay.call("alipay.fund.trans.common.query", out_biz_no="T1")["status"] == "REFUND"
    assert sandbox.get("books")["seller_balance"] == "500000.00"
    assert sandbox.get("books")["balanced"]


def test_a_fee_is_taken_where_one_is_set(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.post("settings", fee_basis_points=60)

    _paid(sandbox, alipay)

    assert sandbox.get("books")["seller_balance"] == "599400.00"
    assert sandbox.get("books")["balanced"]


def test_another_amount_can_be_paid_on_order(sandbox: Sandbox, alipay: Alipay) -> None:
    alipay.open_cashier("D1")

    sandbox.post("pay", out_trade_no="D1", buyer=OTHER, amount="99999.00")

    assert alipay.call("alipay.trade.query", out_trade_no="D1")["total_amount"] == "99999.00"


def test_the_cashier_finds_accounts_that_it_does_not_list(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.post("load", accounts=[{"user_id": "2088700000000001", "name": "西安古城科技有限公司"}])
    path = urlsplit(str(alipay.open_cashier("D1").url)).path

    assert "西安古城" not in sandbox.http.get(path).text
    assert "2088700000000001" in sandbox.http.get(path, params={"q": "古城"}).text
