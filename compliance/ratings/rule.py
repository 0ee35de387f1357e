"""The rule of the rating: what JSON it may be, and what it says.

    {"closes_days": 15,
     "weights": {"hardware": 30, "operating": 40, "service": 30},
     "inputs": {"seats": {"weight": 25, "absent": 0, "scale": [[0, 0], [10, 40], [50, 80], [200, 100]]}, …},
     "deductions": {"violation_points": {"each": 2, "most": 30}, …},
     "levels": [{"stars": 3, "gmv": 1000000, "score": 50}, …]}

A scale gives points (0 to 100) between its steps in a straight line, and beyond its ends what the end gives; `absent`
are the points of a figure that nobody knows. A number with a fraction is a text: JSON's own are binary.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from compliance.ratings.inputs import DEDUCTED, INPUTS, SCORED, Dimension, Input
from tmall_sp.core.errors import DomainError

NAME = "rating.rule"
STARS = (3, 4, 5, 6)
HUNDRED = Decimal(100)
# What fits into the columns, and far more than anything that is counted.
LARGEST = Decimal("999999999999.99")


@dataclass(frozen=True)
class Scale:
    """Points of one input, 0 to 100."""

    weight: Decimal
    absent: Decimal
    # (value, points), values growing.
    steps: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True)
class Deduction:
    each: Decimal
    most: Decimal


@dataclass(frozen=True)
class Gate:
    """What a level asks for: both, or more."""

    stars: int
    gmv: Decimal
    score: Decimal


@dataclass(frozen=True)
class Rule:
    closes_days: int
    weights: Mapping[Dimension, Decimal]
    scales: Mapping[str, Scale]
    deductions: Mapping[str, Deduction]
    # The lowest level first.
    gates: tuple[Gate, ...]

    @classmethod
    def parse(cls, value: Any) -> "Rule":
        """DomainError `rating_rule` that names the place, for anything that is no rule."""
        whole = _object(value, "rule", ("closes_days", "weights", "inputs", "deductions", "levels"))
        weights = _object(whole["weights"], "weights", tuple(Dimension.values))
        scales = _object(whole["inputs"], "inputs", SCORED)
        deductions = _object(whole["deductions"], "deductions", DEDUCTED)
        rule = cls(
            closes_days=int(_number(whole["closes_days"], "closes_days", at_most=Decimal(80), whole=True)),
            weights={Dimension(name): _number(weights[name], f"weights.{name}") for name in weights},
            scales={code: _scale(scales[code], INPUTS[code]) for code in SCORED},
            deductions={code: _deduction(deductions[code], f"deductions.{code}") for code in DEDUCTED},
            gates=_gates(whole["levels"]),
        )
        _refuse_empty_sums(rule)
        return rule

    def of(self, dimension: Dimension) -> Iterator[tuple[str, Scale]]:
        """The inputs of one dimension."""
        return ((code, scale) for code, scale in self.scales.items() if INPUTS[code].dimension is dimension)


def check(value: Any) -> None:
    """Refuse what is no rule of the rating, by a DomainError that names the place and what is wrong there."""
    Rule.parse(value)


def _scale(value: Any, item: Input) -> Scale:
    place = f"inputs.{item.code}"
    parts = _object(value, place, ("weight", "absent", "scale"))
    rows = parts["scale"]
    if not isinstance(rows, list) or len(rows) < 2:
        raise _wrong(f"{place}.scale", _("give at least two steps, each [value, points]"))
    steps = tuple(_step(row, f"{place}.scale[{index}]") for index, row in enumerate(rows))
    for (value_before, points_before), (value_after, points_after) in pairwise(steps):
        if value_after <= value_before:
            raise _wrong(f"{place}.scale", _("the values have to grow from step to step"))
        rises = points_after - points_before
        if rises < 0 and item.more_is_better:
            raise _wrong(f"{place}.scale", _("more of it is better: the points may not fall"))
        if rises > 0 and not item.more_is_better:
            raise _wrong(f"{place}.scale", _("less of it is better: the points may not rise"))
    return Scale(
        weight=_number(parts["weight"], f"{place}.weight"),
        absent=_number(parts["absent"], f"{place}.absent"),
        steps=steps,
    )


def _step(value: Any, place: str) -> tuple[Decimal, Decimal]:
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(place, _("a step is [value, points]"))
    return _number(value[0], place, at_most=LARGEST), _number(value[1], place)


def _deduction(value: Any, place: str) -> Deduction:
    parts = _object(value, place, ("each", "most"))
    return Deduction(
        each=_number(parts["each"], f"{place}.each"), most=_number(parts["most"], f"{place}.most")
    )


def _gates(value: Any) -> tuple[Gate, ...]:
    if not isinstance(value, list) or [_stars(row) for row in value] != list(STARS):
        raise _wrong("levels", _("give the levels 3, 4, 5 and 6 in this order"))
    gates = tuple(_gate(row, f"levels[{index}]") for index, row in enumerate(value))
    for lower, higher in pairwise(gates):
        if higher.gmv < lower.gmv or higher.score < lower.score:
            raise _wrong("levels", _("a higher level may not ask for less than a lower one"))
    return gates


def _stars(row: Any) -> Any:
    stars = row.get("stars") if isinstance(row, dict) else None
    return None if isinstance(stars, bool) else stars


def _gate(value: Any, place: str) -> Gate:
    parts = _object(value, place, ("stars", "gmv", "score"))
    return Gate(
        stars=parts["stars"],
        gmv=_number(parts["gmv"], f"{place}.gmv", at_most=LARGEST),
        score=_number(parts["score"], f"{place}.score"),
    )


def _refuse_empty_sums(rule: Rule) -> None:
    """A mean by weights needs one that is above zero."""
    if not sum(rule.weights.values()):
        raise _wrong("weights", _("at least one has to be above zero"))
    for dimension, weight in rule.weights.items():
        if weight and not sum(scale.weight for _code, scale in rule.of(dimension)):
            message = _("at least one input of “%(dimension)s” needs a weight above zero")
            raise _wrong("inputs", message % {"dimension": dimension.label})


def _object(value: Any, place: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Exactly these names: one that is misspelt would otherwise count for nothing."""
    if not isinstance(value, dict):
        raise _wrong(place, _("an object {…} is expected"))
    if missing := [name for name in names if name not in value]:
        raise _wrong(place, _("missing: %(names)s") % {"names": ", ".join(missing)})
    if unknown := [str(name) for name in value if name not in names]:
        raise _wrong(place, _("unknown: %(names)s") % {"names": ", ".join(unknown)})
    return value


def _number(value: Any, place: str, *, at_most: Decimal = HUNDRED, whole: bool = False) -> Decimal:
    if isinstance(value, float):
        raise _wrong(place, _('write a number with a fraction as a text, such as "1.5"'))
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _wrong(place, _("a number is expected"))
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise _wrong(place, _("a number is expected")) from None
    if not number.is_finite() or not 0 <= number <= at_most:
        raise _wrong(place, _("a number from 0 to %(most)s is expected") % {"most": f"{at_most:f}"})
    if number != number.quantize(Decimal(1) if whole else Decimal("0.01")):
        raise _wrong(
            place, _("a whole number is expected") if whole else _("at most two places after the point")
        )
    return number


def _wrong(place: str, what: str) -> DomainError:
    return DomainError("rating_rule", f"{place}: {what}", field="value")
