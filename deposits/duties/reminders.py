"""The moments at which a company is reminded of a date: so many days before it, by a rule.

A row with a date keeps how many of the moments are dealt with. After a night without a worker several may have
come at once: then one reminder is sent, and all of them are dealt with.
"""

import datetime as dt

from django.db.models import Q

from tmall_sp.core import rules


def come(rule: str, date_field: str, now: dt.datetime) -> Q:
    """Rows whose date still lies ahead (its instant included), and of which one more moment has come."""
    due = Q(pk__in=[])
    for number, before in enumerate(_moments(rule, now), start=1):
        due |= Q(**{f"{date_field}__lte": now + before, "reminders__lt": number})
    return due & Q(**{f"{date_field}__gte": now})


def dealt_with(rule: str, date: dt.datetime, now: dt.datetime) -> int:
    """How many of the moments before the date have come."""
    return sum(1 for before in _moments(rule, now) if date - before <= now)


def _moments(rule: str, now: dt.datetime) -> list[dt.timedelta]:
    """How long before the date, the earliest first."""
    days: list[int] = rules.value(rule, now)
    return [dt.timedelta(days=before) for before in sorted(days, reverse=True)]
