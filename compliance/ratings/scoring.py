"""From inputs to a score and a level: pure arithmetic, without database or clock, so that it can be done again.

Decimal throughout; every figure is rounded half up to two places as soon as it is made, so that a person who
adds up what the page shows comes to the same sum. A snapshot (Score.inputs, the rule of its run, and the
quarter before in Score.parts) gives the same figures years later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from compliance.ratings.inputs import GMV, Dimension
from compliance.ratings.rule import HUNDRED, Deduction, Rule, Scale

ZERO = Decimal("0.00")
CENT = Decimal("0.01")

# Code → {"value": text of a decimal, or None for a figure that nobody knows}; what else stands there isn't read.
Inputs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Scored:
    """All figures have two places; `base` less the deductions is the score, never below zero."""

    points: Mapping[str, Decimal]
    dimensions: Mapping[Dimension, Decimal]
    base: Decimal
    deductions: Mapping[str, Decimal]
    score: Decimal

    @property
    def deducted(self) -> Decimal:
        return sum(self.deductions.values(), ZERO)


@dataclass(frozen=True)
class Rated:
    """A score with the quarter before and the level that follows: what a row of a run holds."""

    scored: Scored
    previous: Decimal | None
    average: Decimal
    gmv: Decimal
    level: int

    @property
    def parts(self) -> dict[str, Any]:
        """As JSON, decimals as texts."""
        return {
            "points": _texts(self.scored.points),
            "dimensions": _texts(self.scored.dimensions),
            "base": str(self.scored.base),
            "deductions": _texts(self.scored.deductions),
            "previous": None if self.previous is None else str(self.previous),
        }


def rounded(number: Decimal) -> Decimal:
    """Two places, half up."""
    return number.quantize(CENT, rounding=ROUND_HALF_UP)


def value_of(inputs: Inputs, code: str) -> Decimal | None:
    text = inputs.get(code, {}).get("value")
    return None if text is None else Decimal(text)


def score(inputs: Inputs, rule: Rule) -> Scored:
    """The points of each input, the mean by weights of each dimension and of all, and what is deducted."""
    points = {code: points_of(value_of(inputs, code), scale) for code, scale in rule.scales.items()}
    dimensions = {
        dimension: _mean([(points[code], scale.weight) for code, scale in rule.of(dimension)])
        for dimension in rule.weights
    }
    base = _mean([(dimensions[dimension], weight) for dimension, weight in rule.weights.items()])
    deductions = {
        code: deduction_of(value_of(inputs, code), deduction) for code, deduction in rule.deductions.items()
    }
    return Scored(
        points, dimensions, base, deductions, score=max(ZERO, base - sum(deductions.values(), ZERO))
    )


def rate(inputs: Inputs, rule: Rule, previous: Decimal | None) -> Rated:
    """Score, half-year average with the score of the published quarter before (None: there is none), and level."""
    scored = score(inputs, rule)
    average = half_year(scored.score, previous)
    gmv = value_of(inputs, GMV) or ZERO
    return Rated(scored, previous, average, gmv, level(average, gmv, rule))


def points_of(value: Decimal | None, scale: Scale) -> Decimal:
    """Between two steps in a straight line; beyond the first and last step what that one gives."""
    if value is None:
        return rounded(scale.absent)
    if value <= scale.steps[0][0]:
        return rounded(scale.steps[0][1])
    for (low, low_points), (high, high_points) in pairwise(scale.steps):
        if value <= high:
            return rounded(low_points + (high_points - low_points) * (value - low) / (high - low))
    return rounded(scale.steps[-1][1])


def deduction_of(value: Decimal | None, deduction: Deduction) -> Decimal:
    return rounded(min((value or ZERO) * deduction.each, deduction.most))


def half_year(score: Decimal, previous: Decimal | None) -> Decimal:
    """The mean of what there is."""
    return rounded(score if previous is None else (score + previous) / 2)


def level(average: Decimal, gmv: Decimal, rule: Rule) -> int:
    """The highest level both of whose gates are reached: 3 to 6, or 0 below the lowest (未达标)."""
    reached = [gate.stars for gate in rule.gates if average >= gate.score and gmv >= gate.gmv]
    return max(reached, default=0)


def _mean(weighted: list[tuple[Decimal, Decimal]]) -> Decimal:
    """By weights; where all are zero the whole counts for nothing."""
    weights = sum((weight for _points, weight in weighted), Decimal(0))
    if not weights:
        return ZERO
    return min(HUNDRED, rounded(sum((points * weight for points, weight in weighted), Decimal(0)) / weights))


def _texts(figures: Mapping[Any, Decimal]) -> dict[str, str]:
    return {str(name): str(figure) for name, figure in figures.items()}
