"""Quarters of the calendar year in Asia/Shanghai, written 2026Q3: what ratings, declared figures and reviews go by."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Self

from tmall_sp.core import clock

_NAME = re.compile(r"(20[0-9][0-9])Q([1-4])")


@dataclass(frozen=True, order=True)
class Quarter:
    year: int
    number: int

    @classmethod
    def named(cls, name: str) -> Self:
        """ValueError for what is no quarter."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(name)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: dt.date) -> Self:
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def current(cls) -> Self:
        return cls.of(clock.today())

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"

    @property
    def previous(self) -> "Quarter":
        return Quarter(self.year, self.number - 1) if self.number > 1 else Quarter(self.year - 1, 4)

    @property
    def next(self) -> "Quarter":
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    @property
    def first_day(self) -> dt.date:
        return dt.date(self.year, 3 * self.number - 2, 1)

    @property
    def last_day(self) -> dt.date:
        return self.next.first_day - dt.timedelta(days=1)

    @property
    def begins_at(self) -> dt.datetime:
        return clock.day_start(self.first_day)

    @property
    def ends_at(self) -> dt.datetime:
        """The first instant that is not in it."""
        return clock.day_start(self.next.first_day)

    @property
    def year_begins_at(self) -> dt.datetime:
        return clock.day_start(dt.date(self.year, 1, 1))

    def twelve_months(self) -> list[str]:
        """This quarter and the nine months before it (programme.md §2), the earliest first."""
        names: list[str] = []
        quarter: Quarter = self
        for _ in range(4):
            names.insert(0, str(quarter))
            quarter = quarter.previous
        return names


def quarters_between(first: dt.date, last: dt.date) -> list[str]:
    """The names of the quarters of all days from the first to the last, the latest first."""
    found = []
    quarter = Quarter.of(last)
    while quarter.last_day >= first:
        found.append(str(quarter))
        quarter = quarter.previous
    return found
