"""Pages about violations that everybody reads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from compliance import keyset
from compliance.violations import notices


@require_safe
def sanction_notices(request: HttpRequest) -> HttpResponse:
    """处罚公告, the newest first."""
    page = keyset.page(
        notices.published(),
        order=notices.NEWEST_FIRST,
        size=notices.PAGE_SIZE,
        cursor=request.GET.get("cursor", ""),
    )
    return render(request, "compliance/sanction_notices.html", {"page": page})
