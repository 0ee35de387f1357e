"""Who is told what of a violation: the company, whoever reported it, and operations. Called in the step's transaction."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from applications.announcements import merchants
from applications.models import Application
from applications.services import clock_text
from applications.step_names import STEP_NAMES
from compliance.models import Violation, ViolationStep
from compliance.violations import deadlines
from compliance.violations.consequences import Consequences
from deposits.announcements import enter_timeline
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core.notices import notify

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

STEP_NAMES.update(
    {
        "violation_verified": gettext_lazy("Violation verified"),
        "violation_appealed": gettext_lazy("Appeal against a violation"),
        "violation_appeal_rejected": gettext_lazy("Appeal against a violation rejected"),
        "violation_overturned": gettext_lazy("Appeal against a violation upheld"),
        "violation_rectified": gettext_lazy("What was wrong has been put right"),
    }
)

Somebody = User | None


def told_to_company(violation: Violation) -> str:
    """What it did, and the reason that the verifier wrote for it. Facts and finding are read by staff only."""
    return f"{violation.title}\n{violation.decision_reason}"


def reported(violation: Violation, step: ViolationStep) -> None:
    subject = gettext_lazy("A violation waits for an investigator")
    _tell_operations(violation, step, subject, but=[violation.reported_by])


def proposed(violation: Violation, step: ViolationStep) -> None:
    subject = gettext_lazy("A violation waits for a second person")
    _tell_operations(violation, step, subject, but=[violation.investigator, violation.reported_by])


def dismissed(violation: Violation, step: ViolationStep) -> None:
    _tell_reporter(violation, step, gettext_lazy("A violation was dismissed"))


def verified(application: Application, violation: Violation, step: ViolationStep, plan: Consequences) -> None:
    """To the company with its points, and until when it may appeal."""
    enter_timeline(application, "violation_verified", violation.title)
    lines: list[StrPromise | str] = [
        told_to_company(violation),
        format_lazy(
            gettext_lazy("{points} points: {total} of {limit} in this calendar year."),
            points=plan.points,
            total=plan.points_total,
            limit=plan.points_limit,
        ),
    ]
    if plan.counts_as_severe:
        lines.append(gettext_lazy("They count as a severe violation."))
    if plan.rectify_by is not None:
        lines.append(
            format_lazy(gettext_lazy("To be put right by {until}."), until=clock_text(plan.rectify_by))
        )
    lines.append(
        format_lazy(
            gettext_lazy("You can appeal once, until {until}."),
            until=clock_text(deadlines.appeal_until(violation)),
        )
    )
    body = format_lazy("\n".join(["{}"] * len(lines)), *lines)
    _tell_company(violation, step, gettext_lazy("A violation by your company has been verified"), body)
    _tell_reporter(violation, step, gettext_lazy("A violation that you reported was verified"))


def rectified(application: Application, violation: Violation, step: ViolationStep, reason: str) -> None:
    enter_timeline(application, "violation_rectified", violation.title)
    _tell_company(violation, step, gettext_lazy("What was wrong has been put right"), reason)


def not_rectified(violation: Violation, step: ViolationStep) -> None:
    """The time is over: operations decide what follows, and the company is told that it was noticed."""
    subject = gettext_lazy("A violation was not put right in time")
    _tell_operations(violation, step, subject)
    _tell_company(
        violation,
        step,
        subject,
        format_lazy(
            gettext_lazy("{title}\nYour membership stays suspended. Tell operations once it is put right."),
            title=violation.title,
        ),
    )


def appealed(application: Application, violation: Violation, step: ViolationStep) -> None:
    enter_timeline(application, "violation_appealed", violation.title)
    _tell_operations(
        violation,
        step,
        gettext_lazy("An appeal against a violation waits for a decision"),
        but=[violation.investigator, violation.verifier, violation.reported_by],
    )
    _tell_company(
        violation,
        step,
        gettext_lazy("Your appeal has been filed"),
        format_lazy(
            gettext_lazy("{title}\nOther people than those who decided first decide it."),
            title=violation.title,
        ),
    )


def appeal_proposed(violation: Violation, step: ViolationStep, proposer: User) -> None:
    _tell_operations(
        violation,
        step,
        gettext_lazy("The decision on an appeal waits for a second person"),
        but=[proposer, violation.investigator, violation.verifier, violation.reported_by],
    )


def appeal_returned(violation: Violation, step: ViolationStep, proposer: Somebody) -> None:
    if proposer is not None:
        _tell_staff(
            [proposer], violation, step, gettext_lazy("Your proposal on an appeal was not agreed with")
        )


def appeal_rejected(application: Application, violation: Violation, step: ViolationStep, reason: str) -> None:
    enter_timeline(application, "violation_appeal_rejected", f"{violation.title}\n{reason}")
    _tell_company(
        violation,
        step,
        gettext_lazy("Your appeal was rejected"),
        format_lazy(gettext_lazy("{reason}\nThe decision is final."), reason=reason),
    )


def overturned(application: Application, violation: Violation, step: ViolationStep, reason: str) -> None:
    enter_timeline(application, "violation_overturned", f"{violation.title}\n{reason}")
    _tell_company(
        violation,
        step,
        gettext_lazy("Your appeal was upheld"),
        format_lazy(
            gettext_lazy("{reason}\nPoints and other sanctions of this violation are taken back."),
            reason=reason,
        ),
    )
    _tell_reporter(violation, step, gettext_lazy("A violation that you reported was overturned on appeal"))


def no_longer_severe(violation: Violation, step: ViolationStep) -> None:
    """Its class changed with another violation's appeal: operations look at it, and the company reads it."""
    _tell_operations(
        violation, step, gettext_lazy("A violation no longer counts as severe: please look at it again")
    )
    _tell_company(
        violation,
        step,
        gettext_lazy("A violation no longer counts as severe"),
        format_lazy(
            gettext_lazy("{title}\nThe points that made it count so were taken back on appeal."),
            title=violation.title,
        ),
    )


def _tell_company(
    violation: Violation, step: ViolationStep, subject: "StrPromise", body: "StrPromise | str"
) -> None:
    application = violation.application
    notify(
        merchants(application),
        key=_key(violation, step),
        subject=subject,
        body=body,
        link=reverse("cases:violation", args=[application.number, violation.pk]),
        email=application.contact_email if application.contact_email_verified_at else "",
    )


def _tell_reporter(violation: Violation, step: ViolationStep, subject: "StrPromise") -> None:
    """Staff are led to the case; a merchant learns what became of the report, and nothing more of the company."""
    reporter = violation.reported_by
    if reporter is None:
        return
    if reporter.is_staff:
        _tell_staff([reporter], violation, step, subject)
    else:
        notify(
            [reporter],
            key=f"{_key(violation, step)}:reporter",
            subject=subject,
            body=f"{violation.application.company_name}\n{violation.title}",
            link=reverse("compliance:reports"),
        )


def _tell_operations(
    violation: Violation, step: ViolationStep, subject: "StrPromise", *, but: Iterable[Somebody] = ()
) -> None:
    others = staff_with(Role.OPS).exclude(pk__in=[person.pk for person in but if person])
    _tell_staff(others, violation, step, subject)


def _tell_staff(
    people: Iterable[User], violation: Violation, step: ViolationStep, subject: "StrPromise"
) -> None:
    notify(
        people,
        key=_key(violation, step),
        subject=subject,
        body=f"{violation.application.number} {violation.application.company_name}\n{violation.title}",
        link=reverse("admin:compliance_violation_change", args=[violation.pk]),
    )


def _key(violation: Violation, step: ViolationStep) -> str:
    return f"violation:{violation.pk}:{step.pk}"
