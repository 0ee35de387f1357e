"""What every page of the portal may show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from tmall_sp.core.models import Notice


def portal(request: HttpRequest) -> dict[str, Any]:
    """The environment (a demo says so on every page) and, lazily, the count of unread notices."""
    return {
        "environment": settings.ENVIRONMENT,
        "sandbox_url": settings.SANDBOX_URL,
        "unread_notices": SimpleLazyObject(lambda: _unread(request)),
    }


def _unread(request: HttpRequest) -> int:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return 0
    return Notice.objects.filter(recipient=user, read_at__isnull=True).count()
