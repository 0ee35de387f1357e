"""All cases of the person's companies: complaints and violations in one list."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from applications.views.people import person
from compliance import case_list

TABS = {
    case_list.ALL: _("All"),
    case_list.OPEN: _("Open cases"),
    case_list.CLOSED: _("Closed cases"),
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    which = request.GET.get("show", "")
    if which not in TABS:
        which = case_list.ALL
    page = case_list.page(person(request), which=which, number=request.GET.get("page"))
    return render(request, "cases/list.html", {"page": page, "tabs": TABS.items(), "which": which})
