"""Calendar quarters in Asia/Shanghai, written 2026Q3: what ratings, declared figures and reviews go by."""

import datetime as dt
import re

from tmall_sp.core import clock

_NAME = re.compile(r"(20\d{2})Q([1-4])")


def quarter_of(day: dt.date) -> str:
    return f"{day.year}Q{(day.month + 2) // 3}"


def current() -> str:
    return quarter_of(clock.today())


def first_day(quarter: str) -> dt.date:
    """ValueError for what names no quarter."""
    found = _NAME.fullmatch(quarter)
    if found is None:
        raise ValueError(quarter)
    return dt.date(int(found[1]), 3 * int(found[2]) - 2, 1)


def last_day(quarter: str) -> dt.date:
    return clock.add_months(first_day(quarter), 3) - dt.timedelta(days=1)


def before(quarter: str) -> str:
    """The quarter before it."""
    return quarter_of(first_day(quarter) - dt.timedelta(days=1))


def between(first: dt.date, last: dt.date) -> list[str]:
    """The quarters of all days from the first to the last, the latest first."""
    found = []
    quarter = quarter_of(last)
    while last_day(quarter) >= first:
        found.append(quarter)
        quarter = before(quarter)
    return found
