"""Reads. An object of a merchant reaches a view only through a selector that takes the person who asks."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from applications.lifecycle import State
from applications.models import Application
from compliance.complaints.lifecycle import OPEN as OPEN_COMPLAINTS
from compliance.models import Complaint, ExitRequest, Violation
from compliance.violations.lifecycle import UNRESOLVED
from deposits.models import Deposit
from tmall_sp.core import clock


def open_violations(application: Application) -> QuerySet[Violation]:
    """Undecided ones, and those whose appeal is."""
    return application.violations.filter(state__in=UNRESOLVED)


def open_complaints(application: Application) -> QuerySet[Complaint]:
    """Those that may still cost something, the most urgent first."""
    return application.complaints.filter(state__in=OPEN_COMPLAINTS).order_by("due_at", "pk")


def open_exit(application: Application) -> ExitRequest | None:
    return application.exit_requests.filter(closed_at__isnull=True).select_related("application").first()


def latest_exit(application: Application) -> ExitRequest | None:
    """The one that runs, or else the last that ended."""
    return application.exit_requests.select_related("application").first()


def exits_that_may_be_cleared() -> QuerySet[ExitRequest]:
    """Past their notice period, without an open case, a debt or a freeze; the longest waiting first."""
    unresolved = Violation.objects.filter(application=OuterRef("application"), state__in=UNRESOLVED)
    complained = Complaint.objects.filter(application=OuterRef("application"), state__in=OPEN_COMPLAINTS)
    entangled = Deposit.objects.filter(Q(owed__gt=0) | Q(frozen__gt=0), application=OuterRef("application"))
    return ExitRequest.objects.filter(
        ~Exists(unresolved),
        ~Exists(complained),
        ~Exists(entangled),
        closed_at__isnull=True,
        notice_ends_at__lte=clock.now(),
    ).order_by("notice_ends_at", "pk")


def announced_exits() -> QuerySet[ExitRequest]:
    """Providers in their notice period, for everybody to read; whoever never stood in the pool is not announced."""
    return ExitRequest.objects.filter(
        closed_at__isnull=True, application__state=State.EXITING, application__profile__isnull=False
    ).select_related("application")
