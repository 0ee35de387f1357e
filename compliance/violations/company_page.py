"""What a company reads of a violation that was found against it: the decision and what it costs, never the finding."""

import datetime as dt
from dataclasses import dataclass

from compliance.models import Violation, ViolationAppeal
from compliance.violations import deadlines, permissions, points, selectors
from compliance.violations.costs import Cost, costs
from compliance.violations.lifecycle import ViolationState
from tmall_sp.accounts.models import User


@dataclass(frozen=True)
class Overview:
    costs: list[Cost]
    # Of the year in which it was decided.
    year: int
    year_points: int
    year_limit: int
    appeal: ViolationAppeal | None
    # None where there is an appeal already.
    appeal_until: dt.datetime | None
    is_late: bool
    may_appeal: bool


def overview(user: User, violation: Violation) -> Overview:
    """Everything that the page shows besides the violation itself, which has to be one that was verified."""
    assert violation.decided_at is not None
    appeal = selectors.appeal_of(violation)
    waits = violation.state == ViolationState.VERIFIED and appeal is None
    is_late = waits and deadlines.is_over(violation)
    return Overview(
        costs=costs(violation),
        year=points.year_of(violation.decided_at),
        year_points=points.in_year(violation.application_id, violation.decided_at),
        year_limit=points.limit(violation.reported_at),
        appeal=appeal,
        appeal_until=deadlines.appeal_until(violation) if waits else None,
        is_late=is_late,
        may_appeal=waits and not is_late and permissions.may_appeal(user, violation.application),
    )
