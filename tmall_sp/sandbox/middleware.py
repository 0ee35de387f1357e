"""Faults that strike a whole path, before any view."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from . import faults


class PathFaultMiddleware:
    """Applies the faults ordered for a path such as /token or /authorize."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/control/"):
            return self.get_response(request)
        plan = faults.take(request.path, {**request.GET.dict()})
        faults.sleep(plan.delay_before)
        if plan.strike.kind:
            if plan.strike.executes:
                self.get_response(request)
            return faults.broken_answer(plan.strike, request)
        response = self.get_response(request)
        faults.sleep(plan.delay_after)
        return response
