"""Reads of complaints: one reaches a page only through a selector that takes the person who asks."""

from django.db.models import QuerySet
from django.http import Http404

from applications import selectors as applications
from compliance.models import Complaint, ComplaintFile
from tmall_sp.accounts.models import User

_READ = ("application__company", "question", "complainant")


def complaints_by(user: User) -> QuerySet[Complaint]:
    """What the person filed, the newest first."""
    return Complaint.objects.filter(complainant=user).select_related("application", "question")


def complaint_for(user: User, number: str) -> Complaint:
    """One that the person filed; Http404 for anybody else's, the provider included."""
    return _or_404(Complaint.objects.filter(complainant=user, number=number))


def complaint_against(user: User, application_number: str, number: str) -> Complaint:
    """One against a company of the person's; Http404 for a stranger, as for one that doesn't exist."""
    application = applications.application_for(user, application_number)
    return _or_404(application.complaints.filter(number=number))


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
