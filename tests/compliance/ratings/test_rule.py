"""What JSON may be the rule of the rating, and how clearly anything else is refused."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from compliance.ratings import rule
from compliance.ratings.inputs import SCORED
from tests.compliance.ratings.test_scoring import FROZEN_RULE
from tmall_sp.core.errors import DomainError


def test_the_first_rule_is_one(rule_value: dict[str, Any]) -> None:
    rule.check(rule_value)

    parsed = rule.Rule.parse(rule_value)
    assert set(parsed.scales) == set(SCORED)
    assert [gate.stars for gate in parsed.gates] == [3, 4, 5, 6]
    assert parsed.closes_days == 15


def put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(whole: Any) -> None:
        for name in path[:-1]:
            whole = whole[name]
        whole[path[-1]] = value

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(whole: Any) -> None:
        for name in path[:-1]:
            whole = whole[name]
        del whole[path[-1]]

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (drop("weights"), "rule: "),
        (put("extra", value=1), "rule: "),
        (put("closes_days", value="1.5"), "closes_days: "),
        (put("closes_days", value=-1), "closes_days: "),
        (put("closes_days", value=400), "closes_days: "),
        (drop("weights", "service"), "weights: "),
        (put("weights", "service", value=101), "weights.service: "),
        (put("weights", value={"hardware": 0, "operating": 0, "service": 0}), "weights: "),
        (drop("inputs", "seats"), "inputs: "),
        (put("inputs", "seat", value={}), "inputs: "),
        (put("inputs", "seats", value=7), "inputs.seats: "),
        (put("inputs", "seats", "weight", value=1.5), "inputs.seats.weight: "),
        (put("inputs", "seats", "weight", value=True), "inputs.seats.weight: "),
        (put("inputs", "seats", "weight", value="many"), "inputs.seats.weight: "),
        (put("inputs", "seats", "weight", value="NaN"), "inputs.seats.weight: "),
        (put("inputs", "seats", "weight", value="1.234"), "inputs.seats.weight: "),
        (put("inputs", "seats", "absent", value=None), "inputs.seats.absent: "),
        (put("inputs", "seats", "scale", value=[[0, 0]]), "inputs.seats.scale: "),
        (put("inputs", "seats", "scale", value=[[0, 0], [10]]), "inputs.seats.scale[1]: "),
        (put("inputs", "seats", "scale", value=[[0, 0], [0, 10]]), "inputs.seats.scale: "),
        (put("inputs", "seats", "scale", value=[[0, 50], [10, 10]]), "inputs.seats.scale: "),
        (put("inputs", "seats", "scale", value=[[0, 0], [10, 101]]), "inputs.seats.scale[1]: "),
        (
            put("inputs", "complaint_rate", "scale", value=[[0, 0], [10, 100]]),
            "inputs.complaint_rate.scale: ",
        ),
        (drop("deductions", "violation_points"), "deductions: "),
        (drop("deductions", "violation_points", "most"), "deductions.violation_points: "),
        (put("levels", value=[]), "levels: "),
        (put("levels", 0, value={"stars": 2, "gmv": 0, "score": 0}), "levels: "),
        (put("levels", 3, "score", value=10), "levels: "),
        (put("levels", 0, "gmv", value=-1), "levels[0].gmv: "),
        (drop("levels", 0, "gmv"), "levels[0]: "),
    ],
)
def test_what_is_no_rule_is_refused_and_the_place_named(
    change: Callable[[dict[str, Any]], None], place: str
) -> None:
    value = copy.deepcopy(FROZEN_RULE)
    change(value)

    with pytest.raises(DomainError) as refused:
        rule.check(value)

    assert refused.value.code == "rating_rule"
    assert str(refused.value.message).startswith(place)


@pytest.mark.parametrize("value", [None, [], "rule", 7])
def test_what_is_no_object_is_refused(value: Any) -> None:
    with pytest.raises(DomainError):
        rule.check(value)


def test_a_dimension_without_a_weight_needs_no_inputs() -> None:
    value = copy.deepcopy(FROZEN_RULE)
    value["weights"]["service"] = 0
    for code in ("complaint_rate", "response_time", "review_mean"):
        value["inputs"][code]["weight"] = 0

    rule.check(value)


def test_a_dimension_with_a_weight_needs_inputs() -> None:
    value = copy.deepcopy(FROZEN_RULE)
    for code in ("complaint_rate", "response_time", "review_mean"):
        value["inputs"][code]["weight"] = 0

    with pytest.raises(DomainError):
        rule.check(value)
