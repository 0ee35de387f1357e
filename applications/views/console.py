"""The console's first page, and what the person was told."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from applications import selectors, todo
from applications.views.people import person
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

NOTICES_ON_HOME = 5
NOTICES_A_PAGE = 20


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is to be done, where the application stands, and the latest notices."""
    user = person(request)
    application = selectors.open_application_of(user) or selectors.applications_of(user).first()
    return render(
        request,
        "console/home.html",
        {
            "application": application,
            "tasks": todo.tasks_for(user, application) if application else [],
            "may_begin": selectors.may_begin(user),
            "evidence": selectors.latest_evidence(application) if application else None,
            "notices": _notices(user)[:NOTICES_ON_HOME],
        },
    )


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    page = Paginator(_notices(person(request)), NOTICES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "console/notices.html", {"page": page})


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one notice as read, and go where it leads."""
    notice = get_object_or_404(_notices(person(request)), pk=pk)
    if notice.read_at is None:
        notice.read_at = clock.now()
        notice.save(update_fields=["read_at"])
    if url_has_allowed_host_and_scheme(notice.link, allowed_hosts=None):
        return redirect(notice.link)
    return redirect("console:notices")


@require_POST
def read_all_notices(request: HttpRequest) -> HttpResponse:
    _notices(person(request)).filter(read_at__isnull=True).update(read_at=clock.now())
    return redirect("console:notices")


def _notices(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(recipient=user)
