"""Scoring a quarter: in batches, each one transaction, that any worker can go on with.

The run's row is the mutex: a batch locks it, looks whether it is still this worker's, writes its scores and moves
the cursor. So a killed worker loses its batch and nothing else, one that comes back to life finds the run taken
over, and a cancelled run ends at the next batch. A batch takes the same number of queries whatever its size.

Locks: runs by primary key first, then an application. A batch holds its run and, by the foreign keys of what it
writes, many applications; so whoever needs a run besides an application takes the run before it.
"""

import datetime as dt
import time
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from compliance.models import ProviderProfile, RatingRun, RunState, Score
from compliance.quarters import Quarter
from compliance.ratings import facts, permissions, rule, scoring
from compliance.ratings.facts import Window
from compliance.ratings.figures import columns, with_standing
from compliance.ratings.rule import Rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.jobs import enqueue

BATCH_SIZE = 1000
# A batch takes seconds; whoever was silent for so long is dead.
STALE = dt.timedelta(minutes=3)
# Then the worker takes other work first, such as payments, and the run waits for its next turn.
TURN_SECONDS = 10.0


# Beginning -----------------------------------------------------------------------------------------


def begin(quarter: Quarter, *, actor: User | None) -> RatingRun:
    """Queue the rating of a quarter that has closed, by the rule that was in force at its end.

    None: the system. DomainError `not_closed`, or `exists`: a quarter is rated once, unless that was cancelled.
    """
    _refuse_stranger(actor)
    version = rules.in_force(rule.NAME, quarter.ends_at)
    if clock.now() < closes_at(quarter):
        raise DomainError(
            "not_closed",
            _("%(quarter)s closes on %(day)s: until then figures about it are verified.")
            % {"quarter": quarter, "day": f"{closes_at(quarter):%Y-%m-%d}"},
            field="period",
        )
    try:
        with transaction.atomic():
            return _queue(quarter, version.value, version=version.version, actor=actor)
    except IntegrityError as error:
        if "one_rating_per_quarter" not in str(error):
            raise
        raise DomainError(
            "exists", _("%(quarter)s has been rated.") % {"quarter": quarter}, field="period"
        ) from error


def preview(quarter: Quarter, value: Any, *, actor: User) -> RatingRun:
    """Queue a trial of a rule that is not in force. Nobody is told, and it can never be published.

    DomainError for a value that is no rule, or a quarter that has not ended.
    """
    _refuse_stranger(actor)
    rule.check(value)
    if clock.now() < quarter.ends_at:
        raise DomainError("not_ended", _("%(quarter)s has not ended.") % {"quarter": quarter}, field="period")
    return _queue(quarter, value, version=0, actor=actor, is_preview=True)


def _queue(
    quarter: Quarter, value: Any, *, version: int, actor: User | None, is_preview: bool = False
) -> RatingRun:
    run = RatingRun.objects.create(
        period=str(quarter),
        is_preview=is_preview,
        rule=value,
        rule_version=version,
        created_by=actor,
        previous=published(quarter.previous),
    )
    _go_on(run.pk)
    return run


def _go_on(pk: int) -> None:
    from compliance import tasks

    enqueue(tasks.rate, pk)


def begin_what_is_due() -> None:
    """The quarter that closed last, once and by itself. One that somebody cancelled is a person's to begin again."""
    quarter = Quarter.current().previous
    if clock.now() < closes_at(quarter) or official(quarter).exists():
        return
    if ProviderProfile.objects.filter(member_since__lt=quarter.ends_at).exists():
        begin(quarter, actor=None)


def closes_at(quarter: Quarter) -> dt.datetime:
    """From when on a quarter can be rated."""
    value = rules.value(rule.NAME, quarter.ends_at)
    return Window.of(quarter, Rule.parse(value).closes_days).closes_at


def official(quarter: Quarter) -> QuerySet[RatingRun]:
    return RatingRun.objects.filter(period=str(quarter), is_preview=False)


def published(quarter: Quarter) -> RatingRun | None:
    return official(quarter).filter(state=RunState.PUBLISHED).first()


# Scoring -------------------------------------------------------------------------------------------


def due() -> QuerySet[RatingRun]:
    """What no worker has, or one that died."""
    return RatingRun.objects.filter(
        Q(state=RunState.QUEUED)
        | Q(state=RunState.RUNNING, claimed_at__isnull=True)
        | Q(state=RunState.RUNNING, claimed_at__lt=clock.now() - STALE)
    ).order_by("is_preview", "pk")


def work(pk: int, *, size: int = BATCH_SIZE, seconds: float = TURN_SECONDS) -> bool:
    """Score batch after batch, as long as the run is this worker's and its turn lasts."""
    claim = take(pk)
    end = time.monotonic() + seconds
    while claim is not None and time.monotonic() < end:
        claim = batch(pk, claim, size=size)
    if claim is not None:
        _leave(pk, claim)
    return True


def take(pk: int) -> dt.datetime | None:
    """Claim a run that is nobody's. None where another worker has it, or nothing is left to do."""
    with transaction.atomic():
        run = due().select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
        if run is None:
            return None
        if run.state == RunState.QUEUED:
            run.state = RunState.RUNNING
            run.total = facts.members(Quarter.named(run.period)).count()
        run.claimed_at = clock.now()
        run.save(update_fields=["state", "total", "claimed_at"])
        return run.claimed_at


def batch(pk: int, claim: dt.datetime, *, size: int = BATCH_SIZE) -> dt.datetime | None:
    """Score the next providers in one transaction, and renew the claim; None: it is over, or no longer ours."""
    with transaction.atomic():
        run = RatingRun.objects.select_for_update(of=("self",)).get(pk=pk)
        if run.state != RunState.RUNNING or run.claimed_at != claim:
            return None
        found = facts.members(Quarter.named(run.period)).filter(pk__gt=run.cursor).order_by("pk")
        pks = list(found.values_list("pk", flat=True)[:size])
        if not pks:
            _finish(run)
            return None
        Score.objects.bulk_create(_scores(run, pks))
        run.cursor = pks[-1]
        run.done += len(pks)
        run.total = max(run.total, run.done)
        run.claimed_at = clock.now()
        run.save(update_fields=["cursor", "done", "total", "claimed_at"])
        return run.claimed_at


def _scores(run: RatingRun, pks: list[int]) -> list[Score]:
    parsed = Rule.parse(run.rule)
    inputs = facts.inputs_of(pks, Window.of(Quarter.named(run.period), parsed.closes_days))
    before = _previous_scores(run, pks)
    return [
        Score(
            run=run,
            application_id=pk,
            **columns(inputs[pk], scoring.rate(inputs[pk], parsed, before.get(pk))),
        )
        for pk in pks
    ]


def _previous_scores(run: RatingRun, pks: list[int]) -> dict[int, Decimal]:
    """As they stand now: a dispute may have corrected them."""
    rows = Score.objects.filter(run=run.previous_id, application__in=pks)
    return dict(with_standing(rows, "score").values_list("application", "standing_score"))


def _finish(run: RatingRun) -> None:
    run.state = RunState.SCORED
    run.total = run.done
    run.scored_at = clock.now()
    run.claimed_at = None
    run.save(update_fields=["state", "total", "scored_at", "claimed_at"])


def _leave(pk: int, claim: dt.datetime) -> None:
    """The turn is over: any worker may go on at once."""
    if RatingRun.objects.filter(pk=pk, state=RunState.RUNNING, claimed_at=claim).update(claimed_at=None):
        _go_on(pk)


# Ending --------------------------------------------------------------------------------------------


def cancel(pk: int, *, actor: User) -> RatingRun:
    """End a run that is not published; it waits for the batch that is being written. The quarter can be rated anew."""
    _refuse_stranger(actor)
    with transaction.atomic():
        run = RatingRun.objects.select_for_update(of=("self",)).get(pk=pk)
        refuse_unless(run, RunState.QUEUED, RunState.RUNNING, RunState.SCORED)
        run.state = RunState.CANCELLED
        run.cancelled_by = actor
        run.claimed_at = None
        run.save(update_fields=["state", "cancelled_by", "claimed_at"])
    return run


def refuse_unless(run: RatingRun, *states: RunState) -> None:
    """DomainError `wrong_state` for a run in any other."""
    if run.state not in states:
        raise DomainError(
            "wrong_state",
            _("This run is “%(state)s” by now. Nothing was changed.") % {"state": run.get_state_display()},
        )


def _refuse_stranger(actor: User | None) -> None:
    if actor is not None and not permissions.may_rate(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
