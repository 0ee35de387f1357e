"""The queue: what operations owe first, by its deadline; tabs and their counts; the tasks on the first page."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from applications.models import Application
from compliance.admin.complaints import queue
from compliance.complaints import door
from compliance.complaints import services as complaints
from compliance.models import Complaint
from tests.compliance.complaints.conftest import again, decide, file
from tests.compliance.complaints.desk import LIST, cost, enter, listed
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User


def close(complaint: Complaint, merchant: User) -> Complaint:
    """Contested, and the evidence closed."""
    complaints.contest(complaint.pk, actor=merchant, text="不是我们的。")
    return door.move(complaint.pk, "close_evidence", actor=None)


def tabs(client: Any, **query: str) -> dict[str, int]:
    shown = client.get(LIST, query).context["tabs"]
    return {tab["url"].partition("tab=")[2]: tab["count"] for tab in shown}


def active(client: Any, **query: str) -> list[str]:
    shown = client.get(LIST, query).context["tabs"]
    return [tab["url"].partition("tab=")[2] for tab in shown if tab["active"]]


@pytest.fixture
def three(
    member: Application, customer: User, merchant: User, ops: User, move_clock: Callable[..., None]
) -> list[Complaint]:
    """The first waits for a decision, the second is appealed since, the third waits for its response."""
    first = close(file(member, customer), merchant)
    move_clock(days=1)
    second = decide(close(file(member, customer), merchant), ops, "shared", "100.00")
    second = complaints.appeal(second.pk, actor=merchant, text="不同意。")
    return [first, second, file(member, customer)]


def test_shows_what_waits_for_a_decision_by_its_deadline(three: list[Complaint], ops: User) -> None:
    first, second, third = (complaint.number for complaint in three)
    client = staff_client(ops)

    assert listed(client) == [first, second]
    assert listed(client, tab="waiting") == [first, second]
    assert listed(client, tab="appeals") == [second]
    assert listed(client, tab="all") == [third, second, first]
    assert active(client) == ["waiting"]
    assert active(client, tab="all") == ["all"]


def test_counts_what_is_behind_each_tab(
    three: list[Complaint], ops: User, second_ops: User, sleep_until: Callable[..., None]
) -> None:
    complaints.claim(three[0].pk, actor=second_ops)
    client = staff_client(second_ops)
    assert tabs(client) == {"waiting": 2, "mine": 1, "appeals": 1, "soon": 0, "overdue": 0, "all": 3}

    assert three[0].due_at is not None
    sleep_until(three[0].due_at, seconds=-3600)
    assert tabs(client) == {"waiting": 2, "mine": 1, "appeals": 1, "soon": 1, "overdue": 0, "all": 3}
    assert listed(client, tab="soon") == [three[0].number]

    sleep_until(three[0].due_at, seconds=1)
    assert tabs(client)["overdue"] == 1
    assert listed(client, tab="overdue") == [three[0].number]
    assert listed(client, tab="mine") == [three[0].number]


def test_the_instant_itself_is_in_time(three: list[Complaint]) -> None:
    due = three[0].due_at
    assert due is not None

    assert Complaint.objects.get(queue.soon(due)) == three[0]
    assert not Complaint.objects.filter(queue.overdue(due)).exists()


@pytest.mark.parametrize("what", ["number", "order_number", "complainant_name", "provider", "company"])
def test_is_searched_in_every_state(filed: Complaint, ops: User, what: str) -> None:
    sought = {
        "provider": filed.application.number,
        "company": filed.application.company_name[:4],
    }.get(what) or getattr(filed, what)

    assert listed(staff_client(ops), q=sought) == [filed.number]
    assert active(staff_client(ops), q=sought) == ["all"]


def test_a_filter_looks_in_every_state(filed: Complaint, ops: User) -> None:
    client = staff_client(ops)

    assert listed(client) == []
    assert listed(client, state__exact="awaiting_response") == [filed.number]


def test_says_what_is_frozen_and_when_it_is_due(three: list[Complaint], ops: User) -> None:
    rows = staff_client(ops).get(LIST, {"tab": "all"}).context["cl"].result_list

    assert {row.frozen for row in rows} == {Decimal("300.00")}
    page = staff_client(ops).get(LIST).content.decode()
    assert "剩余" in page or "left" in page


def test_shows_what_is_settled_as_frozen_no_more(final: Complaint, ops: User) -> None:
    rows = staff_client(ops).get(LIST, {"tab": "all"}).context["cl"].result_list

    assert [row.frozen for row in rows] == [Decimal("0.00")]


def test_costs_as_many_queries_however_many_wait(
    three: list[Complaint], member: Application, customer: User, merchant: User, ops: User
) -> None:
    client = staff_client(ops)
    before = cost(client, LIST)
    for _time in range(4):
        complaints.claim(close(file(member, customer), merchant).pk, actor=ops)

    assert cost(client, LIST) == before == 9


class TestFirstPage:
    def waiting(self, person: User) -> dict[str, tuple[int, bool]]:
        tasks = staff_client(person).get("/admin/").context["tasks"]
        return {
            task.url.partition("tab=")[2]: (task.count, task.urgent)
            for task in tasks
            if task.url.startswith(LIST)
        }

    def test_counts_what_this_person_can_decide(
        self, three: list[Complaint], ops: User, second_ops: User, finance: User
    ) -> None:
        assert self.waiting(ops) == {
            "waiting": (1, False),
            "appeals": (0, False),
            "mine": (0, False),
            "overdue": (0, False),
        }
        assert self.waiting(second_ops)["appeals"] == (1, False)
        assert self.waiting(finance) == {}

    def test_leaves_out_what_this_person_entered(
        self, member: Application, merchant: User, ops: User, second_ops: User
    ) -> None:
        close(enter(member, ops), merchant)

        assert self.waiting(ops)["waiting"] == (0, False)
        assert self.waiting(second_ops)["waiting"] == (1, False)

    def test_presses_once_something_is_overdue(
        self, three: list[Complaint], ops: User, sleep_until: Callable[..., None]
    ) -> None:
        assert three[0].due_at is not None
        sleep_until(three[0].due_at, seconds=1)

        assert self.waiting(ops)["waiting"] == (1, True)
        assert self.waiting(ops)["overdue"] == (1, True)

    def test_leads_to_lists_that_show_as_many(self, three: list[Complaint], second_ops: User) -> None:
        complaints.claim(again(three[1]).pk, actor=second_ops)
        client = staff_client(second_ops)

        for tab in ("appeals", "mine"):
            assert len(listed(client, tab=tab)) == self.waiting(second_ops)[tab][0] == 1
