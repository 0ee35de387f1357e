"""What is missing to the next level, and what would bring most: arithmetic on a score and its rule."""

from dataclasses import dataclass
from decimal import Decimal

from compliance.models.rating import Figures
from compliance.ratings.inputs import INPUTS, Input
from compliance.ratings.rule import HUNDRED, Gate, Rule
from compliance.ratings.scoring import ZERO, rounded


@dataclass(frozen=True)
class Gain:
    """How much the score would rise with this input at its best; for a deduction, without it."""

    input: Input
    points: Decimal


@dataclass(frozen=True)
class Outlook:
    """`next` is None at the highest level. Gaps are zero where that gate is reached."""

    next: Gate | None
    average_gap: Decimal
    gmv_gap: Decimal
    # The score of the next quarter that would lift the half-year average over the gate, if it can.
    needed_next_quarter: Decimal | None
    gains: tuple[Gain, ...]


def outlook(figures: Figures, rule: Rule) -> Outlook:
    gate = next((gate for gate in rule.gates if gate.stars > figures.level), None)
    needed = None if gate is None else max(ZERO, 2 * gate.score - figures.score)
    return Outlook(
        next=gate,
        average_gap=max(ZERO, gate.score - figures.average) if gate else ZERO,
        gmv_gap=max(ZERO, gate.gmv - figures.gmv) if gate else ZERO,
        needed_next_quarter=needed if needed is not None and needed <= HUNDRED else None,
        gains=tuple(sorted(_gains(figures, rule), key=lambda gain: -gain.points)),
    )


def _gains(figures: Figures, rule: Rule) -> list[Gain]:
    total = sum(rule.weights.values(), Decimal(0))
    found = []
    for dimension, weight in rule.weights.items():
        scales = list(rule.of(dimension))
        inside = sum((scale.weight for _code, scale in scales), Decimal(0))
        for code, scale in scales:
            best = max(points for _value, points in scale.steps)
            missing = best - Decimal(figures.parts["points"][code])
            share = weight / total * scale.weight / inside if inside else Decimal(0)
            found.append(Gain(INPUTS[code], rounded(missing * share)))
    for code, deducted in figures.parts["deductions"].items():
        found.append(Gain(INPUTS[code], Decimal(deducted)))
    return [gain for gain in found if gain.points > 0]
