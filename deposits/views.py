"""The merchant's pages of the deposit, and the address that Alipay tells its news to."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import permissions
from applications import selectors as applications
from applications.lifecycle import State
from applications.views.people import person
from applications.views.refusals import seen_version
from deposits import selectors, services
from deposits.dossier import frozen_by_case
from deposits.duties.topups import FILLING_UP
from deposits.forms import WithdrawForm
from deposits.incoming import payments
from deposits.models import Deposit
from deposits.situation import standing
from deposits.statements import statement_files
from deposits.statements.statements import statement as statement_of
from deposits.statements.table_files import FORMATS, download
from deposits.states import ORDER_UNRESOLVED, BackState
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

# How many of the newest movements the page shows; the statement has all.
LATEST = 8


@require_safe
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """What is due, what stands there, what is owed, what goes back, and the latest movements.

    An htmx request gets the part about money on its way, and has the whole page loaded anew once it is there.
    """
    deposit = selectors.deposit_for(person(request), number)
    context = {"deposit": deposit, "application": deposit.application, **_on_its_way(deposit)}
    if getattr(request, "htmx", False):
        answer = render(request, "deposits/_on_its_way.html", context)
        if not context["is_under_way"]:
            answer["HX-Refresh"] = "true"
        return answer
    user = person(request)
    return render(
        request,
        "deposits/detail.html",
        context
        | {
            "standing": standing(deposit),
            "order": selectors.open_order(deposit),
            "frozen": frozen_by_case(deposit),
            "obligations": selectors.obligations_of(deposit),
            "latest": statement_of(deposit).lines[: -LATEST - 1 : -1],
            "is_wanted": deposit.application.state in (State.APPROVED, *FILLING_UP),
            "may_pay": permissions.may_pay(user, deposit.application),
            "may_withdraw": deposit.application.state == State.APPROVED
            and permissions.may_leave(user, deposit.application),
        },
    )


def _on_its_way(deposit: Deposit) -> dict[str, Any]:
    refunds = list(selectors.refunds_of(deposit))
    refused = list(selectors.refused_payments_of(deposit))
    states = [*(refund.state for refund in refunds), *(payment.state for payment in refused)]
    return {
        "refunds": refunds,
        "refused": refused,
        "is_under_way": BackState.IN_PROGRESS in states,
    }


@require_POST
def pay(request: HttpRequest, number: str) -> HttpResponse:
    """To Alipay's cashier."""
    application = applications.application_for(person(request), number)
    try:
        address = payments.open_cashier(application.pk, actor=person(request))
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("deposits:detail", number)
    return redirect(address)


@require_safe
def returned(request: HttpRequest, number: str) -> HttpResponse:
    """Back from the cashier. Shows what we know, and believes nothing that the address says (protocols B5)."""
    deposit = selectors.deposit_for(person(request), number)
    order = selectors.order_for(deposit, request.GET.get("out_trade_no", ""))
    context = {
        "deposit": deposit,
        "application": deposit.application,
        "order": order,
        "is_waiting": order is not None and order.state in ORDER_UNRESOLVED,
        "receipt": order.transfers.filter(deposit=deposit).first() if order else None,
    }
    part = bool(getattr(request, "htmx", False))
    return render(request, "deposits/_returned.html" if part else "deposits/returned.html", context)


@require_safe
def receipt(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """One receipt, fit for printing."""
    deposit = selectors.deposit_for(person(request), number)
    row = selectors.receipt_for(deposit, pk)
    return render(
        request,
        "deposits/receipt.html",
        {
            "deposit": deposit,
            "application": deposit.application,
            "row": row,
            "receipt_number": selectors.receipt_number(row, deposit.application),
        },
    )


@require_safe
def statement(request: HttpRequest, number: str) -> HttpResponse:
    """Every movement, fit for printing."""
    deposit = selectors.deposit_for(person(request), number)
    return render(
        request,
        "deposits/statement.html",
        {
            "deposit": deposit,
            "application": deposit.application,
            "statement": statement_of(deposit),
            "made_at": clock.now(),
        },
    )


@require_safe
def statement_file(request: HttpRequest, number: str, extension: str) -> HttpResponse:
    """The statement as CSV or XLSX."""
    deposit = selectors.deposit_for(person(request), number)
    if extension not in FORMATS:
        raise Http404
    name = f"{deposit.application.number}-{clock.today():%Y%m%d}"
    return download(statement_files.table(statement_of(deposit)), name=name, extension=extension)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Withdraw instead of paying; the open order is closed at Alipay first."""
    deposit = selectors.deposit_for(person(request), number)
    application = deposit.application
    if not permissions.may_leave(person(request), application):
        raise PermissionDenied
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.withdraw(
                application.pk,
                actor=person(request),
                reason=form.cleaned_data["reason"],
                seen=seen_version(request),
            )
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("deposits:detail", number)
        messages.success(request, _("The application has been withdrawn."))
        return redirect("applications:detail", number)
    return render(
        request, "deposits/withdraw.html", {"deposit": deposit, "application": application, "form": form}
    )


# Many times what Alipay sends, in bytes.
MAX_NOTIFICATION = 64 * 1024


@csrf_exempt
@require_POST
def alipay_notify(request: HttpRequest) -> HttpResponse:
    """Alipay's news. Answered `success` once it is stored, so that it comes no more (protocols B4).

    Anybody may knock here, so what can't be a notification is not even read.
    """
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if not is_form or int(request.META.get("CONTENT_LENGTH") or 0) > MAX_NOTIFICATION:
        return HttpResponse("failure", content_type="text/plain")
    genuine = payments.receive_notification(request.POST.dict())
    return HttpResponse("success" if genuine else "failure", content_type="text/plain")
