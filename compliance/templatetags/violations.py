"""What other pages of a company say about its violations."""

from typing import Any

from django import template

from applications.lifecycle import MEMBER, State
from applications.models import Application
from compliance.violations import points, selectors
from tmall_sp.core import clock

register = template.Library()


@register.inclusion_tag("cases/_points.html")
def violations_of(application: Application) -> dict[str, Any]:
    """The year's points of a member, and what was found true of it, also once it is expelled or has left."""
    told = list(selectors.told_of(application)) if application.state in selectors.PAST_OR_PRESENT else []
    if not told:
        return {}
    now = clock.now()
    is_member = application.state in MEMBER
    return {
        "application": application,
        "violations": told,
        "is_expelled": application.state == State.EXPELLED,
        "year": points.year_of(now),
        "total": points.in_year(application.pk, now) if is_member else None,
        "limit": points.limit(now) if is_member else None,
    }
