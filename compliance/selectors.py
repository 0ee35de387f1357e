"""Reads. An object of a merchant reaches a view only through a selector that takes the person who asks."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from applications.models import Application
from compliance.models import ExitRequest, Violation
from compliance.violations.lifecycle import OPEN, ViolationState
from deposits.models import Deposit
from tmall_sp.core import clock


def open_violations(application: Application) -> QuerySet[Violation]:
    return application.violations.filter(state__in=OPEN)


def open_exit(application: Application) -> ExitRequest | None:
    return application.exit_requests.filter(closed_at__isnull=True).select_related("application").first()


def latest_exit(application: Application) -> ExitRequest | None:
    """The one that runs, or else the last that ended."""
    return application.exit_requests.select_related("application").first()


def exits_that_may_be_cleared() -> QuerySet[ExitRequest]:
    """Past their notice period, without an open violation, a debt or a freeze; the longest waiting first."""
    unresolved = Violation.objects.filter(application=OuterRef("application"), state__in=OPEN)
    entangled = Deposit.objects.filter(Q(owed__gt=0) | Q(frozen__gt=0), application=OuterRef("application"))
    return ExitRequest.objects.filter(
        ~Exists(unresolved), ~Exists(entangled), closed_at__isnull=True, notice_ends_at__lte=clock.now()
    ).order_by("notice_ends_at", "pk")


def waiting_for_verification() -> QuerySet[Violation]:
    return Violation.objects.filter(state=ViolationState.INVESTIGATING, proposed_at__isnull=False)
