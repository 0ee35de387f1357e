"""What became of each sanction of a violation: read by the company and by staff."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from applications.models import Ban, Suspension, SuspensionCause
from compliance.models import Measure, Sanction, Violation
from deposits.books.accounts import Kind
from deposits.models import LedgerTransfer, Obligation
from tmall_sp.core import clock


@dataclass(frozen=True)
class Cost:
    """One sanction, with what became of it. Amounts are CNY."""

    sanction: Sanction
    # Of a penalty: what the deposit could not cover, and what of that is still owed.
    owed: Decimal | None = None
    still_owed: Decimal | None = None
    # Of a penalty that an appeal took back: whether its money waits for finance.
    is_being_given_back: bool = False
    # Of a suspension; its row says whether it was lifted.
    suspension: Suspension | None = None
    # Of an expulsion: what was forfeited at once, with its receipt.
    forfeiture: LedgerTransfer | None = None
    # Of an expulsion, or of a company that had left before.
    ban: Ban | None = None

    @property
    def is_late(self) -> bool:
        """What was to be put right is not, and its time is over."""
        until: dt.datetime | None = self.sanction.rectify_by
        is_suspended = self.suspension is not None and self.suspension.lifted_at is None
        return is_suspended and until is not None and clock.now() > until


def costs(violation: Violation) -> list[Cost]:
    """Of one that was verified; none before."""
    return [_cost(violation, sanction) for sanction in violation.sanctions.order_by("pk")]


def _cost(violation: Violation, sanction: Sanction) -> Cost:
    match sanction.measure:
        case Measure.PENALTY | Measure.BREACH:
            waits = sanction.taken_back_at is not None and _is_taken(violation)
            rest = _rest(violation)
            if rest is None:
                return Cost(sanction, is_being_given_back=waits)
            left = rest.amount - rest.settled if rest.closed_at is None else None
            return Cost(sanction, owed=rest.amount, still_owed=left, is_being_given_back=waits)
        case Measure.SUSPENSION:
            return Cost(sanction, suspension=_suspension(violation))
        case Measure.EXPULSION:
            return Cost(sanction, forfeiture=_forfeiture(violation), ban=_ban(violation))
        case Measure.BAN:
            return Cost(sanction, ban=_ban(violation))
    return Cost(sanction)


def _is_taken(violation: Violation) -> bool:
    """Whether the deposit still lacks some of the penalty."""
    rows = LedgerTransfer.objects.filter(
        deposit__application=violation.application_id, case=violation.case, kind=violation.charge
    )
    return rows.filter(reversed_by=None).exists()


def _rest(violation: Violation) -> Obligation | None:
    return Obligation.objects.filter(
        deposit__application=violation.application_id, case=violation.case, kind=violation.charge
    ).first()


def _suspension(violation: Violation) -> Suspension | None:
    return Suspension.objects.filter(
        application=violation.application_id, cause=SuspensionCause.SANCTION, case=violation.case
    ).first()


def _forfeiture(violation: Violation) -> LedgerTransfer | None:
    """What the cases of an expelled company set free later stands in its statement."""
    rows = LedgerTransfer.objects.filter(
        deposit__application=violation.application_id,
        kind=Kind.FORFEITURE,
        case__startswith="expulsion:",
        at__gte=violation.decided_at,
    )
    return rows.order_by("at", "pk").first()


def _ban(violation: Violation) -> Ban | None:
    bans = Ban.objects.filter(application=violation.application_id, begins_at__gte=violation.decided_at)
    return bans.order_by("begins_at", "pk").first()
