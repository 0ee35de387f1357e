"""Turns a service's refusal into a page: not permitted is 403, anything else is said on the next page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tmall_sp.core.errors import DomainError, NotPermitted

View = Callable[..., HttpResponse]


def told_on_detail_page(view: View) -> View:
    """For a view of one application by `number` that has no form of its own to show the refusal in."""

    @wraps(view)
    def wrapped(request: HttpRequest, number: str, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, number, *args, **kwargs)
        except NotPermitted as error:
            raise PermissionDenied(str(error.message)) from error
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("applications:detail", number)

    return wrapped


def seen_version(request: HttpRequest) -> int | None:
    """The version of the page that the person acted on, as its form carried it."""
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else None
