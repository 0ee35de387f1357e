"""A merchant reports a provider, and sees what became of its reports: whether they are decided, never how."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from applications.models import Application
from applications.views.people import person
from compliance import directory, keyset
from compliance.violations import permissions, selectors
from compliance.violations.forms import ReportProviderForm
from compliance.violations.reporting import report_by_merchant, reports_left
from tmall_sp.core.errors import DomainError, NotPermitted

PAGE_SIZE = 20


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, number: str) -> HttpResponse:
    """About a provider of the directory. What is refused is shown again with every word typed."""
    provider = directory.provider(number)
    if request.method != "POST":
        return _form_page(request, provider, ReportProviderForm())
    form = ReportProviderForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form_page(request, provider, form, status=422)
    try:
        report_by_merchant(
            provider.pk,
            actor=person(request),
            title=form.cleaned_data["title"],
            facts=form.cleaned_data["facts"],
            uploads=form.cleaned_data["files"],
        )
    except DomainError as error:
        form.refuse(error)
        return _form_page(request, provider, form, status=403 if isinstance(error, NotPermitted) else 409)
    messages.success(request, _("Thank you. Your report has arrived."))
    return redirect("compliance:reports")


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    page = keyset.page(
        selectors.reports_of(person(request)),
        order="-reported_at",
        size=PAGE_SIZE,
        cursor=request.GET.get("cursor", ""),
    )
    return render(request, "compliance/reports.html", {"page": page})


def _form_page(
    request: HttpRequest, provider: Application, form: ReportProviderForm, status: int = 200
) -> HttpResponse:
    user = person(request)
    context = {
        "provider": provider,
        "form": form,
        "own": not permissions.may_report(user, provider),
        "left": reports_left(user),
    }
    return render(request, "compliance/report_provider.html", context, status=status)
