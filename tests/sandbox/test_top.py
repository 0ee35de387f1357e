"""Taobao's gateway and OAuth, as a client of the portal meets them (protocols A1–A5)."""

import json
import time
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.sandbox.process import Sandbox
from tests.sandbox.wire import APP_KEY, APP_SECRET, Top, beijing_now

REDIRECT = "http://127.0.0.1:8000/accounts/taobao/login/callback/"
QUALIFIED, YOUNG, LOW, SUPERVISED, SHOPLESS = (2200606100001 + n for n in (0, 3, 4, 5, 6))
REFUSED, BARE, SUB = 2200606100008, 2200606100009, 2200606100010
USER_FIELDS = "user_id,nick,type,status,promoted_type,alipay_bind,has_shop,seller_credit"


def _token(sandbox: Sandbox, user: int, **changed: str) -> dict[str, str]:
    code = sandbox.post("authorize", taobao_user_id=user, redirect_uri=REDIRECT)["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": APP_KEY,
        "client_secret": APP_SECRET,
        "code": code,
        "redirect_uri": REDIRECT,
    }
    answer: dict[str, str] = sandbox.http.post("/token", data=form | changed).json()
    return answer


def _session(sandbox: Sandbox, user: int) -> str:
    return _token(sandbox, user)["access_token"]


def _authorize_query(**changed: str) -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": APP_KEY,
        "redirect_uri": REDIRECT,
        "state": "s-1",
        "view": "web",
    } | changed


def _post_page(sandbox: Sandbox, form: dict[str, str], **changed: str):  # type: ignore[no-untyped-def]
    query = _authorize_query(**changed)
    sandbox.http.get("/authorize", params=query)
    token = sandbox.http.cookies["sandbox_csrftoken"]
    return sandbox.http.post("/authorize", params=query, data=form | {"csrfmiddlewaretoken": token})


@pytest.mark.parametrize("sign_method", ["md5", "hmac", "hmac-sha256"])
def test_every_sign_method_is_understood(top: Top, sign_method: str) -> None:
    assert "time" in top.call("taobao.time.get", sign_method=sign_method)["time_get_response"]


def test_timestamps_may_be_epoch_milliseconds(top: Top) -> None:
    assert "time_get_response" in top.call("taobao.time.get", timestamp=str(int(time.time() * 1000)))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"sign": "0" * 64}, 25),
        ({"timestamp": beijing_now(timedelta(minutes=-11))}, 31),
        ({"timestamp": "yesterday"}, 31),
        ({"app_key": "999"}, 29),
        ({"v": "3.0"}, 34),
        ({"method": "taobao.nothing.get"}, 22),
    ],
)
def test_faulty_requests_get_their_code(top: Top, given: dict[str, str], code: int) -> None:
    error = top.call(given.pop("method", "taobao.time.get"), **given)["error_response"]

    assert error["code"] == code
    assert error["request_id"]


def test_without_a_format_the_answer_is_xml(top: Top) -> None:
    assert top.call("taobao.time.get", format="").startswith("<?xml")


def test_a_qualified_seller_can_be_read(sandbox: Sandbox, top: Top) -> None:
    session = _session(sandbox, QUALIFIED)

    user = top.call("taobao.user.seller.get", session=session, fields=USER_FIELDS)["user_seller_get_response"]
    shop = top.call("taobao.shop.seller.get", session=session, fields="sid,title,pic_path")
    legacy = top.call("taobao.shop.get", fields="sid,created,shop_score", nick=user["user"]["nick"])

    assert user["user"]["user_id"] == QUALIFIED
    assert user["user"]["status"] == "normal"
    assert "vip_info" not in user["user"], "only the fields that were asked for"
    assert shop["shop_seller_get_response"]["shop"]["title"]
    assert legacy["shop_get_response"]["shop"]["created"] == "2019-03-12 10:00:00"
    assert float(legacy["shop_get_response"]["shop"]["shop_score"]["item_score"]) > 4.5


def test_simplify_drops_root_and_list_wrapper(top: Top) -> None:
    answer = top.call("taobao.vas.order.search", simplify="true", article_code="FW_GOODS-1000001")

    assert [order["biz_type"] for order in answer["article_biz_orders"]] == [1, 1]


def test_orders_of_the_last_90_days_are_double_wrapped(top: Top) -> None:
    nick = "杭州云栖电商服务"
    answer = top.call("taobao.vas.order.search", article_code="FW_GOODS-1000001", nick=nick)

    orders = answer["vas_order_search_response"]["article_biz_orders"]["article_biz_order"]
    assert [order["nick"] for order in orders] == [nick]
    assert orders[0]["fee"] == "120000"


def test_legacy_shop_data_can_be_bare_refused_or_not_granted(sandbox: Sandbox, top: Top) -> None:
    nicks = {row["taobao_user_id"]: row["nick"] for row in sandbox.get("sellers")}
    fields = "sid,created,shop_score"

    bare = top.call("taobao.shop.get", fields=fields, nick=nicks[BARE])
    refused = top.call("taobao.shop.get", fields=fields, nick=nicks[REFUSED])
    sandbox.post("settings", legacy_shop_get_granted=False)
    ungranted = top.call("taobao.shop.get", fields=fields, nick=nicks[QUALIFIED])

    assert list(bare["shop_get_response"]["shop"]) == ["sid"]
    assert refused["error_response"]["code"] == ungranted["error_response"]["code"] == 11


def test_a_seller_without_a_shop_has_none(sandbox: Sandbox, top: Top) -> None:
    session = _session(sandbox, SHOPLESS)

    user = top.call("taobao.user.seller.get", session=session, fields="has_shop")
    shop = top.call("taobao.shop.seller.get", session=session, fields="sid")

    assert user["user_seller_get_response"]["user"]["has_shop"] is False
    assert shop["error_response"]["code"] == 15


def test_missing_unknown_and_expired_sessions_are_told_apart(sandbox: Sandbox, top: Top) -> None:
    session = _session(sandbox, QUALIFIED)
    sandbox.post("expire-session", taobao_user_id=QUALIFIED)

    errors = [
        top.call("taobao.user.seller.get", session=s, fields="nick")["error_response"]
        for s in ("", "6200nothing", session)
    ]

    assert [(e["code"], e.get("sub_code")) for e in errors] == [
        (26, None),
        (27, "isv.invalid-session"),
        (27, "isv.session-expired"),
    ]


def test_sessions_expire_by_the_common_clock(sandbox: Sandbox, top: Top) -> None:
    session = _session(sandbox, QUALIFIED)
    sandbox.set_clock(366 * 86400)

    stamp = beijing_now(timedelta(days=366))
    answer = top.call("taobao.user.seller.get", session=session, fields="nick", timestamp=stamp)

    assert answer["error_response"]["code"] == 27


def test_a_code_is_good_once(sandbox: Sandbox) -> None:
    first = _token(sandbox, QUALIFIED)
    code = sandbox.post("authorize", taobao_user_id=QUALIFIED, redirect_uri=REDIRECT)["code"]

    assert first["token_type"] == "Bearer"
    assert first["taobao_user_id"] == str(QUALIFIED)
    assert unquote(first["taobao_user_nick"]) == "杭州云栖电商服务"
    assert "%" in first["taobao_user_nick"]
    assert "access_token" in _token(sandbox, QUALIFIED, code=code)
    assert _token(sandbox, QUALIFIED, code=code)["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "1"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"redirect_uri": "http://127.0.0.1:8000/elsewhere/"}, "invalid_grant"),
        ({"code": "nothing"}, "invalid_grant"),
    ],
)
def test_wrong_token_requests_get_a_standard_error(
    sandbox: Sandbox, changed: dict[str, str], error: str
) -> None:
    answer = _token(sandbox, QUALIFIED, **changed)

    assert answer["error"] == error
    assert answer["error_description"]


def test_a_sub_account_names_its_main_account(sandbox: Sandbox) -> None:
    token = _token(sandbox, SUB)

    assert token["taobao_user_id"] == str(QUALIFIED)
    assert token["sub_taobao_user_id"] == str(SUB)
    assert unquote(token["sub_taobao_user_nick"]) == "杭州云栖电商服务:客服主管"


def test_a_token_is_also_had_by_a_signed_call(sandbox: Sandbox, top: Top) -> None:
    code = sandbox.post("authorize", taobao_user_id=QUALIFIED, redirect_uri=REDIRECT)["code"]

    answer = top.call("taobao.top.auth.token.create", code=code)

    fields = json.loads(answer["top_auth_token_create_response"]["token_result"])
    assert fields["taobao_user_id"] == str(QUALIFIED)


def test_granting_on_the_page_brings_code_and_state_back(sandbox: Sandbox) -> None:
    response = _post_page(sandbox, {"action": "grant", "user": str(QUALIFIED)})

    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert response.headers["location"].startswith(REDIRECT)
    assert query["state"] == ["s-1"]
    assert "access_token" in _token(sandbox, QUALIFIED, code=query["code"][0])


def test_cancelling_on_the_page_brings_access_denied_back(sandbox: Sandbox) -> None:
    response = _post_page(sandbox, {"action": "cancel"})

    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert query["error"] == ["access_denied"]
    assert query["state"] == ["s-1"]


REGISTRATION = {
    "action": "register",
    "nick": "福州榕城电商",
    "shop_type": "B",
    "has_shop": "on",
    "opened_on": "2024-01-31",
    "status": "normal",
    "promoted_type": "authentication",
    "alipay_bind": "bind",
    "level": "9",
    "item_score": "4.7",
    "service_score": "4.7",
    "delivery_score": "4.7",
    "legacy": "full",
}


def test_a_new_account_is_registered_on_the_page(sandbox: Sandbox) -> None:
    response = _post_page(sandbox, REGISTRATION)

    code = parse_qs(urlsplit(response.headers["location"]).query)["code"][0]
    assert unquote(_token(sandbox, QUALIFIED, code=code)["taobao_user_nick"]) == "福州榕城电商"
    assert sandbox.get("sellers", nick="福州榕城电商")[0]["item_score"] == "4.7"


def test_a_nick_that_is_taken_is_told_beside_the_field(sandbox: Sandbox) -> None:
    response = _post_page(sandbox, REGISTRATION | {"nick": "宁波海曙售后中心"})

    assert response.status_code == 422
    assert "该会员名已被注册" in response.text
    assert 'value="2024-01-31"' in response.text, "what was typed stays"


@pytest.mark.parametrize(
    "changed", [{"client_id": "1"}, {"redirect_uri": ""}, {"redirect_uri": "https://evil.example.com/"}]
)
def test_a_wrong_authorize_address_redirects_nowhere(sandbox: Sandbox, changed: dict[str, str]) -> None:
    response = sandbox.http.get("/authorize", params=_authorize_query(**changed))

    assert response.status_code == 400
    assert "location" not in response.headers


def test_the_demo_has_a_seller_for_every_verdict(sandbox: Sandbox) -> None:
    rows = {row["taobao_user_id"]: row for row in sandbox.get("sellers")}

    assert rows[LOW]["item_score"] < "4.5"
    assert rows[SUPERVISED]["status"] == "supervise"
    assert rows[YOUNG]["opened_at"] > "2026"
    assert rows[SUB]["main_id"] == QUALIFIED
