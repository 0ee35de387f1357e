"""What the verification of a violation brings about, told before it is decided and done when it is.

`of` reads and changes nothing; sanctions.py carries out what it says, under the lock.
"""

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal

from dateutil.relativedelta import relativedelta

from applications.lifecycle import MEMBER, State
from applications.models import Application
from applications.suspensions import can_be_suspended
from compliance.models import Severity, Violation
from compliance.violations import points
from deposits.models import ZERO, Deposit
from tmall_sp.core import clock, rules


class Ending(enum.Enum):
    """What becomes of the membership."""

    GOES_ON = "goes_on"
    EXPELLED = "expelled"
    # It had left before: it is kept out, and no money moves.
    BANNED = "banned"


@dataclass(frozen=True)
class Consequences:
    """Amounts are CNY; everything is by the rules of the moment at which the violation was reported."""

    points: int
    # Of the calendar year, without these.
    points_before: int
    # So many count as a severe violation.
    points_limit: int
    # A general one that is handled like a severe one, as it fills the year's points.
    counts_as_severe: bool
    ending: Ending
    # None: for good, or no ban.
    ban_ends_at: dt.datetime | None
    warning: bool
    penalty: Decimal
    # What of the penalty the deposit can't cover becomes an obligation.
    penalty_taken: Decimal
    penalty_owed: Decimal
    rectify_by: dt.datetime | None
    forfeited: Decimal
    # Stays frozen until its case is decided; then it goes to the complainant, or is forfeited too.
    stays_frozen: Decimal

    @property
    def points_total(self) -> int:
        return self.points_before + self.points

    @property
    def suspends(self) -> bool:
        return self.rectify_by is not None


def of(violation: Violation, at: dt.datetime | None = None) -> Consequences:
    """If it were verified as it stands now (or was at `at`). For a decision, hold the application's lock.

    Whoever is expelled, has left or was expelled before pays no penalty and is not suspended: an expulsion
    forfeits the whole deposit, and after the end of a membership nothing more is taken.
    """
    now = at or clock.now()
    application = violation.application
    own = points.for_severity(violation.severity, violation.reported_at)
    before = points.in_year(application.pk, now)
    limit = points.limit(violation.reported_at)
    is_general = violation.severity == Severity.GENERAL
    counts_as_severe = is_general and before + own >= limit
    ending = _ending(application.state, severe=counts_as_severe or not is_general)
    deposit = Deposit.objects.filter(application=application).first()
    available, frozen = (deposit.available, deposit.frozen) if deposit else (ZERO, ZERO)
    goes_on = ending is Ending.GOES_ON and application.state in MEMBER
    penalty = violation.proposed_penalty if goes_on and deposit else ZERO
    taken = min(penalty, available)
    expelled = ending is Ending.EXPELLED
    return Consequences(
        points=own,
        points_before=before,
        points_limit=limit,
        counts_as_severe=counts_as_severe,
        ending=ending,
        ban_ends_at=_ordinary_ban(violation, now) if ending is Ending.BANNED else None,
        warning=is_general,
        penalty=penalty,
        penalty_taken=taken,
        penalty_owed=penalty - taken,
        rectify_by=_rectify_by(violation, now) if goes_on else None,
        forfeited=available if expelled else ZERO,
        stays_frozen=frozen if expelled else ZERO,
    )


def _ending(state: str, *, severe: bool) -> Ending:
    if severe and state in MEMBER:
        return Ending.EXPELLED
    return Ending.BANNED if severe and state == State.EXITED else Ending.GOES_ON


def _ordinary_ban(violation: Violation, now: dt.datetime) -> dt.datetime:
    """Where nothing is forfeited, a ban ends: after whole calendar months, at the same time of day."""
    months = rules.value("ban.ordinary_months", violation.reported_at)
    return now.astimezone(clock.SHANGHAI) + relativedelta(months=months)


def _rectify_by(violation: Violation, now: dt.datetime) -> dt.datetime | None:
    application: Application = violation.application
    if not violation.proposed_suspension_days or not can_be_suspended(application):
        return None
    return now + dt.timedelta(days=violation.proposed_suspension_days)
