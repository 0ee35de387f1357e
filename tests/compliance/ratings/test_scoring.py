"""The arithmetic of a rating, without a database: the same figures for the same snapshot, whenever it is done."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.ratings import scoring
from compliance.ratings.inputs import DEDUCTED, INPUTS, SCORED
from compliance.ratings.rule import Rule

# As a run of the year 2026 kept it. Never to be changed: what was published has to come out again.
FROZEN_RULE: dict[str, Any] = {
    "closes_days": 15,
    "weights": {"hardware": 30, "operating": 40, "service": 30},
    "inputs": {
        "warehouses": {"weight": 15, "absent": 0, "scale": [[0, 0], [1, 40], [5, 80], [10, 100]]},
        "warehouse_area": {
            "weight": 20,
            "absent": 0,
            "scale": [[0, 0], [1000, 40], [10000, 80], [50000, 100]],
        },
        "seats": {"weight": 25, "absent": 0, "scale": [[0, 0], [10, 40], [50, 80], [200, 100]]},
        "staff": {"weight": 25, "absent": 0, "scale": [[0, 0], [20, 40], [100, 80], [300, 100]]},
        "systems": {"weight": 15, "absent": 0, "scale": [[0, 0], [1, 50], [3, 100]]},
        "gmv": {
            "weight": 50,
            "absent": 0,
            "scale": [[0, 0], [1000000, 40], [10000000, 60], [100000000, 90], [500000000, 100]],
        },
        "shops": {"weight": 30, "absent": 0, "scale": [[0, 0], [1, 30], [5, 60], [20, 100]]},
        "retention": {"weight": 20, "absent": 60, "scale": [[50, 0], [80, 60], [100, 100]]},
        "complaint_rate": {"weight": 40, "absent": 60, "scale": [[0, 100], [5, 80], [20, 40], [50, 0]]},
        "response_time": {
            "weight": 30,
            "absent": 100,
            "scale": [[0, 100], [12, 90], [24, 70], [48, 20], [72, 0]],
        },
        "review_mean": {"weight": 30, "absent": 60, "scale": [[1, 0], [3, 40], [4, 75], [5, 100]]},
    },
    "deductions": {
        "violation_points": {"each": 2, "most": 30},
        "upheld_complaints": {"each": "1.5", "most": 15},
    },
    "levels": [
        {"stars": 3, "gmv": 1000000, "score": 50},
        {"stars": 4, "gmv": 10000000, "score": 60},
        {"stars": 5, "gmv": 50000000, "score": 75},
        {"stars": 6, "gmv": 200000000, "score": 85},
    ],
}
FROZEN_INPUTS: dict[str, Any] = {
    "warehouses": {"value": "3.00", "of": [11]},
    "warehouse_area": {"value": "7250.50", "of": [12]},
    "seats": {"value": "64.00", "of": [13]},
    "staff": {"value": "133.00", "of": [14]},
    "systems": {"value": None},
    "gmv": {"value": "83451209.37", "of": [15, 16, 17]},
    "shops": {"value": "7.00", "of": []},
    "retention": {"value": "85.71", "of": []},
    "complaint_rate": {"value": "28.57", "filed": 2},
    "response_time": {"value": "17.33", "of": []},
    "review_mean": {"value": "4.35", "of": []},
    "violation_points": {"value": "6.00", "of": [3]},
    "upheld_complaints": {"value": "1.00", "of": ["TS23456789AB"]},
}
RULE = Rule.parse(FROZEN_RULE)
LEAST = RULE.gates[0]


def test_a_snapshot_gives_the_figures_that_were_published() -> None:
    rated = scoring.rate(FROZEN_INPUTS, RULE, Decimal("77.77"))

    assert rated.parts == {
        "points": {
            "warehouses": "60.00",  # 40 + 40 × 2/4
            "warehouse_area": "67.78",  # 40 + 40 × 6250.5/9000
            "seats": "81.87",  # 80 + 20 × 14/150
            "staff": "83.30",  # 80 + 20 × 33/200
            "systems": "0.00",
            "gmv": "84.48",  # 60 + 30 × 73451209.37/90000000
            "shops": "65.33",  # 60 + 40 × 2/15
            "retention": "71.42",  # 60 + 40 × 5.71/20
            "complaint_rate": "28.57",  # 40 − 40 × 8.57/30
            "response_time": "81.12",  # 90 − 20 × 5.33/12
            "review_mean": "83.75",  # 75 + 25 × 0.35
        },
        "dimensions": {"hardware": "63.85", "operating": "76.12", "service": "60.89"},
        "base": "67.87",
        "deductions": {"violation_points": "12.00", "upheld_complaints": "1.50"},
        "previous": "77.77",
    }
    assert rated.scored.score == Decimal("54.37")
    assert rated.average == Decimal("66.07")
    assert rated.level == 4


values = st.decimals(min_value=0, max_value=Decimal("1e9"), places=2)
snapshots = st.fixed_dictionaries(
    {code: st.fixed_dictionaries({"value": st.none() | values.map(str)}) for code in INPUTS}
)


@given(snapshots, st.none() | st.decimals(min_value=0, max_value=100, places=2))
def test_every_figure_stays_within_its_bounds(inputs: dict[str, Any], previous: Decimal | None) -> None:
    rated = scoring.rate(inputs, RULE, previous)

    scored = rated.scored
    for figure in (
        *scored.points.values(),
        *scored.dimensions.values(),
        scored.base,
        scored.score,
        rated.average,
    ):
        assert 0 <= figure <= 100
        assert figure == scoring.rounded(figure)
    assert 0 <= scored.deducted <= 45
    assert rated.level in (0, 3, 4, 5, 6)


@given(snapshots, st.sampled_from(SCORED + DEDUCTED), values, values)
def test_a_better_input_never_gives_a_lower_score(
    inputs: dict[str, Any], code: str, one: Decimal, other: Decimal
) -> None:
    worse, better = sorted((one, other), reverse=not INPUTS[code].more_is_better)

    before = scoring.score({**inputs, code: {"value": str(worse)}}, RULE)
    after = scoring.score({**inputs, code: {"value": str(better)}}, RULE)

    assert after.score >= before.score


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("0", "0.00"),
        ("5", "20.00"),
        ("10", "40.00"),
        ("30", "60.00"),
        ("200", "100.00"),
        ("100000", "100.00"),
    ],
)
def test_points_lie_on_a_straight_line_between_two_steps(value: str, points: str) -> None:
    assert scoring.points_of(Decimal(value), RULE.scales["seats"]) == Decimal(points)


def test_a_figure_that_nobody_knows_has_the_points_that_the_rule_gives_it() -> None:
    assert scoring.points_of(None, RULE.scales["response_time"]) == 100
    assert scoring.points_of(None, RULE.scales["seats"]) == 0


def test_below_the_first_step_the_first_step_counts() -> None:
    assert scoring.points_of(Decimal(10), RULE.scales["retention"]) == 0


def test_halves_are_rounded_up() -> None:
    assert scoring.half_year(Decimal("60.01"), Decimal("60.02")) == Decimal("60.02")
    assert scoring.rounded(Decimal("0.125")) == Decimal("0.13")


def test_the_average_is_the_mean_of_what_there_is() -> None:
    assert scoring.half_year(Decimal("70.00"), None) == Decimal("70.00")
    assert scoring.half_year(Decimal("70.00"), Decimal("60.00")) == Decimal("65.00")


def test_a_deduction_ends_at_its_most() -> None:
    assert scoring.deduction_of(Decimal(6), RULE.deductions["violation_points"]) == 12
    assert scoring.deduction_of(Decimal(60), RULE.deductions["violation_points"]) == 30


def test_deductions_never_lead_below_zero() -> None:
    inputs = {code: {"value": "0"} for code in INPUTS} | {
        "complaint_rate": {"value": "90"},
        "response_time": {"value": "90"},
        "violation_points": {"value": "12"},
    }

    assert scoring.score(inputs, RULE).score == 0


@pytest.mark.parametrize(
    ("average", "gmv", "level"),
    [
        ("49.99", "999999999", 0),
        ("100", "999999.99", 0),
        ("50.00", "1000000.00", 3),
        ("59.99", "10000000", 3),
        ("60.00", "10000000", 4),
        ("84.99", "200000000", 5),
        ("85.00", "199999999.99", 5),
        ("85.00", "200000000.00", 6),
        ("100", "1000000", 3),
    ],
)
def test_a_level_needs_both_gates(average: str, gmv: str, level: int) -> None:
    assert scoring.level(Decimal(average), Decimal(gmv), RULE) == level
