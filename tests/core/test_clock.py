"""The only clock: Asia/Shanghai, calendar months, and an offset that production refuses."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tmall_sp.core import clock
from tmall_sp.core.workdays import add_working_days


@pytest.mark.parametrize(
    ("begins", "eligible"),
    [
        (dt.date(2026, 5, 24), dt.date(2026, 11, 24)),
        (dt.date(2025, 8, 31), dt.date(2026, 2, 28)),
        (dt.date(2027, 8, 31), dt.date(2028, 2, 29)),
        (dt.date(2026, 8, 30), dt.date(2027, 2, 28)),
    ],
)
def test_half_a_year_is_six_calendar_months(begins: dt.date, eligible: dt.date) -> None:
    """A day that the target month lacks becomes its last day."""
    assert clock.add_months(begins, 6) == eligible


def test_the_offset_moves_the_clock(move_clock: Callable[..., None]) -> None:
    before = clock.now()

    move_clock(days=30)

    assert dt.timedelta(days=30) <= clock.now() - before < dt.timedelta(days=30, minutes=1)


def test_production_has_no_offset(settings: Any) -> None:
    settings.CLOCK_FILE = None
    with pytest.raises(RuntimeError):
        clock.set_offset(dt.timedelta(days=1))
    assert clock.offset() == dt.timedelta()


def test_the_clock_shows_shanghai_whatever_the_machine_thinks() -> None:
    assert clock.now().utcoffset() == dt.timedelta(hours=8)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-24 15:30", "2026-12-01 15:30"),  # Tuesday → Tuesday
        ("2026-11-27 09:00", "2026-12-04 09:00"),  # Friday → Friday
        ("2026-11-28 10:00", "2026-12-07 00:00"),  # Saturday counts from Monday
    ],
)
def test_five_working_days_skip_weekends(start: str, due: str) -> None:
    moment = dt.datetime.fromisoformat(start).replace(tzinfo=clock.SHANGHAI)
    assert f"{add_working_days(moment, 5):%Y-%m-%d %H:%M}" == due
