"""The TOP client against a loopback gateway, and the signature vectors of protocols A2."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from applications.gateways import taobao
from applications.gateways.taobao import TopClient, is_not_granted, sign
from tests.gateways.loopback import Loopback, Reply, Request
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError, Kind

SHOP = {"shop_seller_get_response": {"shop": {"sid": 44750468, "title": "我的店铺"}, "request_id": "abc"}}


def failure(code: int | str, sub_code: str | None = None) -> Reply:
    error: dict[str, Any] = {"code": code, "msg": "m", "request_id": "r", "sub_msg": "小店甲 13800138000"}
    if sub_code:
        error["sub_code"] = sub_code
    return Reply({"error_response": error})


@pytest.fixture
def client(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> TopClient:
    monkeypatch.setattr(taobao, "QUICK_RETRIES", (0.01, 0.01))
    return TopClient(
        app_key="12345678", app_secret="helloworld", gateway_url=f"{loopback.url}/router/rest", budget=3.0
    )


OWN = {
    "app_key": "12345678",
    "fields": "sid,title,pic_path",
    "format": "json",
    "method": "taobao.shop.seller.get",
    "session": "6100test",
    "timestamp": "2026-11-23 20:00:00",
    "v": "2.0",
}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("md5", "868F684AB9852DF6B07465AC4C587F7C"),
        ("hmac", "26BD53BF56369E9FC57CB5FA2C1C5BB8"),
        ("hmac-sha256", "0603F8DD0FDA9321F4E8B1E0081B6E582E1E38E8B6DE3A8C7103214580BCA963"),
    ],
)
def test_own_example_has_the_known_signature(method: str, expected: str) -> None:
    assert sign({**OWN, "sign_method": method}, "helloworld", method) == expected


def test_the_official_example_has_the_known_signature() -> None:
    params = {
        "method": "taobao.item.seller.get",
        "app_key": "12345678",
        "session": "test",
        "timestamp": "2016-01-01 12:00:00",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        "fields": "num_iid,title,nick,price,num",
        "num_iid": "11223344",
    }

    assert sign(params, "helloworld", "md5") == "66987CB115214E59E6EC978214934FB8"


def test_a_chinese_value_has_the_known_signature() -> None:
    params = {
        **OWN,
        "method": "taobao.user.seller.get",
        "fields": "user_id,nick,type,seller_credit,status,alipay_bind,has_shop,promoted_type",
        "partner_id": "旗舰店",
        "sign_method": "hmac-sha256",
    }
    expected = "F8A661083E6F08281C2F1405D3673DBF0EE94EFFFDD36BFB8C13F61B63013BD2"

    assert sign(params, "helloworld", "hmac-sha256") == expected


@pytest.mark.parametrize(
    ("method", "length", "expected"),
    [
        ("hmac", 16, "9294727A3638BB1C13F48EF8158BFC9D"),
        ("hmac-sha256", 20, "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7"),
    ],
)
def test_hmac_follows_its_rfc(method: str, length: int, expected: str) -> None:
    assert sign({"Hi": " There"}, b"\x0b" * length, method) == expected


def test_a_signature_leaves_out_itself_and_empty_values() -> None:
    assert sign({**OWN, "sign": "x", "empty": "", "": "y"}, "s", "hmac") == sign(OWN, "s", "hmac")


def test_an_unknown_sign_method_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="sha1"):
        sign(OWN, "s", "sha1")


def test_a_call_is_a_signed_form_with_beijing_time(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [Reply(SHOP)]

    assert client.shop("6100test") == taobao.Shop(sid="44750468", title="我的店铺", pic_path=None)

    (request,) = loopback.requests
    form = request.form
    assert (request.method, request.path, request.query) == ("POST", "/router/rest", {})
    assert form["method"] == "taobao.shop.seller.get"
    assert form["session"] == "6100test"
    assert form["sign_method"] == "hmac-sha256"
    assert form["sign"] == sign(form, "helloworld", "hmac-sha256")
    stamp = dt.datetime.strptime(form["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    assert abs(stamp - clock.now()) < dt.timedelta(seconds=10)


def test_a_seller_is_read_leniently(client: TopClient, loopback: Loopback) -> None:
    user = {
        "user_id": "706388888",
        "nick": "小店甲",
        "type": "B",
        "status": "normal",
        "has_shop": "true",
        "promoted_type": "authentication",
        "seller_credit": {"level": "12", "score": 40123},
    }
    loopback.answers = [Reply({"user_seller_get_response": {"user": user, "request_id": "abc"}})]

    seller = client.seller("s")

    assert seller == taobao.Seller(
        user_id="706388888",
        nick="小店甲",
        type="B",
        status="normal",
        promoted_type="authentication",
        alipay_bind=None,
        has_shop=True,
        credit_level=12,
        credit_score=40123,
        credit_total=None,
        credit_good=None,
    )


@pytest.mark.parametrize(
    "score", [{"item_score": "4.8", "service_score": 5}, {"item_score": 4.8, "service_score": "5"}]
)
def test_a_legacy_shop_tells_its_opening_in_beijing_time(
    client: TopClient, loopback: Loopback, score: dict[str, Any]
) -> None:
    shop = {"sid": 1, "nick": "小店甲", "created": "2026-05-01 09:30:00", "shop_score": score}
    loopback.answers = [Reply({"shop_get_response": {"shop": shop}})]

    legacy = client.legacy_shop("小店甲", "s")

    assert legacy is not None
    assert legacy.created == dt.datetime(2026, 5, 1, 1, 30, tzinfo=dt.UTC)
    assert legacy.created.tzinfo == clock.SHANGHAI
    assert (legacy.item_score, legacy.service_score) == (Decimal("4.8"), Decimal("5"))
    assert legacy.delivery_score is None


@pytest.mark.parametrize("code", [11, 12, 13, 22])
def test_a_legacy_shop_that_is_not_granted_is_not_available(
    client: TopClient, loopback: Loopback, code: int
) -> None:
    loopback.answers = [failure(code)]

    assert client.legacy_shop("小店甲", "s") is None


def test_a_seller_without_a_shop_has_none(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [failure(15, "isv.shop-not-exist")]

    assert client.shop("s") is None
    assert client.legacy_shop("小店甲", "s") is None


def test_service_orders_are_read_over_all_pages(client: TopClient, loopback: Loopback) -> None:
    def page(request: Request) -> Reply:
        rows = taobao.PAGE_SIZE if request.form["page_no"] == "1" else 1
        order = {
            "order_id": 7,
            "biz_type": "1",
            "order_cycle_start": "2026-09-01 00:00:00",
            "order_cycle_end": "1798732800000",
        }
        return Reply(
            {"vas_order_search_response": {"article_biz_orders": {"article_biz_order": [order] * rows}}}
        )

    loopback.answers = [page]

    orders = client.service_orders("小店甲", "FW_GOODS-1001", "s")

    assert len(orders) == taobao.PAGE_SIZE + 1
    assert orders[0].biz_type == 1
    assert orders[0].cycle_start == dt.datetime(2026, 9, 1, tzinfo=clock.SHANGHAI)
    assert orders[0].cycle_end == dt.datetime(2027, 1, 1, tzinfo=clock.SHANGHAI)


@pytest.mark.parametrize("content", [{"total_item": 0}, {"article_biz_orders": {}}])
def test_no_service_orders_is_an_empty_list(
    client: TopClient, loopback: Loopback, content: dict[str, Any]
) -> None:
    loopback.answers = [Reply({"vas_order_search_response": content})]

    assert client.service_orders("小店甲", "FW_GOODS-1001", "s") == []


def test_taobao_tells_the_time(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [Reply({"time_get_response": {"time": "2026-11-24 12:00:00"}})]

    assert client.server_time() == dt.datetime(2026, 11, 24, 12, tzinfo=clock.SHANGHAI)
    assert "session" not in loopback.requests[0].form


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (failure(26), Kind.REAUTHORISE, "26"),
        (failure(27, "isv.invalid-session"), Kind.REAUTHORISE, "27"),
        (failure(15, "isv.session-expired"), Kind.REAUTHORISE, "15"),
        *[(failure(code), Kind.NOT_EXECUTED, str(code)) for code in (4, 5, 6, 7, 8, 31)],
        *[(failure(code, "isv.permission-denied"), Kind.REFUSED, str(code)) for code in (11, 12, 13)],
        *[
            (failure(code), Kind.REFUSED, str(code))
            for code in (9, 21, 22, 24, 25, 28, 29, 30, 32, 33, 40, 41, 43)
        ],
        (failure(15, "isv.invalid-parameter"), Kind.REFUSED, "15"),
        (failure(15, "isp.service-error"), Kind.UNKNOWN, "15"),
        (failure(15), Kind.UNKNOWN, "15"),
        (failure(10), Kind.UNKNOWN, "10"),
        (failure(7, "isp.flow-limit"), Kind.UNKNOWN, "7"),
        (failure(900), Kind.UNKNOWN, "900"),
        (failure("27"), Kind.REAUTHORISE, "27"),
        (Reply({"error_response": {}}), Kind.UNKNOWN, "malformed"),
        (Reply({"error_response": None}), Kind.UNKNOWN, "malformed"),
        (Reply(SHOP, status=502), Kind.UNKNOWN, "http_status"),
        (Reply(status=302), Kind.UNKNOWN, "http_status"),
        (Reply(b"<html>"), Kind.UNKNOWN, "malformed"),
        (Reply(b"\xff\xfe"), Kind.UNKNOWN, "malformed"),
        (Reply("[" * 100_000), Kind.UNKNOWN, "malformed"),
        (Reply("[]"), Kind.UNKNOWN, "malformed"),
        (Reply({"user_seller_get_response": {}}), Kind.UNKNOWN, "malformed"),
        (Reply({"shop_seller_get_response": {"shop": {"title": "x"}}}), Kind.UNKNOWN, "malformed"),
        (Reply({"shop_seller_get_response": {"shop": {"sid": {}}}}), Kind.UNKNOWN, "malformed"),
        (Reply(drop=True), Kind.UNKNOWN, "dropped"),
    ],
)
def test_each_failure_says_what_is_known(
    client: TopClient, loopback: Loopback, reply: Reply, kind: Kind, code: str
) -> None:
    loopback.answers = [reply]

    with pytest.raises(GatewayError) as error:
        client.shop("s")

    assert (error.value.kind, error.value.code) == (kind, code)
    assert "小店甲" not in str(error.value)
    assert "13800138000" not in str(error.value)


def test_only_a_missing_right_counts_as_not_granted() -> None:
    assert is_not_granted(GatewayError("12", "", kind=Kind.REFUSED))
    assert not is_not_granted(GatewayError("25", "", kind=Kind.REFUSED))
    assert not is_not_granted(GatewayError("12", "", kind=Kind.UNKNOWN))


def test_a_stumble_of_taobao_is_tried_again_at_once(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [failure(15, "isp.service-error"), failure(10), Reply(SHOP)]

    assert client.shop("s") is not None
    assert len(loopback.requests) == 3


def test_a_stumble_that_lasts_is_given_back_after_three_tries(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [failure(15, "isp.service-error")]

    with pytest.raises(GatewayError):
        client.shop("s")

    assert len(loopback.requests) == 3


def test_a_refusal_is_not_tried_again(client: TopClient, loopback: Loopback) -> None:
    loopback.answers = [failure(25)]

    with pytest.raises(GatewayError):
        client.shop("s")

    assert len(loopback.requests) == 1


def test_slow_answers_together_stay_within_the_budget(loopback: Loopback) -> None:
    def slow_stumble(request: Request) -> Reply:
        return Reply({"error_response": {"code": 15, "sub_code": "isp.x"}}, delay=0.4)

    client = TopClient(app_key="k", app_secret="s", gateway_url=loopback.url, budget=0.7)
    loopback.answers = [slow_stumble]
    start = dt.datetime.now()

    with pytest.raises(GatewayError) as error:
        client.shop("s")

    assert error.value.kind is Kind.UNKNOWN
    assert dt.datetime.now() - start < dt.timedelta(seconds=1.5)


def test_without_a_session_nothing_is_sent(client: TopClient, loopback: Loopback) -> None:
    with pytest.raises(GatewayError) as error:
        client.seller("")

    assert error.value.kind is Kind.REAUTHORISE
    assert loopback.requests == []


@pytest.mark.parametrize(
    "user",
    [
        {"user_id": 1, "has_shop": "perhaps"},
        {"user_id": 1, "seller_credit": []},
        {"user_id": 1, "seller_credit": {"level": "gold"}},
        {"user_id": True},
        {"nick": "小店甲"},
    ],
)
def test_a_garbled_seller_is_no_answer(client: TopClient, loopback: Loopback, user: dict[str, Any]) -> None:
    loopback.answers = [Reply({"user_seller_get_response": {"user": user}})]

    with pytest.raises(GatewayError) as error:
        client.seller("s")

    assert error.value.kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "shop",
    [{"created": "yesterday"}, {"shop_score": {"item_score": "good"}}, {"shop_score": {"item_score": "NaN"}}],
)
def test_a_garbled_legacy_shop_is_no_answer(
    client: TopClient, loopback: Loopback, shop: dict[str, Any]
) -> None:
    loopback.answers = [Reply({"shop_get_response": {"shop": shop}})]

    with pytest.raises(GatewayError) as error:
        client.legacy_shop("小店甲", "s")

    assert error.value.kind is Kind.UNKNOWN


def test_the_client_is_made_from_the_settings(settings: Any, loopback: Loopback) -> None:
    settings.TAOBAO_APP_KEY = "87654321"
    settings.TAOBAO_APP_SECRET = "other"
    settings.TAOBAO_GATEWAY_URL = loopback.url
    loopback.answers = [Reply(SHOP)]

    TopClient.from_settings().shop("s")

    form = loopback.requests[0].form
    assert form["app_key"] == "87654321"
    assert form["sign"] == sign(form, "other", "hmac-sha256")
