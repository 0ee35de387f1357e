"""What an upheld appeal brings back: points, state, ban, and the money by a proposal that finance accepts.

A company stays expelled, or banned, while another violation that stands is severe or counts as severe. One
that counted as severe only with the points now taken back is general again: its own sanctions beside the
expulsion stay, the expulsion for it does not.
"""

from django.db.models import Q, QuerySet

from applications import reversals, suspensions
from applications.lifecycle import State
from applications.models import Application, SuspensionCause
from compliance.models import Measure, Sanction, Severity, Violation, ViolationAppeal, ViolationStep
from compliance.violations import announcements, points, restitution
from compliance.violations.door import note_step
from compliance.violations.lifecycle import STANDS
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

# What keeps a company out; by the state that it is kept in.
KEEPS_OUT = {State.EXPELLED: Measure.EXPULSION, State.EXITED: Measure.BAN}


def take_back(application: Application, violation: Violation, appeal: ViolationAppeal) -> None:
    """All that followed from a violation just overturned, in that transaction. Hold the application's lock."""
    assert appeal.decider is not None
    eased = points.severe_only_with(violation)
    kept_out = _standing(application, [violation, *eased])
    kept_out_by_these = kept_out.exists()
    violation.sanctions.filter(taken_back_at__isnull=True).update(taken_back_at=clock.now())
    suspensions.lift(
        application.pk,
        cause=SuspensionCause.SANCTION,
        case=violation.case,
        actor=appeal.decider,
        reason=appeal.reason,
    )
    for other in eased:
        _make_general(other, appeal.decider)
    if kept_out_by_these:
        kept_out.update(taken_back_at=clock.now())
        _let_in_or_hand_on(application, appeal)
    # Last: what comes back with the membership pays open obligations, also for this violation.
    restitution.propose(violation, actor=appeal.decider, reason=appeal.reason)


def _standing(application: Application, of: list[Violation]) -> QuerySet[Sanction]:
    pks = [violation.pk for violation in of]
    return Sanction.objects.filter(
        violation__in=pks, measure=KEEPS_OUT.get(State(application.state)), taken_back_at__isnull=True
    )


def _make_general(violation: Violation, actor: User) -> None:
    def guard(application: Application, row: Violation) -> None:
        row.counts_as_severe = False

    def follow(application: Application, row: Violation, step: ViolationStep) -> None:
        announcements.no_longer_severe(row, step)

    note_step(violation.pk, "no_longer_severe", actor=actor, states=STANDS, guard=guard, follow=follow)


def _let_in_or_hand_on(application: Application, appeal: ViolationAppeal) -> None:
    """Another violation that is severe keeps the company out from now on; without one it may come back."""
    measure = KEEPS_OUT[State(application.state)]
    others = application.violations.filter(
        Q(severity=Severity.SEVERE) | Q(counts_as_severe=True), state__in=STANDS
    )
    if Sanction.objects.filter(violation__in=others, measure=measure, taken_back_at__isnull=True).exists():
        return
    heir = others.exclude(sanctions__measure=measure).order_by("decided_at", "pk").first()
    if heir is not None:
        Sanction.objects.create(violation=heir, application=application, measure=measure)
        return
    assert appeal.proposer is not None and appeal.decider is not None
    let_in = reversals.lift_ban if measure == Measure.BAN else reversals.overturn_expulsion
    let_in(application.pk, proposer=appeal.proposer, decider=appeal.decider, reason=appeal.reason)
