"""A shop that is too young is told so in plain words, with the date from which it can pass."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from playwright.sync_api import Page, expect

from applications.lifecycle import State
from applications.shop_rules import title
from tests.journey import words
from tests.journey.camera import Camera
from tests.journey.merchant import Merchant
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NICK = "苏州新禾电商"
TAOBAO_USER_ID = 2200606100004


def test_a_shop_that_is_too_young_sees_rule_and_date(
    stack: Stack, open_page: Callable[..., Page], camera: Camera
) -> None:
    seller = next(row for row in stack.sandbox.get("sellers") if row["taobao_user_id"] == TAOBAO_USER_ID)
    opened = dt.datetime.fromisoformat(seller["opened_at"]).astimezone(ZoneInfo("Asia/Shanghai")).date()
    merchant = Merchant(stack, open_page())
    merchant.log_in(NICK)
    merchant.create_application()

    merchant.open_application()
    merchant.wait_for(State.SHOP_UNQUALIFIED)

    check = merchant.page.locator("#shop-check")
    expect(check.get_by_role("alert")).to_contain_text("资质对应店铺校验为不合格")
    expect(check.get_by_role("alert")).to_contain_text((opened + relativedelta(months=6)).isoformat())
    expect(check.locator(".verdicts li.fail")).to_have_count(1)
    expect(check.locator(".verdicts li.fail")).to_contain_text(words.zh(title("tenure")))
    expect(check.locator(".verdicts li.fail")).to_contain_text(opened.isoformat())
    camera.take(merchant.page, "unqualified")
    merchant.open_console()
    camera.take(merchant.page, "console-unqualified")
    merchant.expect_notice(words.news("fail_shop_check"))
