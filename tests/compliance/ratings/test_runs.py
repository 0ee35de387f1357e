"""A run scores every provider once, whatever happens to its workers, and in queries that don't grow."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import Declaration, RatingRun, RunState, Score
from compliance.ratings import publication, runs
from compliance.ratings.figures import recompute
from compliance.ratings.quarters import Quarter
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
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

Stand = Callable[[int], list[Application]]
Rate = Callable[[Quarter], RatingRun]


def scored(run: RatingRun) -> list[int]:
    return list(run.scores.order_by("application").values_list("application", flat=True))


def test_everybody_who_was_in_the_pool_is_scored_once(stand: Stand, quarter: Quarter, rate: Rate) -> None:
    rows = stand(7)

    run = rate(quarter)

    assert run.state == RunState.SCORED
    assert (run.total, run.done) == (7, 7)
    assert scored(run) == [row.pk for row in rows]
