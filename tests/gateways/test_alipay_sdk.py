"""The defects of python-alipay-sdk (protocols B10) and that they don't reach us."""

import datetime as dt
import hashlib
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from deposits.gateways.alipay_sdk import DCAliPay, MendedAliPay, top_level_members
from tests.gateways import keys
from tests.gateways.loopback import Loopback, Reply
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind

ROOT = "alipay_trade_query_response"


@pytest.fixture
def sdk(key_ring: keys.KeyRing, loopback: Loopback) -> MendedAliPay:
    return MendedAliPay(
        app_id="2021000000000001",
        gateway_url=f"{loopback.url}/gateway.do",
        app_private_key=key_ring.app_private_pem,
        app_cert=key_ring.app_cert,
        alipay_cert=key_ring.alipay_cert,
        alipay_root_cert=key_ring.root_cert,
        budget=2.0,
    )


def ask(sdk: MendedAliPay) -> dict[str, Any]:
    answer: dict[str, Any] = sdk.server_api("alipay.trade.query", {"out_trade_no": "D1"})
    return answer


@pytest.mark.parametrize("mode", ["w", "a"])
def test_importing_the_sdk_leaves_logging_alone(tmp_path: Path, mode: str) -> None:
    program = f"""
import logging, logging.config
logging.config.dictConfig({{
    "version": 1,
    "handlers": {{"file": {{"class": "logging.FileHandler", "filename": "log.txt", "mode": "{mode}"}}}},
    "root": {{"handlers": ["file"], "level": "INFO"}},
}})
before = logging.root.handlers[0]
logging.warning("one")
import deposits.gateways.alipay
logging.warning("two")
assert logging.root.handlers == [before] and before.stream is not None
assert logging.getLogger("python-alipay-sdk").handlers == []
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, check=True)

    assert (tmp_path / "log.txt").read_text() == "one\ntwo\n"


def test_the_worked_string_has_the_known_digest_and_verifies(
    sdk: MendedAliPay, key_ring: keys.KeyRing
) -> None:
    """B2: sign_type stays in; keys in order; raw values."""
    params = {
        "version": "1.0",
        "timestamp": "2026-11-23 20:00:00",
        "sign_type": "RSA2",
        "method": "alipay.trade.query",
        "charset": "utf-8",
        "biz_content": '{"out_trade_no":"D1"}',
        "app_id": "2021000000000001",
    }

    query = dict(parse_qsl(sdk.sign_data(params)))

    signature = query.pop("sign")
    text = "&".join(f"{key}={value}" for key, value in sorted(query.items()))
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "3aa0d041537e38a6e7ddef44e46ed4e185745b9bcc25e4cabd2bc962fb1088e9"
    )
    assert len(signature) == 344
    assert keys.is_signed(key_ring.app_key.public_key(), text, signature)


def test_a_request_is_a_signed_post_that_shows_nothing_in_its_address(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    root = "alipay_fund_trans_uni_transfer_response"
    loopback.answers = [Reply(key_ring.signed(root, keys.inner(code="10000")))]

    sdk.server_api("alipay.fund.trans.uni.transfer", {"payee_info": {"name": "小店甲"}, "remark": "100%&+ }"})

    (request,) = loopback.requests
    form = dict(request.form)
    assert (request.method, request.path) == ("POST", "/gateway.do")
    assert request.query == {"charset": "utf-8"}
    signature = form.pop("sign")
    text = "&".join(f"{key}={value}" for key, value in sorted(form.items()))
    assert keys.is_signed(key_ring.app_key.public_key(), text, signature)
    assert form["app_cert_sn"] == keys.cert_sn(key_ring.app_cert)
    assert form["alipay_root_cert_sn"] == keys.cert_sn(key_ring.root_cert)
    assert form["sign_type"] == "RSA2"


def test_the_time_is_beijing_time_whatever_the_zone_of_the_process(
    sdk: MendedAliPay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")

    body = sdk.build_body("alipay.trade.query", {"out_trade_no": "D1"})

    stamp = dt.datetime.strptime(body["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    assert abs(stamp - clock.now()) < dt.timedelta(seconds=10)


@pytest.mark.parametrize(
    "subject",
    [
        "}",
        "{",
        '"}',
        "\\",
        '\\"}{',
        '},"sign":"x"',
        "保证金 } 小店甲",
        '","alipay_trade_query_response":{"code":"40004"}',
    ],
)
def test_braces_and_quotes_in_a_text_do_not_break_a_good_signature(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing, subject: str
) -> None:
    loopback.answers = [Reply(key_ring.signed(ROOT, keys.inner(code="10000", subject=subject)))]

    assert ask(sdk) == {"code": "10000", "subject": subject}


def test_an_answer_in_certificate_mode_is_believed(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    sn = keys.cert_sn(key_ring.alipay_cert)
    loopback.answers = [Reply(key_ring.signed(ROOT, keys.inner(code="10000"), cert_sn=sn))]

    assert ask(sdk) == {"code": "10000"}


def test_an_answer_whose_slashes_were_escaped_after_signing_is_believed(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    text = keys.inner(code="10000", url="http://a/b")
    answer = key_ring.signed(ROOT, text).replace(text, text.replace("/", "\\/"))
    loopback.answers = [Reply(answer)]

    assert ask(sdk)["url"] == "http://a/b"


def test_a_signed_error_response_is_believed(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    loopback.answers = [Reply(key_ring.signed("error_response", keys.inner(code="40002", sub_code="isv.x")))]

    assert ask(sdk) == {"code": "40002", "sub_code": "isv.x"}


def test_a_certificate_that_alipay_changed_is_named(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    loopback.answers = [Reply(key_ring.signed(ROOT, keys.inner(code="10000"), cert_sn="0" * 32))]

    with pytest.raises(GatewayError, match="0" * 32) as error:
        ask(sdk)

    assert (error.value.kind, error.value.code) == (Kind.UNKNOWN, "cert_changed")


def _resigned(ring: keys.KeyRing, sign: str) -> Reply:
    return Reply(f'{{"{ROOT}":{{"code":"10000"}},"sign":{sign}}}')


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda ring: _resigned(ring, '"not base64!"'), "bad_signature"),
        (lambda ring: _resigned(ring, '""'), "bad_signature"),
        (lambda ring: _resigned(ring, "null"), "bad_signature"),
        (lambda ring: _resigned(ring, f'"{"A" * 344}"'), "bad_signature"),
        (
            lambda ring: Reply(ring.signed(ROOT, keys.inner(code="10000")).replace("10000", "40004")),
            "bad_signature",
        ),
        (
            lambda ring: Reply(
                f'{{"{ROOT}":{keys.inner(code="1")},"sign":"{keys.sign(ring.app_key, "x")}"}}'
            ),
            "bad_signature",
        ),
        (lambda ring: Reply({ROOT: {"code": "10000"}}), "unsigned"),
        (lambda ring: Reply({ROOT: {"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}}), "unsigned"),
        (lambda ring: Reply({"error_response": {"code": "40002", "sub_code": "isv.x"}}), "unsigned"),
        (lambda ring: Reply({ROOT: []}), "malformed"),
        (
            lambda ring: Reply(ring.signed("alipay_trade_close_response", keys.inner(code="10000"))),
            "malformed",
        ),
        (lambda ring: Reply(ring.signed(ROOT, '"text"')), "malformed"),
        (lambda ring: Reply(b""), "malformed"),
        (lambda ring: Reply(b"<html>}"), "malformed"),
        (lambda ring: Reply(b"\xff{}"), "malformed"),
        (lambda ring: Reply("[" * 100_000), "malformed"),
        (lambda ring: Reply(ring.signed(ROOT, keys.inner(code="10000")), status=502), "http_status"),
        (lambda ring: Reply(ring.signed(ROOT, keys.inner(code="10000")), status=302), "http_status"),
        (lambda ring: Reply(drop=True), "dropped"),
        (lambda ring: Reply(ring.signed(ROOT, keys.inner(code="10000")), delay=3.0), "timeout"),
    ],
)
def test_an_answer_that_cannot_be_believed_is_unknown(
    sdk: MendedAliPay,
    loopback: Loopback,
    key_ring: keys.KeyRing,
    answer: Callable[[keys.KeyRing], Reply],
    code: str,
) -> None:
    loopback.answers = [answer(key_ring)]

    with pytest.raises(GatewayError) as error:
        ask(sdk)

    assert (error.value.kind, error.value.code) == (Kind.UNKNOWN, code)


def test_nobody_at_home_is_not_executed(key_ring: keys.KeyRing, refused_url: str) -> None:
    sdk = MendedAliPay(
        app_id="1",
        gateway_url=refused_url,
        app_private_key=key_ring.app_private_pem,
        app_cert=key_ring.app_cert,
        alipay_cert=key_ring.alipay_cert,
        alipay_root_cert=key_ring.root_cert,
    )

    with pytest.raises(GatewayError) as error:
        ask(sdk)

    assert error.value.kind is Kind.NOT_EXECUTED


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "{}x",
        "[]",
        '{"a"}',
        '{"a":1,}',
        '{"a":1,"a":2}',
        "{1:2}",
        '{"a":1 "b":2}',
        '{"a":',
        "{,}",
        "null",
    ],
)
def test_what_is_not_one_object_has_no_members(raw: str) -> None:
    with pytest.raises(GatewayError):
        top_level_members(raw)


def test_members_are_the_text_as_it_arrived() -> None:
    raw = ' { "a" : {"x": "}\\"" , "y":[1, 2]} ,\n"b":"\\u5c0f" } '

    assert top_level_members(raw) == {"a": '{"x": "}\\"" , "y":[1, 2]}', "b": '"\\u5c0f"'}
    assert top_level_members("{}") == {}


def test_certificate_numbers_are_those_of_the_unmended_sdk(key_ring: keys.KeyRing) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = DCAliPay.get_cert_sn(key_ring.app_cert)
        expected_root = DCAliPay.get_root_cert_sn(key_ring.root_cert)

    assert MendedAliPay.get_cert_sn(key_ring.app_cert) == expected
    assert MendedAliPay.get_root_cert_sn(key_ring.root_cert) == expected_root


def test_a_root_file_may_hold_several_certificates_and_some_that_cannot_be_read(
    key_ring: keys.KeyRing,
) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    roots = key_ring.root_cert + broken + key_ring.app_cert

    assert MendedAliPay.get_root_cert_sn(roots) == "_".join(
        [keys.cert_sn(key_ring.root_cert), keys.cert_sn(key_ring.app_cert)]
    )


def test_making_and_using_the_client_warns_of_nothing(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing
) -> None:
    loopback.answers = [Reply(key_ring.signed(ROOT, keys.inner(code="10000")))]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(sdk)
        MendedAliPay.get_cert_sn(key_ring.app_cert)


def test_the_client_logs_no_payee(
    sdk: MendedAliPay, loopback: Loopback, key_ring: keys.KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.answers = [Reply(key_ring.signed("alipay_x_response", keys.inner(code="10000")))]
    caplog.set_level(logging.DEBUG)

    sdk.server_api("alipay.x", {"payee_info": {"name": "PAYEE-NAME"}})

    assert "PAYEE-NAME" not in caplog.text
