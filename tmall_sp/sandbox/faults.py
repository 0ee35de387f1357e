"""Misbehaviour on demand: which fault strikes a call, and the answers that break the transport."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from . import clock
from .models import Fault

TRANSPORT = frozenset({"http_502", "drop", "executes_then_drops", "garbage"})
ALIPAY = frozenset({"no_sign", "bad_sign", "wrong_values", "code_20000", "system_error", "sub_code"})
TOP = frozenset({"top_error", "wrong_values"})
NOTIFICATION = frozenset({"lost", "doubled", "late", "reordered", "forged"})
KINDS = frozenset({"delay"}) | TRANSPORT | ALIPAY | TOP | NOTIFICATION


@dataclass(frozen=True)
class Strike:
    """One fault as it strikes one call."""

    kind: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def executes(self) -> bool:
        """Whether the call takes effect although its answer goes wrong."""
        return self.kind == "executes_then_drops" or bool(self.params.get("executed", False))


@dataclass(frozen=True)
class Plan:
    """What was ordered for one call: delays before and after, and at most one fault besides."""

    delay_before: float
    delay_after: float
    strike: Strike


def add(
    target: str, kind: str, times: int, skip: int, match: dict[str, Any], params: dict[str, Any]
) -> Fault:
    """Order a fault for `times` calls (−1: always) of a method, a path or "notification", after `skip` calls.

    ValueError for an unknown kind or a target that this kind can't strike.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    if (kind in NOTIFICATION) != (target == "notification"):
        raise ValueError(f"kind {kind} does not fit target {target!r}")
    if target.startswith("/") and kind not in TRANSPORT | {"delay"}:
        raise ValueError(f"a path takes only {', '.join(sorted(TRANSPORT | {'delay'}))}")
    if target.startswith("taobao.") and kind not in TRANSPORT | TOP | {"delay"}:
        raise ValueError(f"kind {kind} does not fit a Taobao method")
    if target.startswith("alipay.") and kind == "top_error":
        raise ValueError("kind top_error does not fit an Alipay method")
    return Fault.objects.create(
        target=target,
        kind=kind,
        remaining=times,
        skip=skip,
        match=match,
        params=params,
        created_at=clock.now(),
    )


def take(target: str, fields: Mapping[str, Any]) -> Plan:
    """Use up what was ordered for this call: every delay, and the oldest other fault."""
    before = after = 0.0
    strike = Strike()
    if not Fault.objects.filter(target=target).exclude(remaining=0).exists():
        return Plan(before, after, strike)
    with transaction.atomic():
        for fault in Fault.objects.filter(target=target).exclude(remaining=0).order_by("id"):
            if not _matches(fault, fields) or (fault.kind != "delay" and strike.kind):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                fault.save(update_fields=["skip"])
                continue
            fault.hits += 1
            if fault.remaining > 0:
                fault.remaining -= 1
            fault.save(update_fields=["hits", "remaining"])
            if fault.kind != "delay":
                strike = Strike(fault.kind, fault.params)
            elif fault.params.get("after"):
                after += float(fault.params.get("seconds", 1))
            else:
                before += float(fault.params.get("seconds", 1))
    return Plan(before, after, strike)


def _matches(fault: Fault, fields: Mapping[str, Any]) -> bool:
    return all(str(fields.get(name, "")) == str(value) for name, value in fault.match.items())


def sleep(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def broken_answer(strike: Strike, request: HttpRequest) -> HttpResponse:
    """The answer of a transport fault; for a dropped connection nothing reaches the client."""
    if strike.kind == "http_502":
        return HttpResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", status=502)
    if strike.kind == "garbage":
        return HttpResponse(
            str(strike.params.get("body", "<html>系统繁忙，请稍后再试")), content_type="text/html"
        )
    connection = request.META.get("gunicorn.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return HttpResponse(status=500)
