"""A run is published once, in order, for everybody at once; then the providers are told."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import RatingRun, RunState, ServedShop
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from compliance.tasks import sweep_ratings
from tests.compliance.ratings.conftest import DAY, declare, score_all
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

Stand = Callable[[int], list[Application]]
Rate = Callable[[Quarter], RatingRun]
Serve = Callable[..., ServedShop]


def strong(application: Application, serve: Serve, quarter: Quarter, gmv: str = "60000000.00") -> None:
    """Enough for a level."""
    for _ in range(5):
        serve(application, gmv=str(Decimal(gmv) / 5))
    for code, value in {
        "warehouses": 10,
        "warehouse_area": 50000,
        "seats": 200,
        "staff": 300,
        "systems": 3,
    }.items():
        declare(application, code, str(value), quarter)


def shown(application: Application) -> tuple[int | None, str]:
    application.profile.refresh_from_db()
    return application.profile.stars, application.profile.rated_period


def test_nothing_is_shown_before_publication_and_every_level_after_it(
    stand: Stand, quarter: Quarter, rate: Rate, serve: Serve, ops: User
) -> None:
    good, weak = stand(2)
    strong(good, serve, quarter)
    run = rate(quarter)
    assert shown(good) == shown(weak) == (None, "")

    published = publication.publish(run.pk, actor=ops)

    assert published.state == RunState.PUBLISHED
    assert published.published_by == ops
    assert shown(good) == (5, str(quarter))
    assert shown(weak) == (0, str(quarter))  # 未达标


def test_who_joined_after_the_quarter_stays_unrated(stand: Stand, quarter: Quarter, publish: Rate) -> None:
    new = stand(1)[0]
    new.profile.member_since = quarter.ends_at + DAY
    new.profile.save()

    publish(quarter)

    assert shown(new) == (None, "")


def test_it_takes_the_same_queries_however_many_providers(
    stand: Stand, quarter: Quarter, rate: Rate, ops: User
) -> None:
    stand(2)
    few = rate(quarter)
    with CaptureQueriesContext(connection) as of_few:
        publication.publish(few.pk, actor=ops)
    many = score_all(runs.begin(quarter.next, actor=ops))
    with CaptureQueriesContext(connection) as of_many:
        publication.publish(many.pk, actor=ops)

    assert len(of_few) == len(of_many) == 8


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_publish_at_once_one_does(
    stand: Stand, quarter: Quarter, rate: Rate, ops: User, second_ops: User
) -> None:
    stand(2)
    run = rate(quarter)

    outcomes = together(
        lambda: publication.publish(run.pk, actor=ops).state,
        lambda: publication.publish(run.pk, actor=second_ops).state,
    )

    assert sorted(outcomes) == ["published", "wrong_state"]


def test_a_run_that_is_still_scored_is_not_published(stand: Stand, quarter: Quarter, ops: User) -> None:
    stand(2)
    run = runs.begin(quarter, actor=ops)
    with pytest.raises(DomainError, match="wrong_state"):
        publication.publish(run.pk, actor=ops)

    claim = runs.take(run.pk)
    assert claim is not None
    runs.batch(run.pk, claim, size=1)
    with pytest.raises(Error), transaction.atomic():
        RatingRun.objects.filter(pk=run.pk).update(state="scored")  # not all are


def test_an_earlier_quarter_can_not_follow_a_later_one(
    stand: Stand, quarter: Quarter, rate: Rate, publish: Rate, ops: User
) -> None:
    stand(1)
    early = rate(quarter)
    publish(quarter.next)

    with pytest.raises(DomainError, match="later_published"):
        publication.publish(early.pk, actor=ops)


def test_averages_made_without_the_quarter_before_are_not_published_beside_it(
    stand: Stand, quarter: Quarter, rate: Rate, publish: Rate, ops: User
) -> None:
    stand(1)
    late = rate(quarter.next)
    assert late.previous is None
    publish(quarter)

    with pytest.raises(DomainError, match="quarter_before"):
        publication.publish(late.pk, actor=ops)

    runs.cancel(late.pk, actor=ops)
    assert publish(quarter.next).previous == RatingRun.objects.get(period=str(quarter))


def test_the_level_follows_the_half_year_average(
    stand: Stand, quarter: Quarter, publish: Rate, serve: Serve
) -> None:
    row = stand(1)[0]
    strong(row, serve, quarter)
    first = publish(quarter).scores.get()
    assert first.average == first.score

    second = publish(quarter.next).scores.get()

    assert second.parts["previous"] == str(first.score)
    assert second.average == ((first.score + second.score) / 2).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_what_was_published_stays(stand: Stand, quarter: Quarter, publish: Rate, ops: User) -> None:
    stand(1)
    run = publish(quarter)
    changes: list[dict[str, Any]] = [
        {"state": "cancelled"},
        {"published_at": quarter.ends_at},
        {"done": 7, "total": 7},
        {"rule": {}},
    ]
    for change in changes:
        with pytest.raises(Error), transaction.atomic():
            RatingRun.objects.filter(pk=run.pk).update(**change)
    with pytest.raises(Error), transaction.atomic():
        RatingRun.objects.filter(pk=run.pk).delete()


# Telling -------------------------------------------------------------------------------------------


def test_every_provider_is_told_once_in_batches(
    stand: Stand, quarter: Quarter, publish: Rate, merchant: User
) -> None:
    stand(5)
    run = publish(quarter)
    assert not Notice.objects.exists()

    assert publication.tell(run.pk, size=2)
    assert Notice.objects.count() == 2
    sweep_ratings()
    sweep_ratings()

    run.refresh_from_db()
    assert run.told_at is not None
    notices = Notice.objects.filter(recipient=merchant)
    assert notices.count() == 5
    assert str(quarter) in notices[0].subject
    assert "未达标" in notices[0].subject


def test_a_worker_that_dies_while_telling_tells_nobody_twice(
    stand: Stand, quarter: Quarter, publish: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(4)
    run = publish(quarter)

    def die(self: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RatingRun, "save", die)
        publication.tell(run.pk, size=2)

    assert not Notice.objects.exists()
    publication.tell_everybody(run.pk)
    assert Notice.objects.count() == 4


def test_nobody_is_told_of_a_preview(
    stand: Stand, quarter: Quarter, ops: User, rule_value: dict[str, Any]
) -> None:
    stand(2)
    score_all(runs.preview(quarter, rule_value, actor=ops))
    sweep_ratings()
    assert not Notice.objects.exists()


# What would change ---------------------------------------------------------------------------------


def test_the_outcome_counts_who_rises_and_falls(
    stand: Stand, quarter: Quarter, rate: Rate, publish: Rate, serve: Serve
) -> None:
    first, second, third, fourth = stand(4)
    publish(quarter)
    for row, stars in ((first, 0), (second, 6), (third, 5), (fourth, None)):
        row.profile.stars = stars
        row.profile.save()
    for row in (first, third, second):
        strong(row, serve, quarter.next)
    run = rate(quarter.next)

    outcome = publication.outcome(run)

    levels = dict(run.scores.values_list("application", "level"))
    assert levels[first.pk] == levels[second.pk] == levels[third.pk] > 0
    assert (outcome.rise, outcome.fall, outcome.same, outcome.first) == _expected(levels[first.pk])
    assert sum(shift.now for shift in outcome.shifts) == sum(shift.then for shift in outcome.shifts) == 4
    by_level = {shift.level: (shift.now, shift.then) for shift in outcome.shifts}
    assert by_level[None] == (1, 0)


def _expected(level: int) -> tuple[int, int, int, int]:
    """From 0, 6, 5 and none to the level, and of the last to 未达标."""
    moves = [(0, level), (6, level), (5, level)]
    return (
        sum(after > before for before, after in moves),
        sum(after < before for before, after in moves),
        sum(after == before for before, after in moves),
        1,
    )
