"""Staff at the decision desk: password and second factor, then the pages of the admin."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journey.waiting import eventually
from tests.journey.words import zh
from tests.stack import Stack
from tmall_sp.accounts.demo_staff import PASSWORD


class Staff:
    """One member of staff's browser."""

    def __init__(self, stack: Stack, page: Page, login: str) -> None:
        self.stack = stack
        self.page = page
        self.login = login

    def log_in(self) -> None:
        """Password, then the code that the sandbox's authenticator shows."""
        self.page.goto(f"{self.stack.url}/admin/")
        self.page.locator("[name=login]").fill(self.login)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.get_by_role("main").get_by_role("button", name=zh("Log in")).click()
        expect(self.page).to_have_url(re.compile("/accounts/2fa/authenticate/"))
        self.page.locator("[name=code]").fill(self.stack.sandbox.totp(self.login))
        self.page.get_by_role("main").get_by_role("button", name=zh("Log in")).click()
        expect(self.page).to_have_url(f"{self.stack.url}/admin/")

    def open(self, path: str) -> None:
        self.page.goto(self.stack.url + path)

    def find(self, model: str, text: str) -> None:
        """The page of the row with this text in a list of the desk."""
        self.open(f"/admin/{model}/")
        self.page.locator("#result_list").get_by_role("link", name=text).first.click()
        expect(self.page.locator(".desk-head")).to_be_visible()

    def begin(self, step: str) -> None:
        """The button or link of a step, on the page of what it is about."""
        self._way_to(step).click()

    def expect_steps(self, *steps: str) -> None:
        """These are offered, and nothing else."""
        offered = self.page.locator(".desk-steps").first.locator("a, button")
        expect(offered).to_have_count(len(steps))
        for step in steps:
            expect(self._way_to(step)).to_be_visible()

    def _way_to(self, step: str) -> Locator:
        steps = self.page.locator(".desk-steps").first
        return steps.locator(f'a[href$="/{step}/"], form[action$="/{step}/"] button')

    def decide(self) -> None:
        """The button on the page of a step."""
        self.page.locator("form.desk-card .desk-steps button").click()

    def mailed(self, subject: str) -> None:
        address = f"{self.login}@staff.tmall-sp.example"
        eventually(
            lambda: self.stack.sandbox.mails(to=address, subject=subject), f"{self.login}'s mail “{subject}”"
        )
