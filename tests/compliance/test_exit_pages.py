"""The exit's pages: who sees them, what they say before and after, and that only a POST moves anything."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications import required_exits, suspensions
from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from applications.tasks import sweep_suspensions
from compliance.models import Violation
from compliance.tasks import sweep_exits
from deposits.duties import cases
from tests.compliance.conftest import report
from tmall_sp.accounts.models import User


def state(application: Application) -> str:
    return Application.objects.get(pk=application.pk).state


def url(application: Application, name: str = "exit") -> str:
    return reverse(f"compliance:{name}", args=[application.number])


@pytest.fixture
def browser(client: Client, merchant: User) -> Client:
    client.force_login(merchant)
    return client


def ask(browser: Client, application: Application, **data: object) -> Any:
    content = {"understood": "on", "seen": application.version, "reason": "业务调整", **data}
    return browser.post(
        url(application, "exit_request"), {key: value for key, value in content.items() if value}
    )


def test_the_consequences_stand_before_the_button(active: Application, browser: Client) -> None:
    response = browser.get(url(active))

    exit = response.context["exit"]
    assert (exit.phase, exit.notice_days, exit.steps) == ("can_leave", 30, [])
    assert state(active) == State.ACTIVE


def test_what_would_bar_the_exit_is_said_before_it_is_asked_for(active: Application, browser: Client) -> None:
    cases.freeze(active.pk, case="complaint:1", claimed=Decimal("1000.00"))
    cases.penalise(active.pk, case="violation:1", amount=Decimal("99500.00"), reason="扣罚", actor=None)

    page = browser.get(url(active))

    assert [item.code for item in page.context["exit"].items] == ["obligations", "frozen"]
    text = page.content.decode()
    assert "¥500.00" in text and "¥1,000.00" in text
    assert reverse("deposits:detail", args=[active.number]) in text
    assert ask(browser, active).status_code == 302
    assert state(active) == State.EXITING


def test_asking_begins_the_exit_and_shows_its_progress(active: Application, browser: Client) -> None:
    response = ask(browser, active)

    assert response.status_code == 302
    assert state(active) == State.EXITING
    step = active.transitions.last()
    assert step is not None and step.reason == "业务调整"
    exit = browser.get(response["Location"]).context["exit"]
    assert {item.code: item.cleared for item in exit.items} == {
        "notice": False,
        "complaints": True,
        "violations": True,
        "obligations": True,
        "frozen": True,
    }
    assert [step.done for step in exit.steps] == [True, False, False, False, False]
    assert [step.current for step in exit.steps] == [False, True, False, False, False]


def test_asking_without_having_read_is_refused_and_loses_nothing(
    active: Application, browser: Client
) -> None:
    response = ask(browser, active, understood=None)

    assert response.status_code == 400
    assert "业务调整" in response.content.decode()
    assert state(active) == State.ACTIVE


def test_asking_on_an_old_page_is_refused(active: Application, browser: Client, merchant: User) -> None:
    applications.request_exit(active.pk, actor=merchant)
    applications.cancel_exit(active.pk, actor=merchant)

    response = ask(browser, active)

    assert response.status_code == 409
    assert state(active) == State.ACTIVE


def test_cancelling_goes_back(exiting: Application, browser: Client) -> None:
    response = browser.post(url(exiting, "exit_cancel"))

    assert response.status_code == 302
    assert state(exiting) == State.ACTIVE
    assert browser.get(url(exiting)).context["exit"].last.outcome == "cancelled"


def test_cancelling_too_late_says_so(
    exiting: Application, browser: Client, move_clock: Callable[..., None]
) -> None:
    move_clock(days=31)
    sweep_exits()

    response = browser.post(url(exiting, "exit_cancel"))

    assert response.status_code == 409
    assert state(exiting) == State.EXITED


def test_the_refund_is_a_step_of_the_way_out(
    exiting: Application, browser: Client, move_clock: Callable[..., None]
) -> None:
    move_clock(days=31)
    sweep_exits()

    exit = browser.get(url(exiting)).context["exit"]

    assert exit.phase == "left"
    assert [step.done for step in exit.steps] == [True, True, True, True, False]
    assert str(exit.steps[-1].amount) == "100000.00"


def test_an_open_violation_is_named_as_what_is_missing(
    exiting: Application, browser: Client, ops: User
) -> None:
    report(exiting, ops)

    items = browser.get(url(exiting)).context["exit"].items
    assert [item.code for item in items if not item.cleared] == ["notice", "violations"]


def test_an_expelled_company_has_nothing_to_ask_for(
    active: Application, verified_violation: Violation, browser: Client
) -> None:
    response = browser.get(url(active))

    assert response.context["exit"].phase == "expelled"
    assert ask(browser, active, seen=Application.objects.get(pk=active.pk).version).status_code == 409


def test_an_application_that_is_no_membership_has_nothing_to_leave(
    under_review: Application, browser: Client
) -> None:
    assert browser.get(url(under_review)).context["exit"].phase == "outside"
    assert ask(browser, under_review).status_code == 409


@pytest.mark.parametrize("name", ["exit_request", "exit_cancel"])
def test_only_a_post_moves_anything(active: Application, browser: Client, name: str) -> None:
    assert browser.get(url(active, name)).status_code == 405


def test_a_sub_account_sees_but_cannot_leave(active: Application, client: Client, sub_account: User) -> None:
    client.force_login(sub_account)

    assert client.get(url(active)).context["may_leave"] is False
    assert ask(client, active).status_code == 403
    assert state(active) == State.ACTIVE


@pytest.mark.parametrize("name", ["exit", "exit_request", "exit_cancel"])
def test_a_stranger_finds_nothing(active: Application, client: Client, stranger: User, name: str) -> None:
    client.force_login(stranger)

    method = client.get if name == "exit" else client.post
    assert method(url(active, name)).status_code == 404


def test_the_page_asks_little_of_the_database(
    exiting: Application, browser: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    browser.get(url(exiting))

    with django_assert_max_num_queries(12):
        browser.get(url(exiting))


def test_a_required_exit_says_why_and_has_no_way_back(
    active: Application, browser: Client, ops: User, second_ops: User
) -> None:
    required_exits.require_exit(active.pk, actor=ops, second_actor=second_ops, reason="长期不提供服务")

    page = browser.get(url(active))

    assert page.context["exit"].phase == "leaving"
    assert "长期不提供服务" in page.content.decode()
    assert url(active, "exit_cancel") not in page.content.decode()
    assert browser.post(url(active, "exit_cancel")).status_code == 409
    assert state(active) == State.EXITING
    assert active.exit_requests.get().requested_by == second_ops


def test_an_exit_required_by_the_system_runs_as_any_other(
    active: Application, browser: Client, move_clock: Callable[..., None]
) -> None:
    suspensions.suspend(active.pk, cause="shortfall", reason="保证金不足")
    move_clock(days=31)
    sweep_suspensions()

    request = active.exit_requests.get()
    assert request.requested_by is None
    assert (request.notice_ends_at - request.requested_at).days == 30
    assert browser.get(url(active)).context["exit"].required_because
