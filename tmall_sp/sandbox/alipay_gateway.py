"""Alipay's gateway (B1–B3): checks a request, runs its method, signs the exact bytes of the answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import alipay_methods, books, clock, faults, keys, options, signing
from .books import Refused
from .faults import Strike
from .models import CallCount, PagePay, Trade

PAGE_PAY = "alipay.trade.page.pay"
REQUIRED = {
    "app_id": "app-id",
    "method": "method",
    "sign": "signature",
    "sign_type": "signature-type",
    "timestamp": "timestamp",
    "version": "version",
}
MESSAGES = {
    "10000": "Success",
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40003": "Insufficient Conditions",
    "40004": "Business Failed",
    "40005": "Call Limited",
    "40006": "Insufficient Permissions",
}


class GatewayError(Exception):
    """A request that never reaches a method; its answer is not signed."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.fields = failure(code, sub_code, sub_msg)


def failure(code: str, sub_code: str, sub_msg: str = "") -> dict[str, Any]:
    return {
        "code": code,
        "msg": MESSAGES.get(code, "Failed"),
        "sub_code": sub_code,
        "sub_msg": sub_msg or sub_code,
    }


@csrf_exempt
@require_http_methods(["GET", "POST"])
def gateway(request: HttpRequest) -> HttpResponse:
    """`/gateway.do`. Query string and form are one set of parameters; the form wins."""
    params: dict[str, str] = {**request.GET.dict(), **request.POST.dict()}
    method = params.get("method", "")
    try:
        biz = _checked(params, method)
    except GatewayError as error:
        if method == PAGE_PAY:
            return render(request, "sandbox/cashier_error.html", {"error": error.fields}, status=400)
        return _answer(error.fields, root=_root(method) if method else "error_response", sign="none")
    count_call(method)
    plan = faults.take(method, biz)
    faults.sleep(plan.delay_before)
    response = _respond(request, params, method, biz, plan.strike)
    faults.sleep(plan.delay_after)
    return response


def _respond(
    request: HttpRequest, params: dict[str, str], method: str, biz: dict[str, Any], strike: Strike
) -> HttpResponse:
    if strike.kind in faults.TRANSPORT:
        if strike.executes:
            _execute(method, biz, params)
        return faults.broken_answer(strike, request)
    if method == PAGE_PAY:
        return _page_pay(request, params, biz)
    with_certificate = "app_cert_sn" in params
    fields = _struck_failure(method, strike)
    if fields is None or strike.executes:
        result = _execute(method, biz, params)
        fields = result if fields is None else fields
    if strike.kind == "wrong_values":
        fields = {**fields, **strike.params.get("set", {})}
    sign = {"no_sign": "none", "bad_sign": "bad"}.get(strike.kind, "good")
    return _answer(fields, root=_root(method), sign=sign, with_certificate=with_certificate)


def _struck_failure(method: str, strike: Strike) -> dict[str, Any] | None:
    prefix = "ACQ." if method.startswith("alipay.trade.") else ""
    if strike.kind == "code_20000":
        return failure("20000", "isp.unknow-error", "服务暂不可用")
    if strike.kind == "system_error":
        return failure("40004", f"{prefix}SYSTEM_ERROR", "系统错误")
    if strike.kind == "sub_code":
        given = strike.params
        return failure(str(given.get("code", "40004")), str(given["sub_code"]), str(given.get("sub_msg", "")))
    return None


def _checked(params: dict[str, str], method: str) -> dict[str, Any]:
    """The biz_content of a request whose signature and common parameters hold; GatewayError otherwise."""
    for name, word in REQUIRED.items():
        if not params.get(name):
            raise GatewayError("40001", f"isv.missing-{word}", f"缺少参数 {name}")
    if params["app_id"] != settings.ALIPAY_APP_ID:
        raise GatewayError("40002", "isv.invalid-app-id", "无效的AppID参数")
    if method not in alipay_methods.METHODS and method != PAGE_PAY:
        raise GatewayError("40002", "isv.invalid-method", "不存在的方法名")
    if params["sign_type"] != "RSA2":
        raise GatewayError("40002", "isv.invalid-signature-type", "无效的签名类型")
    if params.get("charset", "utf-8").lower() != "utf-8":
        raise GatewayError("40002", "isv.invalid-charset", "字符集错误")
    ring = keys.ring()
    text = signing.request_text(params).encode()
    if not signing.rsa2_verify(ring.app_public_key, text, params["sign"]):
        raise GatewayError("40002", "isv.invalid-signature", "验签出错，请检查签名原文与公钥")
    if params.get("app_cert_sn", ring.app_cert_sn) != ring.app_cert_sn:
        raise GatewayError("40002", "isv.invalid-app-cert-sn", "应用证书序列号不匹配")
    if params.get("alipay_root_cert_sn", ring.root_cert_sn) != ring.root_cert_sn:
        raise GatewayError("40002", "isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号不匹配")
    if method in alipay_methods.CERTIFICATE_ONLY and "app_cert_sn" not in params:
        raise GatewayError("40006", "isv.insufficient-isv-permissions", "该接口只支持公钥证书模式")
    _check_timestamp(params["timestamp"], method)
    return _biz_content(params.get("biz_content", ""))


def _check_timestamp(text: str, method: str) -> None:
    try:
        skew = abs(clock.now() - clock.parse_wire(text))
    except ValueError:
        raise GatewayError("40002", "isv.invalid-timestamp", "非法的时间戳参数") from None
    # A link to the cashier may be opened late; a call may not.
    if method != PAGE_PAY and skew > timedelta(minutes=float(options.get("request_window_minutes"))):
        raise GatewayError("40002", "isv.invalid-timestamp", "时间戳与服务器时间相差过大")


def _biz_content(text: str) -> dict[str, Any]:
    try:
        biz = json.loads(text)
    except ValueError:
        biz = None
    if not isinstance(biz, dict):
        raise GatewayError("40002", "isv.invalid-biz-content", "biz_content 不是 JSON 对象")
    return biz


def count_call(method: str) -> None:
    """Count one call of a method, for the control API."""
    with transaction.atomic():
        CallCount.objects.get_or_create(method=method)
        CallCount.objects.filter(method=method).update(calls=F("calls") + 1)


def _execute(method: str, biz: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    """Run a method; its effects are committed when this returns."""
    if method == PAGE_PAY:
        try:
            _store_page_pay(params, biz)
        except Refused as refused:
            return failure("40004", refused.sub_code, refused.sub_msg)
        return {"code": "10000", "msg": "Success"}
    try:
        fields = alipay_methods.METHODS[method](biz)
    except Refused as refused:
        return failure("40004", refused.sub_code, refused.sub_msg)
    return {"code": "10000", "msg": "Success", **fields}


def _root(method: str) -> str:
    return method.replace(".", "_") + "_response"


def _answer(fields: dict[str, Any], *, root: str, sign: str, with_certificate: bool = False) -> HttpResponse:
    """The envelope; `sign` is good, bad or none. What is signed is byte for byte what is sent."""
    ring = keys.ring()
    inner = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    tail = f',"alipay_cert_sn":"{ring.alipay_cert_sn}"' if with_certificate else ""
    if sign != "none":
        signature = signing.rsa2_sign(
            ring.alipay_key, inner.encode() if sign == "good" else inner.encode() + b" "
        )
        tail += f',"sign":"{signature}"'
    return HttpResponse(f'{{"{root}":{inner}{tail}}}', content_type="text/html;charset=utf-8")


def _page_pay(request: HttpRequest, params: Mapping[str, str], biz: dict[str, Any]) -> HttpResponse:
    try:
        order = _store_page_pay(params, biz)
    except Refused as refused:
        fields = failure("40004", refused.sub_code, refused.sub_msg)
        return render(request, "sandbox/cashier_error.html", {"error": fields}, status=400)
    return HttpResponseRedirect(f"/cashier/{order.token}/")


def _store_page_pay(params: Mapping[str, str], biz: dict[str, Any]) -> PagePay:
    number, subject = str(biz.get("out_trade_no") or ""), str(biz.get("subject") or "")
    if not number.replace("_", "").isalnum() or not number.isascii() or len(number) > 64 or not subject:
        raise Refused("ACQ.INVALID_PARAMETER", "out_trade_no 或 subject 不正确")
    if biz.get("product_code") != "FAST_INSTANT_TRADE_PAY":
        raise Refused("ACQ.INVALID_PARAMETER", "product_code 不正确")
    total = books.fen(biz.get("total_amount"))
    if not 1 <= total <= 10_000_000_000:
        raise Refused("ACQ.INVALID_PARAMETER", "total_amount 超出范围")
    trade = Trade.objects.filter(out_trade_no=number).first()
    if trade is not None and trade.status == Trade.WAIT and trade.total_fen != total:
        raise Refused("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    return PagePay.objects.create(
        token=secrets.token_urlsafe(20),
        out_trade_no=number,
        total_fen=total,
        subject=subject,
        body=str(biz.get("body") or ""),
        passback_params=str(biz.get("passback_params") or ""),
        return_url=params.get("return_url", ""),
        notify_url=params.get("notify_url", ""),
        expires_at=_expiry(biz),
        created_at=clock.now(),
    )


def _expiry(biz: dict[str, Any]) -> datetime:
    if biz.get("time_expire"):
        try:
            return clock.parse_wire(str(biz["time_expire"]))
        except ValueError:
            raise Refused("ACQ.INVALID_PARAMETER", "time_expire 格式不正确") from None
    timeout = str(biz.get("timeout_express") or "15d")
    if timeout == "1c":
        midnight = clock.now().astimezone(clock.BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=1)
    units = {"m": 60, "h": 3600, "d": 86400}
    if timeout[-1] not in units or not timeout[:-1].isdigit():
        raise Refused("ACQ.INVALID_PARAMETER", "timeout_express 格式不正确")
    seconds = int(timeout[:-1]) * units[timeout[-1]]
    if not 60 <= seconds <= 15 * 86400:
        raise Refused("ACQ.INVALID_PARAMETER", "timeout_express 超出范围")
    return clock.now() + timedelta(seconds=seconds)
