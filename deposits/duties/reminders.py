"""The moments at which a company is reminded of a date: so many days before it, by the rule of the row's own moment.

A row with a date keeps how many of the moments are dealt with. After a night without a worker several may have
come at once: then one reminder is sent, and all of them are dealt with. A row keeps the version of the rule under
which it began: how many moments it has never changes.
"""

import datetime as dt

from django.db.models import Q

from tmall_sp.core import rules


def come(rule: str, date_field: str, since_field: str, now: dt.datetime) -> Q:
    """Rows whose date still lies ahead (its instant included), and of which one more moment has come."""
    due = Q(pk__in=[])
    for period in rules.periods(rule):
        began = Q(**{f"{since_field}__gte": period.since})
        if period.until is not None:
            began &= Q(**{f"{since_field}__lt": period.until})
        for number, before in enumerate(_moments(period.version.value), start=1):
            due |= began & Q(**{f"{date_field}__lte": now + before, "reminders__lt": number})
    return due & Q(**{f"{date_field}__gte": now})


def dealt_with(rule: str, date: dt.datetime, since: dt.datetime, now: dt.datetime) -> int:
    """How many of the moments before the date have come, for a row that began at `since`."""
    return sum(1 for before in _moments(rules.value(rule, since)) if date - before <= now)


def _moments(days: list[int]) -> list[dt.timedelta]:
    """How long before the date, the earliest first."""
    return [dt.timedelta(days=before) for before in sorted(days, reverse=True)]
