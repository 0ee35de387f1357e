"""A stand-in for the phone's authenticator: the codes of the demo staff (TOTP, SHA-1, 30 s)."""

from __future__ import annotations

import base64
import hmac
import struct
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from . import options

PERIOD = 30


def secrets_by_login() -> dict[str, str]:
    """Base32 secrets of SANDBOX_TOTP_SECRETS and of the control API."""
    known: dict[str, str] = settings.TOTP_SECRETS | options.get("totp_secrets")
    return known


def code_at(secret: str, seconds: float) -> str:
    """The six digits at an instant (RFC 6238). ValueError for a secret that is no Base32."""
    padded = secret.upper() + "=" * (-len(secret) % 8)
    counter = struct.pack(">Q", int(seconds) // PERIOD)
    digest = hmac.digest(base64.b32decode(padded), counter, "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def current_code(secret: str) -> str:
    """The code that a phone shows now. It goes by the real time, like the portal's check."""
    return code_at(secret, time.time())


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    codes = [(login, current_code(secret)) for login, secret in sorted(secrets_by_login().items())]
    remaining = PERIOD - int(time.time()) % PERIOD
    return render(request, "sandbox/authenticator.html", {"codes": codes, "remaining": remaining})
