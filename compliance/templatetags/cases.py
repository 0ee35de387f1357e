"""What the pages of cases are built from: states, times, the entry of the navigation."""

import datetime as dt
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from compliance import case_list
from compliance.complaints.standing import standing
from compliance.models import Complaint, Side
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.templatetags.portal import nav_link

register = template.Library()


@register.simple_tag
def complaint_badge(complaint: Complaint, side: str) -> SafeString:
    """Its state, standing out where this side can do something."""
    tone = standing(complaint, Side(side)).tone
    return format_html(
        '<span class="badge state-badge tone-{}">{}</span>', tone, complaint.get_state_display()
    )


@register.filter
def exact_time_left(value: dt.datetime | None) -> str:
    """Two units, such as 1 day 23 hours: a deadline of two days is told in hours. Empty when it has passed."""
    now = clock.now()
    return "" if value is None or value <= now else timeuntil(value, now, depth=2)


@register.filter
def hours_in_words(hours: int) -> str:
    """How long a deadline is: 48 hours, 7 days."""
    if hours % 24 or hours <= 72:
        return ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
    days = hours // 24
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": days}


@register.simple_tag(takes_context=True)
def nav_cases(context: dict[str, Any]) -> SafeString:
    """The entry of the company's cases, with how many are open."""
    text = format_html("{}", _("Cases"))
    user = context.get("user")
    if isinstance(user, User) and (count := case_list.count_open(user)):
        text = format_html(
            '{} <span class="badge rounded-pill text-bg-warning">{}'
            '<span class="visually-hidden"> {}</span></span>',
            text,
            count,
            pgettext("cases", "open"),
        )
    return nav_link(context, "cases:list", text)
