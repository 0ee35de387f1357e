"""扣分: points of a membership in a calendar year of Asia/Shanghai; on 31 December they are cleared.

They count from the verification that imposed them, as long as no appeal takes them back.
"""

import datetime as dt

from django.db.models import Q, QuerySet, Sum

from compliance.models import Measure, Sanction, Severity, Violation
from tmall_sp.core import clock, rules

RULE = "violation.points"


def for_severity(severity: str, at: dt.datetime) -> int:
    """What one violation costs, by the rule of the moment at which it was reported."""
    return int(rules.value(RULE, at)[Severity(severity).value])


def limit(at: dt.datetime) -> int:
    """So many in a year count as a severe violation."""
    return int(rules.value(RULE, at)["year"])


def in_year(application_pk: int, at: dt.datetime) -> int:
    """What stands in the calendar year of an instant."""
    return _sum(standing(application_pk, at))


def year_of(at: dt.datetime) -> int:
    return at.astimezone(clock.SHANGHAI).year


def standing(application_pk: int, at: dt.datetime) -> QuerySet[Sanction]:
    """The points of the calendar year of an instant that no appeal took back."""
    year = year_of(at)
    return Sanction.objects.filter(
        application=application_pk,
        measure=Measure.POINTS,
        taken_back_at__isnull=True,
        imposed_at__gte=clock.day_start(dt.date(year, 1, 1)),
        imposed_at__lt=clock.day_start(dt.date(year + 1, 1, 1)),
    )


def severe_only_with(violation: Violation) -> list[Violation]:
    """Later violations of the year that count as severe, and would not without the points of this one."""
    own = violation.sanctions.filter(measure=Measure.POINTS).first()
    if own is None:
        return []
    year = standing(violation.application_id, own.imposed_at)
    later = year.filter(
        Q(imposed_at__gt=own.imposed_at) | Q(imposed_at=own.imposed_at, pk__gt=own.pk),
        violation__counts_as_severe=True,
    ).select_related("violation")
    return [
        sanction.violation
        for sanction in later
        if _sum(
            year.filter(
                Q(imposed_at__lt=sanction.imposed_at) | Q(imposed_at=sanction.imposed_at, pk__lte=sanction.pk)
            ).exclude(violation=violation)
        )
        < limit(sanction.violation.reported_at)
    ]


def _sum(sanctions: QuerySet[Sanction]) -> int:
    return sanctions.aggregate(total=Sum("points"))["total"] or 0
