"""Every page of the portal: lawful under the strict policy, labelled, read-only on GET, and of a known cost."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications import progress, services
from applications.lifecycle import State
from applications.models import Application, Transition
from tests.people import begin
from tests.portal.conftest import Browser
from tmall_sp.accounts.models import User
from tmall_sp.core.models import Mail, Notice

PUBLIC = ("/", "/login/", "/login/?taobao=failed", "/rules/", "/nowhere/", "/accounts/login/")
CONSOLE = ("/console/", "/console/notices/", "/console/applications/", "/console/applications/new/")
OWN = ("", "edit/company/", "edit/contact/", "edit/account/", "edit/materials/", "edit/review/", "withdraw/")


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_sound(anybody: Browser, path: str) -> None:
    assert anybody.get(path).problems() == []


@pytest.mark.parametrize("path", CONSOLE)
def test_console_pages_are_sound(shop: Browser, path: str) -> None:
    assert shop.get(path).problems() == []


@pytest.mark.parametrize("fixture", ["unqualified", "verified", "changes_requested", "approved"])
def test_pages_of_an_application_are_sound_in_each_state(
    shop: Browser, request: pytest.FixtureRequest, fixture: str
) -> None:
    application = request.getfixturevalue(fixture)

    for path in (*CONSOLE[:3], *(f"/console/applications/{application.number}/{rest}" for rest in OWN)):
        page = shop.get(path)
        if page.status != 302:
            assert (path, page.problems()) == (path, [])


@pytest.mark.parametrize("step", ["company", "contact", "account", "materials", "review"])
def test_a_refused_form_is_sound_too(shop: Browser, draft: Application, step: str) -> None:
    page = shop.post(f"/console/applications/{draft.number}/edit/{step}/", {"action": "continue"})

    assert page.status == 422
    assert page.problems() == []


@pytest.mark.parametrize("fixture", ["draft", "unqualified", "verified", "changes_requested", "approved"])
def test_looking_changes_nothing(shop: Browser, request: pytest.FixtureRequest, fixture: str) -> None:
    application = request.getfixturevalue(fixture)

    def books() -> list[object]:
        counts = [model._default_manager.count() for model in (Transition, Notice, Mail)]
        return [*Application.objects.values_list("state", "version", "updated_at"), *counts]

    before = books()
    root = f"/console/applications/{application.number}/"
    for rest in (*OWN, "check/", "resubmit/", "agreement/"):
        shop.get(root + rest)
    for path in (*CONSOLE, *PUBLIC, "/console/notices/read/", "/language/"):
        shop.get(path)

    assert books() == before


def test_the_policy_lets_in_nothing_from_elsewhere_and_nothing_inline(shop: Browser) -> None:
    policy = shop.get("/console/").response["Content-Security-Policy"]

    assert "script-src 'self';" in policy + ";"
    assert "style-src 'self';" in policy + ";"
    assert "unsafe" not in policy


def test_htmx_neither_evaluates_nor_writes_styles(anybody: Browser) -> None:
    (config,) = [
        meta["content"] for meta in anybody.get("/").all("meta") if meta.get("name") == "htmx-config"
    ]

    assert '"allowEval": false' in config
    assert '"includeIndicatorStyles": false' in config


def test_the_open_place_is_marked_in_the_navigation(shop: Browser, draft: Application) -> None:
    def marked(path: str) -> list[str]:
        return [a["href"] for a in shop.get(path).all("a") if a.get("aria-current") == "page"]

    assert marked("/console/") == ["/console/"]
    assert marked(f"/console/applications/{draft.number}/") == ["/console/applications/"]
    assert marked("/rules/") == ["/rules/"]


def test_staff_have_their_own_places(reviewer: User) -> None:
    page = Browser(reviewer).get("/")

    assert "/admin/" in page.links
    assert "/console/" not in page.links


# The road ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State.values)
def test_every_state_has_its_place_on_the_road(state: str) -> None:
    marks = [stage.mark for stage in progress.milestones(state)]

    if state in progress.LEFT_ROAD:
        assert marks == []
    elif state == State.EXITED:
        assert set(marks) == {"done"}
    else:
        assert len([mark for mark in marks if mark in ("current", "trouble")]) == 1


# Costs ---------------------------------------------------------------------------------------------


@pytest.fixture
def cost(db: None) -> Callable[[Browser, str], int]:
    """The number of queries of one GET, session and person included."""

    def measure(browser: Browser, path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status == 200
        return len(queries)

    return measure


def test_what_each_page_costs(
    shop: Browser, anybody: Browser, verified: Application, cost: Callable[[Browser, str], int]
) -> None:
    root = f"/console/applications/{verified.number}/"

    assert {path: cost(anybody, path) for path in ("/", "/login/", "/rules/")} == {
        "/": 5,  # the rules whose numbers it names
        "/login/": 0,
        "/rules/": 2,  # the agreement, and all versions of rules
    }
    assert {path: cost(shop, path) for path in CONSOLE} == {
        "/console/": 14,
        "/console/notices/": 6,
        "/console/applications/": 7,
        "/console/applications/new/": 4,
    }
    assert {rest: cost(shop, root + rest) for rest in OWN} == {
        "": 14,
        "edit/company/": 6,
        "edit/contact/": 6,
        "edit/account/": 6,
        "edit/materials/": 7,
        "edit/review/": 8,
        "withdraw/": 5,
    }


def test_more_applications_notices_and_history_cost_no_more(
    shop: Browser, merchant: User, verified: Application, cost: Callable[[Browser, str], int]
) -> None:
    paths = ("/console/", "/console/notices/", "/console/applications/")
    before = [cost(shop, path) for path in paths]

    for _again in range(3):
        services.withdraw(Application.objects.latest("pk").pk, actor=merchant)
        begin(merchant)

    assert [cost(shop, path) for path in paths[1:]] == before[1:]
