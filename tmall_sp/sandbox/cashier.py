"""The cashier: who pays, and back to the merchant with signed parameters (display only, B5)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from . import books, clock, notifications
from .models import AlipayAccount, PagePay, Trade

NEW_ACCOUNT = "new"
NEW_ACCOUNT_BALANCE_FEN = 100_000_000
SEARCH_LIMIT = 30


@require_http_methods(["GET", "POST"])
def cashier(request: HttpRequest, token: str) -> HttpResponse:
    """Opens the trade on GET; on POST pays it (`action` pay or pay_silently) or leaves it (cancel)."""
    order = PagePay.objects.filter(token=token).first()
    if order is None:
        raise Http404("no such cashier")
    try:
        trade = books.open_trade(order)
    except books.Refused as refused:
        return _error(request, order, refused)
    if trade.status != Trade.WAIT:
        return render(request, "sandbox/cashier_done.html", _context(request, order, trade))
    if request.method == "GET":
        return render(request, "sandbox/cashier.html", _context(request, order, trade))
    if request.POST.get("action") == "cancel":
        return render(request, "sandbox/cashier_cancelled.html", _context(request, order, trade))
    try:
        buyer_id = _chosen_buyer(request)
        trade = books.pay(
            trade.trade_no, buyer_id, lose_notification=request.POST.get("action") == "pay_silently"
        )
    except (books.Refused, ValueError) as error:
        message = error.sub_msg if isinstance(error, books.Refused) else str(error)
        return render(
            request,
            "sandbox/cashier.html",
            _context(request, order, trade) | {"message": message},
            status=422,
        )
    if order.return_url:
        return HttpResponseRedirect(_return_url(order, trade))
    return render(request, "sandbox/cashier_done.html", _context(request, order, trade))


def _offered_accounts(wanted: str) -> QuerySet[AlipayAccount]:
    """The demo's accounts, or those whose name or number was searched for."""
    accounts = AlipayAccount.objects.exclude(pk=settings.ALIPAY_SELLER_ID).order_by("kind", "pk")
    if not wanted:
        return accounts.filter(listed=True)
    return accounts.filter(Q(name__icontains=wanted) | Q(pk__startswith=wanted))[:SEARCH_LIMIT]


def _context(request: HttpRequest, order: PagePay, trade: Trade) -> dict[str, object]:
    wanted = request.GET.get("q", "").strip()
    return {
        "order": order,
        "trade": trade,
        "amount": books.yuan(trade.total_fen),
        "accounts": _offered_accounts(wanted),
        "q": wanted,
        "chosen": request.POST.get("account", ""),
        "paid": trade.paid_at is not None,
        "back_url": _return_url(order, trade) if order.return_url and trade.paid_at else order.return_url,
    }


def _chosen_buyer(request: HttpRequest) -> str:
    """The paying account; a new one is opened first. ValueError with a sentence for the page."""
    chosen = request.POST.get("account", "")
    if chosen != NEW_ACCOUNT:
        if not AlipayAccount.objects.filter(pk=chosen).exists():
            raise ValueError("请选择付款账号")
        return chosen
    user_id, name = request.POST.get("new_user_id", "").strip(), request.POST.get("new_name", "").strip()
    if not name:
        raise ValueError("请填写账号名称")
    if AlipayAccount.objects.filter(pk=user_id).exists():
        raise ValueError("该支付宝账号已存在，请在列表中选择")
    try:
        books.open_account(
            user_id=user_id,
            name=name,
            kind=request.POST.get("new_kind", ""),
            balance_fen=NEW_ACCOUNT_BALANCE_FEN,
            note="收银台新建",
        )
    except ValueError:
        raise ValueError("支付宝用户号应为 2088 开头的 16 位数字") from None
    return user_id


def _return_url(order: PagePay, trade: Trade) -> str:
    fields = notifications.sign(
        {
            "charset": "utf-8",
            "out_trade_no": trade.out_trade_no,
            "method": "alipay.trade.page.pay.return",
            "total_amount": books.yuan(trade.total_fen),
            "trade_no": trade.trade_no,
            "auth_app_id": settings.ALIPAY_APP_ID,
            "version": "1.0",
            "app_id": settings.ALIPAY_APP_ID,
            "seller_id": settings.ALIPAY_SELLER_ID,
            "timestamp": clock.wire(clock.now()),
        }
    )
    return order.return_url + ("&" if "?" in order.return_url else "?") + urlencode(fields)


def _error(request: HttpRequest, order: PagePay, refused: books.Refused) -> HttpResponse:
    error = {"sub_code": refused.sub_code, "sub_msg": refused.sub_msg}
    return render(
        request, "sandbox/cashier_error.html", {"error": error, "back_url": order.return_url}, status=400
    )
