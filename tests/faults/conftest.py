"""One stack for each file of faults, whole again after each test."""

from collections.abc import Iterator

import pytest

from tests.faults.damage import Damage
from tests.faults.stage import Stage
from tests.stack import Stack


@pytest.fixture(scope="module")
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that the tests of one file break, one after the other; with as many WORKERS as the file says."""
    workers = getattr(request.module, "WORKERS", 1)
    with Stack(tmp_path_factory.mktemp("stack"), workers=workers) as running:
        yield running


@pytest.fixture
def damage(stack: Stack) -> Iterator[Damage]:
    breaking = Damage(stack)
    yield breaking
    breaking.repair()


@pytest.fixture(scope="module")
def stage(stack: Stack) -> Stage:
    return Stage(stack)
