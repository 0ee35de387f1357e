"""Taobao's OAuth against a loopback server (protocols A4)."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.gateways.loopback import Loopback, Reply
from tmall_sp.accounts.taobao.oauth import authorize_url, exchange_code
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind

TOKEN = {
    "access_token": "6100abc",
    "token_type": "Bearer",
    "expires_in": 86400,
    "taobao_user_id": "706388888",
    "taobao_user_nick": "%E5%B0%8F%E5%BA%97%E7%94%B2",
}


@pytest.fixture(autouse=True)
def taobao_settings(settings: Any, loopback: Loopback) -> None:
    settings.TAOBAO_APP_KEY = "12345678"
    settings.TAOBAO_APP_SECRET = "sandbox-secret"
    settings.TAOBAO_OAUTH_URL = f"{loopback.url}/"


def test_the_browser_is_sent_to_the_authorize_page() -> None:
    address = urlsplit(authorize_url("http://127.0.0.1:8000/back?a=1", "nonce", view="wap"))

    assert address.path == "/authorize"
    assert parse_qs(address.query) == {
        "response_type": ["code"],
        "client_id": ["12345678"],
        "redirect_uri": ["http://127.0.0.1:8000/back?a=1"],
        "state": ["nonce"],
        "view": ["wap"],
    }


def test_a_code_becomes_a_token(loopback: Loopback) -> None:
    loopback.answers = [Reply(TOKEN)]

    token = exchange_code("the-code", "http://127.0.0.1:8000/back")

    assert token.taobao_user_id == "706388888"
    assert token.nick == "小店甲"
    assert token.sub_taobao_user_id is None
    assert abs(token.expires_at - clock.now() - dt.timedelta(days=1)) < dt.timedelta(seconds=10)
    (request,) = loopback.requests
    assert (request.method, request.path) == ("POST", "/token")
    assert request.form == {
        "grant_type": "authorization_code",
        "client_id": "12345678",
        "client_secret": "sandbox-secret",
        "code": "the-code",
        "redirect_uri": "http://127.0.0.1:8000/back",
    }


def test_a_token_does_not_print_its_secret(loopback: Loopback) -> None:
    loopback.answers = [Reply(TOKEN)]

    assert "6100abc" not in repr(exchange_code("c", "r"))


def test_a_sub_account_is_told_apart(loopback: Loopback) -> None:
    loopback.answers = [
        Reply({**TOKEN, "sub_taobao_user_id": 99, "sub_taobao_user_nick": "%E5%B0%8F%E5%BA%97%E7%94%B2%3Aa"})
    ]

    token = exchange_code("c", "r")

    assert (token.sub_taobao_user_id, token.sub_nick) == ("99", "小店甲:a")


def test_an_expiry_may_be_epoch_milliseconds(loopback: Loopback) -> None:
    content = {key: value for key, value in TOKEN.items() if key != "expires_in"}
    loopback.answers = [Reply({**content, "expire_time": 1798732800000})]

    assert exchange_code("c", "r").expires_at == dt.datetime(2027, 1, 1, tzinfo=clock.SHANGHAI)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply({"error": "invalid_grant", "error_description": "x"}, status=400), Kind.REAUTHORISE),
        (Reply({"error": "invalid_grant"}), Kind.REAUTHORISE),
        (Reply({"error": "invalid_client"}, status=401), Kind.REFUSED),
        (Reply({**TOKEN, "taobao_user_id": "-1", "taobao_open_uid": "AAA"}), Kind.REFUSED),
        (Reply({**TOKEN, "taobao_user_id": None}), Kind.REFUSED),
        (Reply(TOKEN, status=502), Kind.UNKNOWN),
        (Reply(TOKEN, status=403), Kind.UNKNOWN),
        (Reply(b"<html>"), Kind.UNKNOWN),
        (Reply({**TOKEN, "access_token": ""}), Kind.UNKNOWN),
        (Reply({**TOKEN, "expires_in": "soon"}), Kind.UNKNOWN),
        (Reply({**TOKEN, "expires_in": None}), Kind.UNKNOWN),
        (Reply(drop=True), Kind.UNKNOWN),
    ],
)
def test_each_failure_says_what_is_known(loopback: Loopback, reply: Reply, kind: Kind) -> None:
    loopback.answers = [reply]

    with pytest.raises(GatewayError) as error:
        exchange_code("the-code", "r")

    assert error.value.kind is kind
    assert "the-code" not in str(error.value)
    assert "sandbox-secret" not in str(error.value)
