"""What a merchant does at the portal, form by form."""

import re

from tests.faults.browser import Browser
from tests.journey.waiting import eventually
from tmall_sp.demo.stories import licence_picture


def begin(browser: Browser) -> str:
    """创建应用; the application's number."""
    company_step = browser.send("/console/applications/new/", categories="after_sales")
    return company_step.split("/")[3]


def fill_in(browser: Browser, number: str) -> None:
    """Every step of the form; the code that proves the address is asked for, but not entered yet."""
    data = browser.company.data
    for step, names, action in (
        ("company", ("company_name", "credit_code", "legal_representative", "region", "address"), "continue"),
        ("contact", ("contact_name", "contact_phone", "contact_email"), "send_code"),
        ("account", ("onboarding_link", "alipay_account_id"), "continue"),
    ):
        typed = {name: data[name] for name in names}
        if step == "company":
            typed["licence_valid_until"] = data["licence_valid_until"].isoformat()
        browser.send(edit_page(number, step), **typed, action=action)
    licence = ("licence.png", licence_picture(browser.company), "image/png")
    browser.send(edit_page(number, "materials"), kind="licence", files={"file": licence})


def prove_address(browser: Browser, number: str) -> None:
    """Enter the code from the newest mail."""
    mails = eventually(lambda: browser.mails(), "the mail with the code")
    found = re.search(r"(?<!\d)\d{6}(?!\d)", mails[-1]["text"])
    assert found is not None, mails[-1]
    browser.send(edit_page(number, "contact"), code=found[0], action="verify_code")


def hand_in(browser: Browser, number: str) -> None:
    browser.send(edit_page(number, "review"), accept_rules="on", truthful="on")


def to_cashier(browser: Browser, number: str) -> str:
    """Press the button that pays; the address of Alipay's cashier."""
    return browser.send(f"/console/deposit/{number}/", form=f"/console/deposit/{number}/pay/")


def edit_page(number: str, step: str) -> str:
    return f"/console/applications/{number}/edit/{step}/"
