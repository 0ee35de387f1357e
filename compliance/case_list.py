"""All cases of a person's companies in one list: complaints and violations, what is open first, by deadline.

A violation stands here once it was found true. It is open while it is under appeal, or can still be appealed.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

from applications import selectors as applications
from compliance.complaints import lifecycle as complaints
from compliance.models import Complaint, Violation
from compliance.violations.lifecycle import ViolationState
from compliance.violations.selectors import violations_told
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import RuleVersion

A_PAGE = 20
OPEN, CLOSED, ALL = "open", "closed", "all"
COMPLAINT, VIOLATION = "complaint", "violation"

# Sorts behind every deadline.
_NEVER = dt.datetime(9999, 1, 1, tzinfo=clock.SHANGHAI)


@dataclass(frozen=True)
class Row:
    """One case: a complaint or a violation. `due_at`: the end of its present state; None: it has none."""

    is_open: bool
    since: dt.datetime
    due_at: dt.datetime | None
    complaint: Complaint | None = None
    violation: Violation | None = None


def page(user: User, *, which: str = ALL, number: str | None = None) -> Page[Row]:
    """A page of the list; a number that is none gives the first or the last."""
    found: Page[Any] = Paginator(_union(user, which), A_PAGE).get_page(number)
    found.object_list = _rows(list(found.object_list))
    return found


def count_open(user: User) -> int:
    """In one query."""
    return _union(user, OPEN).count()


def _union(user: User, which: str) -> QuerySet[Any]:
    parts = [_complaints(user), _violations(user)]
    if which in (OPEN, CLOSED):
        parts = [part.filter(is_closed=which == CLOSED) for part in parts]
    of_complaints, of_violations = parts
    together = of_complaints.union(of_violations, all=True)
    ordered: QuerySet[Any] = together.order_by("is_closed", "due", "-since", "-row")
    return ordered


def _complaints(user: User) -> QuerySet[Any]:
    mine = applications.applications_of(user).order_by().values("pk")
    found = Complaint.objects.filter(application__in=mine)
    return _as_rows(found, COMPLAINT, Q(state__in=complaints.OPEN), F("due_at"), F("filed_at"))


def _violations(user: User) -> QuerySet[Any]:
    found = violations_told(user).annotate(appeal_until=_appeal_until())
    appealable = Q(state=ViolationState.VERIFIED, appeal_case__isnull=True, appeal_until__gte=clock.now())
    due = Case(When(appealable, then=F("appeal_until")), default=None, output_field=DateTimeField())
    is_open = appealable | Q(state=ViolationState.APPEALED)
    return _as_rows(found.select_related(None), VIOLATION, is_open, due, F("decided_at"))


def _appeal_until() -> ExpressionWrapper:
    """As violations/deadlines.py: by the rule of the moment at which the violation was reported."""
    versions = RuleVersion.objects.filter(
        name="violation.appeal_days", valid_from__lte=OuterRef("reported_at")
    ).order_by("-valid_from", "-version")
    days = Cast(Subquery(versions.values("value")[:1]), IntegerField())
    period = ExpressionWrapper(days * Value(dt.timedelta(days=1)), output_field=DurationField())
    return ExpressionWrapper(F("decided_at") + period, output_field=DateTimeField())


def _as_rows(cases: QuerySet[Any], kind: str, is_open: Q, due: Any, since: Any) -> QuerySet[Any]:
    """Of what is closed only its age counts."""
    is_closed = Case(When(is_open, then=False), default=True, output_field=BooleanField())
    rows: QuerySet[Any] = (
        cases.order_by()
        .annotate(kind=Value(kind), row=F("pk"), is_closed=is_closed, since=since)
        .annotate(due=Case(When(is_closed=False, then=Coalesce(due, _NEVER)), default=_NEVER))
        .values("kind", "row", "is_closed", "due", "since")
    )
    return rows


def _rows(found: list[dict[str, Any]]) -> list[Row]:
    of_complaints = _of_kind(Complaint.objects.select_related("application", "question"), COMPLAINT, found)
    of_violations = _of_kind(Violation.objects.select_related("application"), VIOLATION, found)
    return [
        Row(
            is_open=not row["is_closed"],
            since=row["since"],
            due_at=row["due"] if row["due"] < _NEVER else None,
            complaint=of_complaints.get(row["row"]) if row["kind"] == COMPLAINT else None,
            violation=of_violations.get(row["row"]) if row["kind"] == VIOLATION else None,
        )
        for row in found
    ]


def _of_kind(rows: QuerySet[Any], kind: str, found: list[dict[str, Any]]) -> dict[int, Any]:
    return rows.in_bulk([row["row"] for row in found if row["kind"] == kind])
