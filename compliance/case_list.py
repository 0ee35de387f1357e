"""All cases of a person's companies in one list: complaints and violations, what is open first, by deadline."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import BooleanField, Case, DateTimeField, F, QuerySet, Value, When
from django.db.models.functions import Coalesce

from applications import selectors as applications
from compliance.complaints import lifecycle as complaints
from compliance.models import Complaint, Violation
from compliance.violations import lifecycle as violations
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

A_PAGE = 20
OPEN, CLOSED, ALL = "open", "closed", "all"
COMPLAINT, VIOLATION = "complaint", "violation"

# A violation that is under appeal is open again.
OPEN_VIOLATIONS = (*violations.OPEN, violations.ViolationState.APPEALED)
# Sorts behind every deadline.
_NEVER = dt.datetime(9999, 1, 1, tzinfo=clock.SHANGHAI)


@dataclass(frozen=True)
class Row:
    """One case; exactly one of `complaint` and `violation` is there."""

    is_open: bool
    since: dt.datetime
    complaint: Complaint | None = None
    violation: Violation | None = None


def page(user: User, *, which: str = ALL, number: str | None = None) -> Page[Row]:
    """A page of the list; a number that is none gives the first or the last."""
    found: Page[Any] = Paginator(_union(user, which), A_PAGE).get_page(number)
    found.object_list = _rows(list(found.object_list))
    return found


def count_open(user: User) -> int:
    """One query."""
    return _union(user, OPEN).count()


def _union(user: User, which: str) -> QuerySet[Any]:
    mine = applications.applications_of(user).order_by().values("pk")
    of_complaints = _as_rows(
        Complaint.objects.filter(application__in=mine), COMPLAINT, complaints.OPEN, F("due_at"), F("filed_at")
    )
    of_violations = _as_rows(
        Violation.objects.filter(application__in=mine),
        VIOLATION,
        OPEN_VIOLATIONS,
        Value(None, DateTimeField()),
        F("reported_at"),
    )
    if which in (OPEN, CLOSED):
        of_complaints, of_violations = (
            rows.filter(is_closed=which == CLOSED) for rows in (of_complaints, of_violations)
        )
    together: QuerySet[Any] = of_complaints.union(of_violations, all=True)
    return together.order_by("is_closed", "due", "-since", "-row")


def _as_rows(cases: QuerySet[Any], kind: str, open_states: Any, due: Any, since: Any) -> QuerySet[Any]:
    """Of what is closed only its age counts."""
    is_closed = Case(When(state__in=open_states, then=False), default=True, output_field=BooleanField())
    return (
        cases.order_by()
        .annotate(kind=Value(kind), row=F("pk"), is_closed=is_closed, since=since)
        .annotate(due=Case(When(is_closed=False, then=Coalesce(due, _NEVER)), default=_NEVER))
        .values("kind", "row", "is_closed", "due", "since")
    )


def _rows(found: list[dict[str, Any]]) -> list[Row]:
    of_complaints = _of_kind(Complaint.objects.select_related("application", "question"), COMPLAINT, found)
    of_violations = _of_kind(Violation.objects.select_related("application"), VIOLATION, found)
    return [
        Row(
            is_open=not row["is_closed"],
            since=row["since"],
            complaint=of_complaints.get(row["row"]) if row["kind"] == COMPLAINT else None,
            violation=of_violations.get(row["row"]) if row["kind"] == VIOLATION else None,
        )
        for row in found
    ]


def _of_kind(rows: QuerySet[Any], kind: str, found: list[dict[str, Any]]) -> dict[int, Any]:
    return rows.in_bulk([row["row"] for row in found if row["kind"] == kind])
