"""Reads. A provider's scores reach a view only through a selector that takes the person who asks."""

from django.db.models import F, Q, QuerySet
from django.http import Http404

from applications.lifecycle import MEMBER
from applications.models import Application
from applications.selectors import applications_of
from compliance.models import DisputeState, RunState, Score, ScoreDispute
from tmall_sp.accounts.models import User


def rated_of(user: User) -> QuerySet[Application]:
    """The person's memberships, present and former, each with its `stars` (None: not yet rated)."""
    return (
        applications_of(user)
        .filter(Q(state__in=MEMBER) | Q(profile__isnull=False))
        .annotate(stars=F("profile__stars"))
        .order_by("-created_at")
    )


def rated_for(user: User, number: str) -> Application:
    """One of them; Http404 for a stranger's, and for an application that never was a membership."""
    application = rated_of(user).filter(number=number).first()
    if application is None:
        raise Http404
    return application


def published_scores(application: Application) -> list[Score]:
    """Each published quarter's, the latest first, with its corrections."""
    scores = Score.objects.filter(application=application, run__state=RunState.PUBLISHED)
    return list(scores.select_related("run").prefetch_related("corrections").order_by("-run__period"))


def score_for(user: User, number: str, pk: int) -> Score:
    """A published score of one's own; Http404 for any other."""
    score = (
        Score.objects.filter(application=rated_for(user, number), pk=pk, run__state=RunState.PUBLISHED)
        .select_related("run", "application")
        .prefetch_related("corrections")
        .first()
    )
    if score is None:
        raise Http404
    return score


def waiting_disputes() -> QuerySet[ScoreDispute]:
    return ScoreDispute.objects.filter(state=DisputeState.OPEN)
