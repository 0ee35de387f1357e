"""The TOP gateway (A1–A3): merges parameters, checks them, and wraps answers as TOP does."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from . import clock, faults, signing, top_methods
from .alipay_gateway import count_call
from .models import Session
from .top_methods import TopError

WINDOW = timedelta(minutes=10)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def gateway(request: HttpRequest) -> HttpResponse:
    """`/router/rest`. Query string and form are signed together, so they are merged first."""
    params: dict[str, str] = {**request.GET.dict(), **request.POST.dict()}
    form = params.get("format", "xml")
    request_id = secrets.token_hex(8)
    try:
        method = _checked(params, form)
        count_call(method)
        plan = faults.take(method, params)
        faults.sleep(plan.delay_before)
        if plan.strike.kind in faults.TRANSPORT:
            return faults.broken_answer(plan.strike, request)
        if plan.strike.kind == "top_error":
            raise _ordered_error(plan.strike.params)
        fields = top_methods.METHODS[method](params, _session(method, params))
        if plan.strike.kind == "wrong_values":
            fields = _overlaid(fields, plan.strike.params.get("set", {}))
        faults.sleep(plan.delay_after)
    except TopError as error:
        return _write({"error_response": error.fields | {"request_id": request_id}}, form)
    if form == "json" and params.get("simplify") == "true":
        return _write(_simplified(fields) | {"request_id": request_id}, form)
    root = method.removeprefix("taobao.").replace(".", "_") + "_response"
    return _write({root: fields | {"request_id": request_id}}, form)


def _checked(params: Mapping[str, str], form: str) -> str:
    """The method of a request whose common parameters and signature hold; TopError otherwise."""
    method = params.get("method", "")
    if form not in ("json", "xml"):
        raise TopError(23, "Invalid Format")
    if not method:
        raise TopError(21, "Missing Method")
    if method not in top_methods.METHODS:
        raise TopError(22, "Invalid Method")
    if not params.get("app_key"):
        raise TopError(28, "Missing App Key")
    if params["app_key"] != settings.TAOBAO_APP_KEY:
        raise TopError(29, "Invalid App Key", "isv.invalid-app-key")
    if not params.get("v"):
        raise TopError(32, "Missing Version")
    if params["v"] != "2.0":
        raise TopError(34, "Unsupported Version")
    _check_timestamp(params.get("timestamp", ""))
    _check_signature(params)
    return method


def _check_timestamp(text: str) -> None:
    if not text:
        raise TopError(30, "Missing Timestamp")
    try:
        if text.isascii() and text.isdigit():
            instant = datetime.fromtimestamp(int(text) / 1000, UTC)
        else:
            instant = clock.parse_wire(text)
    except (ValueError, OverflowError):
        raise TopError(31, "Invalid Timestamp") from None
    if abs(clock.now() - instant) > WINDOW:
        raise TopError(31, "Invalid Timestamp")


def _check_signature(params: Mapping[str, str]) -> None:
    if not params.get("sign"):
        raise TopError(24, "Missing Signature")
    secret = settings.TAOBAO_APP_SECRET.encode()
    try:
        expected = signing.top_signature(params, secret, params.get("sign_method", "md5"))
    except ValueError:
        raise TopError(25, "Invalid Signature", "isv.invalid-signature") from None
    if not hmac.compare_digest(expected.encode(), params["sign"].encode()):
        raise TopError(25, "Invalid Signature", "isv.invalid-signature")


def _session(method: str, params: Mapping[str, str]) -> Session | None:
    if method not in top_methods.NEEDS_SESSION:
        return None
    if not params.get("session"):
        raise TopError(26, "Missing Session")
    session = Session.objects.select_related("user__main").filter(access_token=params["session"]).first()
    if session is None:
        raise TopError(27, "Invalid Session", "isv.invalid-session")
    if clock.now() >= session.expires_at:
        raise TopError(27, "Invalid Session", "isv.session-expired")
    return session


def _ordered_error(given: Mapping[str, Any]) -> TopError:
    return TopError(
        int(given.get("code", 15)),
        str(given.get("msg", "Remote service error")),
        str(given.get("sub_code", "isp.service-error")),
        str(given.get("sub_msg", "")),
    )


def _overlaid(fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with values changed at whatever depth their name stands."""
    changed: dict[str, Any] = {}
    for name, value in fields.items():
        if name in changes:
            changed[name] = changes[name]
        else:
            changed[name] = _overlaid(value, changes) if isinstance(value, dict) else value
    return changed


def _simplified(fields: dict[str, Any]) -> dict[str, Any]:
    """The flat form: the wrapper between a list and its name vanishes."""
    flat = {}
    for name, value in fields.items():
        if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), list):
            flat[name] = next(iter(value.values()))
        else:
            flat[name] = value
    return flat


def _write(answer: dict[str, Any], form: str) -> HttpResponse:
    if form == "json":
        return HttpResponse(
            json.dumps(answer, ensure_ascii=False), content_type="text/javascript;charset=UTF-8"
        )
    text = '<?xml version="1.0" encoding="utf-8" ?>' + "".join(_xml(k, v) for k, v in answer.items())
    return HttpResponse(text, content_type="text/xml;charset=UTF-8")


def _xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"<{name}>" + "".join(_xml(k, v) for k, v in value.items()) + f"</{name}>"
    if isinstance(value, list):
        return "".join(_xml(name, item) for item in value)
    if isinstance(value, bool):
        value = str(value).lower()
    return f"<{name}>{escape(str(value))}</{name}>"
