"""Asynchronous notifications (B4): stored with the change they tell of, then sent and repeated."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from . import clock, faults, keys, options, signing
from .models import Notification, Refund, Trade

logger = logging.getLogger(__name__)

GAPS_SECONDS = (240, 600, 600, 3600, 7200, 21600, 54000)
HOLD_SECONDS = 30.0
wake = threading.Event()


def enqueue_trade(trade: Trade, *, status: str, refund: Refund | None = None, lost: bool = False) -> None:
    """Store the notification of what became of a trade. The caller holds the transaction of the change."""
    if not trade.notify_url:
        return
    fields = trade_fields(trade, status, refund)
    strike = faults.take("notification", fields).strike
    row = Notification(
        notify_id=fields["notify_id"],
        out_trade_no=trade.out_trade_no,
        url=trade.notify_url,
        fields=sign(fields),
        created_at=clock.now(),
        next_at=time.time(),
    )
    if lost or strike.kind == "lost":
        row.status = Notification.LOST
    elif strike.kind == "doubled":
        row.copies = int(strike.params.get("copies", 2))
    elif strike.kind == "late":
        row.next_at += float(strike.params.get("seconds", 5))
    elif strike.kind == "reordered":
        row.status, row.next_at = (
            Notification.HELD,
            time.time() + float(strike.params.get("seconds", HOLD_SECONDS)),
        )
    elif strike.kind == "forged":
        _store_forged(row, fields, strike.params)
    row.save()
    transaction.on_commit(wake.set)


def enqueue(url: str, fields: Mapping[str, str], *, forge: bool = False) -> Notification:
    """Store a notification of any content; `forge` signs it with a key that is not Alipay's."""
    full = {"notify_id": _notify_id(), **_common_fields(), **fields}
    signed = _sign_with(rsa.generate_private_key(65537, 2048), full) if forge else sign(full)
    row = Notification.objects.create(
        notify_id=full["notify_id"],
        out_trade_no=full.get("out_trade_no", ""),
        url=url,
        fields=signed,
        created_at=clock.now(),
        next_at=time.time(),
        max_attempts=1 if forge else 8,
    )
    wake.set()
    return row


def sign(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields with Alipay's sign_type and sign (V1 rule)."""
    return _sign_with(keys.ring().alipay_key, fields)


def _sign_with(key: rsa.RSAPrivateKey, fields: Mapping[str, str]) -> dict[str, str]:
    text = signing.notification_text(fields)
    return {**fields, "sign_type": "RSA2", "sign": signing.rsa2_sign(key, text.encode())}


def _store_forged(true_row: Notification, fields: Mapping[str, str], params: Mapping[str, Any]) -> None:
    changed = {**fields, **{k: str(v) for k, v in params.get("set", {"total_amount": "0.01"}).items()}}
    changed["notify_id"] = _notify_id()
    Notification.objects.create(
        notify_id=changed["notify_id"],
        out_trade_no=true_row.out_trade_no,
        url=true_row.url,
        max_attempts=1,
        fields=_sign_with(rsa.generate_private_key(65537, 2048), changed),
        created_at=true_row.created_at,
        next_at=true_row.next_at,
    )


def _notify_id() -> str:
    return f"{clock.now():%Y%m%d}{secrets.token_hex(13)}"


def _common_fields() -> dict[str, str]:
    return {
        "notify_time": clock.wire(clock.now()),
        "notify_type": "trade_status_sync",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": settings.ALIPAY_APP_ID,
        "auth_app_id": settings.ALIPAY_APP_ID,
    }


def trade_fields(trade: Trade, status: str, refund: Refund | None) -> dict[str, str]:
    total = _yuan(trade.total_fen)
    fields = {
        **_common_fields(),
        "notify_id": _notify_id(),
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "seller_id": settings.ALIPAY_SELLER_ID,
        "seller_email": "deposit@tmall-sp.example.com",
        "trade_status": status,
        "total_amount": total,
        "subject": trade.subject,
        "body": trade.body,
        "gmt_create": clock.wire(trade.created_at),
    }
    if trade.passback_params:
        fields["passback_params"] = trade.passback_params
    if trade.buyer is not None and trade.paid_at is not None:
        buyer = {"buyer_open_id": trade.buyer.open_id}
        if not options.get("open_id_only"):
            buyer = {"buyer_id": trade.buyer.user_id}
        fields |= buyer | {
            "buyer_logon_id": trade.buyer.masked_logon_id,
            "receipt_amount": total,
            "invoice_amount": total,
            "buyer_pay_amount": total,
            "point_amount": "0.00",
            "gmt_payment": clock.wire(trade.paid_at),
            "fund_bill_list": f'[{{"amount":"{total}","fundChannel":"ALIPAYACCOUNT"}}]',
        }
    if refund is not None:
        fields |= {
            "out_biz_no": refund.out_request_no,
            "refund_fee": _yuan(trade.refunded_fen),
            "gmt_refund": clock.wire(refund.executed_at) + ".000",
            "send_back_fee": _yuan(refund.amount_fen),
        }
    if status == Trade.CLOSED and trade.closed_at is not None:
        fields["gmt_close"] = clock.wire(trade.closed_at)
    return fields


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


class Sender(threading.Thread):
    """Posts what is due, until the answer is exactly `success` or the attempts are used up.

    A row is marked only after its answer: a sender that dies in between sends again, with the same notify_id.
    """

    def __init__(self, workers: int = 4) -> None:
        super().__init__(name="notification-sender", daemon=True)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="notify")
        self._http = httpx.Client(trust_env=False, follow_redirects=False)
        self._in_flight: set[int] = set()
        self._lock = threading.Lock()

    def run(self) -> None:
        while True:
            wake.wait(0.2)
            wake.clear()
            try:
                self._send_due()
            except DatabaseError:
                logger.exception("the books are busy, notifications wait")

    def _send_due(self) -> None:
        due = Notification.objects.filter(next_at__lte=time.time())
        due.filter(status=Notification.HELD).update(status=Notification.PENDING)
        for row in due.filter(status=Notification.PENDING).order_by("next_at", "id")[:100]:
            with self._lock:
                if row.pk in self._in_flight:
                    continue
                self._in_flight.add(row.pk)
            self._pool.submit(self._deliver, row)

    def _deliver(self, row: Notification) -> None:
        try:
            for _ in range(row.copies if row.attempts == 0 else 1):
                delivered, answer = _post(self._http, row)
            _record(row, delivered, answer)
        except Exception:
            logger.exception("notification %s could not be recorded", row.notify_id)
        finally:
            with self._lock:
                self._in_flight.discard(row.pk)


def _post(http: httpx.Client, row: Notification) -> tuple[bool, str]:
    try:
        response = http.post(row.url, data=row.fields, timeout=float(options.get("notify_timeout_seconds")))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return False, f"{type(error).__name__}: {error}"[:200]
    return (
        response.status_code == 200 and response.content == b"success",
        f"{response.status_code} {response.text}"[:200],
    )


def _record(row: Notification, delivered: bool, answer: str) -> None:
    with transaction.atomic():
        attempts = row.attempts + 1
        changes: dict[str, Any] = {"attempts": F("attempts") + 1, "last_answer": answer}
        if delivered:
            changes["status"] = Notification.DELIVERED
        elif attempts >= row.max_attempts:
            changes["status"] = Notification.GIVEN_UP
        else:
            gap = GAPS_SECONDS[min(attempts, len(GAPS_SECONDS)) - 1]
            changes["next_at"] = time.time() + gap * float(options.get("notify_gap_scale"))
        Notification.objects.filter(pk=row.pk, status=Notification.PENDING).update(**changes)
        # One that was held back to arrive out of order follows the first later one.
        Notification.objects.filter(status=Notification.HELD, id__lt=row.pk).update(
            status=Notification.PENDING, next_at=time.time()
        )
