"""What each Taobao method answers (A5): from parameters and session to the fields under the root."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from . import clock, oauth, options
from .models import ServiceOrder, Session, TaobaoUser

Params = Mapping[str, str]
ORDERS_KEPT = timedelta(days=90)


class TopError(Exception):
    """An `error_response`."""

    def __init__(self, code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> None:
        super().__init__(msg)
        self.fields: dict[str, Any] = {"code": code, "msg": msg}
        if sub_code:
            self.fields |= {"sub_code": sub_code, "sub_msg": sub_msg or sub_code}


def _required(params: Params, name: str) -> str:
    if not params.get(name):
        raise TopError(40, f"Missing Required Arguments:{name}", f"isv.missing-parameter:{name}")
    return params[name]


def _chosen(all_fields: dict[str, Any], params: Params) -> dict[str, Any]:
    wanted = {name.strip() for name in _required(params, "fields").split(",")}
    return {name: value for name, value in all_fields.items() if name in wanted}


def _user_of(session: Session | None) -> TaobaoUser:
    if session is None:
        raise TopError(26, "Missing Session")
    return session.user.owner


def time_get(params: Params, session: Session | None) -> dict[str, Any]:
    return {"time": clock.wire(clock.now())}


def user_seller_get(params: Params, session: Session | None) -> dict[str, Any]:
    user = _user_of(session)
    credit = {
        "level": user.level,
        "score": user.score,
        "total_num": user.total_num,
        "good_num": user.good_num,
    }
    every = {
        "user_id": user.taobao_user_id,
        "nick": user.nick,
        "sex": "m",
        "seller_credit": credit,
        "type": user.shop_type,
        "status": user.status,
        "promoted_type": user.promoted_type,
        "alipay_bind": user.alipay_bind,
        "consumer_protection": True,
        "has_shop": user.has_shop,
        "auto_repost": "unlimited",
        "vip_info": "c",
        "is_golden_seller": False,
        "liangpin": False,
        "has_sub_stock": False,
        "avatar": "",
    }
    return {"user": _chosen(every, params)}


def shop_seller_get(params: Params, session: Session | None) -> dict[str, Any]:
    user = _user_of(session)
    if not user.has_shop:
        raise TopError(15, "Remote service error", "isv.shop-not-exist", "店铺不存在")
    every = {"sid": user.sid, "title": user.shop_title, "pic_path": f"/sandbox/{user.sid}.jpg"}
    return {"shop": _chosen(every, params)}


def shop_get(params: Params, session: Session | None) -> dict[str, Any]:
    """Legacy: absent from today's metadata, and only for applications that were granted it."""
    nick = _required(params, "nick")
    user = TaobaoUser.objects.filter(nick=nick).first()
    if not options.get("legacy_shop_get_granted") or (user is not None and user.legacy == "refused"):
        raise TopError(
            11, "Insufficient ISV Permissions", "isv.permission-denied", "应用没有该接口的调用权限"
        )
    if user is None or not user.has_shop:
        raise TopError(15, "Remote service error", "isv.shop-not-exist", "店铺不存在")
    every: dict[str, Any] = {
        "sid": user.sid,
        "cid": 16,
        "nick": user.nick,
        "title": user.shop_title,
        "desc": "",
        "bulletin": "",
        "pic_path": f"/sandbox/{user.sid}.jpg",
        "remain_count": 10,
        "all_count": 10,
        "used_count": 0,
    }
    if user.legacy == "full":
        every["shop_score"] = {
            "item_score": user.item_score,
            "service_score": user.service_score,
            "delivery_score": user.delivery_score,
        }
        if user.opened_at is not None:
            every |= {"created": clock.wire(user.opened_at), "modified": clock.wire(user.opened_at)}
    return {"shop": _chosen(every, params)}


def order_search(params: Params, session: Session | None) -> dict[str, Any]:
    """Orders of the service market, of the last 90 days only."""
    now = clock.now()
    found = ServiceOrder.objects.select_related("user").filter(
        article_code=_required(params, "article_code"), created_at__gte=now - ORDERS_KEPT, created_at__lte=now
    )
    if params.get("nick"):
        found = found.filter(user__nick=params["nick"])
    if params.get("start_created"):
        found = found.filter(created_at__gte=_instant(params["start_created"]))
    if params.get("end_created"):
        found = found.filter(created_at__lte=_instant(params["end_created"]))
    size, page = _count(params, "page_size", 40, 200), _count(params, "page_no", 1, 10_000)
    orders = [
        _order_fields(row) for row in found.order_by("created_at", "id")[(page - 1) * size : page * size]
    ]
    return {"article_biz_orders": {"article_biz_order": orders}, "total_item": found.count()}


def _instant(text: str) -> datetime:
    try:
        return clock.parse_wire(text)
    except ValueError:
        raise TopError(41, "Invalid Arguments", "isv.invalid-parameter") from None


def _count(params: Params, name: str, default: int, most: int) -> int:
    text = params.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise TopError(41, f"Invalid Arguments:{name}", "isv.invalid-parameter")
    return int(text)


def _order_fields(row: ServiceOrder) -> dict[str, Any]:
    return {
        "biz_order_id": 10_000_000 + row.pk,
        "order_id": 20_000_000 + row.pk,
        "nick": row.user.nick,
        "article_name": "天猫售后服务",
        "article_code": row.article_code,
        "item_code": row.item_code,
        "item_name": "标准版",
        "create": clock.wire(row.created_at),
        "order_cycle": row.order_cycle,
        "order_cycle_start": clock.wire(row.cycle_start),
        "order_cycle_end": clock.wire(row.cycle_end),
        "biz_type": row.biz_type,
        "fee": str(row.fee_fen),
        "prom_fee": "0",
        "refund_fee": "0",
        "total_pay_fee": str(row.fee_fen),
    }


def subscribe_get(params: Params, session: Session | None) -> dict[str, Any]:
    nick, article = _required(params, "nick"), _required(params, "article_code")
    live = ServiceOrder.objects.filter(user__nick=nick, article_code=article, cycle_end__gt=clock.now())
    items = [
        {"item_code": row.item_code, "deadline": clock.wire(row.cycle_end)} for row in live.order_by("id")
    ]
    return {"article_user_subscribes": {"article_user_subscribe": items}}


def token_create(params: Params, session: Session | None) -> dict[str, Any]:
    try:
        fields = oauth.exchange(_required(params, "code"), None)
    except oauth.TokenError as error:
        raise TopError(15, "Remote service error", "isv.invalid-parameter", error.description) from None
    return {"token_result": json.dumps(fields)}


METHODS: dict[str, Callable[[Params, Session | None], dict[str, Any]]] = {
    "taobao.time.get": time_get,
    "taobao.user.seller.get": user_seller_get,
    "taobao.shop.seller.get": shop_seller_get,
    "taobao.shop.get": shop_get,
    "taobao.vas.order.search": order_search,
    "taobao.vas.subscribe.get": subscribe_get,
    "taobao.top.auth.token.create": token_create,
}
NEEDS_SESSION = frozenset({"taobao.user.seller.get", "taobao.shop.seller.get"})
