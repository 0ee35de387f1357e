"""All that staff read of one violation beside itself: evidence, sanctions, the year's points, the appeal."""

from dataclasses import dataclass

from compliance.models import AppealFile, Sanction, Violation, ViolationAppeal, ViolationFile
from compliance.violations import points
from compliance.violations.costs import Cost, costs
from tmall_sp.core import clock


@dataclass(frozen=True)
class Dossier:
    files: list[ViolationFile]
    costs: list[Cost]
    # Of the present calendar year, the oldest first.
    year: int
    year_points: list[Sanction]
    year_total: int
    year_limit: int
    appeal: ViolationAppeal | None
    appeal_files: list[AppealFile]


def dossier(violation: Violation) -> Dossier:
    now = clock.now()
    year_points = points.standing(violation.application_id, now).select_related("violation")
    appeal: ViolationAppeal | None = getattr(violation, "appeal_case", None)
    return Dossier(
        files=list(violation.files.all()),
        costs=costs(violation),
        year=points.year_of(now),
        year_points=list(year_points),
        year_total=sum(sanction.points for sanction in year_points),
        year_limit=points.limit(violation.reported_at),
        appeal=appeal,
        appeal_files=list(appeal.files.all()) if appeal else [],
    )
