"""The public directory: who is in the pool now. Nothing here names a person, a phone or an address."""

from django.db.models import QuerySet
from django.http import Http404

from applications.lifecycle import State
from applications.models import Application

PAGE_SIZE = 20
NEWEST_FIRST = "-profile__member_since"


def providers() -> QuerySet[Application]:
    """Active providers, each with its profile; whoever is suspended, leaving or expelled is not among them."""
    return Application.objects.filter(state=State.ACTIVE, profile__isnull=False).select_related("profile")


def provider(number: str) -> Application:
    """One active provider; Http404 for any other, whether it ever was one or not."""
    found = providers().filter(number=number).first()
    if found is None:
        raise Http404
    return found


def masked_credit_code(credit_code: str) -> str:
    """Enough to tell two companies of one name apart, not enough to copy."""
    return f"{credit_code[:4]}{'*' * 10}{credit_code[-4:]}" if len(credit_code) == 18 else ""
