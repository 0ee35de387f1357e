"""Calendar quarters by the day in Shanghai."""

import datetime as dt
import re

import pytest

from compliance.quarters import Quarter, quarters_between


@pytest.mark.parametrize(
    ("day", "quarter"),
    [("2026-01-01", "2026Q1"), ("2026-03-31", "2026Q1"), ("2026-04-01", "2026Q2"), ("2026-12-31", "2026Q4")],
)
def test_a_day_lies_in_its_quarter(day: str, quarter: str) -> None:
    date = dt.date.fromisoformat(day)
    assert str(Quarter.of(date)) == quarter
    assert Quarter.named(quarter).first_day <= date <= Quarter.named(quarter).last_day


def test_the_quarter_before_may_lie_in_the_year_before() -> None:
    assert str(Quarter.named("2027Q1").previous) == "2026Q4"
    assert Quarter.named("2026Q4").last_day == dt.date(2026, 12, 31)


def test_quarters_of_a_span_are_listed_the_latest_first() -> None:
    assert quarters_between(dt.date(2026, 6, 30), dt.date(2027, 1, 1)) == [
        "2027Q1",
        "2026Q4",
        "2026Q3",
        "2026Q2",
    ]
    assert quarters_between(dt.date(2026, 7, 1), dt.date(2026, 7, 1)) == ["2026Q3"]


@pytest.mark.parametrize("word", ["x", "2026Q5", "2026q1", "1999Q1", "2026Q1 ", "2026Q1\n"])
def test_what_names_no_quarter_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        Quarter.named(word)
