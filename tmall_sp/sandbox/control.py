"""The control API: what a test or a demo orders and reads. JSON, from this machine only."""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from . import (
    authenticator,
    books,
    clock,
    demo,
    faults,
    loading,
    mailbox,
    notifications,
    options,
    registration,
)
from .models import (
    AlipayAccount,
    AuthorizationCode,
    CallCount,
    Fault,
    Mail,
    Movement,
    Notification,
    Option,
    PagePay,
    Refund,
    ServiceOrder,
    Session,
    TaobaoUser,
    Trade,
    Transfer,
)

Body = dict[str, Any]
View = Callable[..., Any]
LIMIT = 1000


def endpoint(*methods: str) -> Callable[[View], View]:
    """A JSON view for loopback clients; refusals become 400 with a sentence in `error`."""

    def wrap(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not _is_loopback(request):
                return JsonResponse({"error": "loopback only"}, status=403)
            if request.method not in methods:
                return JsonResponse({"error": f"use {' or '.join(methods)}"}, status=405)
            # A page of another site can't send this type without asking first.
            if request.method == "POST" and "json" not in (request.content_type or ""):
                return JsonResponse({"error": "send application/json"}, status=415)
            try:
                answer = view(request, *args, **kwargs)
            except books.Refused as refused:
                return JsonResponse({"error": str(refused), "sub_code": refused.sub_code}, status=400)
            except KeyError as error:
                return JsonResponse({"error": f"missing or unknown: {error}"}, status=400)
            except (ValueError, TypeError, AttributeError, IntegrityError, ObjectDoesNotExist) as error:
                return JsonResponse({"error": str(error)}, status=400)
            return JsonResponse(answer, safe=False, json_dumps_params={"ensure_ascii": False})

        return guarded

    return wrap


def _is_loopback(request: HttpRequest) -> bool:
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _body(request: HttpRequest) -> Body:
    given = json.loads(request.body or b"{}")
    if not isinstance(given, dict):
        raise ValueError("send a JSON object")
    return given


def _narrowed_all(rows: QuerySet[Any], request: HttpRequest, **columns: str) -> QuerySet[Any]:
    for name, column in columns.items():
        if request.GET.get(name):
            rows = rows.filter(**{column: request.GET[name]})
    return rows


def _narrowed(rows: QuerySet[Any], request: HttpRequest, **columns: str) -> QuerySet[Any]:
    return _narrowed_all(rows, request, **columns)[: int(request.GET.get("limit", LIMIT))]


@endpoint("GET")
def health(request: HttpRequest) -> Body:
    return {
        "status": "ok",
        "environment": settings.ENVIRONMENT,
        "now": clock.now().isoformat(),
        "smtp_port": settings.SMTP_PORT,
        "sellers": TaobaoUser.objects.count(),
        "accounts": AlipayAccount.objects.count(),
    }


@endpoint("GET", "POST", "DELETE")
def fault_list(request: HttpRequest) -> Any:
    """POST {target|method|path, kind, times=1, skip=0, match={}, params={}}; DELETE all, or ?id=; GET."""
    if request.method == "DELETE":
        deleted, _ = _narrowed_all(Fault.objects.all(), request, id="pk").delete()
        return {"deleted": deleted}
    if request.method == "POST":
        given = _body(request)
        target = given.get("target") or given.get("method") or given["path"]
        fault = faults.add(
            str(target),
            given["kind"],
            int(given.get("times", 1)),
            int(given.get("skip", 0)),
            given.get("match", {}),
            given.get("params", {}),
        )
        return _fault(fault)
    return [_fault(row) for row in Fault.objects.order_by("id")]


def _fault(row: Fault) -> Body:
    return {
        "id": row.pk,
        "target": row.target,
        "kind": row.kind,
        "remaining": row.remaining,
        "skip": row.skip,
        "hits": row.hits,
        "match": row.match,
        "params": row.params,
    }


@endpoint("GET", "POST")
def sellers(request: HttpRequest) -> Any:
    """POST creates or patches a seller by taobao_user_id (a new number where none is given)."""
    if request.method == "GET":
        return [
            _seller(u)
            for u in _narrowed(TaobaoUser.objects.order_by("pk"), request, nick="nick", taobao_user_id="pk")
        ]
    given = _body(request)
    number = int(given.get("taobao_user_id") or registration.new_user_id())
    values = loading.seller_values(given)
    with transaction.atomic():
        user, created = TaobaoUser.objects.get_or_create(
            pk=number, defaults={"sid": number % 1_000_000_000, "nick": f"tb{number}"} | values
        )
        if not created:
            for name, value in values.items():
                setattr(user, name, value)
            user.save()
    return _seller(TaobaoUser.objects.get(pk=number)) | {"created": created}


def _seller(user: TaobaoUser) -> Body:
    names = ("taobao_user_id", "main_id", *sorted(loading.SELLER_FIELDS))
    opened = user.opened_at.isoformat() if user.opened_at else None
    return {name: getattr(user, name) for name in names} | {"opened_at": opened}


@endpoint("POST")
def authorize(request: HttpRequest) -> Body:
    """An OAuth code without a browser: {taobao_user_id, redirect_uri}."""
    given = _body(request)
    row = AuthorizationCode.objects.create(
        code=secrets.token_urlsafe(24),
        user=TaobaoUser.objects.get(pk=given["taobao_user_id"]),
        redirect_uri=given["redirect_uri"],
        created_at=clock.now(),
    )
    return {"code": row.code}


@endpoint("POST")
def expire_session(request: HttpRequest) -> Body:
    """End sessions now: {access_token} or {taobao_user_id} or {nick} or {"all": true}."""
    given = _body(request)
    chosen = {
        "access_token": "access_token",
        "taobao_user_id": "user_id",
        "nick": "user__nick",
    }
    found = {column: given[name] for name, column in chosen.items() if name in given}
    if not found and given.get("all") is not True:
        raise ValueError("name access_token, taobao_user_id, nick or all")
    return {"expired": Session.objects.filter(**found).update(expires_at=clock.now())}


@endpoint("GET", "POST")
def alipay_accounts(request: HttpRequest) -> Any:
    """POST opens or changes {user_id, name, kind, logon_id, open_id, status, balance, note, listed}."""
    if request.method == "GET":
        return [_account(a) for a in _narrowed(AlipayAccount.objects.order_by("pk"), request, user_id="pk")]
    given = _body(request)
    with transaction.atomic():
        account = AlipayAccount.objects.filter(pk=given["user_id"]).first()
        if account is None:
            account = books.open_account(
                user_id=given["user_id"],
                name=given["name"],
                kind=given.get("kind", "CORPORATE"),
                logon_id=given.get("logon_id", ""),
                open_id=given.get("open_id", ""),
                note=given.get("note", ""),
            )
        for name in ("name", "kind", "logon_id", "open_id", "status", "note", "listed"):
            if given.get(name) not in (None, ""):
                setattr(account, name, given[name])
        books.check_account(account.user_id, account.kind)
        account.save()
        if "balance" in given:
            books.move(account, books.fen(given["balance"]) - account.balance_fen, "adjustment")
    return _account(account)


def _account(account: AlipayAccount) -> Body:
    return {
        "user_id": account.user_id,
        "open_id": account.open_id,
        "logon_id": account.logon_id,
        "name": account.name,
        "kind": account.kind,
        "status": account.status,
        "balance": books.yuan(account.balance_fen),
        "balance_fen": account.balance_fen,
        "note": account.note,
        "listed": account.listed,
    }


@endpoint("POST")
def pay(request: HttpRequest) -> Body:
    """Pay without a browser: {out_trade_no, buyer, amount?, lose_notification?}; opens the cashier."""
    given = _body(request)
    trade = Trade.objects.filter(out_trade_no=given["out_trade_no"]).first()
    if trade is None:
        order = PagePay.objects.filter(out_trade_no=given["out_trade_no"]).order_by("-created_at").first()
        if order is None:
            raise books.Refused("ACQ.TRADE_NOT_EXIST", "no alipay.trade.page.pay named this number")
        trade = books.open_trade(order)
    amount = books.fen(given["amount"]) if "amount" in given else None
    paid = books.pay(
        trade.trade_no,
        given["buyer"],
        amount_fen=amount,
        lose_notification=bool(given.get("lose_notification")),
    )
    return _trade(paid)


@endpoint("POST")
def notify(request: HttpRequest) -> Body:
    """Send a notification: {url?, out_trade_no?, fields={}, forge=false}; a trade gives url and fields."""
    given = _body(request)
    fields, url = {k: str(v) for k, v in given.get("fields", {}).items()}, given.get("url", "")
    if given.get("out_trade_no"):
        trade = Trade.objects.select_related("buyer").get(out_trade_no=given["out_trade_no"])
        fields = notifications.trade_fields(trade, trade.status, None) | fields
        url = url or trade.notify_url
    if not url:
        raise ValueError("no url")
    row = notifications.enqueue(url, fields, forge=bool(given.get("forge")))
    return _notification(row)


@endpoint("GET")
def notification_list(request: HttpRequest) -> Any:
    rows = _narrowed(
        Notification.objects.order_by("id"), request, out_trade_no="out_trade_no", status="status"
    )
    return [_notification(row) for row in rows]


def _notification(row: Notification) -> Body:
    return {
        "id": row.pk,
        "notify_id": row.notify_id,
        "out_trade_no": row.out_trade_no,
        "url": row.url,
        "status": row.status,
        "attempts": row.attempts,
        "last_answer": row.last_answer,
        "fields": row.fields,
    }


@endpoint("GET")
def trades(request: HttpRequest) -> Any:
    rows = Trade.objects.select_related("buyer").order_by("created_at", "pk")
    return [
        _trade(row)
        for row in _narrowed(rows, request, out_trade_no="out_trade_no", trade_no="pk", status="status")
    ]


def _trade(row: Trade) -> Body:
    return {
        "trade_no": row.trade_no,
        "out_trade_no": row.out_trade_no,
        "amount": books.yuan(row.total_fen),
        "refunded": books.yuan(row.refunded_fen),
        "subject": row.subject,
        "buyer": row.buyer_id,
        "status": row.status_at(clock.now(), int(options.get("refund_window_days"))),
        "created_at": row.created_at.isoformat(),
        "paid_at": row.paid_at.isoformat() if row.paid_at else None,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
    }


@endpoint("GET")
def refunds(request: HttpRequest) -> Any:
    """Every refund with `calls` (requests that named it) and `executions` (how often money was sent)."""
    rows = Refund.objects.select_related("trade").order_by("id")
    narrowed = _narrowed(rows, request, out_trade_no="trade__out_trade_no", out_request_no="out_request_no")
    counts = _executions("refund_id", [row.pk for row in narrowed])
    return [
        {
            "out_trade_no": row.trade.out_trade_no,
            "out_request_no": row.out_request_no,
            "amount": books.yuan(row.amount_fen),
            "executed_at": row.executed_at.isoformat(),
            "calls": row.calls,
            "executions": counts.get(row.pk, 0),
        }
        for row in narrowed
    ]


def _executions(column: str, keys: list[Any]) -> dict[Any, int]:
    left = Movement.objects.filter(
        account_id=settings.ALIPAY_SELLER_ID, delta_fen__lt=0, **{f"{column}__in": keys}
    )
    return dict(left.values_list(column).annotate(Count("id")))


@endpoint("GET", "POST")
def transfers(request: HttpRequest) -> Any:
    """POST settles: {out_biz_no, status: SUCCESS | FAIL | REFUND, reason?}."""
    if request.method == "POST":
        given = _body(request)
        with transaction.atomic():
            order = Transfer.objects.select_related("payee").get(pk=given["out_biz_no"])
            books.settle_transfer(order, given["status"], str(given.get("reason", "")))
        return _transfer(order, 1)
    rows = _narrowed(Transfer.objects.order_by("created_at"), request, out_biz_no="pk", status="status")
    counts = _executions("transfer_id", [row.pk for row in rows])
    return [_transfer(row, counts.get(row.pk, 0)) for row in rows]


def _transfer(row: Transfer, executions: int) -> Body:
    return {
        "out_biz_no": row.out_biz_no,
        "order_id": row.order_id,
        "amount": books.yuan(row.amount_fen),
        "payee": row.payee_id,
        "status": row.status,
        "fail_reason": row.fail_reason,
        "calls": row.calls,
        "executions": executions,
        "created_at": row.created_at.isoformat(),
        "remark": row.remark,
        "title": row.title,
    }


@endpoint("GET")
def whole_books(request: HttpRequest) -> Body:
    """Totals, and whether every balance is the sum of its movements and no money came from nowhere."""
    moved = dict(Movement.objects.values_list("account_id").annotate(Sum("delta_fen")))
    balances = dict(AlipayAccount.objects.values_list("user_id", "balance_fen"))
    wrong = sorted(key for key, value in balances.items() if moved.get(key, 0) != value)
    by_kind = dict(Movement.objects.values_list("kind").annotate(Sum("delta_fen")))
    in_transit = _total(Transfer.objects.filter(status=Transfer.DEALING), "amount_fen")
    put_in = by_kind.get("opening", 0) + by_kind.get("adjustment", 0) + by_kind.get("fee", 0)
    repeated = Movement.objects.filter(account_id=settings.ALIPAY_SELLER_ID, refund__isnull=False)
    return {
        "seller_balance": books.yuan(balances.get(settings.ALIPAY_SELLER_ID, 0)),
        "accounts": len(balances),
        "sum_of_balances": books.yuan(sum(balances.values())),
        "in_transit": books.yuan(in_transit),
        "put_in": books.yuan(put_in),
        "balanced": not wrong and sum(balances.values()) + in_transit == put_in,
        "wrong_accounts": wrong,
        "trades": _tally(Trade.objects.all(), "total_fen"),
        "refunds": Refund.objects.count(),
        "refunded": books.yuan(_total(Refund.objects.all(), "amount_fen")),
        "refunds_executed_more_than_once": list(
            repeated.values("refund_id")
            .annotate(n=Count("id"))
            .filter(n__gt=1)
            .values_list("refund_id", flat=True)
        ),
        "transfers": _tally(Transfer.objects.all(), "amount_fen"),
        "notifications": dict(Notification.objects.values_list("status").annotate(Count("id"))),
        "calls": dict(CallCount.objects.values_list("method", "calls")),
    }


def _total(rows: QuerySet[Any], column: str) -> int:
    return rows.aggregate(total=Sum(column))["total"] or 0


def _tally(rows: QuerySet[Any], column: str) -> Body:
    found = rows.values_list("status").annotate(Count("pk"), Sum(column))
    return {status: {"count": count, "amount": books.yuan(total)} for status, count, total in found}


@endpoint("POST")
def load(request: HttpRequest) -> Body:
    """JSON object of lists, or application/x-ndjson; what is already there is left as it is."""
    return loading.load(loading.parse(request.body, request.content_type or ""))


@endpoint("GET", "POST")
def settings_(request: HttpRequest) -> Body:
    """POST changes the options that it names; GET and POST answer with all of them."""
    if request.method == "POST":
        with transaction.atomic():
            options.change(_body(request))
    return options.all_values()


@endpoint("GET", "DELETE")
def mail(request: HttpRequest) -> Any:
    """Mails in order of arrival; narrowed by ?to=, ?subject=, ?after=<id>."""
    rows = Mail.objects.order_by("id")
    if request.method == "DELETE":
        return {"deleted": rows.delete()[0]}
    if request.GET.get("after"):
        rows = rows.filter(pk__gt=int(request.GET["after"]))
    if request.GET.get("subject"):
        rows = rows.filter(subject__contains=request.GET["subject"])
    found = [mailbox.as_json(row) for row in rows]
    wanted = request.GET.get("to", "").lower()
    return [row for row in found if not wanted or wanted in (address.lower() for address in row["to"])]


@endpoint("GET", "POST")
def totp(request: HttpRequest, login: str) -> Body:
    """The code of one login now; POST {secret} makes it known."""
    if request.method == "POST":
        secret = str(_body(request)["secret"])
        authenticator.current_code(secret)
        with transaction.atomic():
            options.change({"totp_secrets": options.get("totp_secrets") | {login: secret}})
    return {"login": login, "code": authenticator.current_code(authenticator.secrets_by_login()[login])}


@endpoint("POST")
def reset(request: HttpRequest) -> Body:
    """Empty the books and load the demo again; in the test environment only."""
    if settings.ENVIRONMENT != "test":
        raise ValueError("reset is for TMALL_SP_ENV=test")
    tables = (
        Movement,
        Notification,
        Refund,
        Transfer,
        Trade,
        PagePay,
        Session,
        AuthorizationCode,
        ServiceOrder,
        AlipayAccount,
        Fault,
        CallCount,
        Mail,
        Option,
    )
    with transaction.atomic():
        for table in tables:
            table._default_manager.all().delete()
        TaobaoUser.objects.exclude(main=None).delete()
        TaobaoUser.objects.all().delete()
        demo.load_if_empty()
    return {"reset": True}
