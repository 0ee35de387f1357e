"""How a page takes a step of a side: form → service → page or redirect, for the pages of both sides."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise

from compliance.complaints.forms import CaseForm
from tmall_sp.core.errors import DomainError, NotPermitted


def take(
    request: HttpRequest,
    form: CaseForm,
    do: Callable[[dict[str, Any]], object],
    *,
    page: Callable[[CaseForm, int], HttpResponse],
    done: Callable[[], HttpResponse],
    told: str | Promise,
) -> HttpResponse:
    """Do it with what was typed, say `told`, and go to `done()`.

    Otherwise `page(form, status)` shows the case as it is now with the form as it was typed: 422 where a field is
    wrong, 409 where the case has moved on; not permitted is 403.
    """
    if not form.is_valid():
        return page(form, 422)
    try:
        do(form.cleaned_data)
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except DomainError as error:
        if error.code == "said_already":  # pressed twice
            messages.info(request, str(error.message))
            return done()
        if error.field in form.fields:
            form.refuse(error)
            return page(form, 422)
        messages.error(request, str(error.message))
        return page(form, 409)
    messages.success(request, str(told))
    return done()
