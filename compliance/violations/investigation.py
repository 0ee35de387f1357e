"""From the report to the decision: two people of operations, neither of whom reported it or admitted the company.

One investigates and proposes, another verifies. Nobody, a superuser included, decides alone.
"""

from decimal import Decimal

from django.utils.translation import gettext as _

from applications.models import Application
from compliance.models import Ground, Severity, Violation, ViolationStep
from compliance.violations import announcements, consequences, sanctions
from compliance.violations.door import move, refuse_empty, refuse_partial
from deposits.books.ledger import CENT
from deposits.models import ZERO
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

# Beyond these somebody has mistyped.
LARGEST_PENALTY = Decimal("1000000.00")
LONGEST_SUSPENSION_DAYS = 180


def take_up(pk: int, *, actor: User, seen: int | None = None) -> Violation:
    """Become the investigator. One of many who press at once does; the others are told."""

    def guard(application: Application, violation: Violation) -> None:
        refuse_partial(actor, application, violation)
        violation.investigator = actor
        violation.taken_up_at = clock.now()

    return move(pk, "take_up", actor=actor, guard=guard, seen=seen)


def propose(
    pk: int,
    *,
    actor: User,
    severity: str,
    finding: str,
    ground: str = Ground.RULES,
    penalty: Decimal = ZERO,
    suspension_days: int = 0,
    seen: int | None = None,
) -> Violation:
    """The investigator's finding, for a second person to verify. It can be proposed anew until then.

    Beside the points of its class, a general violation may cost a penalty (CNY, whole cents; damages where its
    `ground` is the agreement) and a suspension
    of so many natural days to put right what was wrong. A severe one expels: nothing goes beside it.
    """
    refuse_empty(finding, "finding", _("Write down what was found."))
    _refuse_measures(Severity(severity), penalty, suspension_days)

    def guard(application: Application, violation: Violation) -> None:
        if violation.investigator_id != actor.pk:
            raise NotPermitted("not_the_investigator", _("Only the investigator can propose a finding."))
        violation.severity = Severity(severity)
        violation.ground = Ground(ground)
        violation.finding = finding.strip()
        violation.proposed_penalty = penalty
        violation.proposed_suspension_days = suspension_days
        violation.proposed_at = clock.now()

    def tell(application: Application, violation: Violation, step: ViolationStep) -> None:
        announcements.proposed(violation, step)

    return move(pk, "propose", actor=actor, guard=guard, follow=tell, note=finding, seen=seen)


def verify(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """Decide, as the second person, that the finding holds; `reason` is what the company reads.

    Imposes, in the same transaction, what `consequences.of` says.
    """
    refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def guard(application: Application, violation: Violation) -> None:
        if violation.investigator_id == actor.pk:
            raise DomainError("same_person", _("A second person must verify this."))
        refuse_partial(actor, application, violation)
        if violation.proposed_at is None:
            raise DomainError("no_finding", _("The investigator has not proposed a finding yet."))
        violation.verifier = actor
        violation.decided_at = clock.now()
        violation.decision_reason = reason.strip()
        plan = consequences.of(violation, at=violation.decided_at)
        violation.counts_as_severe = plan.counts_as_severe

    return move(pk, "verify", actor=actor, guard=guard, follow=sanctions.impose, note=reason, seen=seen)


def dismiss(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """Close it without a consequence; the investigator may, or another impartial person."""
    refuse_empty(reason, "reason", _("Give the reason."))

    def guard(application: Application, violation: Violation) -> None:
        refuse_partial(actor, application, violation)
        violation.decided_at = clock.now()
        violation.decision_reason = reason.strip()

    def tell(application: Application, violation: Violation, step: ViolationStep) -> None:
        announcements.dismissed(violation, step)

    return move(pk, "dismiss", actor=actor, guard=guard, follow=tell, note=reason, seen=seen)


def _refuse_measures(severity: Severity, penalty: Decimal, suspension_days: int) -> None:
    if severity is Severity.SEVERE and penalty:
        raise DomainError(
            "beside_expulsion",
            _("A severe violation forfeits the whole deposit: no penalty goes beside it."),
            field="penalty",
        )
    if severity is Severity.SEVERE and suspension_days:
        raise DomainError(
            "beside_expulsion",
            _("A severe violation expels: no suspension goes beside it."),
            field="suspension_days",
        )
    if not ZERO <= penalty <= LARGEST_PENALTY or penalty != penalty.quantize(CENT):
        raise DomainError(
            "penalty",
            _("A penalty is at most ¥%(most)s, with two places.") % {"most": f"{LARGEST_PENALTY:,}"},
            field="penalty",
        )
    if not 0 <= suspension_days <= LONGEST_SUSPENSION_DAYS:
        raise DomainError(
            "suspension_days",
            _("A suspension is at most %(days)s days.") % {"days": LONGEST_SUSPENSION_DAYS},
            field="suspension_days",
        )
