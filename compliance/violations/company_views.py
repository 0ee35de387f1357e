"""The company's pages of a violation: selector or form → service → page or redirect."""

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from applications import served_files
from applications.views.people import person
from compliance.models import Violation
from compliance.violations import company_page, selectors
from compliance.violations.appeals import file_appeal
from compliance.violations.forms import AppealForm
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion


@require_safe
def violation(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return _page(request, selectors.violation_for(person(request), number, pk))


@require_POST
def appeal(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """What is refused is shown again with every word typed, on the page as it is now."""
    case = selectors.violation_for(person(request), number, pk)
    form = AppealForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, case, form, status=422)
    try:
        file_appeal(
            case.pk,
            actor=person(request),
            text=form.cleaned_data["text"],
            uploads=form.cleaned_data["files"],
            seen=form.cleaned_data["seen"],
        )
    except DomainError as error:
        case = selectors.violation_for(person(request), number, pk)
        if isinstance(error, StaleVersion):
            form = _with_version(request, case)
        form.refuse(error)
        return _page(request, case, form, status=403 if isinstance(error, NotPermitted) else 409)
    messages.success(request, _("Your appeal has been filed."))
    return redirect("cases:violation", number, pk)


def _with_version(request: HttpRequest, case: Violation) -> AppealForm:
    """The same words, for the person to send again after having seen the page as it is now."""
    data = request.POST.copy()
    data["seen"] = str(case.version)
    return AppealForm(data, request.FILES)


@require_safe
def file(request: HttpRequest, number: str, pk: int, file_id: int) -> FileResponse:
    """A file of the company's own appeal."""
    case = selectors.violation_for(person(request), number, pk)
    row = selectors.appeal_file(case, file_id)
    return served_files.for_merchant(
        row.file, name=row.original_name, content_type=row.content_type, download="download" in request.GET
    )


def _page(
    request: HttpRequest, case: Violation, form: AppealForm | None = None, status: int = 200
) -> HttpResponse:
    overview = company_page.overview(person(request), case)
    context = {
        "application": case.application,
        "violation": case,
        "overview": overview,
        "form": form or AppealForm(initial={"seen": case.version}),
        # The page as it is now has no form for it any more.
        "unsent": None if overview.may_appeal else form,
    }
    return render(request, "cases/violation.html", context, status=status)
