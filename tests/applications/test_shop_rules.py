"""The rules of the shop check, without Taobao: pure functions of what was read."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from applications.shop_rules import Assessment, Reading, assess

TODAY = dt.date(2026, 11, 24)
GOOD: dict[str, Any] = {
    "status": "normal",
    "promoted_type": "authentication",
    "has_shop": True,
    "shop_created_on": dt.date(2020, 1, 1),
    "scores": {name: Decimal("4.8") for name in ("item_score", "service_score", "delivery_score")},
}


def assessed(today: dt.date = TODAY, **differs: Any) -> Assessment:
    return assess(
        Reading(**(GOOD | differs)),
        today=today,
        tenure_months=6,
        score_floor={"item_score": "4.6", "service_score": "4.6", "delivery_score": "4.6"},
        required=["status", "promoted_type", "has_shop"],
    )


def outcomes(assessment: Assessment) -> dict[str, str]:
    return {verdict.rule: verdict.outcome for verdict in assessment.verdicts}


def test_a_good_shop_passes_every_rule() -> None:
    assessment = assessed()
    assert assessment.passed
    assert set(outcomes(assessment).values()) == {"pass"}
    assert assessment.eligible_on is None


@pytest.mark.parametrize(
    ("began", "today", "passes"),
    [
        (dt.date(2026, 5, 24), dt.date(2026, 11, 24), True),
        (dt.date(2026, 5, 25), dt.date(2026, 11, 24), False),
        (dt.date(2026, 8, 31), dt.date(2027, 2, 28), True),
        (dt.date(2026, 8, 31), dt.date(2027, 2, 27), False),
    ],
)
def test_tenure_is_reached_at_the_beginning_of_the_eligible_day(
    began: dt.date, today: dt.date, passes: bool
) -> None:
    assert assessed(today, shop_created_on=began).passed == passes


def test_a_shop_that_is_too_young_is_told_the_day_from_which_it_can_pass() -> None:
    assessment = assessed(shop_created_on=dt.date(2026, 9, 30))
    assert assessment.eligible_on == dt.date(2027, 3, 30)


def test_the_best_evidence_of_the_beginning_is_taken() -> None:
    order, bound = {"first_order_on": dt.date(2026, 3, 1)}, {"bound_on": dt.date(2026, 2, 1)}
    assert assessed(**order, **bound).tenure_source == "shop_created_on"
    assert assessed(shop_created_on=None, **order).tenure_source == "first_order_on"
    assert assessed(shop_created_on=None, **bound).tenure_source == "bound_on"


def test_a_renewed_order_does_not_hide_an_older_binding() -> None:
    renewed = {"first_order_on": dt.date(2026, 10, 1), "bound_on": dt.date(2026, 2, 1)}
    assert assessed(shop_created_on=None, **renewed).passed


def test_what_taobao_does_not_give_is_no_failure() -> None:
    assessment = assessed(status=None, promoted_type=None, scores={}, shop_created_on=None)
    assert assessment.passed
    assert outcomes(assessment) == {
        "tenure": "not_available",
        "status": "not_available",
        "promoted_type": "not_available",
        "has_shop": "pass",
        "item_score": "not_available",
        "service_score": "not_available",
        "delivery_score": "not_available",
    }


@pytest.mark.parametrize(
    ("differs", "rule"),
    [
        ({"status": "supervise"}, "status"),
        ({"promoted_type": "not authentication"}, "promoted_type"),
        ({"has_shop": False}, "has_shop"),
        ({"scores": {"item_score": Decimal("4.5")}}, "item_score"),
        ({"scores": {"service_score": Decimal("4.59")}}, "service_score"),
        ({"scores": {"delivery_score": Decimal(0)}}, "delivery_score"),
    ],
)
def test_each_rule_fails_by_itself(differs: dict[str, Any], rule: str) -> None:
    assessment = assessed(**differs)
    assert [v.rule for v in assessment.verdicts if v.outcome == "fail"] == [rule]


def test_a_score_at_the_floor_passes() -> None:
    assert assessed(scores={"item_score": Decimal("4.6")}).passed
