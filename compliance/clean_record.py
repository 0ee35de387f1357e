"""What compliance knows against a clean record (deposits/outgoing/clean_record.py): then two people release the refund."""

from django.utils.translation import gettext as _

from applications.models import Application
from compliance import selectors
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Liability
from compliance.violations.lifecycle import OPEN, STANDS
from deposits.outgoing.clean_record import blemish_from


@blemish_from
def upheld(application: Application) -> str:
    """Dismissed violations, and those overturned on appeal, don't count."""
    verified = application.violations.filter(state__in=STANDS)
    return _("a violation was verified during the membership") if verified.exists() else ""


@blemish_from
def undecided(application: Application) -> str:
    """An exit waits for these; a path past that wait still ends before two people."""
    open_ones = application.violations.filter(state__in=OPEN)
    return _("a violation is not decided yet") if open_ones.exists() else ""


@blemish_from
def complaint_upheld(application: Application) -> str:
    """The provider was liable, if only in part. What was withdrawn, or decided for it, doesn't count."""
    found = application.complaints.filter(
        state=ComplaintState.FINAL, liability__in=[Liability.LIABLE, Liability.SHARED]
    )
    return _("a complaint was upheld during the membership") if found.exists() else ""


@blemish_from
def complaint_undecided(application: Application) -> str:
    """As with violations."""
    return _("a complaint is not final yet") if selectors.open_complaints(application).exists() else ""
