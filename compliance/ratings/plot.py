"""Scores of some quarters as two lines of an SVG: a full one with dots, a dashed one with squares."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 36, 16, 24, 28
SHOWN = 8


@dataclass(frozen=True)
class Mark:
    """One value of a line, with where it stands in the drawing."""

    x: int
    y: int
    value: Decimal


@dataclass(frozen=True)
class Plot:
    """Coordinates in a box of `width` × `height`; y grows downwards."""

    width: int
    height: int
    left: int
    right: int
    names: list[tuple[int, str]]
    levels: list[tuple[int, int]]
    scores: list[Mark]
    averages: list[Mark]

    @property
    def score_line(self) -> str:
        return _line(self.scores)

    @property
    def average_line(self) -> str:
        return _line(self.averages)


def plot(rows: Sequence[tuple[str, Decimal, Decimal]]) -> Plot:
    """Rows are (quarter, score, average), the earliest first; the last eight are drawn."""
    rows = rows[-SHOWN:]
    places = [_x(index, len(rows)) for index in range(len(rows))]
    return Plot(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        names=[(x, name) for x, (name, _score, _average) in zip(places, rows, strict=True)],
        levels=[(_y(Decimal(level)), level) for level in (0, 25, 50, 75, 100)],
        scores=[Mark(x, _y(score), score) for x, (_name, score, _average) in zip(places, rows, strict=True)],
        averages=[
            Mark(x, _y(average), average) for x, (_name, _score, average) in zip(places, rows, strict=True)
        ],
    )


def _x(index: int, count: int) -> int:
    inner = WIDTH - LEFT - RIGHT - 60
    return LEFT + 30 + (inner // 2 if count == 1 else index * inner // (count - 1))


def _y(value: Decimal) -> int:
    return HEIGHT - BOTTOM - int(value * (HEIGHT - TOP - BOTTOM) / 100)


def _line(marks: list[Mark]) -> str:
    return " ".join(f"{mark.x},{mark.y}" for mark in marks)
