"""Taobao's OAuth 2.0: where to send the browser, and the token for the code that comes back.

A 电商后台 application can't refresh a token (protocols A4.4): when it has expired, the merchant logs in
again.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlencode

from django.conf import settings

from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind, json_object, malformed, plain_code, send


@dataclass(frozen=True)
class Token:
    """An access token and whose it is. Key records on `taobao_user_id`; a nick may change hands."""

    access_token: str = field(repr=False)
    expires_at: dt.datetime
    taobao_user_id: str
    nick: str
    sub_taobao_user_id: str | None = None
    sub_nick: str | None = None
    """`main:sub`, where a sub-account logged in."""


def authorize_url(redirect_uri: str, state: str, view: str = "web") -> str:
    """The page on which the merchant lets us in; `view` is `web` or, for phones, `wap`."""
    query = {
        "response_type": "code",
        "client_id": settings.TAOBAO_APP_KEY,
        "redirect_uri": redirect_uri,
        "state": state,
        "view": view,
    }
    return f"{_base()}/authorize?{urlencode(query)}"


def exchange_code(code: str, redirect_uri: str) -> Token:
    """The token for a code, which is thereby spent, whatever the outcome.

    Raises GatewayError: REAUTHORISE for a code that is expired, spent or not ours (log in again),
    REFUSED where our own key or secret is wrong, UNKNOWN for an answer that isn't a token.
    """
    answer = send(
        "POST",
        f"{_base()}/token",
        form={
            "grant_type": "authorization_code",
            "client_id": settings.TAOBAO_APP_KEY,
            "client_secret": settings.TAOBAO_APP_SECRET,
            "code": code,
            "redirect_uri": redirect_uri,
        },
    )
    if answer.status >= 500:
        raise GatewayError("http_status", f"HTTP {answer.status}", kind=Kind.UNKNOWN)
    content = json_object(answer.body)
    if "error" in content:
        error = plain_code(content["error"])
        kind = Kind.REAUTHORISE if error in {"invalid_grant", "access_denied"} else Kind.REFUSED
        raise GatewayError(error, "Taobao gave no token", kind=kind)
    if answer.status != 200:
        raise GatewayError("http_status", f"HTTP {answer.status}", kind=Kind.UNKNOWN)
    return _token(content)


def _token(content: dict[str, Any]) -> Token:
    access_token = content.get("access_token")
    user_id = str(content.get("taobao_user_id") or "")
    if not isinstance(access_token, str) or not access_token:
        raise malformed("the token has no access_token")
    if not user_id.isdecimal() or int(user_id) == 0:
        # A token under buyer privacy carries -1 and an open id: nothing that a seller could be known by.
        raise GatewayError("no_user_id", "the token names no seller", kind=Kind.REFUSED)
    return Token(
        access_token=access_token,
        expires_at=_expiry(content),
        taobao_user_id=user_id,
        # Arrives URL-encoded from some applications and plain from others (A4).
        nick=unquote(str(content.get("taobao_user_nick") or "")),
        sub_taobao_user_id=str(content.get("sub_taobao_user_id") or "") or None,
        sub_nick=unquote(str(content.get("sub_taobao_user_nick") or "")) or None,
    )


def _expiry(content: dict[str, Any]) -> dt.datetime:
    """From `expires_in` (seconds), else from `expire_time` (epoch milliseconds)."""
    try:
        if content.get("expires_in") is not None:
            return clock.now() + dt.timedelta(seconds=int(content["expires_in"]))
        return dt.datetime.fromtimestamp(int(content["expire_time"]) / 1000, clock.SHANGHAI)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise malformed("the token has no expiry") from None


def _base() -> str:
    base: str = settings.TAOBAO_OAUTH_URL
    return base.rstrip("/")
