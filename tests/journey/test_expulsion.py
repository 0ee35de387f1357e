"""A severe violation, verified by two people of operations: expelled at once, the deposit forfeited (step 9)."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from applications.lifecycle import State
from tests.journey import words
from tests.journey.camera import Camera
from tests.journey.merchant import Merchant
from tests.journey.providers import Provider, admit
from tests.journey.staff import Staff
from tests.journey.waiting import eventually
from tests.journey.words import zh
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TITLE = "伪造售后完成记录"
REASON = "抽查 30 单中 21 单的签收凭证系伪造,属严重违规。"
# Reported by the system, whom no person on the desk can be.
REPORT = """
from applications.models import Application
from compliance.violations import services as violations
violations.report(
    Application.objects.get(number={number!r}).pk,
    actor=None, severity="severe", title={title!r}, facts="抽查 30 单,21 单的签收凭证系伪造。",
)
"""


def test_a_severe_violation_verified_by_two_people_expels_at_once(
    stack: Stack, open_page: Callable[..., Page], camera: Camera
) -> None:
    provider = admit(stack, 41)
    investigator = Staff(stack, open_page(), "wangyun")
    verifier = Staff(stack, open_page(), "zhaoyun")
    anybody = open_page()
    anybody.goto(f"{stack.url}/providers/{provider.number}/")
    expect(anybody.get_by_role("main")).to_contain_text(provider.company)
    stack.python(REPORT.format(number=provider.number, title=TITLE))

    _investigates(investigator, camera)
    _verifies(verifier, provider, camera)

    _is_out_with_nothing_left(stack, provider)
    _is_gone_from_the_directory(anybody, stack, provider)
    _is_told(Merchant(stack, open_page()), provider, camera)
    assert "balance" in stack.manage("ledger_check")


def _investigates(investigator: Staff, camera: Camera) -> None:
    investigator.log_in()
    camera.take(investigator.page, "desk-of-operations")
    investigator.find("compliance/violation", TITLE)
    investigator.begin("take_up")
    camera.take(investigator.page, "violation-taken-up")
    investigator.begin("propose")
    investigator.page.locator("[name=severity]").select_option("severe")
    investigator.page.locator("[name=finding]").fill("已与消费者逐单核实,情况属实。")
    investigator.decide()
    # The second person must be somebody else.
    investigator.expect_steps("propose", "dismiss")
    investigator.open(f"{_path(investigator)}verify/")
    expect(investigator.page.locator(".desk-finding-blocks")).to_be_visible()
    expect(investigator.page.locator("form.desk-card .desk-steps button")).to_have_count(0)
    camera.take(investigator.page, "violation-own-finding")


def _path(person: Staff) -> str:
    """Of the violation whose page is open."""
    return person.page.url.removeprefix(person.stack.url).removesuffix("change/")


def _verifies(verifier: Staff, provider: Provider, camera: Camera) -> None:
    verifier.log_in()
    verifier.find("compliance/violation", TITLE)
    camera.take(verifier.page, "violation")
    verifier.begin("verify")
    expect(verifier.page.locator(".desk-consequence")).to_contain_text("100,000.00")
    expect(verifier.page.locator(".desk-consequence")).to_contain_text(provider.company)
    verifier.page.locator("[name=reason]").fill(REASON)
    camera.take(verifier.page, "violation-verify")
    verifier.decide()
    expect(verifier.page.locator(".desk-head")).to_contain_text(words.state(State.EXPELLED))
    camera.take(verifier.page, "violation-verified")


def _is_out_with_nothing_left(stack: Stack, provider: Provider) -> None:
    """At once: no waiting here."""
    ((state, available, frozen, forfeited),) = stack.sql(
        "SELECT a.state, d.available, d.frozen,"
        " (SELECT sum(amount) FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id AND kind = 'forfeiture')"
        " FROM applications_application a JOIN deposits_deposit d ON d.application_id = a.id"
        " WHERE a.number = %s",
        provider.number,
    )
    assert state == State.EXPELLED
    assert (available, frozen, forfeited) == (0, 0, Decimal("100000.00"))


def _is_gone_from_the_directory(anybody: Page, stack: Stack, provider: Provider) -> None:
    answer = anybody.goto(f"{stack.url}/providers/{provider.number}/")
    assert answer is not None and answer.status == 404
    anybody.goto(f"{stack.url}/providers/?q={provider.company}")
    expect(anybody.get_by_role("main").get_by_role("link", name=provider.company)).to_have_count(0)


def _is_told(merchant: Merchant, provider: Provider, camera: Camera) -> None:
    merchant.number = provider.number
    merchant.log_in(provider.nick)
    camera.take(merchant.page, "console-expelled")
    assert merchant.timeline()[-1] == words.step("expel")
    expect(merchant.page.locator(".timeline")).to_contain_text(REASON)
    camera.take(merchant.page, "expelled")
    merchant.open_deposit()
    expect(merchant.page.get_by_role("main")).to_contain_text(zh("deposit forfeited"))
    camera.take(merchant.page, "deposit-forfeited")
    merchant.open_exit()
    expect(merchant.page.get_by_role("alert").or_(merchant.page.locator(".alert-danger"))).to_be_visible()
    merchant.expect_notice(words.news("expel"))
    eventually(
        lambda: merchant.stack.sandbox.mails(to=provider.email, subject=words.news("expel")),
        "the mail about the expulsion",
    )
