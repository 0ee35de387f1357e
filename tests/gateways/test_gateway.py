"""What both gateways share: no call in a transaction, and what a lost connection means."""

import pytest
from django.db import transaction

from tests.gateways.loopback import Loopback, Reply
from tmall_sp.core.gateway import (
    CallInTransaction,
    GatewayError,
    Kind,
    assert_no_transaction,
    plain_code,
    plain_text,
    send,
)


@pytest.mark.django_db
def test_the_block_around_a_test_is_no_transaction_of_ours() -> None:
    assert_no_transaction()


@pytest.mark.django_db
def test_a_call_inside_a_block_is_refused_before_anything_is_sent(loopback: Loopback) -> None:
    loopback.answers = [Reply(b"{}")]

    with transaction.atomic(), pytest.raises(CallInTransaction):
        send("POST", loopback.url, form={"a": "1"})

    assert loopback.requests == []
    assert send("POST", loopback.url, form={"a": "1"}).status == 200


@pytest.mark.django_db(transaction=True)
def test_a_call_inside_a_real_transaction_is_refused() -> None:
    with transaction.atomic(), pytest.raises(CallInTransaction):
        assert_no_transaction()
    assert_no_transaction()


@pytest.mark.django_db(transaction=True)
def test_a_call_with_autocommit_off_is_refused() -> None:
    transaction.set_autocommit(False)
    try:
        with pytest.raises(CallInTransaction):
            assert_no_transaction()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


@pytest.mark.django_db(transaction=True)
def test_a_call_from_on_commit_is_allowed() -> None:
    with transaction.atomic():
        transaction.on_commit(assert_no_transaction)


def test_a_form_travels_in_the_body_as_utf_8(loopback: Loopback) -> None:
    loopback.answers = [Reply(b"ok")]

    answer = send("POST", f"{loopback.url}/x", form={"nick": "小店甲"}, query={"charset": "utf-8"})

    (request,) = loopback.requests
    assert (answer.status, answer.body) == (200, b"ok")
    assert request.query == {"charset": "utf-8"}
    assert request.form == {"nick": "小店甲"}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded;charset=utf-8"


def test_a_refused_connection_is_not_executed(refused_url: str) -> None:
    with pytest.raises(GatewayError) as failure:
        send("POST", refused_url, form={})

    assert failure.value.kind is Kind.NOT_EXECUTED
    assert failure.value.retryable


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "", "http://[::1"])
def test_an_address_that_is_none_is_not_executed(url: str) -> None:
    with pytest.raises(GatewayError) as failure:
        send("POST", url, form={})

    assert failure.value.kind is Kind.NOT_EXECUTED


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(drop=True), "dropped"),
        (Reply(b"late", delay=1.0), "timeout"),
        (Reply(b"x" * 2000), "malformed"),
    ],
)
def test_a_call_without_a_complete_answer_is_unknown(loopback: Loopback, reply: Reply, code: str) -> None:
    loopback.answers = [reply]

    with pytest.raises(GatewayError) as failure:
        send("POST", loopback.url, form={"secret": "s3cret"}, budget=0.3, max_answer=1000)

    assert (failure.value.kind, failure.value.code) == (Kind.UNKNOWN, code)
    assert "s3cret" not in str(failure.value)
    assert len(loopback.requests) == 1


def test_a_proxy_of_the_environment_is_not_used(
    loopback: Loopback, refused_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", refused_url)
    monkeypatch.setenv("HTTP_PROXY", refused_url)
    loopback.answers = [Reply(b"ok")]

    assert send("GET", loopback.url).body == b"ok"


def test_only_open_kinds_are_worth_another_try() -> None:
    retryable = {kind for kind in Kind if GatewayError("x", "y", kind=kind).retryable}

    assert retryable == {Kind.NOT_EXECUTED, Kind.UNKNOWN}


def test_a_code_keeps_only_what_a_log_may_hold() -> None:
    assert plain_code("ACQ.TRADE_NOT_EXIST") == "ACQ.TRADE_NOT_EXIST"
    assert plain_code("a\nb<小店>" + "c" * 100) == "ab" + "c" * 62
    assert plain_code(None) == "unknown"


def test_prose_is_one_line_of_what_a_page_can_show() -> None:
    assert plain_text(" 买家状态异常。\r\n\x00\u2028请 \ud800联系 ") == "买家状态异常。 请 联系"
    assert len(plain_text("长" * 5000)) == 200
    assert plain_text(None) == plain_text({"a": 1}) == ""


def test_prose_stays_out_of_logs() -> None:
    error = GatewayError(
        "ACQ.BUYER_ERROR", "alipay.trade.refund answered 40004", kind=Kind.REFUSED, prose="张三"
    )
    assert "张三" not in f"{error} {error!r} {error.args}"
