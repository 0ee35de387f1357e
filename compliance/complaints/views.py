"""The complainant's pages: selector or form → service → page or redirect."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.models import Application
from applications.served_files import for_merchant
from applications.views.people import person
from applications.views.refusals import seen_version
from compliance.complaints import permissions, selectors, services
from compliance.complaints.answering import take
from compliance.complaints.case_page import for_complainant
from compliance.complaints.forms import (
    AppealForm,
    CaseForm,
    ClaimForm,
    EvidenceForm,
    FinishForm,
    PayeeForm,
    WithdrawForm,
)
from compliance.models import Complaint
from tmall_sp.accounts.models import User
from tmall_sp.core import rules
from tmall_sp.core.errors import DomainError, NotPermitted

OWN_A_PAGE = 10


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What a complaint is and how it goes, for anybody; a person's own complaints."""
    user = request.user
    own = None
    if isinstance(user, User) and user.taobao_user_id:
        own = Paginator(selectors.complaints_by(user), OWN_A_PAGE).get_page(request.GET.get("page"))
    hours = {
        name: rules.value(f"complaint.{name}_hours")
        for name in ("response", "evidence", "decision", "appeal")
    }
    return render(request, "complaints/home.html", {"own": own, "hours": hours})


# Filing --------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """First the provider, by `?provider=` or a search; then the complaint."""
    number = request.GET.get("provider", "").strip()
    provider = selectors.provider_to_complain_about(number) if number else None
    if provider is None:
        return _choose_provider(request, asked_for=number)
    if request.method != "POST":
        return _claim_page(request, provider, ClaimForm())
    form = ClaimForm(request.POST, request.FILES)
    if not form.is_valid():
        return _claim_page(request, provider, form, 422)
    try:
        complaint = services.file(
            provider.pk, actor=person(request), claim=form.claim(), uploads=form.cleaned_data["files"]
        )
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except DomainError as error:
        return _not_filed(request, provider, form, error)
    messages.success(request, _("Your complaint %(number)s has been filed.") % {"number": complaint.number})
    return redirect("complaints:detail", complaint.number)


def _choose_provider(request: HttpRequest, asked_for: str) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()
    context = {
        "words": words,
        "found": selectors.providers_like(words) if words else None,
        "not_there": bool(asked_for),
    }
    return render(request, "complaints/choose_provider.html", context)


def _claim_page(
    request: HttpRequest, provider: Application, form: ClaimForm, status: int = 200
) -> HttpResponse:
    context = {
        "provider": provider,
        "form": form,
        "is_own": permissions.belongs_to_provider(person(request), provider),
        "address": f"{reverse('complaints:new')}?{urlencode({'provider': provider.number})}",
        "response_hours": rules.value("complaint.response_hours"),
    }
    return render(request, "complaints/new.html", context, status=status)


def _not_filed(
    request: HttpRequest, provider: Application, form: ClaimForm, error: DomainError
) -> HttpResponse:
    """Whoever pressed twice finds the complaint that the first press filed."""
    if error.code == "claimed_already":
        earlier = selectors.own_about_order(person(request), provider, form.claim())
        if earlier is not None:
            messages.info(request, _("You have already complained about this order: this is the complaint."))
            return redirect("complaints:detail", earlier.number)
    form.refuse(error)
    return _claim_page(request, provider, form, 422)


# One complaint -------------------------------------------------------------------------------------


@require_safe
def detail(request: HttpRequest, number: str) -> HttpResponse:
    return _page(request, selectors.complaint_for(person(request), number))


@require_safe
def file(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """Evidence of either side: pictures are shown, `?download` and everything else is saved."""
    row = selectors.file_of(selectors.complaint_for(person(request), number), pk)
    return for_merchant(
        row.file, name=row.original_name, content_type=row.content_type, download="download" in request.GET
    )


@require_POST
def add_evidence(request: HttpRequest, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.add_evidence(complaint.pk, actor=person(request), text=data["text"], uploads=data["files"])

    return _take(request, number, EvidenceForm, do, _("Your evidence has been added."))


@require_POST
def finish_evidence(request: HttpRequest, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.finish_evidence(complaint.pk, actor=person(request))

    return _take(request, number, FinishForm, do, _("Noted: nothing more will come from you."))


@require_POST
def appeal(request: HttpRequest, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.appeal(
            complaint.pk,
            actor=person(request),
            text=data["text"],
            uploads=data["files"],
            seen=seen_version(request),
        )

    return _take(request, number, AppealForm, do, _("Your appeal has been handed in."))


@require_POST
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.withdraw(
            complaint.pk, actor=person(request), reason=data["reason"], seen=seen_version(request)
        )

    return _take(request, number, WithdrawForm, do, _("Your complaint has been withdrawn."))


@require_POST
def name_payee(request: HttpRequest, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.name_payee(complaint.pk, actor=person(request), payee=data["payee"])

    return _take(request, number, PayeeForm, do, _("The account has been noted."))


def _take(request: HttpRequest, number: str, form_class: type[CaseForm], do: Any, told: str) -> HttpResponse:
    complaint = selectors.complaint_for(person(request), number)
    return take(
        request,
        form_class(request.POST, request.FILES),
        lambda data: do(complaint, data),
        page=lambda form, status: _page(
            request, selectors.complaint_for(person(request), number), form, status
        ),
        done=lambda: redirect("complaints:detail", number),
        told=told,
    )


def _page(
    request: HttpRequest, complaint: Complaint, typed: CaseForm | None = None, status: int = 200
) -> HttpResponse:
    """The case as it is now; `typed` is the form that was refused."""
    payee = {"payee_identity": complaint.payee_identity, "payee_name": complaint.payee_name}
    forms: list[CaseForm] = [EvidenceForm(), AppealForm(), WithdrawForm(), PayeeForm(initial=payee)]
    context = for_complainant(complaint, person(request)) | {
        "forms": {form.name: form for form in [*forms, *([typed] if typed else [])]},
    }
    context["unsent"] = typed if typed and not getattr(context["offers"], typed.name, False) else None
    return render(request, "complaints/detail.html", context, status=status)
