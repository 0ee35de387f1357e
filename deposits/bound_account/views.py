"""The company's page of its bound account: ask for another, follow the change, cancel it."""

import ipaddress

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import served_files
from applications.lifecycle import ADMITTED
from applications.models import Application
from applications.views.people import person
from deposits import permissions, selectors
from deposits.bound_account import changes as account_changes
from deposits.bound_account.progress import stages
from deposits.forms import AccountForm
from deposits.models import AccountChange
from deposits.states import ChangeState
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest, number: str) -> HttpResponse:
    """The bound account and its changes; the form, where one can be asked for."""
    application = selectors.deposit_for(person(request), number).application
    if request.method != "POST":
        return _page(request, application, AccountForm())
    if not permissions.may_ask_for_account(person(request), application):
        raise PermissionDenied
    form = AccountForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, application, form)
    try:
        account_changes.request(
            application.pk,
            actor=person(request),
            account_id=form.cleaned_data["account_id"],
            reason=form.cleaned_data["reason"],
            evidence=form.cleaned_data["file"],
            seen=request.POST.get("seen", ""),
            address=_address(request),
        )
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error.message))
        return _page(request, selectors.deposit_for(person(request), number).application, form)
    messages.success(
        request, _("Asked for. Everybody of your company has been told, and your contact by mail.")
    )
    return redirect("deposits:account", number)


@require_POST
def cancel(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    change = _change(request, number, pk)
    try:
        account_changes.cancel(change.pk, actor=person(request))
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The change has been cancelled. The account stays as it was."))
    return redirect("deposits:account", number)


@require_safe
def evidence(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """What was handed in: everybody of the company can see what was claimed in its name."""
    change = _change(request, number, pk)
    return served_files.for_merchant(
        change.evidence,
        name=change.evidence_name,
        content_type=change.evidence_type,
        download="download" in request.GET,
    )


def _change(request: HttpRequest, number: str, pk: int) -> AccountChange:
    application = selectors.deposit_for(person(request), number).application
    return get_object_or_404(AccountChange, pk=pk, application=application)


def _page(request: HttpRequest, application: Application, form: AccountForm) -> HttpResponse:
    changes = list(application.account_changes.select_related("requested_by", "closed_by"))
    current = next((change for change in changes if change.closed_at is None), None)
    user = person(request)
    may_ask = permissions.may_ask_for_account(user, application)
    shows_form = application.state in ADMITTED and current is None and may_ask
    if form.errors and not shows_form:
        # What was typed has no place any more.
        for error in form.non_field_errors():
            messages.error(request, str(error))
        return redirect("deposits:account", application.number)
    context = {
        "application": application,
        "change": current,
        "stages": stages(current) if current else [],
        "waits_for": _waits_for(application, current),
        "may_stop": permissions.may_stop_account(user, application),
        "is_admitted": application.state in ADMITTED,
        "form": form if shows_form else None,
        "cooling_days": rules.value("account_change.cooling_days"),
        "earlier": [change for change in changes if change is not current],
    }
    return render(request, "deposits/account_change.html", context, status=422 if form.errors else 200)


def _waits_for(application: Application, change: AccountChange | None) -> str:
    """What a change whose day has come still waits for; empty if it waits for nothing."""
    if change is None or change.state != ChangeState.COOLING or change.effective_at is None:
        return ""
    if clock.now() < change.effective_at:
        return ""
    return str(account_changes.unknown_outcome(application) or "")


def _address(request: HttpRequest) -> str | None:
    """Where the request comes from, as seen behind our own proxies; None where that can't be said."""
    try:
        return str(ipaddress.ip_address(get_adapter().get_client_ip(request)))
    except (PermissionDenied, ValueError):
        return None
