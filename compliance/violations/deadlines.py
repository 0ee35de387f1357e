"""Until when the company may appeal, by the rule of the moment at which the violation was reported."""

import datetime as dt

from django.utils.translation import gettext as _

from applications.services import clock_text
from compliance.models import Violation
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError


def appeal_until(violation: Violation) -> dt.datetime:
    """The last instant that is in time. Only of one that was verified."""
    assert violation.decided_at is not None
    return violation.decided_at + rules.days("violation.appeal_days", violation.reported_at)


def is_over(violation: Violation) -> bool:
    """From then on a verified violation that nobody appealed is final."""
    return clock.now() > appeal_until(violation)


def refuse_late(violation: Violation) -> None:
    if is_over(violation):
        raise DomainError(
            "too_late", _("The deadline was %(at)s.") % {"at": clock_text(appeal_until(violation))}
        )
