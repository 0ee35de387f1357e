"""The provider's pages of a complaint: selector or form → service → page or redirect."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from applications.served_files import for_merchant
from applications.views.people import person
from applications.views.refusals import seen_version
from compliance.complaints import selectors, services
from compliance.complaints.answering import take
from compliance.complaints.case_page import cost, for_provider
from compliance.complaints.forms import AdmitForm, AppealForm, CaseForm, ContestForm, EvidenceForm, FinishForm
from compliance.models import Complaint


@require_safe
def detail(request: HttpRequest, application: str, number: str) -> HttpResponse:
    return _page(request, selectors.complaint_against(person(request), application, number))


@require_safe
def file(request: HttpRequest, application: str, number: str, pk: int) -> FileResponse:
    """Evidence of either side: pictures are shown, `?download` and everything else is saved."""
    row = selectors.file_of(selectors.complaint_against(person(request), application, number), pk)
    return for_merchant(
        row.file, name=row.original_name, content_type=row.content_type, download="download" in request.GET
    )


@require_safe
def admission_cost(request: HttpRequest, application: str, number: str) -> HttpResponse:
    """For htmx: what admitting `?amount=` would do to the deposit. Nothing is changed."""
    complaint = selectors.complaint_against(person(request), application, number)
    form = AdmitForm(complaint.claimed, request.GET)
    form.full_clean()
    context = {"complaint": complaint, "cost": cost(complaint, form.amount_in_view())}
    return render(request, "cases/_cost.html", context)


@require_POST
def admit(request: HttpRequest, application: str, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.admit(
            complaint.pk,
            actor=person(request),
            amount=data["amount"],
            text=data["text"],
            uploads=data["files"],
            seen=seen_version(request),
        )

    return _take(request, application, number, AdmitForm, do, _("You have admitted the complaint."))


@require_POST
def contest(request: HttpRequest, application: str, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.contest(
            complaint.pk,
            actor=person(request),
            text=data["text"],
            uploads=data["files"],
            seen=seen_version(request),
        )

    return _take(
        request,
        application,
        number,
        ContestForm,
        do,
        _("You have contested the complaint. More evidence can be added below."),
    )


@require_POST
def add_evidence(request: HttpRequest, application: str, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.add_evidence(complaint.pk, actor=person(request), text=data["text"], uploads=data["files"])

    return _take(request, application, number, EvidenceForm, do, _("Your evidence has been added."))


@require_POST
def finish_evidence(request: HttpRequest, application: str, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.finish_evidence(complaint.pk, actor=person(request))

    return _take(request, application, number, FinishForm, do, _("Noted: nothing more will come from you."))


@require_POST
def appeal(request: HttpRequest, application: str, number: str) -> HttpResponse:
    def do(complaint: Complaint, data: dict[str, Any]) -> None:
        services.appeal(
            complaint.pk,
            actor=person(request),
            text=data["text"],
            uploads=data["files"],
            seen=seen_version(request),
        )

    return _take(request, application, number, AppealForm, do, _("Your appeal has been handed in."))


def _take(
    request: HttpRequest,
    application: str,
    number: str,
    form_class: Callable[..., CaseForm],
    do: Any,
    told: str,
) -> HttpResponse:
    complaint = selectors.complaint_against(person(request), application, number)
    if form_class is AdmitForm:
        form_class = partial(AdmitForm, complaint.claimed)
    return take(
        request,
        form_class(request.POST, request.FILES),
        lambda data: do(complaint, data),
        page=lambda form, status: _page(
            request, selectors.complaint_against(person(request), application, number), form, status
        ),
        done=lambda: redirect("cases:complaint", application, number),
        told=told,
    )


def _page(
    request: HttpRequest, complaint: Complaint, typed: CaseForm | None = None, status: int = 200
) -> HttpResponse:
    """The case as it is now; `typed` is the form that was refused."""
    admission = typed if isinstance(typed, AdmitForm) else AdmitForm(complaint.claimed)
    forms: list[CaseForm] = [
        ContestForm(),
        EvidenceForm(),
        AppealForm(),
        *([typed] if typed else []),
        admission,
    ]
    context = for_provider(complaint, person(request)) | {
        "forms": {form.name: form for form in forms},
        "cost": cost(complaint, admission.amount_in_view()),
        "cost_url": reverse("cases:admission_cost", args=[complaint.application.number, complaint.number]),
    }
    context["unsent"] = typed if typed and not getattr(context["offers"], typed.name, False) else None
    return render(request, "cases/complaint.html", context, status=status)
