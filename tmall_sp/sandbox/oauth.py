"""Taobao's OAuth (A4): the authorize page with its choice of accounts, and the token endpoint."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from . import clock, options, registration
from .models import AuthorizationCode, Session, TaobaoUser

SHORT_CLASS_SECONDS = 1800
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
SEARCH_LIMIT = 30


class TokenError(Exception):
    """A refused code, in the standard's words."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """The page on which a person grants access, as a demo seller or as one that registers here."""
    problem = _request_problem(request)
    if problem:
        return render(request, "sandbox/oauth_error.html", {"problem": problem}, status=400)
    if request.method == "GET":
        return _page(request)
    if request.POST.get("action") == "cancel":
        return _redirect(request, {"error": "access_denied", "error_description": "authorize reject"})
    if request.POST.get("action") == "register":
        form = registration.RegistrationForm(request.POST)
        if not form.is_valid():
            return _page(request, form, status=422)
        return _grant(request, registration.register(form.cleaned_data))
    user = TaobaoUser.objects.filter(pk=_number(request.POST.get("user", ""))).first()
    if user is None:
        return _page(request, status=422, message="请选择一个淘宝账号")
    return _grant(request, user)


def _request_problem(request: HttpRequest) -> str:
    if request.GET.get("response_type") != "code":
        return "unsupported_response_type: response_type 应为 code"
    if request.GET.get("client_id") != settings.TAOBAO_APP_KEY:
        return "invalid_client: client_id 不存在"
    parts = urlsplit(request.GET.get("redirect_uri", ""))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "invalid_request: 缺少 redirect_uri"
    if parts.hostname not in LOCAL_HOSTS | {urlsplit(settings.SITE_URL).hostname}:
        return "redirect_uri_mismatch: redirect_uri 与应用登记的回调地址不符"
    return ""


def _page(
    request: HttpRequest,
    form: registration.RegistrationForm | None = None,
    *,
    status: int = 200,
    message: str = "",
) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    users = TaobaoUser.objects.select_related("main").filter(listed=True)
    if wanted:
        number = _number(wanted)
        users = TaobaoUser.objects.select_related("main").filter(Q(nick__icontains=wanted) | Q(pk=number))
    context = {
        "users": users.order_by("taobao_user_id")[:SEARCH_LIMIT],
        "q": wanted,
        "message": message,
        "form": form or registration.RegistrationForm(),
        "register_open": form is not None,
        "params": [(k, v) for k, v in request.GET.items() if k != "q"],
    }
    return render(request, "sandbox/authorize.html", context, status=status)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _grant(request: HttpRequest, user: TaobaoUser) -> HttpResponse:
    code = AuthorizationCode.objects.create(
        code=secrets.token_urlsafe(24),
        user=user,
        redirect_uri=request.GET["redirect_uri"],
        created_at=clock.now(),
    )
    return _redirect(request, {"code": code.code})


def _redirect(request: HttpRequest, fields: dict[str, str]) -> HttpResponse:
    target = request.GET["redirect_uri"]
    if "state" in request.GET:
        fields["state"] = request.GET["state"]
    return HttpResponseRedirect(target + ("&" if "?" in target else "?") + urlencode(fields))


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """`POST /token` with grant_type=authorization_code."""
    given = {**request.GET.dict(), **request.POST.dict()}
    try:
        if given.get("grant_type") != "authorization_code":
            raise TokenError("unsupported_grant_type", "grant_type is not supported")
        if given.get("client_id") != settings.TAOBAO_APP_KEY:
            raise TokenError("invalid_client", "client_id is invalid")
        if given.get("client_secret") != settings.TAOBAO_APP_SECRET:
            raise TokenError("invalid_client", "client_secret is invalid")
        fields = exchange(given.get("code", ""), given.get("redirect_uri", ""))
    except TokenError as error:
        return _json({"error": error.error, "error_description": error.description}, 400)
    return _json(fields, 200)


def exchange(code: str, redirect_uri: str | None) -> dict[str, Any]:
    """The token of an unused code; TokenError otherwise. `redirect_uri` None is not compared (TOP call)."""
    with transaction.atomic():
        row = AuthorizationCode.objects.select_related("user__main").filter(code=code).first()
        if row is None or row.used:
            raise TokenError("invalid_grant", "code is invalid or used")
        now = clock.now()
        if now > row.created_at + timedelta(seconds=float(options.get("code_seconds"))):
            raise TokenError("invalid_grant", "code is expired")
        if redirect_uri is not None and redirect_uri != row.redirect_uri:
            raise TokenError("invalid_grant", "redirect_uri mismatch")
        row.used = True
        row.save(update_fields=["used"])
        seconds = int(options.get("token_seconds"))
        session = Session.objects.create(
            access_token=f"6200{secrets.token_hex(20)}",
            user=row.user,
            created_at=now,
            expires_at=now + timedelta(seconds=seconds),
        )
    return _token_fields(session, seconds)


def _token_fields(session: Session, seconds: int) -> dict[str, Any]:
    user, owner = session.user, session.user.owner
    fields: dict[str, Any] = {
        "access_token": session.access_token,
        "token_type": "Bearer",
        "expires_in": seconds,
        "r1_expires_in": seconds,
        "r2_expires_in": seconds,
        "w1_expires_in": seconds,
        "w2_expires_in": min(seconds, SHORT_CLASS_SECONDS),
        "taobao_user_id": str(owner.taobao_user_id),
        "taobao_user_nick": quote(owner.nick, safe=""),
    }
    if user.main is not None:
        fields |= {
            "sub_taobao_user_id": str(user.taobao_user_id),
            "sub_taobao_user_nick": quote(user.nick, safe=""),
        }
    return fields


def _json(fields: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(json.dumps(fields), status=status, content_type="application/json;charset=UTF-8")
