"""Calendar quarters by the day in Shanghai."""

import datetime as dt

import pytest

from compliance import quarters


@pytest.mark.parametrize(
    ("day", "quarter"),
    [("2026-01-01", "2026Q1"), ("2026-03-31", "2026Q1"), ("2026-04-01", "2026Q2"), ("2026-12-31", "2026Q4")],
)
def test_a_day_lies_in_its_quarter(day: str, quarter: str) -> None:
    date = dt.date.fromisoformat(day)
    assert quarters.quarter_of(date) == quarter
    assert quarters.first_day(quarter) <= date <= quarters.last_day(quarter)


def test_the_quarter_before_may_lie_in_the_year_before() -> None:
    assert quarters.before("2027Q1") == "2026Q4"
    assert quarters.last_day("2026Q4") == dt.date(2026, 12, 31)


def test_quarters_of_a_span_are_listed_the_latest_first() -> None:
    assert quarters.between(dt.date(2026, 6, 30), dt.date(2027, 1, 1)) == [
        "2027Q1",
        "2026Q4",
        "2026Q3",
        "2026Q2",
    ]
    assert quarters.between(dt.date(2026, 7, 1), dt.date(2026, 7, 1)) == ["2026Q3"]


@pytest.mark.parametrize("word", ["x", "2026Q5", "2026q1", "1999Q1", "2026Q1 "])
def test_what_names_no_quarter_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        quarters.first_day(word)
