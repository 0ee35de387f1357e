"""A run scores every provider once, whatever happens to its workers, and in queries that don't grow."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import (
    Complaint,
    Declaration,
    RatingRun,
    Review,
    RunState,
    Sanction,
    Score,
    ServedShop,
)
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from compliance.ratings.figures import recompute
from compliance.tasks import sweep_ratings
from tests.compliance.ratings.conftest import (
    DAY,
    complain,
    declare,
    final,
    punish,
    review,
    score_all,
)
from tests.database import owner_role
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

Stand = Callable[[int], list[Application]]
Rate = Callable[[Quarter], RatingRun]
Serve = Callable[..., ServedShop]


def scored(run: RatingRun) -> list[int]:
    return list(run.scores.order_by("application").values_list("application", flat=True))


def live(application: Application, serve: Serve, quarter: Quarter) -> None:
    """Something of every kind that a rating counts."""
    shop = serve(application, gmv="23000000.00")
    for code, value in {
        "warehouses": 2,
        "warehouse_area": 3000,
        "seats": 40,
        "staff": 90,
        "systems": 2,
    }.items():
        declare(application, code, str(value), quarter)
    complain(application, quarter.begins_at + DAY)
    final(application, quarter.begins_at + 2 * DAY, quarter.begins_at + 20 * DAY)
    punish(application, quarter.begins_at + 3 * DAY)
    review(shop, quarter, quarter.begins_at + 4 * DAY)


# What it does --------------------------------------------------------------------------------------


def test_everybody_who_was_in_the_pool_is_scored_once(stand: Stand, quarter: Quarter, rate: Rate) -> None:
    rows = stand(7)

    run = rate(quarter)

    assert run.state == RunState.SCORED
    assert (run.total, run.done) == (7, 7)
    assert scored(run) == [row.pk for row in rows]


def test_the_size_of_a_batch_changes_nothing(stand: Stand, quarter: Quarter, serve: Serve, ops: User) -> None:
    for row in stand(5):
        live(row, serve, quarter)
    run = runs.begin(quarter, actor=ops)
    score_all(run, size=2)
    small = list(run.scores.order_by("application").values_list("inputs", "parts", "score", "level"))
    runs.cancel(run.pk, actor=ops)

    other = score_all(runs.begin(quarter, actor=ops))

    assert small == list(
        other.scores.order_by("application").values_list("inputs", "parts", "score", "level")
    )


def test_it_begins_by_itself_once_the_quarter_has_closed(
    stand: Stand, quarter: Quarter, move_clock: Callable[..., None]
) -> None:
    stand(1)
    closes = runs.closes_at(quarter)
    assert closes == quarter.ends_at + 15 * DAY

    move_clock(seconds=(closes - clock.now()).total_seconds() - 60)
    sweep_ratings()
    assert not RatingRun.objects.exists()

    move_clock(seconds=61)
    sweep_ratings()
    sweep_ratings()
    run = RatingRun.objects.get()
    assert (run.period, run.created_by, run.state) == (str(quarter), None, RunState.SCORED)


def test_what_a_person_cancelled_does_not_begin_again_by_itself(
    stand: Stand, quarter: Quarter, ops: User, move_clock: Callable[..., None]
) -> None:
    stand(1)
    move_clock(seconds=(runs.closes_at(quarter) - clock.now()).total_seconds() + 60)
    sweep_ratings()
    runs.cancel(RatingRun.objects.get().pk, actor=ops)

    sweep_ratings()

    assert RatingRun.objects.get().state == RunState.CANCELLED
    assert runs.begin(quarter, actor=ops).state == RunState.QUEUED


def test_a_quarter_that_has_not_closed_is_not_rated(stand: Stand, ops: User) -> None:
    stand(1)
    with pytest.raises(DomainError, match="not_closed"):
        runs.begin(Quarter.current(), actor=ops)


def test_a_quarter_is_rated_once(stand: Stand, quarter: Quarter, rate: Rate, ops: User) -> None:
    stand(1)
    rate(quarter)
    with pytest.raises(DomainError, match="exists"):
        runs.begin(quarter, actor=ops)


def test_only_operations_begin_and_cancel(
    quarter: Quarter, merchant: User, auditor: User, superuser: User, finance: User, ops: User
) -> None:
    run = runs.begin(quarter, actor=ops)
    for person in (merchant, auditor, superuser, finance):
        with pytest.raises(NotPermitted):
            runs.begin(quarter.previous, actor=person)
        with pytest.raises(NotPermitted):
            runs.preview(quarter, run.rule, actor=person)
        with pytest.raises(NotPermitted):
            runs.cancel(run.pk, actor=person)
        with pytest.raises(NotPermitted):
            publication.publish(run.pk, actor=person)


# Workers -------------------------------------------------------------------------------------------


def test_a_run_goes_on_where_a_killed_worker_left_it(
    stand: Stand, quarter: Quarter, ops: User, move_clock: Callable[..., None]
) -> None:
    rows = stand(5)
    run = runs.begin(quarter, actor=ops)
    claim = runs.take(run.pk)
    assert claim is not None
    lost = runs.batch(run.pk, claim, size=2)
    assert lost is not None

    assert runs.take(run.pk) is None  # it may still live
    move_clock(minutes=4)
    run = score_all(run, size=2)

    assert run.state == RunState.SCORED
    assert scored(run) == [row.pk for row in rows]
    assert runs.batch(run.pk, lost, size=2) is None  # it did, and finds that it lost the run
    assert run.scores.count() == 5


def test_a_worker_that_comes_back_to_life_does_not_score_beside_the_other(
    stand: Stand, quarter: Quarter, ops: User, move_clock: Callable[..., None]
) -> None:
    stand(5)
    run = runs.begin(quarter, actor=ops)
    slow = runs.take(run.pk)
    assert slow is not None
    move_clock(minutes=4)
    quick = runs.take(run.pk)
    assert quick is not None

    assert runs.batch(run.pk, slow, size=2) is None
    assert runs.batch(run.pk, quick, size=2) is not None
    assert run.scores.count() == 2


def test_a_worker_that_dies_within_a_batch_loses_that_batch_alone(
    stand: Stand, quarter: Quarter, ops: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(4)
    run = runs.begin(quarter, actor=ops)
    claim = runs.take(run.pk)
    assert claim is not None
    claim = runs.batch(run.pk, claim, size=2)
    assert claim is not None
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RatingRun, "save", _interrupted)
        runs.batch(run.pk, claim, size=2)

    run.refresh_from_db()
    assert (run.done, run.scores.count()) == (2, 2)
    claim = runs.batch(run.pk, claim, size=2)
    assert run.scores.count() == 4


def _interrupted(self: Any, **kwargs: Any) -> None:
    raise KeyboardInterrupt


def test_a_turn_that_is_over_leaves_the_run_to_any_worker(stand: Stand, quarter: Quarter, ops: User) -> None:
    stand(3)
    run = runs.begin(quarter, actor=ops)

    runs.work(run.pk, size=1, seconds=0)

    run.refresh_from_db()
    assert (run.state, run.claimed_at) == (RunState.RUNNING, None)
    assert run in runs.due()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_score_everybody_once(stand: Stand, quarter: Quarter, ops: User) -> None:
    rows = stand(20)
    run = runs.begin(quarter, actor=ops)

    together(*[lambda: runs.work(run.pk, size=3, seconds=60) for _ in range(3)])

    run.refresh_from_db()
    assert run.state == RunState.SCORED
    assert scored(run) == [row.pk for row in rows]
    assert (run.total, run.done) == (20, 20)


def test_a_cancelled_run_ends_at_the_next_batch(stand: Stand, quarter: Quarter, ops: User) -> None:
    stand(5)
    run = runs.begin(quarter, actor=ops)
    claim = runs.take(run.pk)
    assert claim is not None
    claim = runs.batch(run.pk, claim, size=2)
    assert claim is not None

    runs.cancel(run.pk, actor=ops)

    assert runs.batch(run.pk, claim, size=2) is None
    assert runs.take(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.cancelled_by, run.scores.count()) == (RunState.CANCELLED, ops, 2)


def test_what_is_published_can_not_be_cancelled(
    stand: Stand, quarter: Quarter, publish: Rate, ops: User
) -> None:
    stand(1)
    run = publish(quarter)
    with pytest.raises(DomainError, match="wrong_state"):
        runs.cancel(run.pk, actor=ops)


# Queries -------------------------------------------------------------------------------------------

# The run, who is next, six kinds of fact, the quarter before, the scores, the run; and the transaction's two.
QUERIES_OF_A_BATCH = 13


@pytest.mark.parametrize("size", [1, 20])
def test_a_batch_takes_the_same_queries_whatever_its_size(
    size: int, stand: Stand, quarter: Quarter, serve: Serve, ops: User
) -> None:
    for row in stand(20):
        live(row, serve, quarter)
    run = runs.begin(quarter, actor=ops)
    claim = runs.take(run.pk)
    assert claim is not None

    with CaptureQueriesContext(
        connection,
    ) as captured:
        runs.batch(run.pk, claim, size=size)

    assert run.scores.count() == size
    assert len(captured) == QUERIES_OF_A_BATCH, [query["sql"][:80] for query in captured]


# Once scored ---------------------------------------------------------------------------------------


def test_a_published_run_gives_the_same_figures_after_all_its_sources_changed(
    stand: Stand, quarter: Quarter, serve: Serve, publish: Rate
) -> None:
    rows = stand(3)
    for row in rows:
        live(row, serve, quarter)
    publish(quarter)
    second = publish(quarter.next)
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for model in (Declaration, Complaint, Sanction, Review, ServedShop):
            cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER USER")
        Declaration.objects.update(value=F("value") * 3)
        Sanction.objects.update(points=12, taken_back_at=clock.now())
        Complaint.objects.update(filed_at=clock.now())
        Review.objects.update(attitude=1)
        ServedShop.objects.update(ends_on=quarter.first_day)
        for model in (Declaration, Complaint, Sanction, Review, ServedShop):
            cursor.execute(f"ALTER TABLE {model._meta.db_table} ENABLE TRIGGER USER")

    for score in Score.objects.select_related("run"):
        again = recompute(score)
        assert again.parts == score.parts
        assert (again.scored.score, again.average, again.gmv, again.level) == (
            score.score,
            score.average,
            score.gmv,
            score.level,
        )
    assert {score.parts["previous"] for score in second.scores.all()} != {None}


@pytest.mark.parametrize("state", ["scored", "published"])
@pytest.mark.parametrize("role", ["application", "owner"])
def test_no_score_is_changed_or_deleted_or_added_afterwards(
    state: str, role: str, stand: Stand, quarter: Quarter, rate: Rate, publish: Rate
) -> None:
    row = stand(2)[0]
    run = (publish if state == "published" else rate)(quarter)
    score = run.scores.get(application=row)

    def refused(sql: str, *values: Any) -> None:
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)

    def try_all() -> None:
        refused("UPDATE compliance_score SET score = 100 WHERE id = %s", score.pk)
        refused("DELETE FROM compliance_score WHERE id = %s", score.pk)
        refused(
            "INSERT INTO compliance_score (run_id, application_id, inputs, parts, deductions, score, average, gmv, level)"
            " SELECT run_id, application_id + 100000, inputs, parts, deductions, score, average, gmv, level"
            " FROM compliance_score WHERE id = %s",
            score.pk,
        )
        if role == "application":
            refused("TRUNCATE compliance_score CASCADE")

    if role == "owner":
        with owner_role():
            try_all()
    else:
        try_all()
    score.refresh_from_db()
    assert run.scores.count() == 2


# Previews ------------------------------------------------------------------------------------------


def test_a_preview_is_scored_by_its_own_rule_and_changes_nothing(
    stand: Stand, quarter: Quarter, publish: Rate, ops: User, serve: Serve, rule_value: dict[str, Any]
) -> None:
    row = stand(1)[0]
    live(row, serve, quarter)
    official = publish(quarter)
    rule_value["levels"] = [{"stars": stars, "gmv": 0, "score": 0} for stars in (3, 4, 5, 6)]

    run = score_all(runs.preview(quarter, rule_value, actor=ops))

    assert run.scores.get().level == 6
    row.profile.refresh_from_db()
    assert row.profile.stars == official.scores.get().level != 6


def test_a_preview_is_never_published(
    stand: Stand, quarter: Quarter, ops: User, rule_value: dict[str, Any]
) -> None:
    stand(1)
    run = score_all(runs.preview(quarter, rule_value, actor=ops))

    with pytest.raises(DomainError, match="preview"):
        publication.publish(run.pk, actor=ops)
    for role in (None, owner_role()):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            if role is None:
                _publish_by_sql(cursor, run, ops)
            else:
                with role:
                    _publish_by_sql(cursor, run, ops)
    with pytest.raises(Error), transaction.atomic():
        RatingRun.objects.filter(pk=run.pk).update(is_preview=False)


def _publish_by_sql(cursor: Any, run: RatingRun, person: User) -> None:
    cursor.execute(
        "UPDATE compliance_ratingrun SET state = 'published', published_at = now(), published_by_id = %s WHERE id = %s",
        [person.pk, run.pk],
    )


def test_a_preview_of_what_is_no_rule_is_refused(quarter: Quarter, ops: User) -> None:
    with pytest.raises(DomainError, match="rating_rule"):
        runs.preview(quarter, {"weights": {}}, actor=ops)
    assert not RatingRun.objects.exists()


def test_a_preview_of_a_quarter_that_runs_is_refused(ops: User, rule_value: dict[str, Any]) -> None:
    with pytest.raises(DomainError, match="not_ended"):
        runs.preview(Quarter.current(), rule_value, actor=ops)
