"""What every page of the portal is built from: icons, links of the navigation, times."""

import datetime as dt
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import ngettext

from tmall_sp.core import clock

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon of the vendored sprite (tmall_sp/vendor/refresh.py lists them)."""
    sprite = static("vendor/icons.svg")
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.simple_tag(takes_context=True)
def nav_link(context: dict[str, Any], view_name: str, text: str, exact: bool = False) -> SafeString:
    """An item of the top navigation; the one whose page (or, unless `exact`, one below it) is open says so."""
    url = reverse(view_name)
    path = context["request"].path if "request" in context else ""
    is_open = path == url or (not exact and path.startswith(url))
    here = SafeString(' aria-current="page"') if is_open else ""
    return format_html('<li class="nav-item"><a class="nav-link" href="{}"{}>{}</a></li>', url, here, text)


@register.filter
def moment(value: dt.datetime | None) -> str:
    """An instant as it is written on every page: 2026-11-24 09:30, Asia/Shanghai."""
    return f"{value.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}" if value else ""


@register.filter
def time_left(value: dt.datetime | None) -> str:
    """How long until an instant, by the portal's clock; empty when it has passed."""
    now = clock.now()
    if value is None or value <= now:
        return ""
    days = (value - now).days
    return (
        ngettext("%(days)s day", "%(days)s days", days) % {"days": days}
        if days
        else timeuntil(value, now, depth=1)
    )


@register.simple_tag
def portal_time() -> str:
    """The time that the portal goes by, which a demo may have moved."""
    return moment(clock.now())
