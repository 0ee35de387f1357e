"""The list of applications: what is shown by default, to whom, and at what cost."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import services
from applications.models import Application
from tests.people import begin, complete, hand_in, make_merchant
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

LIST = reverse("admin:applications_application_changelist")


def several(count: int) -> list[Application]:
    """Applications of different companies, all handed in."""
    return [
        hand_in(
            complete(
                begin(make_merchant(f"店铺{index}", f"9000{index}")),
                credit_code=f"91330100799655{index:03}X",
                company_name=f"杭州{index}号电子商务有限公司",
            )
        )
        for index in range(count)
    ]


def numbers(client: Client, **query: str) -> list[str]:
    response = client.get(f"{LIST}?{urlencode(query)}")
    assert response.status_code == 200
    return [application.number for application in response.context["cl"].result_list]


def test_shows_what_is_under_review_soonest_due_first(reviewer: User, approved: Application) -> None:
    early, late = several(2)
    Application.objects.filter(pk=late.pk).update(review_due_at=clock.now() + dt.timedelta(days=9))
    client = staff_client(reviewer)

    assert numbers(client) == [early.number, late.number]
    assert set(numbers(client, state="all")) == {approved.number, early.number, late.number}
    assert numbers(client, state="approved") == [approved.number]


def test_filters_mine_unclaimed_overdue_and_category(reviewer: User, second_reviewer: User) -> None:
    mine, others, unclaimed = several(3)
    services.claim(mine.pk, actor=reviewer)
    services.claim(others.pk, actor=second_reviewer)
    Application.objects.filter(pk=others.pk).update(
        review_due_at=clock.now() - dt.timedelta(hours=1), categories=["operations"]
    )
    client = staff_client(reviewer)

    assert numbers(client, review="mine") == [mine.number]
    assert numbers(client, review="unclaimed") == [unclaimed.number]
    assert numbers(client, review="overdue") == [others.number]
    assert numbers(client, category="operations") == [others.number]


@pytest.mark.parametrize(
    "field", ["number", "company_name", "credit_code", "taobao_nick"], ids=lambda field: f"by {field}"
)
def test_search_finds_it_in_any_state(field: str, reviewer: User, approved: Application) -> None:
    several(1)

    assert numbers(staff_client(reviewer), q=getattr(approved, field)) == [approved.number]


def test_the_tabs_count_the_queue(reviewer: User) -> None:
    first, _second = several(2)
    services.claim(first.pk, actor=reviewer)

    tabs = staff_client(reviewer).get(LIST).context["tabs"]

    assert [tab.get("count") for tab in tabs] == [2, 1, 1, 0, None]
    assert [tab["active"] for tab in tabs] == [True, False, False, False, False]


def test_says_how_late_a_review_is(reviewer: User, under_review: Application) -> None:
    Application.objects.filter(pk=under_review.pk).update(review_due_at=clock.now() - dt.timedelta(hours=5))

    assert b"desk-late" in staff_client(reviewer).get(LIST).content


def test_costs_the_same_for_ten_as_for_two(reviewer: User) -> None:
    """Session, person, groups, permissions, count, rows with their reviewers, tabs."""
    client = staff_client(reviewer)
    applications = several(10)
    for application in applications[:8]:
        services.claim(application.pk, actor=reviewer)
    client.get(LIST)

    with CaptureQueriesContext(connection) as ten:
        assert len(numbers(client)) == 10
    Application.objects.filter(pk__in=[application.pk for application in applications[2:]]).update(
        reviewer=None, review_due_at=None, categories=["operations"]
    )
    with CaptureQueriesContext(connection) as two:
        assert len(numbers(client, category="after_sales")) == 2

    assert len(ten) == len(two)
    assert len(ten) <= 10, [query["sql"][:120] for query in ten]


def test_the_first_page_says_what_waits(reviewer: User, ops: User, finance: User) -> None:
    first, _second = several(2)
    services.claim(first.pk, actor=reviewer)

    def tasks(person: User) -> list[tuple[int, str]]:
        return [
            (task.count, task.url.partition("?")[2]) for task in shown(person) if task.url.startswith(LIST)
        ]

    def shown(person: User) -> Any:
        return staff_client(person).get("/admin/").context["tasks"]

    assert tasks(reviewer) == [(1, "review=mine"), (1, "review=unclaimed"), (0, "review=overdue")]
    assert tasks(ops) == [(1, "review=unclaimed"), (0, "review=overdue")]
    assert tasks(finance) == []


@pytest.mark.parametrize("person", ["reviewer", "ops", "finance", "auditor", "superuser"])
def test_staff_roles_read_the_list(person: str, request: pytest.FixtureRequest) -> None:
    assert staff_client(request.getfixturevalue(person)).get(LIST).status_code == 200


def test_nothing_can_be_added_deleted_or_saved(superuser: User, claimed: Application) -> None:
    """Not even by a superuser: there are no such pages."""
    client = staff_client(superuser)
    page = reverse("admin:applications_application_change", args=[claimed.pk])

    assert client.get(f"{LIST}add/").status_code == 404
    assert client.get(f"{LIST}{claimed.pk}/delete/").status_code == 404
    assert client.post(page, {"state": "approved", "_save": "1"}).status_code == 405
    assert client.post(LIST, {"action": "delete_selected", "_selected_action": [claimed.pk]}).status_code in (
        200,
        302,
    )
    assert Application.objects.get(pk=claimed.pk).state == "under_review"
