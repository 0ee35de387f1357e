"""Reads of violations for merchants: their own company's, once decided, and what they reported of others."""

from django.db.models import QuerySet
from django.http import Http404

from applications import selectors as applications
from applications.lifecycle import MEMBER, State
from applications.models import Application
from compliance.models import AppealFile, Violation, ViolationAppeal
from compliance.violations.lifecycle import STANDS, ViolationState
from tmall_sp.accounts.models import User

# A suspicion is the company's business only once two people have found it true.
TOLD = (*STANDS, ViolationState.OVERTURNED)
# States of a company of which anything can have been found true.
PAST_OR_PRESENT = (*MEMBER, State.EXPELLED, State.EXITED)


def violations_told(user: User) -> QuerySet[Violation]:
    """What was decided against the person's companies, also where an appeal took it back; the newest first."""
    mine = applications.applications_of(user).values("pk")
    found = Violation.objects.filter(application__in=mine, state__in=TOLD)
    return found.select_related("application").order_by("-decided_at", "-pk")


def told_of(application: Application) -> QuerySet[Violation]:
    """The same of one membership."""
    return application.violations.filter(state__in=TOLD).order_by("-decided_at", "-pk")


def violation_for(user: User, number: str, pk: int) -> Violation:
    """One of the person's own; Http404 for a stranger's, and for one that is not decided or was dismissed."""
    application = applications.application_for(user, number)
    violation = told_of(application).filter(pk=pk).first()
    if violation is None:
        raise Http404
    violation.application = application
    return violation


def appeal_of(violation: Violation) -> ViolationAppeal | None:
    return ViolationAppeal.objects.filter(violation=violation).prefetch_related("files").first()


def appeal_file(violation: Violation, pk: int) -> AppealFile:
    """Http404 for a file of another case."""
    found = AppealFile.objects.filter(appeal__violation=violation, pk=pk).first()
    if found is None:
        raise Http404
    return found


def reports_of(user: User) -> QuerySet[Violation]:
    """What the person reported of other companies."""
    return Violation.objects.filter(reported_by=user).select_related("application")
