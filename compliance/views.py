"""Pages of the directory, the exit and the roster: selector or form → service → page or redirect."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from applications import selectors as applications
from applications import services
from applications.permissions import may_leave
from compliance import directory, exit_progress, keyset, roster, selectors
from compliance.filters import DirectoryFilter, RosterFilter
from compliance.forms import ExitForm
from compliance.reviews import figures
from compliance.reviews import selectors as reviews
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted

REVIEWS_SHOWN = 10

# The directory -------------------------------------------------------------------------------------


@require_safe
def directory_list(request: HttpRequest) -> HttpResponse:
    found = DirectoryFilter(request.GET, queryset=directory.providers())
    page = keyset.page(
        found.qs,
        order=directory.NEWEST_FIRST,
        size=directory.PAGE_SIZE,
        cursor=request.GET.get("cursor", ""),
    )
    narrowed = any(found.form.data.get(name) for name in found.form.fields)
    context = {"form": found.form, "page": page, "narrowed": narrowed}
    return render(request, "compliance/directory.html", context)


@require_safe
def directory_provider(request: HttpRequest, number: str) -> HttpResponse:
    provider = directory.provider(number)
    context = {
        "provider": provider,
        "credit_code": directory.masked_credit_code(provider.credit_code),
        "reviews": list(reviews.shown_of(provider)[:REVIEWS_SHOWN]),
        "marks": figures.of_provider(provider),
    }
    return render(request, "compliance/provider.html", context)


# The exit ------------------------------------------------------------------------------------------


@require_safe
def exit_page(request: HttpRequest, number: str) -> HttpResponse:
    return _exit_page(request, number)


def _exit_page(
    request: HttpRequest, number: str, form: ExitForm | None = None, status: int = 200
) -> HttpResponse:
    """What leaving means, before it is asked for; its progress afterwards."""
    person = _person(request)
    application = applications.application_for(person, number)
    context = {
        "application": application,
        "form": form or ExitForm(initial={"seen": application.version}),
        "may_leave": may_leave(person, application),
        "exit": exit_progress.overview(application),
    }
    return render(request, "compliance/exit.html", context, status=status)


@require_POST
def exit_request(request: HttpRequest, number: str) -> HttpResponse:
    form = ExitForm(request.POST)
    application = applications.application_for(_person(request), number)
    if not form.is_valid():
        return _exit_page(request, number, form, status=400)
    try:
        services.request_exit(
            application.pk,
            actor=_person(request),
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"],
        )
    except DomainError as error:
        return _refused(request, number, error)
    messages.success(request, _("Your exit has been requested."))
    return redirect("compliance:exit", number)


@require_POST
def exit_cancel(request: HttpRequest, number: str) -> HttpResponse:
    application = applications.application_for(_person(request), number)
    try:
        services.cancel_exit(application.pk, actor=_person(request))
    except DomainError as error:
        return _refused(request, number, error)
    messages.success(request, _("Your exit has been cancelled."))
    return redirect("compliance:exit", number)


def _refused(request: HttpRequest, number: str, error: DomainError) -> HttpResponse:
    """The page as it is now, with the reason."""
    messages.error(request, str(error.message))
    return _exit_page(request, number, status=403 if isinstance(error, NotPermitted) else 409)


@require_safe
def exit_notices(request: HttpRequest) -> HttpResponse:
    """退出公示: who is leaving, so that whoever has a claim can file it before the deposit is returned."""
    page = keyset.page(
        selectors.announced_exits(),
        order="-requested_at",
        size=directory.PAGE_SIZE,
        cursor=request.GET.get("cursor", ""),
    )
    return render(request, "compliance/exit_notices.html", {"page": page})


# The roster ----------------------------------------------------------------------------------------


@require_safe
def roster_list(request: HttpRequest) -> HttpResponse:
    found = RosterFilter(request.GET, queryset=roster.everybody())
    sort = request.GET.get("sort", "")
    if sort not in roster.ORDERS:
        sort = roster.FIRST_ORDER
    page = keyset.page(
        found.qs, order=roster.ORDERS[sort], size=roster.PAGE_SIZE, cursor=request.GET.get("cursor", "")
    )
    narrowed = any(found.form.data.get(name) for name in found.form.fields)
    context = {"form": found.form, "page": page, "sort": sort, "narrowed": narrowed}
    return render(request, "compliance/roster.html", context)


@require_safe
def roster_provider(request: HttpRequest, number: str) -> HttpResponse:
    return render(request, "compliance/roster_provider.html", {"story": roster.story(number)})


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # access.py lets nobody else in
    return request.user
