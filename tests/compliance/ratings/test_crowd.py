"""Two thousand providers; a hundred thousand: tests/faults/test_hundred_thousand_ratings.py."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import RunState, ServedShop
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from tests.compliance.ratings import crowd
from tmall_sp.accounts.models import User


def test_two_thousand_providers_are_rated(
    provider: Application, quarter: Quarter, serve: Callable[..., ServedShop], ops: User
) -> None:
    crowd.load(provider, serve(provider), 1999, quarter)
    run = runs.begin(quarter, actor=ops)

    with CaptureQueriesContext(connection) as captured:
        crowd.score(run.pk)

    run.refresh_from_db()
    assert (run.state, run.done, run.scores.count()) == (RunState.SCORED, 2000, 2000)
    assert run.scores.values("inputs", "parts", "level").distinct().count() <= 2000
    assert run.scores.values("score", "gmv", "level").distinct().count() == 1
    # Two batches, the claim before them, and the batch that finds nobody.
    assert len(captured) < 45
    assert publication.publish(run.pk, actor=ops).state == RunState.PUBLISHED
