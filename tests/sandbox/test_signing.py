"""The conformance vectors of protocols A2 and B2, against the sandbox's own signing."""

import hashlib

import pytest

from tmall_sp.sandbox import signing

HELLO = b"helloworld"
OWN = {
    "app_key": "12345678",
    "fields": "sid,title,pic_path",
    "format": "json",
    "method": "taobao.shop.seller.get",
    "session": "6100test",
    "timestamp": "2026-11-23 20:00:00",
    "v": "2.0",
}
OFFICIAL = {
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
CHINESE = OWN | {
    "method": "taobao.user.seller.get",
    "sign_method": "hmac-sha256",
    "fields": "user_id,nick,type,seller_credit,status,alipay_bind,has_shop,promoted_type",
    "partner_id": "旗舰店",
}


@pytest.mark.parametrize(
    ("params", "secret", "method", "expected"),
    [
        (OFFICIAL, HELLO, "md5", "66987CB115214E59E6EC978214934FB8"),
        ({"Hi": " There"}, b"\x0b" * 16, "hmac", "9294727A3638BB1C13F48EF8158BFC9D"),
        (
            {"Hi": " There"},
            b"\x0b" * 20,
            "hmac-sha256",
            "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7",
        ),
        (OWN | {"sign_method": "md5"}, HELLO, "md5", "868F684AB9852DF6B07465AC4C587F7C"),
        (OWN | {"sign_method": "hmac"}, HELLO, "hmac", "26BD53BF56369E9FC57CB5FA2C1C5BB8"),
        (
            OWN | {"sign_method": "hmac-sha256"},
            HELLO,
            "hmac-sha256",
            "0603F8DD0FDA9321F4E8B1E0081B6E582E1E38E8B6DE3A8C7103214580BCA963",
        ),
        (
            CHINESE,
            HELLO,
            "hmac-sha256",
            "F8A661083E6F08281C2F1405D3673DBF0EE94EFFFDD36BFB8C13F61B63013BD2",
        ),
    ],
)
def test_top_signature_agrees_with_the_vectors(
    params: dict[str, str], secret: bytes, method: str, expected: str
) -> None:
    assert signing.top_signature(params, secret, method) == expected


def test_top_signature_leaves_out_sign_and_empty_values() -> None:
    plain = signing.top_signature(OWN, HELLO, "md5")

    assert signing.top_signature(OWN | {"sign": "X", "nick": ""}, HELLO, "md5") == plain


def test_alipay_request_text_agrees_with_the_worked_string() -> None:
    params = {
        "version": "1.0",
        "timestamp": "2026-11-23 20:00:00",
        "sign_type": "RSA2",
        "sign": "left out",
        "notify_url": "",
        "method": "alipay.trade.query",
        "charset": "utf-8",
        "biz_content": '{"out_trade_no":"D1"}',
        "app_id": "2021000000000001",
    }

    digest = hashlib.sha256(signing.request_text(params).encode()).hexdigest()

    assert digest == "3aa0d041537e38a6e7ddef44e46ed4e185745b9bcc25e4cabd2bc962fb1088e9"


def test_notification_text_drops_sign_type_and_keeps_empty_values() -> None:
    fields = {"sign": "x", "sign_type": "RSA2", "body": "", "app_id": "1"}

    assert signing.notification_text(fields) == "app_id=1&body="
