"""Waiting for what other processes do, without guessing how long they take."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 30


def eventually(ask: Callable[[], T], what: str, seconds: float = SECONDS) -> T:
    """The first true answer of `ask`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} seconds"
        time.sleep(0.2)
    return answer
