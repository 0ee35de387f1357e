"""Each input of a rating, as it stood when the quarter ended: what happened later doesn't count."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from applications.models import Application, Transition
from compliance.models import DeclarationState, DeclarationStep, ProviderProfile, ServedShop, ShopState
from compliance.quarters import Quarter
from compliance.ratings import facts
from compliance.ratings.facts import Window
from compliance.ratings.inputs import INPUTS
from tests.compliance.ratings.conftest import (
    DAY,
    complain,
    declare,
    declare_gmv,
    final,
    punish,
    review,
)
from tests.database import owner_role
from tmall_sp.core import clock

Serve = Callable[..., ServedShop]
INSTANT = dt.timedelta(microseconds=1)


@pytest.fixture
def window(quarter: Quarter) -> Window:
    return Window.of(quarter, 15)


@pytest.fixture
def value(provider: Application, window: Window) -> Callable[[str], Any]:
    """`value("seats")`: what would count now."""

    def read(code: str) -> Any:
        found = facts.inputs_of([provider.pk], window)[provider.pk]
        assert set(found) == set(INPUTS)
        text = found[code]["value"]
        return None if text is None else Decimal(text)

    return read


Value = Callable[[str], Any]


# Declared ------------------------------------------------------------------------------------------


def test_what_nobody_declared_is_not_known(value: Value) -> None:
    assert value("seats") is None
    assert value("gmv") == 0


def test_the_figure_declared_last_before_the_quarters_end_counts(
    provider: Application, quarter: Quarter, value: Value
) -> None:
    ends = quarter.ends_at
    declare(provider, "seats", "10", quarter, uploaded_at=ends - 200 * DAY, decided_at=ends - 199 * DAY)
    declare(
        provider, "seats", "30", quarter, uploaded_at=ends - INSTANT, decided_at=ends + 15 * DAY - INSTANT
    )
    declare(provider, "seats", "70", quarter, uploaded_at=ends, decided_at=ends)

    assert value("seats") == 30


@pytest.mark.parametrize(
    "decision",
    [
        {"state": DeclarationState.DECLARED, "decided_by": None, "decided_at": None},
        {"state": DeclarationState.REFUSED},
    ],
)
def test_what_is_not_verified_does_not_count(
    decision: dict[str, Any], provider: Application, quarter: Quarter, value: Value
) -> None:
    declare(provider, "seats", "30", quarter, **decision)
    assert value("seats") is None


def test_what_was_verified_after_the_quarter_closed_does_not_count(
    provider: Application, quarter: Quarter, window: Window, value: Value
) -> None:
    declare(provider, "seats", "30", quarter, decided_at=window.closes_at)
    assert value("seats") is None


def test_a_refusal_after_the_quarter_closed_does_not_change_it(
    provider: Application, quarter: Quarter, window: Window, value: Value
) -> None:
    row = declare(
        provider, "seats", "30", quarter, state=DeclarationState.REFUSED, decided_at=window.closes_at + DAY
    )
    DeclarationStep.objects.create(
        declaration=row, name="verify", actor=provider.applicant, at=quarter.ends_at - DAY
    )
    never_verified = declare(
        provider, "staff", "30", quarter, state=DeclarationState.REFUSED, decided_at=window.closes_at + DAY
    )

    assert never_verified.pk
    assert value("seats") == 30
    assert value("staff") is None


# Served --------------------------------------------------------------------------------------------


def test_gmv_is_summed_over_twelve_months_of_the_shops_that_are_served(
    provider: Application, quarter: Quarter, serve: Serve, value: Value
) -> None:
    shop, other = serve(provider, gmv="1000.50"), serve(provider, gmv="200.00")
    third_before = quarter.previous.previous.previous
    declare_gmv(shop, "30.00", third_before)
    declare_gmv(shop, "5000.00", third_before.previous)  # a year ago
    declare_gmv(shop, "7000.00", quarter.next)
    left = serve(
        provider,
        state=ShopState.ENDED,
        ends_on=quarter.first_day - DAY,
        closed_at=quarter.begins_at - DAY,
    )
    declare_gmv(left, "90000.00", quarter.previous)

    assert other.pk
    assert value("gmv") == Decimal("1230.50")


def test_gmv_of_the_quarter_may_be_declared_until_it_closes(
    provider: Application, quarter: Quarter, serve: Serve, window: Window, value: Value
) -> None:
    after = window.closes_at - INSTANT
    declare_gmv(serve(provider), "100.00", quarter, uploaded_at=after, decided_at=after)
    declare_gmv(serve(provider), "7.00", quarter, uploaded_at=window.closes_at, decided_at=window.closes_at)

    assert value("gmv") == 100


def test_a_shop_counts_that_was_served_for_a_day_of_the_quarter(
    provider: Application, quarter: Quarter, serve: Serve, value: Value
) -> None:
    serve(provider)
    serve(provider, begins_on=quarter.last_day)
    serve(provider, begins_on=quarter.next.first_day)
    ended = {"state": ShopState.ENDED}
    serve(provider, ends_on=quarter.first_day, closed_at=quarter.begins_at + DAY, **ended)
    serve(provider, ends_on=quarter.first_day - DAY, closed_at=quarter.begins_at - DAY, **ended)
    serve(
        provider,
        state=ShopState.INVITED,
        owner=None,
        owner_taobao_user_id="",
        begins_on=None,
    )

    assert value("shops") == 3
    assert value("retention") == 50  # of the two on the first day, one was left on the last


def test_an_end_that_was_entered_later_changes_nothing(
    provider: Application, quarter: Quarter, serve: Serve, value: Value
) -> None:
    serve(provider, state=ShopState.ENDED, ends_on=quarter.first_day - DAY, closed_at=quarter.ends_at)

    assert value("shops") == 1
    assert value("retention") == 100


def test_without_a_shop_there_is_neither_a_rate_nor_a_share(value: Value) -> None:
    assert value("shops") == 0
    assert value("retention") is None
    assert value("complaint_rate") is None


# Measured ------------------------------------------------------------------------------------------


def test_complaints_are_counted_per_hundred_shops(
    provider: Application, quarter: Quarter, serve: Serve, value: Value
) -> None:
    for _ in range(3):
        serve(provider)
    complain(provider, quarter.begins_at)
    complain(provider, quarter.ends_at - INSTANT)
    complain(provider, quarter.ends_at)
    complain(provider, quarter.begins_at - INSTANT)
    gone = {"state": "withdrawn"}
    complain(provider, quarter.begins_at + DAY, closed_at=quarter.begins_at + 2 * DAY, **gone)
    complain(provider, quarter.begins_at + DAY, closed_at=quarter.ends_at, **gone)  # withdrawn too late

    assert value("complaint_rate") == 100


def test_the_time_to_respond_is_the_mean_of_the_answers_of_the_quarter(
    provider: Application, quarter: Quarter, value: Value
) -> None:
    hour = dt.timedelta(hours=1)
    begins, ends = quarter.begins_at, quarter.ends_at
    complain(provider, begins + DAY, state="evidence", responded_at=begins + DAY + 10 * hour)
    # Silence: 48 hours, until the decision that followed from it.
    silent = {
        "state": "decided",
        "liability": "liable",
        "award": Decimal("100.00"),
        "decision_reason": "逾期",
    }
    complain(provider, begins + DAY, decided_at=begins + DAY + 48 * hour, **silent)
    complain(provider, begins - 2 * hour, state="evidence", responded_at=begins)
    complain(provider, ends - 2 * hour, state="evidence", responded_at=ends)

    assert value("response_time") == 20


def test_no_complaint_no_time(value: Value) -> None:
    assert value("response_time") is None


def test_a_complaint_is_deducted_in_the_quarter_in_which_its_decision_became_final(
    provider: Application, quarter: Quarter, window: Window
) -> None:
    begins, ends = quarter.begins_at, quarter.ends_at
    counted = final(provider, begins - 30 * DAY, begins)
    shared = final(provider, begins, ends - INSTANT, liability="shared")
    final(provider, begins, ends)
    final(provider, begins - 30 * DAY, begins - INSTANT)
    final(provider, begins, ends - DAY, liability="not_liable", award=Decimal("0.00"))

    found = facts.inputs_of([provider.pk], window)[provider.pk]["upheld_complaints"]

    assert found == {"value": "2.00", "of": sorted([counted.number, shared.number])}


def test_points_count_that_stood_in_the_calendar_year_when_the_quarter_ended(
    provider: Application, quarter: Quarter, window: Window
) -> None:
    year, ends = quarter.year_begins_at, quarter.ends_at
    first = punish(provider, year, points=2)
    punish(provider, year - INSTANT, points=12)
    punish(provider, ends, points=12)
    punish(provider, year, points=3, taken_back_at=ends - INSTANT)
    later = punish(provider, ends - INSTANT, points=4, taken_back_at=ends)  # counts no more from the next on

    found = facts.inputs_of([provider.pk], window)[provider.pk]["violation_points"]

    assert found == {"value": "6.00", "of": sorted([first.violation_id, later.violation_id])}


def test_reviews_count_that_were_shown_when_the_quarter_ended(
    provider: Application, quarter: Quarter, serve: Serve, value: Value, ops: Any
) -> None:
    begins, ends = quarter.begins_at, quarter.ends_at
    hidden = {"hidden_by": ops, "hidden_reason": "广告"}
    review(serve(provider), quarter, begins, marks=5)
    review(serve(provider), quarter, ends - INSTANT, marks=4, attitude=1)
    review(serve(provider), quarter, ends, marks=1)
    review(serve(provider), quarter, begins, marks=1, hidden_at=ends - INSTANT, **hidden)
    review(serve(provider), quarter, begins, marks=2, hidden_at=ends, **hidden)

    assert value("review_mean") == Decimal("3.42")  # (20 + 13 + 8) / 12


# Who -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("joined", "steps", "is_member"),
    [
        (-INSTANT, [], True),
        (0 * DAY, [], False),
        (-100 * DAY, [("expel", "expelled", -INSTANT)], False),
        (-100 * DAY, [("expel", "expelled", 0 * DAY)], True),
        (-100 * DAY, [("complete_exit", "exited", -DAY)], False),
        (-100 * DAY, [("request_exit", "exiting", -DAY)], True),
        (-100 * DAY, [("suspend", "suspended", -DAY)], True),
        (-100 * DAY, [("expel", "expelled", -9 * DAY), ("lift", "suspended", -DAY)], True),
        (-100 * DAY, [("expel", "expelled", -9 * DAY), ("lift", "suspended", DAY)], False),
    ],
)
def test_who_was_in_the_pool_when_the_quarter_ended(
    joined: dt.timedelta,
    steps: list[tuple[str, str, dt.timedelta]],
    is_member: bool,
    provider: Application,
    quarter: Quarter,
) -> None:
    ends = quarter.ends_at
    ProviderProfile.objects.update(member_since=ends + joined)
    with owner_role():
        Transition.objects.bulk_create(
            Transition(application=provider, name=name, from_state="active", to_state=state, at=ends + when)
            for name, state, when in steps
        )

    assert list(facts.members(quarter)) == ([provider] if is_member else [])


def test_quarters_begin_and_end_in_shanghai() -> None:
    quarter = Quarter.named("2026Q3")

    assert quarter.begins_at == dt.datetime(2026, 7, 1, tzinfo=clock.SHANGHAI)
    assert quarter.ends_at == dt.datetime(2026, 10, 1, tzinfo=clock.SHANGHAI)
    assert (quarter.first_day, quarter.last_day) == (dt.date(2026, 7, 1), dt.date(2026, 9, 30))
    assert quarter.twelve_months() == ["2025Q4", "2026Q1", "2026Q2", "2026Q3"]
    assert Quarter.named("2026Q1").previous == Quarter.named("2025Q4")
    assert Quarter.named("2026Q4").next == Quarter.named("2027Q1")
    assert Quarter.of(dt.date(2026, 12, 31)) == Quarter.named("2026Q4")
    for wrong in ("2026Q5", "1999Q1", "", "2026q1"):
        with pytest.raises(ValueError):
            Quarter.named(wrong)
