"""Verbs of violations. `_move` is the one door: nothing else calls a transition or saves `state`.

Two people of operations decide: one investigates and proposes, another verifies; neither reported the
violation nor admitted the company. Nobody, a superuser included, can decide alone. `seen` is the version
of the page that the person acted on; an older one raises StaleVersion.
"""

import enum
from collections.abc import Callable

from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_fsm import can_proceed

from applications import announcements
from applications import services as applications
from applications.lifecycle import MEMBER, State
from applications.locks import lock_application
from applications.models import Application
from compliance.locks import lock_violation
from compliance.models import Severity, Violation, ViolationStep
from compliance.violations import permissions
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.notices import notify

Guard = Callable[[Application, Violation], None]
Follow = Callable[[Application, Violation, ViolationStep], None]

# What is found out after an exit is recorded, and keeps the company out; it moves no money.
REPORTABLE = (*MEMBER, State.EXPELLED, State.EXITED)


class Consequence(enum.Enum):
    """What the verification of a violation brings about."""

    RECORD = "record"
    EXPEL = "expel"
    BAN = "ban"


def consequence(severity: str, state: str) -> Consequence:
    """Of a violation of this severity, by a company whose application is in this state."""
    if severity != Severity.SEVERE:
        return Consequence.RECORD
    if state in MEMBER:
        return Consequence.EXPEL
    return Consequence.BAN if state == State.EXITED else Consequence.RECORD


def report(application_pk: int, *, actor: User | None, severity: str, title: str, facts: str) -> Violation:
    """Put a suspected violation on the queue. `actor` None: the system reports."""
    with transaction.atomic():
        application = lock_application(application_pk)
        if actor is not None and not permissions.may_handle(actor):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if application.state not in REPORTABLE:
            raise DomainError(
                "not_a_provider", _("This company is no provider and never was one."), field="application"
            )
        violation = Violation.objects.create(
            application=application,
            severity=Severity(severity),
            title=title.strip(),
            facts=facts.strip(),
            reported_by=actor,
            reported_at=clock.now(),
        )
        step = _record(violation, "report", before="", actor=actor)
        _tell_operations(violation, step, gettext_lazy("A violation waits for an investigator"), but=[actor])
    return violation


def take_up(pk: int, *, actor: User, seen: int | None = None) -> Violation:
    """Become the investigator. One of many who press at once does; the others are told."""

    def guard(application: Application, violation: Violation) -> None:
        _refuse_partial(actor, application, violation)
        violation.investigator = actor
        violation.taken_up_at = clock.now()

    return _move(pk, "take_up", actor=actor, guard=guard, seen=seen)


def propose(pk: int, *, actor: User, severity: str, finding: str, seen: int | None = None) -> Violation:
    """The investigator's finding, for a second person to verify. It can be proposed anew until then."""
    _refuse_empty(finding, "finding", _("Write down what was found."))

    def guard(application: Application, violation: Violation) -> None:
        if violation.investigator_id != actor.pk:
            raise NotPermitted("not_the_investigator", _("Only the investigator can propose a finding."))
        violation.severity = Severity(severity)
        violation.finding = finding.strip()
        violation.proposed_at = clock.now()

    def tell(application: Application, violation: Violation, step: ViolationStep) -> None:
        subject = gettext_lazy("A violation waits for a second person")
        _tell_operations(violation, step, subject, but=[actor, violation.reported_by])

    return _move(pk, "propose", actor=actor, guard=guard, note=finding, follow=tell, seen=seen)


def verify(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """Decide, as the second person, that the finding holds; `reason` is what the company reads.

    A severe one expels a member in the same transaction, for good, and what is there of the deposit is
    forfeited; a former member is banned. A general one is recorded.
    """
    _refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def guard(application: Application, violation: Violation) -> None:
        if violation.investigator_id == actor.pk:
            raise DomainError("same_person", _("A second person must verify this."))
        _refuse_partial(actor, application, violation)
        if violation.proposed_at is None:
            raise DomainError("no_finding", _("The investigator has not proposed a finding yet."))
        violation.verifier = actor
        violation.decided_at = clock.now()
        violation.decision_reason = reason.strip()

    return _move(pk, "verify", actor=actor, guard=guard, note=reason, follow=_carry_out, seen=seen)


def dismiss(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """Close it without a consequence; the investigator may, or another impartial person."""
    _refuse_empty(reason, "reason", _("Give the reason."))

    def guard(application: Application, violation: Violation) -> None:
        _refuse_partial(actor, application, violation)
        violation.decided_at = clock.now()
        violation.decision_reason = reason.strip()

    def tell(application: Application, violation: Violation, step: ViolationStep) -> None:
        if violation.reported_by:
            _tell([violation.reported_by], violation, step, gettext_lazy("A violation was dismissed"))

    return _move(pk, "dismiss", actor=actor, guard=guard, note=reason, follow=tell, seen=seen)


# The door ------------------------------------------------------------------------------------------


def _move(
    pk: int,
    name: str,
    *,
    actor: User,
    guard: Guard,
    note: str = "",
    follow: Follow = lambda application, violation, step: None,
    seen: int | None = None,
) -> Violation:
    """Lock application, then violation → role → page not out of date → lawful edge → guard → step → follow.

    `guard` may set fields and raises DomainError to refuse; `follow` does what the step brings about.
    """
    with transaction.atomic():
        application, violation = lock_violation(pk)
        if not permissions.may_handle(actor):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_stale(violation, seen)
        step = getattr(violation, name)
        if not can_proceed(step):
            raise DomainError(
                "wrong_state",
                _("This can't be done while the violation is in state “%(state)s”.")
                % {"state": violation.get_state_display()},
            )
        guard(application, violation)
        before = violation.state
        step()
        violation.version += 1
        violation.save()
        follow(application, violation, _record(violation, name, before=before, actor=actor, note=note))
    return violation


def _record(
    violation: Violation, name: str, *, before: str, actor: User | None, note: str = ""
) -> ViolationStep:
    return ViolationStep.objects.create(
        violation=violation,
        name=name,
        from_state=before,
        to_state=violation.state,
        actor=actor,
        at=clock.now(),
        severity=violation.severity,
        note=note.strip(),
    )


def _refuse_stale(violation: Violation, seen: int | None) -> None:
    if seen is None or seen == violation.version:
        return
    last = violation.steps.select_related("actor").last()
    raise StaleVersion(
        "stale",
        _(
            "This page is out of date: the violation changed meanwhile and is now “%(state)s”"
            " (last step by %(who)s). Nothing was changed. Look at it again, then decide."
        )
        % {
            "state": violation.get_state_display(),
            "who": last.actor if last and last.actor else _("the system"),
        },
    )


def _refuse_partial(actor: User, application: Application, violation: Violation) -> None:
    if not permissions.is_impartial(actor, violation, application):
        raise DomainError(
            "not_impartial", _("Who reported the violation or admitted the company can't decide on it.")
        )


def _refuse_empty(text: str, field: str, message: str) -> None:
    if not text.strip():
        raise DomainError("empty", message, field=field)


# What follows --------------------------------------------------------------------------------------


def _carry_out(application: Application, violation: Violation, step: ViolationStep) -> None:
    """The consequence of a verification, in its transaction."""
    assert violation.investigator is not None and violation.verifier is not None
    match consequence(violation.severity, application.state):
        case Consequence.EXPEL:
            applications.expel(
                application.pk,
                investigator=violation.investigator,
                verifier=violation.verifier,
                reporter=violation.reported_by,
                reason=_told_to_company(violation),
            )
        case Consequence.BAN:
            applications.ban_former_member(
                application.pk,
                investigator=violation.investigator,
                verifier=violation.verifier,
                reporter=violation.reported_by,
                reason=_told_to_company(violation),
            )
        case Consequence.RECORD:
            _tell_company(application, violation, step)


def _told_to_company(violation: Violation) -> str:
    """What it did, and the reason that the verifier wrote for it. Facts and finding are read by staff only."""
    return f"{violation.title}\n{violation.decision_reason}"


def _tell_company(application: Application, violation: Violation, step: ViolationStep) -> None:
    notify(
        announcements.merchants(application),
        key=f"violation:{violation.pk}:{step.pk}",
        subject=gettext_lazy("A violation by your company has been verified"),
        body=_told_to_company(violation),
        link=reverse("applications:detail", args=[application.number]),
        email=application.contact_email if application.contact_email_verified_at else "",
    )


def _tell_operations(
    violation: Violation, step: ViolationStep, subject: str | Promise, *, but: list[User | None]
) -> None:
    others = staff_with(Role.OPS).exclude(pk__in=[person.pk for person in but if person])
    _tell(list(others), violation, step, subject)


def _tell(people: list[User], violation: Violation, step: ViolationStep, subject: str | Promise) -> None:
    notify(
        people,
        key=f"violation:{violation.pk}:{step.pk}",
        subject=subject,
        body=f"{violation.application.number} {violation.application.company_name}\n{violation.title}",
        link=reverse("admin:compliance_violation_change", args=[violation.pk]),
    )
