"""The whole journey of a company, from the log-in with Taobao to the return of its deposit (steps 1–8)."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from applications.announcements import REVIEWER
from applications.lifecycle import State
from tests.journey import words
from tests.journey.camera import Camera
from tests.journey.merchant import Merchant, mailed
from tests.journey.papers import STRANGERS_ALIPAY, YUNQI, letter_pdf, licence_png
from tests.journey.staff import Staff
from tests.journey.waiting import eventually
from tests.journey.words import zh
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DEPOSIT = "100,000.00"
STEPS = (
    "create",
    "pass_shop_check",
    "submit",
    "request_changes",
    "resubmit",
    "approve",
    "payment_refused",
    "refused_payment_returned",
    "record_deposit",
    "activate",
    "request_exit",
    "complete_exit",
    "refund_paid",
)
TOLD_TO_MERCHANT = (
    "pass_shop_check",
    "submit",
    "request_changes",
    "resubmit",
    "approve",
    "record_deposit",
    "activate",
    "request_exit",
    "complete_exit",
)
TOLD_TO_REVIEWER = ("submit", "resubmit", "record_deposit", "activate", "request_exit", "complete_exit")


def test_a_company_joins_serves_and_leaves_with_its_deposit(
    own_stack: Stack, open_page: Callable[..., Page], camera: Camera
) -> None:
    merchant = Merchant(own_stack, open_page())
    reviewer = Staff(own_stack, open_page(), "lishen")

    _logs_in_and_opens_an_application(merchant, camera)
    _fills_in_the_form_with_mistakes_first(merchant, camera)
    _stops_and_goes_on_later(merchant, camera)
    _sees_the_shop_verified(merchant, camera)
    _hands_in_the_materials(merchant, camera)
    reviewer.log_in()
    _reviewer_asks_for_a_change(reviewer, camera)
    _answers_the_change(merchant, camera)
    _reviewer_approves(reviewer, camera)
    _pays_from_a_strangers_account(merchant, camera)
    _pays_the_deposit(merchant, camera)
    _stands_in_the_pool(merchant, Staff(own_stack, open_page(), "wangyun"), open_page(), camera)
    _leaves_with_the_deposit(merchant, camera)
    _was_told_of_every_step(merchant, reviewer)


def _logs_in_and_opens_an_application(merchant: Merchant, camera: Camera) -> None:
    merchant.page.goto(merchant.stack.url)
    camera.take(merchant.page, "home")
    merchant.log_in(YUNQI.nick)
    camera.take(merchant.page, "console-empty")
    merchant.create_application()


def _fills_in_the_form_with_mistakes_first(merchant: Merchant, camera: Camera) -> None:
    wrong_code = YUNQI.credit_code[:-1] + ("0" if YUNQI.credit_code[-1] != "0" else "1")
    wrong = {
        "company_name": YUNQI.company,
        "credit_code": wrong_code,
        "legal_representative": "陈1",
        "licence_valid_until": "2020-01-01",
        "address": "杭州市西湖区文三路 90 号",
    }
    merchant.fill(**wrong)
    merchant.field("region").select_option("33")
    merchant.save()
    merchant.expect_error(
        "credit_code",
        "The check character does not fit. Compare each character with the business licence.",
    )
    merchant.expect_error(
        "legal_representative", "Give the name as on the identity document, without digits."
    )
    merchant.expect_error(
        "licence_valid_until",
        "The licence expired on %(date)s. Renew it before you apply.",
        date="2020-01-01",
    )
    merchant.expect_typed(**wrong, region="33")
    camera.take(merchant.page, "company-refused")

    merchant.fill(
        credit_code=YUNQI.credit_code, legal_representative="陈晓东", licence_valid_until="2038-06-30"
    )
    merchant.save()
    merchant.expect_step("contact")

    merchant.fill(contact_name="周敏", contact_phone="85022088", contact_email="service#yunqi")
    merchant.save()
    merchant.expect_error("contact_phone", "Add the area code, for example 0571-85022088.")
    expect(merchant.page.locator("#div_id_contact_email .invalid-feedback")).to_be_visible()
    merchant.expect_typed(contact_name="周敏", contact_phone="85022088", contact_email="service#yunqi")


def _stops_and_goes_on_later(merchant: Merchant, camera: Camera) -> None:
    merchant.fill(contact_phone="0571-85022088", contact_email=YUNQI.email)
    merchant.save(later=True)
    expect(merchant.page).to_have_url(re.compile(f"/console/applications/{merchant.number}/$"))
    merchant.log_out()

    merchant.log_in(YUNQI.nick)
    camera.take(merchant.page, "console-draft")
    expect(merchant.page.locator(".tasks")).to_contain_text(zh("Verify the contact e-mail"))
    merchant.follow(f"/console/applications/{merchant.number}/edit/contact/")
    merchant.expect_typed(contact_name="周敏", contact_email=YUNQI.email)
    camera.take(merchant.page, "contact")

    merchant.press("Send the code")
    expect(merchant.page.locator(".portal-messages")).to_contain_text(YUNQI.email)
    right = merchant.code_from_mail(YUNQI.email)
    merchant.fill(code="000000" if right != "000000" else "111111")
    merchant.press("Verify")
    merchant.expect_error("code", "This is not the code that was sent.")
    merchant.fill(code=right)
    merchant.press("Verify")
    merchant.expect_step("account")

    merchant.fill(onboarding_link="https://taobao.com.example.net/", alipay_account_id="finance@yunqi-ec.cn")
    merchant.save()
    merchant.expect_error(
        "onboarding_link",
        "The link must lead to a site of Taobao, Tmall, Alibaba, 1688, Alipay or Aliyun.",
    )
    merchant.expect_error(
        "alipay_account_id",
        "This is a login name. Give the account's number (PID): 16 digits that begin with 2088.",
    )
    merchant.expect_typed(
        onboarding_link="https://taobao.com.example.net/", alipay_account_id="finance@yunqi-ec.cn"
    )
    merchant.fill(
        onboarding_link="https://shop100606101.taobao.com/",
        alipay_account_id=YUNQI.alipay_account_id,
        service_scope="家电类目的售后安装、维修派单与退换货处理",
    )
    camera.take(merchant.page, "account")
    merchant.save()
    merchant.expect_step("materials")


def _sees_the_shop_verified(merchant: Merchant, camera: Camera) -> None:
    merchant.open_application()
    merchant.wait_for(State.SHOP_VERIFIED)
    expect(merchant.page.locator("#shop-check .verdicts li.pass").first).to_be_visible()
    expect(merchant.page.locator("#shop-check .verdicts li.fail")).to_have_count(0)
    camera.take(merchant.page, "shop-verified")


def _hands_in_the_materials(merchant: Merchant, camera: Camera) -> None:
    merchant.open(f"/console/applications/{merchant.number}/edit/materials/")
    merchant.upload("licence", "营业执照.png", "image/png", licence_png(YUNQI))
    merchant.upload("entry_letter", "入驻函.pdf", "application/pdf", letter_pdf(YUNQI))
    camera.take(merchant.page, "materials")
    merchant.follow(f"/console/applications/{merchant.number}/edit/review/")

    merchant.press("Hand in")
    merchant.expect_error("accept_rules", "Accept the rules to hand in.")
    merchant.expect_error("truthful", "This has to be confirmed to hand in.")
    expect(merchant.page.locator(".agreement")).to_contain_text("保证金")
    merchant.field("accept_rules").check()
    merchant.field("truthful").check()
    camera.take(merchant.page, "hand-in")
    merchant.press("Hand in")
    merchant.wait_for(State.UNDER_REVIEW)
    camera.take(merchant.page, "under-review")


def _reviewer_asks_for_a_change(reviewer: Staff, camera: Camera) -> None:
    camera.take(reviewer.page, "desk")
    reviewer.open("/admin/applications/application/")
    camera.take(reviewer.page, "desk-queue")
    reviewer.find("applications/application", YUNQI.company)
    reviewer.begin("claim")
    reviewer.expect_steps("approve", "request_changes", "reject", "release")
    scan = reviewer.page.locator(".desk-document img")
    scan.scroll_into_view_if_needed()
    eventually(lambda: scan.evaluate("image => image.naturalWidth") > 0, "the scan of the licence")
    camera.take(reviewer.page, "desk-application")

    reviewer.begin("request_changes")
    reviewer.decide()
    expect(reviewer.page.locator(".desk-finding")).to_contain_text(zh("Name at least one change."))
    reviewer.page.locator("[name=changes-0-subject]").select_option("address")
    reviewer.page.locator("[name=changes-0-text]").fill("注册地址与执照不一致,请按执照填写")
    reviewer.page.locator("[name=message]").fill("其余资料齐全。")
    camera.take(reviewer.page, "desk-request-changes")
    reviewer.decide()
    expect(reviewer.page.locator(".desk-head")).to_contain_text(words.state(State.CHANGES_REQUESTED))


def _answers_the_change(merchant: Merchant, camera: Camera) -> None:
    merchant.open_console()
    expect(merchant.page.locator(".tasks")).to_contain_text(zh("Answer the reviewer's change request"))
    camera.take(merchant.page, "console-changes")
    merchant.follow(f"/console/applications/{merchant.number}/#changes")
    changes = merchant.page.locator("#changes")
    expect(changes).to_contain_text("注册地址与执照不一致")
    merchant.press("Hand in again")
    expect(merchant.page.locator("#changes .invalid-feedback")).to_have_text(zh("Say what you did."))
    camera.take(merchant.page, "changes")

    changes.locator(f'a[href="/console/applications/{merchant.number}/edit/company/"]').click()
    merchant.fill(address="浙江省杭州市西湖区文三路 90 号 71 幢 5 楼")
    merchant.save(later=True)
    merchant.page.locator("#changes textarea").fill("地址已按营业执照改正。")
    merchant.press("Hand in again")
    merchant.wait_for(State.UNDER_REVIEW)


def _reviewer_approves(reviewer: Staff, camera: Camera) -> None:
    reviewer.find("applications/application", YUNQI.company)
    expect(reviewer.page.locator(".desk-changes")).to_contain_text("地址已按营业执照改正。")
    reviewer.begin("approve")
    for box in reviewer.page.locator(".desk-boxes input[type=checkbox]").all():
        box.check()
    camera.take(reviewer.page, "desk-approve")
    reviewer.decide()
    expect(reviewer.page.locator(".desk-head")).to_contain_text(words.state(State.APPROVED))


def _pays_from_a_strangers_account(merchant: Merchant, camera: Camera) -> None:
    merchant.open_console()
    camera.take(merchant.page, "console-approved")
    merchant.follow(f"/console/deposit/{merchant.number}/")
    camera.take(merchant.page, "deposit-due")
    merchant.pay_from(STRANGERS_ALIPAY)
    expect(merchant.page.locator("#payment")).to_contain_text(zh("Your payment was not accepted:"))
    camera.take(merchant.page, "payment-refused")

    merchant.open_deposit()
    expect(merchant.page.locator("#on-its-way")).to_contain_text(zh("sent back"))
    expect(merchant.page.locator("#on-its-way")).to_contain_text(DEPOSIT)
    camera.take(merchant.page, "deposit-sent-back")
    sandbox = merchant.stack.sandbox
    (trade,) = sandbox.trades()
    (refund,) = sandbox.refunds(out_trade_no=trade["out_trade_no"])
    assert (refund["amount"], refund["executions"]) == ("100000.00", 1)
    merchant.open_application()
    merchant.wait_for(State.APPROVED)


def _pays_the_deposit(merchant: Merchant, camera: Camera) -> None:
    merchant.pay_from(YUNQI.alipay_account_id)
    expect(merchant.page.locator("#payment .alert-success")).to_contain_text(DEPOSIT)
    merchant.page.locator("#payment").get_by_role("link", name=zh("Receipt")).click()
    receipt = merchant.page.get_by_role("article")
    expect(receipt).to_contain_text(DEPOSIT)
    expect(receipt).to_contain_text(YUNQI.company)
    camera.take(merchant.page, "receipt")
    merchant.open_application()
    merchant.wait_for(State.ACTIVE)
    camera.take(merchant.page, "active")
    assert "balance" in merchant.stack.manage("ledger_check")


def _stands_in_the_pool(merchant: Merchant, ops: Staff, anybody: Page, camera: Camera) -> None:
    ops.log_in()
    ops.open("/ops/roster/")
    row = ops.page.get_by_role("row").filter(has_text=YUNQI.company)
    expect(row).to_contain_text(words.state(State.ACTIVE))
    camera.take(ops.page, "roster")
    row.get_by_role("link", name=YUNQI.company).click()
    expect(ops.page.get_by_role("heading", level=1)).to_contain_text(YUNQI.company)
    camera.take(ops.page, "roster-provider")

    anybody.goto(f"{merchant.stack.url}/providers/")
    camera.take(anybody, "directory")
    anybody.get_by_role("link", name=YUNQI.company).click()
    expect(anybody.get_by_role("main")).to_contain_text(merchant.number)
    camera.take(anybody, "directory-provider")


def _leaves_with_the_deposit(merchant: Merchant, camera: Camera) -> None:
    merchant.open_application()
    merchant.follow(f"/console/exit/{merchant.number}/")
    camera.take(merchant.page, "exit")
    merchant.fill(reason="业务调整")
    merchant.press("Request the exit")
    merchant.expect_error("understood", "Confirm that you have read what leaving means.")
    merchant.expect_typed(reason="业务调整")
    merchant.field("understood").check()
    merchant.press("Request the exit")
    progress = merchant.page.get_by_role("main")
    expect(progress).to_contain_text(words.state(State.EXITING))
    camera.take(merchant.page, "exiting")
    _is_not_in_the_directory(merchant)

    merchant.stack.set_clock(dt.timedelta(days=30, minutes=1))
    eventually(lambda: _state(merchant) == State.EXITED, "the exit, completed by beat")
    merchant.open_deposit()
    expect(merchant.page.locator("#on-its-way .badge").first).to_have_class(re.compile("text-bg-success"))
    camera.take(merchant.page, "deposit-returned")
    merchant.open_exit()
    expect(progress.locator("li.list-group-item").first).to_be_visible()
    expect(progress.locator("[aria-current=step]")).to_have_count(0)
    camera.take(merchant.page, "exited")

    sandbox = merchant.stack.sandbox
    ours = [trade for trade in sandbox.trades() if trade["buyer"] == YUNQI.alipay_account_id]
    assert len(ours) == 1
    (refund,) = sandbox.refunds(out_trade_no=ours[0]["out_trade_no"])
    assert (refund["amount"], refund["executions"]) == ("100000.00", 1)
    assert len(sandbox.refunds()) == 2, "one of the wrong payer, one of the deposit"
    assert sandbox.transfers() == []
    assert "balance" in merchant.stack.manage("ledger_check")


def _is_not_in_the_directory(merchant: Merchant) -> None:
    merchant.open("/providers/")
    expect(merchant.page.get_by_role("main")).not_to_contain_text(YUNQI.company)


def _state(merchant: Merchant) -> str:
    ((state,),) = merchant.stack.sql(
        "SELECT state FROM applications_application WHERE number = %s", merchant.number
    )
    return str(state)


def _was_told_of_every_step(merchant: Merchant, reviewer: Staff) -> None:
    assert merchant.timeline() == [words.step(name) for name in STEPS]
    merchant.open("/console/notices/")
    notices = merchant.page.locator(".notices")
    for name in TOLD_TO_MERCHANT:
        expect(notices).to_contain_text(words.news(name))
    for name in TOLD_TO_MERCHANT[1:]:  # before, there was no address that had been proved
        mailed(merchant.stack, YUNQI, words.news(name))
    for name in TOLD_TO_REVIEWER:
        reviewer.mailed(zh(REVIEWER[name]))
