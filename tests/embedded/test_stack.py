"""The stack that browser and kill tests use is whole, and its parts can be killed and started again."""

import datetime as dt

import httpx
import pytest
from playwright.sync_api import Page

from tests.stack import Stack


@pytest.mark.slow
@pytest.mark.browser
def test_the_stack_answers_in_a_chinese_browser(stack: Stack, page: Page) -> None:
    answer = page.goto(f"{stack.url}/healthz")

    assert answer is not None and answer.ok
    assert page.evaluate("navigator.language") == "zh-CN"


@pytest.mark.slow
def test_parts_of_a_stack_are_killed_frozen_and_started_again(stack: Stack) -> None:
    stack.kill("worker")
    stack.start("worker")
    assert "ready" in stack.log("worker")

    stack.freeze_redis()
    assert httpx.get(f"{stack.url}/healthz", trust_env=False).status_code == 200
    stack.thaw_redis()
    stack.kill_redis()
    stack.start_redis()

    stack.set_clock(dt.timedelta(days=3))
    assert stack.sandbox.get("health")["now"][:10] != dt.datetime.now(dt.UTC).date().isoformat()
    stack.set_clock(dt.timedelta(0))


@pytest.mark.slow
def test_the_portal_of_a_stack_has_the_rights_of_the_application_only(stack: Stack) -> None:
    asked = stack.python(
        "from django.db import connection; c = connection.cursor();"
        " c.execute('SELECT current_user'); print(c.fetchone()[0])"
    )

    assert asked.strip() == "tmall_sp_app"
    assert stack.sql("SELECT current_user")[0][0] != "tmall_sp_app"
