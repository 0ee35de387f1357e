"""Reads of complaints: one reaches a page only through a selector that takes the person who asks."""

from django.db.models import Q, QuerySet
from django.http import Http404

from applications import selectors as applications
from applications.lifecycle import State
from applications.models import Application
from compliance.complaints.filing import Claim
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint, ComplaintFile
from tmall_sp.accounts.models import User

_READ = ("application__deposit", "question")
# Against whom one can complain by the portal's pages: who has served shops, and still has a deposit to answer with.
COMPLAINABLE = (State.ACTIVE, State.SUSPENDED, State.EXITING)
FOUND_AT_ONCE = 20


def provider_to_complain_about(number: str) -> Application | None:
    """By its number, however it was typed."""
    return _providers().filter(number=number.replace("\0", "").upper()).first()


def providers_like(words: str) -> list[Application]:
    """By a part of the name, or the whole number; at most `FOUND_AT_ONCE`."""
    found = _providers().filter(Q(company_name__icontains=words) | Q(number=words.upper()))
    return list(found.order_by("company_name", "pk")[:FOUND_AT_ONCE])


def _providers() -> QuerySet[Application]:
    return Application.objects.filter(state__in=COMPLAINABLE)


def own_about_order(user: User, provider: Application, claim: Claim) -> Complaint | None:
    """What the person has complained about this order, unless it was withdrawn."""
    found = Complaint.objects.filter(
        complainant=user, application=provider, channel=claim.channel, order_number=claim.order
    )
    return found.exclude(state=ComplaintState.WITHDRAWN).first()


def complaints_by(user: User) -> QuerySet[Complaint]:
    """What the person filed, the newest first."""
    return Complaint.objects.filter(complainant=user).select_related("application", "question")


def complaint_for(user: User, number: str) -> Complaint:
    """One that the person filed; Http404 for anybody else's, the provider included."""
    return _or_404(Complaint.objects.filter(complainant=user, number=number))


def complaint_against(user: User, application_number: str, number: str) -> Complaint:
    """One against a company of the person's; Http404 for a stranger, as for one that doesn't exist."""
    mine = applications.applications_of(user).filter(number=application_number)
    return _or_404(Complaint.objects.filter(application__in=mine, number=number))


def file_of(complaint: Complaint, pk: int) -> ComplaintFile:
    """A file of this case; Http404 for one of another case."""
    found = complaint.files.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _or_404(found: QuerySet[Complaint]) -> Complaint:
    complaint = found.select_related(*_READ).first()
    if complaint is None:
        raise Http404
    return complaint
