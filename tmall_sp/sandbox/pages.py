"""The index and the pages on which a person looks into the books."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from . import books, clock, options
from .models import AlipayAccount, Fault, Notification, Refund, TaobaoUser, Trade, Transfer

ROWS = 50


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every page shows around its content."""
    return {"site_url": settings.SITE_URL, "sandbox_now": clock.wire(clock.now())}


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "smtp": f"{settings.LISTEN_HOST}:{settings.SMTP_PORT}",
        "sandbox_url": settings.SANDBOX_URL,
        "app_key": settings.TAOBAO_APP_KEY,
        "app_id": settings.ALIPAY_APP_ID,
        "seller_id": settings.ALIPAY_SELLER_ID,
    }
    return render(request, "sandbox/index.html", context)


@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """`/people/`: Taobao accounts and Alipay accounts."""
    context = {
        "users": TaobaoUser.objects.filter(listed=True).order_by("pk")[:ROWS],
        "accounts": [
            (account, books.yuan(account.balance_fen))
            for account in AlipayAccount.objects.filter(listed=True).order_by("pk")[:ROWS]
        ],
    }
    return render(request, "sandbox/people.html", context)


@require_GET
def ledger(request: HttpRequest) -> HttpResponse:
    """`/books/`: the newest trades, refunds, transfers and notifications."""
    now, window = clock.now(), int(options.get("refund_window_days"))
    trades = Trade.objects.select_related("buyer").order_by("-created_at")[:ROWS]
    context = {
        "trades": [
            (t, t.status_at(now, window), books.yuan(t.total_fen), books.yuan(t.refunded_fen)) for t in trades
        ],
        "refunds": [
            (r, books.yuan(r.amount_fen))
            for r in Refund.objects.select_related("trade").order_by("-id")[:ROWS]
        ],
        "transfers": [
            (t, books.yuan(t.amount_fen))
            for t in Transfer.objects.select_related("payee").order_by("-created_at")[:ROWS]
        ],
        "notifications": Notification.objects.order_by("-id")[:ROWS],
        "faults": Fault.objects.order_by("-id")[:ROWS],
        "seller_balance": books.yuan(books.seller().balance_fen),
    }
    return render(request, "sandbox/books.html", context)
