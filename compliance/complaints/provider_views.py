"""The provider's pages of a complaint: selector or form → service → page or redirect."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from applications.served_files import for_merchant
from applications.views.people import person
from compliance.complaints import selectors


@require_safe
def detail(request: HttpRequest, application: str, number: str) -> HttpResponse:
    complaint = selectors.complaint_against(person(request), application, number)
    return render(request, "cases/complaint.html", {"complaint": complaint})


@require_safe
def file(request: HttpRequest, application: str, number: str, pk: int) -> HttpResponse:
    row = selectors.file_of(selectors.complaint_against(person(request), application, number), pk)
    return for_merchant(
        row.file, name=row.original_name, content_type=row.content_type, download="download" in request.GET
    )


@require_POST
def admit(request: HttpRequest, application: str, number: str) -> HttpResponse:
    selectors.complaint_against(person(request), application, number)
    return redirect("cases:complaint", application, number)


@require_POST
def contest(request: HttpRequest, application: str, number: str) -> HttpResponse:
    selectors.complaint_against(person(request), application, number)
    return redirect("cases:complaint", application, number)


@require_POST
def add_evidence(request: HttpRequest, application: str, number: str) -> HttpResponse:
    selectors.complaint_against(person(request), application, number)
    return redirect("cases:complaint", application, number)


@require_POST
def finish_evidence(request: HttpRequest, application: str, number: str) -> HttpResponse:
    selectors.complaint_against(person(request), application, number)
    return redirect("cases:complaint", application, number)


@require_POST
def appeal(request: HttpRequest, application: str, number: str) -> HttpResponse:
    selectors.complaint_against(person(request), application, number)
    return redirect("cases:complaint", application, number)
