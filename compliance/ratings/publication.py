"""A scored quarter becomes what the directory shows, once, and the providers are told."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.announcements import merchants
from compliance.models import RatingRun, RunState, Score
from compliance.quarters import Quarter
from compliance.ratings import permissions, runs
from compliance.ratings.figures import with_standing
from compliance.ratings.words import level_name
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.jobs import enqueue
from tmall_sp.core.notices import notify

TOLD_AT_ONCE = 100


def publish(pk: int, *, actor: User) -> RatingRun:
    """Publish a scored run: its levels are those of the directory from now on, all in this transaction.

    DomainError: `wrong_state` (also for whoever comes second), `preview`, `later_published`, and `quarter_before`
    when the half-year averages were made without a quarter that was published meanwhile.
    """
    from compliance import tasks

    if not permissions.may_rate(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    with transaction.atomic():
        lock_official_runs()
        run = RatingRun.objects.select_for_update(of=("self",)).get(pk=pk)
        _refuse_publication(run)
        run.state = RunState.PUBLISHED
        run.published_at = clock.now()
        run.published_by = actor
        run.save(update_fields=["state", "published_at", "published_by"])
        _show_in_directory(run)
        enqueue(tasks.tell_rated, run.pk)
    return run


def lock_official_runs() -> None:
    """Publications and corrections one after another: each asks what else is published. A few rows a year."""
    official = RatingRun.objects.filter(is_preview=False).exclude(state=RunState.CANCELLED)
    list(official.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def newest() -> RatingRun | None:
    """The published run of the latest quarter: the one that the directory shows."""
    return RatingRun.objects.filter(state=RunState.PUBLISHED).order_by("-period").first()


def _refuse_publication(run: RatingRun) -> None:
    if run.is_preview:
        raise DomainError("preview", _("A trial of a rule is never published."))
    runs.refuse_unless(run, RunState.SCORED)
    quarter = Quarter.named(run.period)
    if (latest := newest()) is not None and latest.period > run.period:
        raise DomainError(
            "later_published",
            _("%(quarter)s has already been published; an earlier quarter can't follow.")
            % {"quarter": latest.period},
        )
    before = runs.published(quarter.previous)
    if (before and before.pk) != run.previous_id:
        raise DomainError(
            "quarter_before",
            _("%(quarter)s was published after this run had begun. Cancel the run and begin it anew.")
            % {"quarter": quarter.previous},
        )


def _show_in_directory(run: RatingRun) -> None:
    """One statement for all of them. A dispute about the quarter before may have corrected a score already."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE compliance_providerprofile AS profile
               SET rated_period = %s,
                   stars = COALESCE(
                       (SELECT correction.level FROM compliance_scorecorrection AS correction
                         WHERE correction.original_id = score.id ORDER BY correction.id DESC LIMIT 1),
                       score.level)
              FROM compliance_score AS score
             WHERE score.run_id = %s AND score.application_id = profile.application_id
            """,
            [run.period, run.pk],
        )


# Telling -------------------------------------------------------------------------------------------


def to_tell() -> QuerySet[RatingRun]:
    """Published, and not everybody has been told."""
    return RatingRun.objects.filter(published_at__isnull=False, told_at__isnull=True).order_by("pk")


def tell_everybody(pk: int, *, seconds: float = runs.TURN_SECONDS) -> bool:
    """Batch after batch, as long as the turn of this worker lasts."""
    from compliance import tasks

    end = time.monotonic() + seconds
    while tell(pk):
        if time.monotonic() > end:
            enqueue(tasks.tell_rated, pk)
            break
    return True


def tell(pk: int, *, size: int = TOLD_AT_ONCE) -> bool:
    """Tell some of the providers their level, in one transaction; False once all have been told.

    The cursor moves with the notices, so each is told once, whichever worker does it.
    """
    with transaction.atomic():
        run = to_tell().select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
        if run is None:
            return False
        rows = with_standing(run.scores.all(), "level", "average").defer("inputs", "parts")
        rows = rows.filter(application_id__gt=run.told_cursor).order_by("application_id")
        scores = list(rows.select_related("application__applicant")[:size])
        for score in scores:
            _tell(run, score)
        if scores:
            run.told_cursor = scores[-1].application_id
        else:
            run.told_at = clock.now()
        run.save(update_fields=["told_cursor", "told_at"])
    return bool(scores)


def _tell(run: RatingRun, score: Any) -> None:
    application = score.application
    notify(
        merchants(application),
        key=f"rating:{run.pk}:{application.pk}",
        subject=format_lazy(
            gettext_lazy("Your rating for {quarter}: {level}"),
            quarter=run.period,
            level=level_name(score.standing_level),
        ),
        body=format_lazy(
            gettext_lazy(
                "Half-year average: {average}. The page of your rating shows each input, what is missing to the"
                " next level, and how to dispute an input."
            ),
            average=score.standing_average,
        ),
        link=reverse("ratings:rating", args=[application.number]),
        email=application.contact_email if application.contact_email_verified_at else "",
    )


# What would change ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    """How many providers are at one level now, and by the run."""

    level: int | None
    now: int
    then: int

    @property
    def change(self) -> int:
        return self.then - self.now


@dataclass(frozen=True)
class Outcome:
    """What a run makes of the levels that the directory shows."""

    shifts: list[Shift]
    rise: int
    fall: int
    same: int
    first: int


def compared(run: RatingRun) -> QuerySet[Any]:
    """Each score of a run with `now` (level that is shown, or None) and `now_average` of the rating shown."""
    shown = newest()
    before = Score.objects.filter(run=shown, application=OuterRef("application"))
    rows: QuerySet[Any] = with_standing(run.scores.all(), "level", "average").annotate(
        now=F("application__profile__stars"),
        now_average=Subquery(with_standing(before, "average").values("standing_average")[:1]),
    )
    return rows


def outcome(run: RatingRun) -> Outcome:
    """Counted by the database: two queries, however many providers."""
    rows = compared(run).order_by()
    counts = rows.aggregate(
        rise=Count("pk", filter=Q(standing_level__gt=F("now"))),
        fall=Count("pk", filter=Q(standing_level__lt=F("now"))),
        same=Count("pk", filter=Q(standing_level=F("now"))),
        first=Count("pk", filter=Q(now__isnull=True)),
    )
    pairs = rows.values("now", "standing_level").annotate(providers=Count("pk"))
    now: dict[int | None, int] = {}
    then: dict[int | None, int] = {}
    for level_now, level_then, providers in pairs.values_list("now", "standing_level", "providers"):
        now[level_now] = now.get(level_now, 0) + providers
        then[level_then] = then.get(level_then, 0) + providers
    levels: list[int | None] = [6, 5, 4, 3, 0, None]
    shifts = [Shift(level, now.get(level, 0), then.get(level, 0)) for level in levels]
    return Outcome(shifts=shifts, **counts)
