"""What a verified violation costs: warning, points, penalty, suspension, expulsion; imposed in its transaction.

The figures come from consequences.py alone, so that what was shown before is what happens.
"""

from typing import Any

from applications import services as applications
from applications import suspensions
from applications.models import Application, SuspensionCause
from compliance.models import Measure, Sanction, Violation, ViolationStep
from compliance.violations import announcements, consequences
from compliance.violations.consequences import Consequences, Ending
from deposits.duties import cases


def impose(application: Application, violation: Violation, step: ViolationStep) -> None:
    """Everything that follows from the verification just recorded. The caller holds the application's lock."""
    assert violation.decided_at is not None
    plan = consequences.of(violation, at=violation.decided_at)
    announcements.verified(application, violation, step, plan)
    _record(violation, plan)
    if plan.penalty:
        take = cases.charge_breach if violation.charge is Measure.BREACH else cases.penalise
        take(
            application.pk,
            case=violation.case,
            amount=plan.penalty,
            reason=violation.title,
            actor=violation.verifier,
        )
    if plan.suspends:
        suspensions.suspend(
            application.pk,
            cause=SuspensionCause.SANCTION,
            case=violation.case,
            reason=announcements.told_to_company(violation),
            actor=violation.verifier,
        )
    _end_membership(application, violation, plan)


def _record(violation: Violation, plan: Consequences) -> None:
    """A row for each measure: what an appeal takes back."""
    _row(violation, Measure.POINTS, points=plan.points)
    if plan.warning:
        _row(violation, Measure.WARNING)
    if plan.penalty:
        _row(violation, violation.charge, amount=plan.penalty)
    if plan.suspends:
        _row(violation, Measure.SUSPENSION, rectify_by=plan.rectify_by)
    if plan.ending is Ending.EXPELLED:
        _row(violation, Measure.EXPULSION)
    if plan.ending is Ending.BANNED:
        _row(violation, Measure.BAN)


def _row(violation: Violation, measure: Measure, **values: Any) -> None:
    assert violation.decided_at is not None
    Sanction.objects.create(
        violation=violation,
        application=violation.application,
        measure=measure,
        imposed_at=violation.decided_at,
        **values,
    )


def _end_membership(application: Application, violation: Violation, plan: Consequences) -> None:
    assert violation.investigator is not None and violation.verifier is not None
    reason = announcements.told_to_company(violation)
    match plan.ending:
        case Ending.EXPELLED:
            applications.expel(
                application.pk,
                investigator=violation.investigator,
                verifier=violation.verifier,
                reporter=violation.reported_by,
                reason=reason,
            )
        case Ending.BANNED:
            applications.ban_former_member(
                application.pk,
                investigator=violation.investigator,
                verifier=violation.verifier,
                reporter=violation.reported_by,
                reason=reason,
                ban_ends_at=plan.ban_ends_at,
            )
