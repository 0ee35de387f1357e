"""The complainant's pages: selector or form → service → page or redirect."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications.served_files import for_merchant
from applications.views.people import person
from compliance.complaints import selectors


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "complaints/home.html", {})


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return render(request, "complaints/new.html", {})


@require_safe
def detail(request: HttpRequest, number: str) -> HttpResponse:
    complaint = selectors.complaint_for(person(request), number)
    return render(request, "complaints/detail.html", {"complaint": complaint})


@require_safe
def file(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    row = selectors.file_of(selectors.complaint_for(person(request), number), pk)
    return for_merchant(
        row.file, name=row.original_name, content_type=row.content_type, download="download" in request.GET
    )


@require_POST
def add_evidence(request: HttpRequest, number: str) -> HttpResponse:
    selectors.complaint_for(person(request), number)
    return redirect("complaints:detail", number)


@require_POST
def finish_evidence(request: HttpRequest, number: str) -> HttpResponse:
    selectors.complaint_for(person(request), number)
    return redirect("complaints:detail", number)


@require_POST
def appeal(request: HttpRequest, number: str) -> HttpResponse:
    selectors.complaint_for(person(request), number)
    return redirect("complaints:detail", number)


@require_POST
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    selectors.complaint_for(person(request), number)
    return redirect("complaints:detail", number)


@require_POST
def name_payee(request: HttpRequest, number: str) -> HttpResponse:
    selectors.complaint_for(person(request), number)
    return redirect("complaints:detail", number)
