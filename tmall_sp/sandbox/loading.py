"""Loading many accounts, sellers, trades and refunds at once; what is already there stays as it is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from . import books, clock
from .models import AlipayAccount, Movement, Refund, ServiceOrder, TaobaoUser, Trade

Item = dict[str, Any]
KINDS = ("accounts", "sellers", "service_orders", "trades", "refunds")
SELLER_FIELDS = frozenset(
    {
        *("nick", "shop_type", "status", "promoted_type", "alipay_bind", "has_shop", "sid", "shop_title"),
        *("level", "score", "total_num", "good_num", "item_score", "service_score", "delivery_score"),
        *("legacy", "note", "listed"),
    }
)
BATCH = 500


def parse(body: bytes, content_type: str) -> dict[str, list[Item]]:
    """The items of a JSON object of lists, or of lines with `kind` (account, …); ValueError otherwise."""
    groups: dict[str, list[Item]] = {kind: [] for kind in KINDS}
    if "ndjson" in content_type:
        for line in body.splitlines():
            if line.strip():
                item = json.loads(line)
                groups[_plural(item.pop("kind"))].append(item)
        return groups
    given = json.loads(body)
    unknown = set(given) - set(KINDS)
    if unknown:
        raise ValueError(f"unknown kinds {sorted(unknown)}")
    groups.update(given)
    return groups


def _plural(kind: str) -> str:
    plural = kind if kind.endswith("s") else f"{kind}s"
    if plural not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    return plural


def load(groups: dict[str, list[Item]]) -> dict[str, int]:
    """Load everything in one transaction; how many of each kind were new."""
    with transaction.atomic():
        return {
            "accounts": _load_accounts(groups["accounts"]),
            "sellers": _load_sellers(groups["sellers"]),
            "service_orders": _load_orders(groups["service_orders"]),
            "trades": _load_trades(groups["trades"]),
            "refunds": _load_refunds(groups["refunds"]),
        }


def instant(text: object) -> datetime:
    """An ISO date or date and time; without a zone it is Beijing's."""
    value = datetime.fromisoformat(str(text))
    return value if value.tzinfo else value.replace(tzinfo=clock.BEIJING)


def _new(items: Iterable[Item], key: str, known: Iterable[Any]) -> list[Item]:
    seen = {str(value) for value in known}
    fresh = []
    for item in items:
        if str(item[key]) not in seen:
            seen.add(str(item[key]))
            fresh.append(item)
    return fresh


def _load_accounts(items: list[Item]) -> int:
    fresh = _new(items, "user_id", AlipayAccount.objects.values_list("pk", flat=True)) if items else []
    accounts, movements, now = [], [], clock.now()
    for item in fresh:
        books.check_account(str(item["user_id"]), item.get("type", "CORPORATE"))
        account = AlipayAccount(
            user_id=item["user_id"],
            name=item["name"],
            note=item.get("note", ""),
            listed=item.get("listed", False),
            kind=item.get("type", "CORPORATE"),
            logon_id=item.get("logon_id") or f"finance{item['user_id']}@example.com",
            open_id=item.get("open_id") or f"0{item['user_id'][4:]}{item['user_id'][::-1]}",
            balance_fen=books.fen(item.get("balance", "0")),
        )
        accounts.append(account)
        if account.balance_fen:
            movements.append(_movement(account.user_id, account.balance_fen, "opening", now))
    AlipayAccount.objects.bulk_create(accounts, batch_size=BATCH)
    Movement.objects.bulk_create(movements, batch_size=BATCH)
    return len(accounts)


def _movement(account_id: str, delta: int, kind: str, at: datetime, **links: Any) -> Movement:
    return Movement(
        account_id=account_id, delta_fen=delta, kind=kind, at=at, serial=clock.serial_number("50"), **links
    )


def _load_sellers(items: list[Item]) -> int:
    fresh = _new(items, "taobao_user_id", TaobaoUser.objects.values_list("pk", flat=True)) if items else []
    rows = [
        TaobaoUser(taobao_user_id=item["taobao_user_id"], **({"listed": False} | seller_values(item)))
        for item in fresh
    ]
    rows.sort(key=lambda row: row.main_id is not None)
    TaobaoUser.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def seller_values(item: Item) -> Item:
    """The columns that an item sets. ValueError for a name that is none."""
    unknown = set(item) - SELLER_FIELDS - {"taobao_user_id", "opened_at", "main_id"}
    if unknown:
        raise ValueError(f"unknown seller fields {sorted(unknown)}")
    values = {name: value for name, value in item.items() if name in SELLER_FIELDS}
    if "opened_at" in item:
        values["opened_at"] = instant(item["opened_at"]) if item["opened_at"] else None
    if "main_id" in item:
        values["main_id"] = item["main_id"]
    return values


def _load_orders(items: list[Item]) -> int:
    rows = []
    for item in items:
        start = instant(item["cycle_start"])
        end = instant(item["cycle_end"]) if "cycle_end" in item else start + timedelta(days=365)
        rows.append(
            ServiceOrder(
                user_id=item["taobao_user_id"],
                article_code=item["article_code"],
                cycle_start=start,
                cycle_end=end,
                item_code=item.get("item_code", f"{item['article_code']}-1"),
                created_at=instant(item.get("created_at", item["cycle_start"])),
                fee_fen=books.fen(item.get("fee", "0")),
            )
        )
    ServiceOrder.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def _load_trades(items: list[Item]) -> int:
    fresh = _new(items, "out_trade_no", Trade.objects.values_list("out_trade_no", flat=True)) if items else []
    trades, movements, received = [], [], 0
    for item in fresh:
        trade = _paid_trade(item)
        trades.append(trade)
        if trade.paid_at is not None:
            movements += _payment_movements(trade)
            received += trade.total_fen
    Trade.objects.bulk_create(trades, batch_size=BATCH)
    Movement.objects.bulk_create(movements, batch_size=BATCH)
    _add_to_seller(received)
    return len(trades)


def _paid_trade(item: Item) -> Trade:
    paid_at = instant(item.get("paid_at") or clock.now().isoformat())
    created = instant(item["created_at"]) if "created_at" in item else paid_at - timedelta(minutes=3)
    return Trade(
        trade_no=item.get("trade_no") or clock.serial_number("2200"),
        out_trade_no=item["out_trade_no"],
        total_fen=books.fen(item["amount"]),
        subject=item.get("subject", "天猫服务商保证金"),
        status=Trade.SUCCESS,
        buyer_id=item["buyer"],
        created_at=created,
        paid_at=paid_at,
        notify_url=item.get("notify_url", ""),
        return_url=item.get("return_url", ""),
    )


def _payment_movements(trade: Trade) -> list[Movement]:
    """The seller received the money; the buyer had put it in just before, so its balance stays."""
    buyer, seller = str(trade.buyer_id), settings.ALIPAY_SELLER_ID
    at = trade.paid_at or trade.created_at
    return [
        _movement(buyer, trade.total_fen, "adjustment", at),
        _movement(buyer, -trade.total_fen, "payment", at, counterparty_id=seller, trade=trade),
        _movement(seller, trade.total_fen, "payment", at, counterparty_id=buyer, trade=trade),
    ]


def _add_to_seller(delta: int) -> None:
    AlipayAccount.objects.filter(pk=settings.ALIPAY_SELLER_ID).update(balance_fen=F("balance_fen") + delta)


def _load_refunds(items: list[Item]) -> int:
    """Refunds that were executed in the past, of trades that are in the books."""
    made, paid_back = 0, 0
    gains: dict[str, int] = defaultdict(int)
    for item in items:
        trade = Trade.objects.get(out_trade_no=item["out_trade_no"])
        amount, at = books.fen(item["amount"]), instant(item.get("executed_at") or clock.now().isoformat())
        row, created = Refund.objects.get_or_create(
            trade=trade,
            out_request_no=item["out_request_no"],
            defaults={"amount_fen": amount, "executed_at": at},
        )
        if not created:
            continue
        trade.refunded_fen += amount
        if trade.refunded_fen == trade.total_fen:
            trade.status, trade.closed_at = Trade.CLOSED, at
        trade.save()
        buyer, seller = str(trade.buyer_id), settings.ALIPAY_SELLER_ID
        links: dict[str, Any] = {"trade": trade, "refund": row}
        Movement.objects.bulk_create(
            [
                _movement(seller, -amount, "refund", at, counterparty_id=buyer, **links),
                _movement(buyer, amount, "refund", at, counterparty_id=seller, **links),
            ]
        )
        gains[buyer] += amount
        paid_back += amount
        made += 1
    for buyer, gain in gains.items():
        AlipayAccount.objects.filter(pk=buyer).update(balance_fen=F("balance_fen") + gain)
    _add_to_seller(-paid_back)
    return made
