"""What compliance knows against a clean record (deposits/outgoing/clean_record.py): then two people release the refund."""

from django.utils.translation import gettext as _

from applications.models import Application
from compliance.violations.lifecycle import OPEN, ViolationState
from deposits.outgoing.clean_record import blemish_from


@blemish_from
def upheld(application: Application) -> str:
    """Dismissed violations don't count."""
    verified = application.violations.filter(state=ViolationState.VERIFIED)
    return _("a violation was verified during the membership") if verified.exists() else ""


@blemish_from
def undecided(application: Application) -> str:
    """An exit waits for these; a path past that wait still ends before two people."""
    open_ones = application.violations.filter(state__in=OPEN)
    return _("a violation is not decided yet") if open_ones.exists() else ""
