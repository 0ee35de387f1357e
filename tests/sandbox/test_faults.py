"""Faults on demand: what the client sees, and whether the call took effect."""

import time
from typing import Any

import httpx
import pytest

from tests.sandbox.process import Sandbox
from tests.sandbox.wire import Alipay, Top

COMPANY = "2088101000000101"
REFUND = "alipay.trade.refund"


@pytest.fixture
def paid(sandbox: Sandbox, alipay: Alipay) -> None:
    alipay.open_cashier("D1")
    sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)


def _raw(alipay: Alipay, method: str, **biz: Any) -> httpx.Response:
    return alipay.http.post(alipay.url, data=alipay.params(method, biz))


def _raw_refund(alipay: Alipay) -> httpx.Response:
    return _raw(alipay, REFUND, out_trade_no="D1", refund_amount="100000.00", out_request_no="R1")


def _executions(sandbox: Sandbox) -> int:
    return sum(row["executions"] for row in sandbox.get("refunds"))


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(("kind", "code"), [("code_20000", "20000"), ("system_error", "40004")])
def test_an_unknown_outcome_is_executed_or_not(
    sandbox: Sandbox, alipay: Alipay, kind: str, code: str, executed: bool
) -> None:
    sandbox.fault(REFUND, kind, executed=executed)

    answer = alipay.verified(_raw_refund(alipay), REFUND)

    assert answer["code"] == code
    assert _executions(sandbox) == int(executed)
    assert alipay.verified(_raw_refund(alipay), REFUND)["fund_change"] == ("N" if executed else "Y")


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize(("kind", "executed"), [("executes_then_drops", 1), ("drop", 0)])
def test_a_connection_can_be_dropped_after_or_before_execution(
    sandbox: Sandbox, alipay: Alipay, kind: str, executed: int
) -> None:
    sandbox.fault(REFUND, kind)

    with pytest.raises(httpx.RemoteProtocolError):
        _raw_refund(alipay)

    assert _executions(sandbox) == executed


@pytest.mark.usefixtures("paid")
def test_gateway_failures_are_not_answers(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.fault(REFUND, "http_502")
    sandbox.fault(REFUND, "garbage")

    assert _raw_refund(alipay).status_code == 502
    with pytest.raises(ValueError):
        _raw_refund(alipay).json()
    assert _executions(sandbox) == 0


@pytest.mark.usefixtures("paid")
def test_signatures_can_be_missing_or_wrong(sandbox: Sandbox, alipay: Alipay) -> None:
    query = "alipay.trade.query"
    sandbox.fault(query, "no_sign")
    sandbox.fault(query, "bad_sign")

    assert "sign" not in _raw(alipay, query, out_trade_no="D1").json()
    with pytest.raises(AssertionError):
        alipay.call(query, out_trade_no="D1")
    assert alipay.call(query, out_trade_no="D1")["code"] == "10000"


@pytest.mark.usefixtures("paid")
def test_a_query_can_tell_wrong_values_under_a_good_signature(sandbox: Sandbox, alipay: Alipay) -> None:
    changed = {"total_amount": "1.00", "buyer_user_id": "2088101000000199"}
    sandbox.post("faults", method="alipay.trade.query", kind="wrong_values", params={"set": changed})

    answer = alipay.call("alipay.trade.query", out_trade_no="D1")

    assert (answer["total_amount"], answer["buyer_user_id"]) == ("1.00", "2088101000000199")


@pytest.mark.usefixtures("paid")
def test_any_sub_code_can_be_ordered(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.fault(REFUND, "sub_code", sub_code="ACQ.TRADE_NOT_ALLOW_REFUND")

    assert alipay.verified(_raw_refund(alipay), REFUND)["sub_code"] == "ACQ.TRADE_NOT_ALLOW_REFUND"
    assert _executions(sandbox) == 0


def test_a_delay_delays(sandbox: Sandbox, top: Top) -> None:
    sandbox.fault("taobao.time.get", "delay", seconds=0.7)

    begun = time.monotonic()
    top.call("taobao.time.get")

    assert time.monotonic() - begun >= 0.7


def test_taobao_errors_can_be_ordered(sandbox: Sandbox, top: Top) -> None:
    sandbox.fault("taobao.time.get", "top_error", code=15, sub_code="isp.service-error")

    error = top.call("taobao.time.get")["error_response"]

    assert (error["code"], error["sub_code"]) == (15, "isp.service-error")
    assert "time_get_response" in top.call("taobao.time.get")


def test_a_path_can_fail(sandbox: Sandbox) -> None:
    sandbox.post("faults", path="/token", kind="http_502", times=-1)

    answers = [sandbox.http.post("/token").status_code for _ in range(3)]
    hits = sandbox.get("faults")[0]["hits"]
    sandbox.clear_faults()

    assert answers == [502] * 3
    assert hits == 3
    assert sandbox.http.post("/token").status_code == 400


def test_a_fault_strikes_only_what_it_matches_and_after_what_it_skips(
    sandbox: Sandbox, alipay: Alipay
) -> None:
    query = "alipay.trade.query"
    sandbox.post("faults", method=query, kind="http_502", times=1, skip=1, match={"out_trade_no": "D2"})

    numbers = ["D1", "D2", "D1", "D2", "D2"]
    answers = [_raw(alipay, query, out_trade_no=number).status_code for number in numbers]

    assert answers == [200, 200, 200, 502, 200]


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "alipay.trade.query", "kind": "nonsense"},
        {"method": "alipay.trade.query", "kind": "lost"},
        {"path": "/token", "kind": "bad_sign"},
        {"method": "taobao.time.get", "kind": "no_sign"},
        {"kind": "delay"},
    ],
)
def test_a_fault_that_can_not_strike_is_refused(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    assert sandbox.http.post("/control/faults", json=wrong).status_code == 400


@pytest.mark.usefixtures("paid")
def test_an_answer_can_come_too_late_for_the_client(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.fault(REFUND, "delay", seconds=1.5, after=True)
    alipay.http.timeout = 0.5

    with pytest.raises(httpx.ReadTimeout):
        _raw_refund(alipay)

    assert _executions(sandbox) == 1
