"""The log-in with Taobao, and every way in which it does not come about."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journey.merchant import Merchant
from tests.journey.papers import YUNQI
from tests.journey.words import zh
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_seller_logs_in_with_taobao_and_out_again(stack: Stack, open_page: Callable[..., Page]) -> None:
    merchant = Merchant(stack, open_page())

    merchant.log_in(YUNQI.nick)
    merchant.log_out()

    merchant.open_console()
    expect(merchant.page).to_have_url(re.compile("/login/"))


def test_a_new_taobao_account_can_be_registered_on_the_way(
    stack: Stack, open_page: Callable[..., Page]
) -> None:
    merchant = Merchant(stack, open_page())
    merchant.to_taobao()

    merchant.page.get_by_text("注册一个新的淘宝账号").click()
    merchant.page.locator("details [name=nick]").fill("绍兴越城新店")
    merchant.page.locator("details [name=opened_on]").fill("2024-05-06")
    merchant.page.get_by_role("button", name="注册并授权").click()

    expect(merchant.page).to_have_url(f"{stack.url}/console/")
    expect(merchant.page.get_by_role("banner")).to_contain_text("绍兴越城新店")


def test_who_cancels_at_taobao_is_told_so_and_can_try_again(
    stack: Stack, open_page: Callable[..., Page]
) -> None:
    merchant = Merchant(stack, open_page())
    merchant.to_taobao()

    merchant.page.get_by_role("button", name="取消").click()

    expect(merchant.page).to_have_url(f"{stack.url}/login/?taobao=cancelled")
    expect(merchant.page.get_by_role("alert")).to_have_text(
        zh("You cancelled the log-in at Taobao. Nothing was shared; you can try again.")
    )
    merchant.log_in(YUNQI.nick)


def test_a_forged_state_opens_no_session(stack: Stack, open_page: Callable[..., Page]) -> None:
    merchant = Merchant(stack, open_page())
    merchant.to_taobao()
    asked = parse_qs(urlsplit(merchant.page.url).query)
    forged = {name: values[0] for name, values in asked.items()} | {"state": "x" * len(asked["state"][0])}

    merchant.page.goto(f"{stack.sandbox_url}/authorize?{urlencode(forged)}")
    merchant.grant(YUNQI.nick)

    _expect_refusal(merchant)


def test_another_browsers_log_in_opens_no_session_here(stack: Stack, open_page: Callable[..., Page]) -> None:
    """Nobody can be made to work in an attacker's account by a link."""
    attacker, victim = Merchant(stack, open_page()), Merchant(stack, open_page())
    attacker.to_taobao()

    victim.page.goto(attacker.page.url)
    victim.grant(YUNQI.nick)

    _expect_refusal(victim)


def _expect_refusal(merchant: Merchant) -> None:
    expect(merchant.page).to_have_url(f"{merchant.stack.url}/login/?taobao=failed")
    expect(merchant.page.get_by_role("alert")).to_be_visible()
    merchant.open_console()
    expect(merchant.page).to_have_url(re.compile("/login/"))
