"""What upholding an appeal would bring back, told before it is decided; reversal.py then does it.

Reads and changes nothing; tests hold it to what really happens.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, Sum

from applications.lifecycle import State
from applications.models import Suspension
from compliance.models import Measure, Sanction, Severity, Violation
from compliance.violations import points
from compliance.violations.lifecycle import STANDS
from compliance.violations.rectification import open_suspension
from compliance.violations.reversal import KEEPS_OUT
from deposits.books.accounts import Kind
from deposits.models import ZERO, LedgerTransfer, Obligation
from deposits.states import ObligationState
from tmall_sp.core import clock


@dataclass(frozen=True)
class Outlook:
    """Amounts are CNY; points are those of the present calendar year."""

    points_now: int
    points_left: int
    points_limit: int
    suspension: Suspension | None
    # Proposed to finance, who accept or refuse.
    penalty_back: Decimal
    penalty_waived: Decimal
    # These count as severe only together with the points that are taken back.
    eased: list[Violation]
    # The expulsion or ban that falls with it, if any.
    kept_out_by: Measure | None
    # Another violation is severe and keeps the company out all the same.
    stays_out: bool
    forfeiture_back: Decimal

    @property
    def lets_in(self) -> bool:
        return self.kept_out_by is not None and not self.stays_out


def of(violation: Violation) -> Outlook:
    """As it is now. `violation` comes with its application."""
    now = clock.now()
    eased = points.severe_only_with(violation)
    measure = _kept_out_by([violation, *eased])
    stays_out = measure is not None and _others_are_severe(violation, eased)
    total = points.in_year(violation.application_id, now)
    own = points.standing(violation.application_id, now).filter(violation=violation).first()
    return Outlook(
        points_now=total,
        points_left=total - (own.points if own else 0),
        points_limit=points.limit(violation.reported_at),
        suspension=open_suspension(violation),
        penalty_back=_penalty_taken(violation),
        penalty_waived=_penalty_owed(violation),
        eased=eased,
        kept_out_by=measure,
        stays_out=stays_out,
        forfeiture_back=_forfeited(violation) if measure == Measure.EXPULSION and not stays_out else ZERO,
    )


def _kept_out_by(concerned: list[Violation]) -> Measure | None:
    measure = KEEPS_OUT.get(State(concerned[0].application.state))
    standing = Sanction.objects.filter(violation__in=concerned, measure=measure, taken_back_at__isnull=True)
    return measure if standing.exists() else None


def _others_are_severe(violation: Violation, eased: list[Violation]) -> bool:
    severe = Q(severity=Severity.SEVERE) | Q(counts_as_severe=True)
    others = violation.application.violations.filter(severe, state__in=STANDS)
    return others.exclude(pk__in=[violation.pk, *(other.pk for other in eased)]).exists()


def _penalty_taken(violation: Violation) -> Decimal:
    rows = LedgerTransfer.objects.filter(case=violation.case, kind=violation.charge, reversed_by=None)
    return rows.aggregate(total=Sum("amount"))["total"] or ZERO


def _penalty_owed(violation: Violation) -> Decimal:
    owed = Obligation.objects.filter(
        deposit__application=violation.application_id,
        case=violation.case,
        kind=violation.charge,
        state=ObligationState.OPEN,
    )
    return sum((row.amount - row.settled for row in owed), ZERO)


def _forfeited(violation: Violation) -> Decimal:
    """Since the expulsion, also what the company's cases set free after it."""
    expulsion = violation.application.transitions.filter(name="expel").latest("at", "pk")
    rows = LedgerTransfer.objects.filter(
        deposit__application=violation.application_id,
        kind=Kind.FORFEITURE,
        at__gte=expulsion.at,
        reversed_by=None,
    )
    return rows.aggregate(total=Sum("amount"))["total"] or ZERO
