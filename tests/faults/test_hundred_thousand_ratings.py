"""A hundred thousand providers in one run: flat memory, and a batch's queries whatever came before."""

import time
from collections.abc import Callable

import pytest
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import ProviderProfile, RunState, ServedShop
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from tests.compliance.ratings import crowd
from tests.compliance.ratings.conftest import provider, quarter, serve, stand
from tests.compliance.ratings.test_runs import QUERIES_OF_A_BATCH
from tmall_sp.accounts.models import User

__all__ = ["provider", "quarter", "serve", "stand"]

pytestmark = pytest.mark.faults

COUNT = 100_000
# What a process may hold more after the last batch than after the tenth.
MEGABYTES = 30


def test_a_hundred_thousand_providers_are_rated_in_flat_memory(
    provider: Application,
    quarter: Quarter,
    serve: Callable[..., ServedShop],
    ops: User,
    capsys: pytest.CaptureFixture[str],
) -> None:
    crowd.load(provider, serve(provider), COUNT - 1, quarter)
    run = runs.begin(quarter, actor=ops)
    begun = time.monotonic()

    held = crowd.score(run.pk)

    seconds = time.monotonic() - begun
    run.refresh_from_db()
    assert (run.state, run.done, run.total) == (RunState.SCORED, COUNT, COUNT)
    assert max(held) - held[9] < MEGABYTES
    begun = time.monotonic()
    publication.publish(run.pk, actor=ops)
    with capsys.disabled():
        print(
            f"\n{COUNT} providers in {seconds:.0f} s, published in {time.monotonic() - begun:.1f} s;"
            f" memory {held[9]:.0f} MB after ten batches, at most {max(held):.0f} MB"
        )
    assert not ProviderProfile.objects.exclude(rated_period=run.period).exists()


def test_a_late_batch_takes_the_queries_of_an_early_one(
    provider: Application, quarter: Quarter, serve: Callable[..., ServedShop], ops: User
) -> None:
    crowd.load(provider, serve(provider), 9_999, quarter)
    run = runs.begin(quarter, actor=ops)
    claim = runs.take(run.pk)
    taken: list[int] = []
    while claim is not None and len(taken) < 10:
        with CaptureQueriesContext(connection) as captured:
            claim = runs.batch(run.pk, claim)
        taken.append(len(captured))
        reset_queries()

    assert taken == [QUERIES_OF_A_BATCH] * 10
