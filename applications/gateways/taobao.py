"""Client of the Taobao Open Platform (TOP): the reads that a shop check needs (protocols A1–A5).

All calls here are reads, so an unknown outcome is simply asked again. What Taobao leaves out of an answer
is None; what it sends garbled is no answer (GatewayError, UNKNOWN).
"""

import datetime as dt
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from django.conf import settings

from tmall_sp.core import clock
from tmall_sp.core.gateway import BUDGET, GatewayError, Kind, json_object, malformed, plain_code, send

CALL_LIMITS = {4, 5, 6, 7, 8}
NOT_GRANTED = {"11", "12", "13", "22"}
NO_SHOP = "isv.shop-not-exist"
# Pauses before the second and the third try of one call, in seconds; longer waits are the worker's.
QUICK_RETRIES = (0.2, 0.5)
PAGE_SIZE = 200
MAX_PAGES = 20


@dataclass(frozen=True)
class Seller:
    """`taobao.user.seller.get`. `type` B is a Tmall shop, C a Taobao one; `status` is sound if `normal`."""

    user_id: str
    nick: str | None
    type: str | None
    status: str | None
    promoted_type: str | None
    """`authentication` if the real name is proven, else `not authentication`."""
    alipay_bind: str | None
    """`bind` or `notbind`."""
    has_shop: bool | None
    credit_level: int | None
    """1–20."""
    credit_score: int | None
    credit_total: int | None
    credit_good: int | None


@dataclass(frozen=True)
class Shop:
    """`taobao.shop.seller.get`: all that the present platform tells about a shop."""

    sid: str
    title: str | None
    pic_path: str | None


@dataclass(frozen=True)
class LegacyShop:
    """`taobao.shop.get`, which only older applications are granted: opening date and scores (DSR)."""

    sid: str | None
    nick: str | None
    title: str | None
    created: dt.datetime | None
    item_score: Decimal | None
    service_score: Decimal | None
    delivery_score: Decimal | None


@dataclass(frozen=True)
class ServiceOrder:
    """One order of our service-market article (`taobao.vas.order.search`, the last 90 days only)."""

    order_id: str | None
    item_code: str | None
    biz_type: int | None
    """1 new, 2 renewed, 3 upgraded, 4 gift, 5 renewed by itself."""
    created: dt.datetime | None
    cycle_start: dt.datetime | None
    cycle_end: dt.datetime | None


def sign(params: Mapping[str, str], secret: str | bytes, method: str) -> str:
    """The signature over all `params` but `sign` and empty ones, upper-case hex (A2).

    `method` is md5, hmac (MD5) or hmac-sha256.
    """
    key = secret.encode() if isinstance(secret, str) else secret
    text = "".join(
        name + value for name, value in sorted(params.items()) if name and value and name != "sign"
    ).encode()
    if method == "md5":
        digest = hashlib.md5(key + text + key, usedforsecurity=False).hexdigest()
    elif method == "hmac":
        digest = hmac.new(key, text, hashlib.md5).hexdigest()
    elif method == "hmac-sha256":
        digest = hmac.new(key, text, hashlib.sha256).hexdigest()
    else:
        raise ValueError(f"Unknown TOP sign method {method!r}.")
    return digest.upper()


def is_not_granted(error: GatewayError) -> bool:
    """Whether our application lacks the right to that API, or the API is gone: a value 'not available'."""
    return error.kind is Kind.REFUSED and error.code in NOT_GRANTED


class TopClient:
    """Signs, sends and reads TOP calls. Every method makes at least one HTTP call of at most 10 s.

    The caller holds no transaction. Raises TopError where TOP gave a reason, else GatewayError.
    """

    def __init__(
        self,
        *,
        app_key: str,
        app_secret: str,
        gateway_url: str,
        sign_method: str = "hmac-sha256",
        budget: float = BUDGET,
    ) -> None:
        self._app_key = app_key
        self._app_secret = app_secret
        self._gateway_url = gateway_url
        self._sign_method = sign_method
        self._budget = budget

    @classmethod
    def from_settings(cls) -> Self:
        return cls(
            app_key=settings.TAOBAO_APP_KEY,
            app_secret=settings.TAOBAO_APP_SECRET,
            gateway_url=settings.TAOBAO_GATEWAY_URL,
        )

    def seller(self, session: str) -> Seller:
        """The seller whose session it is."""
        fields = "user_id,nick,type,status,promoted_type,alipay_bind,has_shop,seller_credit"
        user = _object(self._session_call("taobao.user.seller.get", session, {"fields": fields}), "user")
        credit = user.get("seller_credit")
        if credit is None:
            credit = {}
        if not isinstance(credit, dict):
            raise malformed("seller_credit is not an object")
        return Seller(
            user_id=_required(user, "user_id"),
            nick=_text(user, "nick"),
            type=_text(user, "type"),
            status=_text(user, "status"),
            promoted_type=_text(user, "promoted_type"),
            alipay_bind=_text(user, "alipay_bind"),
            has_shop=_flag(user, "has_shop"),
            credit_level=_number(credit, "level"),
            credit_score=_number(credit, "score"),
            credit_total=_number(credit, "total_num"),
            credit_good=_number(credit, "good_num"),
        )

    def shop(self, session: str) -> Shop | None:
        """The shop of the seller whose session it is; None if there is none."""
        try:
            answer = self._session_call("taobao.shop.seller.get", session, {"fields": "sid,title,pic_path"})
        except TopError as error:
            if error.sub_code == NO_SHOP:
                return None
            raise
        shop = _object(answer, "shop")
        return Shop(sid=_required(shop, "sid"), title=_text(shop, "title"), pic_path=_text(shop, "pic_path"))

    def legacy_shop(self, nick: str, session: str) -> LegacyShop | None:
        """Opening date and scores of the shop of `nick`; None: that API is not granted to us, or no shop."""
        fields = "sid,nick,title,created,shop_score"
        try:
            answer = self._session_call("taobao.shop.get", session, {"fields": fields, "nick": nick})
        except TopError as error:
            if is_not_granted(error) or error.sub_code == NO_SHOP:
                return None
            raise
        shop = _object(answer, "shop")
        score = shop.get("shop_score")
        if score is None:
            score = {}
        if not isinstance(score, dict):
            raise malformed("shop_score is not an object")
        return LegacyShop(
            sid=_text(shop, "sid"),
            nick=_text(shop, "nick"),
            title=_text(shop, "title"),
            created=_moment(shop, "created"),
            item_score=_decimal(score, "item_score"),
            service_score=_decimal(score, "service_score"),
            delivery_score=_decimal(score, "delivery_score"),
        )

    def service_orders(self, nick: str, article_code: str, session: str) -> list[ServiceOrder]:
        """All orders of `nick` for our service-market article that Taobao still shows (90 days)."""
        orders: list[ServiceOrder] = []
        for page in range(1, MAX_PAGES + 1):
            rows = self._service_order_page(nick, article_code, session, page)
            orders += rows
            if len(rows) < PAGE_SIZE:
                return orders
        raise malformed("the list of service orders has no end")

    def server_time(self) -> dt.datetime:
        """Taobao's clock."""
        moment = _moment(self._call("taobao.time.get", {}), "time")
        if moment is None:
            raise malformed("the answer has no time")
        return moment

    def _service_order_page(
        self, nick: str, article_code: str, session: str, page: int
    ) -> list[ServiceOrder]:
        request = {
            "article_code": article_code,
            "nick": nick,
            "page_no": str(page),
            "page_size": str(PAGE_SIZE),
        }
        answer = self._session_call("taobao.vas.order.search", session, request)
        return [
            ServiceOrder(
                order_id=_text(row, "order_id"),
                item_code=_text(row, "item_code"),
                biz_type=_number(row, "biz_type"),
                created=_moment(row, "create"),
                cycle_start=_moment(row, "order_cycle_start"),
                cycle_end=_moment(row, "order_cycle_end"),
            )
            for row in _rows(answer, "article_biz_orders", "article_biz_order")
        ]

    def _session_call(self, method: str, session: str, request: Mapping[str, str]) -> dict[str, Any]:
        if not session:
            raise GatewayError("no_session", "the merchant has not authorised us", kind=Kind.REAUTHORISE)
        return self._call(method, {**request, "session": session})

    def _call(self, method: str, request: Mapping[str, str]) -> dict[str, Any]:
        """One read, tried again at once (twice at most, within the budget) where TOP itself stumbled."""
        deadline = time.monotonic() + self._budget
        for pause in QUICK_RETRIES:
            try:
                return self._call_once(method, request, deadline - time.monotonic())
            except TopError as error:
                if not error.stumble or time.monotonic() + pause >= deadline:
                    raise
                time.sleep(pause)
        return self._call_once(method, request, deadline - time.monotonic())

    def _call_once(self, method: str, request: Mapping[str, str], budget: float) -> dict[str, Any]:
        answer = send("POST", self._gateway_url, form=self._signed(method, request), budget=max(budget, 0.1))
        if answer.status != 200:
            raise GatewayError("http_status", f"HTTP {answer.status}", kind=Kind.UNKNOWN)
        content = json_object(answer.body)
        if "error_response" in content:
            raise _failure(method, content["error_response"])
        return _object(content, method.removeprefix("taobao.").replace(".", "_") + "_response")

    def _signed(self, method: str, request: Mapping[str, str]) -> dict[str, str]:
        params = {
            **request,
            "method": method,
            "app_key": self._app_key,
            "timestamp": clock.now().astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            "format": "json",
            "v": "2.0",
            "sign_method": self._sign_method,
        }
        return {**params, "sign": sign(params, self._app_secret, self._sign_method)}


class TopError(GatewayError):
    """An `error_response`: `code` is TOP's number as text, `sub_code` the reason beside it, if any."""

    def __init__(
        self, code: str, sub_code: str | None, method: str, *, kind: Kind, stumble: bool = False
    ) -> None:
        super().__init__(code, f"{method} failed with sub_code {sub_code}", kind=kind)
        self.sub_code = sub_code
        self.stumble = stumble
        """TOP's own trouble (isp.*, or codes 10 and 15 without a reason on our side): worth a quick retry."""


def _failure(method: str, error: object) -> GatewayError:
    """A3: what an `error_response` means."""
    if not isinstance(error, dict):
        return malformed("error_response is not an object")
    code = _number(error, "code")
    if code is None:
        return malformed("error_response has no code")
    sub_code = plain_code(error["sub_code"]) if error.get("sub_code") else None
    ours = sub_code is not None and sub_code.startswith("isv.")
    theirs = sub_code is not None and sub_code.startswith("isp.")
    if code in {26, 27} or sub_code in {"isv.invalid-session", "isv.session-expired"}:
        return TopError(str(code), sub_code, method, kind=Kind.REAUTHORISE)
    if theirs or (code in {10, 15} and not ours):
        return TopError(str(code), sub_code, method, kind=Kind.UNKNOWN, stumble=True)
    # 31: one of the two clocks is wrong; the same call succeeds once they agree.
    if code in CALL_LIMITS or code == 31:
        return TopError(str(code), sub_code, method, kind=Kind.NOT_EXECUTED)
    kind = Kind.REFUSED if code < 100 or ours else Kind.UNKNOWN
    return TopError(str(code), sub_code, method, kind=kind)


def _object(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    if not isinstance(value, dict):
        raise malformed(f"the answer has no {name}")
    return value


def _rows(content: Mapping[str, Any], outer: str, inner: str) -> list[dict[str, Any]]:
    """A double-wrapped list (A3); absent when it is empty."""
    wrapper = content.get(outer)
    if not wrapper:
        return []
    rows = wrapper.get(inner, []) if isinstance(wrapper, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise malformed(f"{outer} is not a list")
    return rows


def _text(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, (dict, list, bool, float)):
        raise malformed(f"{name} is not a text")
    return str(value)


def _required(content: Mapping[str, Any], name: str) -> str:
    value = _text(content, name)
    if value is None:
        raise malformed(f"the answer has no {name}")
    return value


def _number(content: Mapping[str, Any], name: str) -> int | None:
    value = _text(content, name)
    if value is None:
        return None
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise malformed(f"{name} is not a number")
    return int(value)


def _decimal(content: Mapping[str, Any], name: str) -> Decimal | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise malformed(f"{name} is not a number") from None
    if isinstance(value, bool) or not number.is_finite():
        raise malformed(f"{name} is not a number")
    return number


def _flag(content: Mapping[str, Any], name: str) -> bool | None:
    value = content.get(name)
    if value is None or value == "":
        return None
    known = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if known is None:
        raise malformed(f"{name} is neither true nor false")
    return known


def _moment(content: Mapping[str, Any], name: str) -> dt.datetime | None:
    """`yyyy-MM-dd HH:mm:ss` in Beijing time, or epoch milliseconds, as TOP sends either."""
    value = _text(content, name)
    if value is None:
        return None
    try:
        if re.fullmatch(r"[0-9]{12,14}", value):
            return dt.datetime.fromtimestamp(int(value) / 1000, clock.SHANGHAI)
        return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    except (ValueError, OverflowError, OSError):
        raise malformed(f"{name} is not a time") from None
