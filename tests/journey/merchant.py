"""A merchant at the portal: what a person of the company does, page by page."""

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from applications.lifecycle import State
from tests.journey import words
from tests.journey.papers import Seller
from tests.journey.waiting import SECONDS, eventually
from tests.journey.words import zh
from tests.stack import Stack

expect.set_options(timeout=SECONDS * 1000)


class Merchant:
    """One person's browser; `number` is the application's, once there is one."""

    def __init__(self, stack: Stack, page: Page) -> None:
        self.stack = stack
        self.page = page
        self.number = ""

    # Taobao

    def to_taobao(self) -> None:
        """From the front page to Taobao's authorize page."""
        self.page.goto(self.stack.url)
        self.page.get_by_role("main").get_by_role("link", name=zh("Log in with Taobao")).click()
        self.page.get_by_role("main").get_by_role("button", name=zh("Log in with Taobao")).click()
        expect(self.page).to_have_url(re.compile(re.escape(f"{self.stack.sandbox_url}/authorize")))

    def grant(self, nick: str) -> None:
        """Look one's account up on the authorize page, and let the portal in."""
        self.page.get_by_label("查找账号").fill(nick)
        self.page.get_by_role("button", name="查找").click()
        self.page.get_by_role("radio", name=nick).first.check()
        self.page.get_by_role("button", name="授权", exact=True).click()

    def log_in(self, nick: str) -> None:
        self.to_taobao()
        self.grant(nick)
        expect(self.page).to_have_url(f"{self.stack.url}/console/")
        expect(self.page.get_by_role("banner")).to_contain_text(nick)

    def log_out(self) -> None:
        self.page.get_by_role("button", name=zh("Log out")).click()
        expect(self.page.get_by_role("banner").get_by_role("link", name=zh("Log in"))).to_be_visible()

    # Ways

    def open(self, path: str) -> None:
        self.page.goto(self.stack.url + path)

    def open_console(self) -> None:
        self.open("/console/")

    def open_application(self) -> None:
        self.open(f"/console/applications/{self.number}/")

    def open_deposit(self) -> None:
        self.open(f"/console/deposit/{self.number}/")

    def open_exit(self) -> None:
        self.open(f"/console/exit/{self.number}/")

    def follow(self, path: str) -> None:
        """A link of the page to this address of the portal."""
        self.page.get_by_role("main").locator(f'a[href^="{path}"]').first.click()

    def press(self, text: str, **values: object) -> None:
        self.page.get_by_role("main").get_by_role("button", name=zh(text, **values), exact=True).click()

    # Creating the application

    def create_application(self) -> None:
        """控制台 → 应用管理 → 创建应用 → 电商后台 → 我是天猫/集市商家 → 天猫售后服务商."""
        self.page.get_by_role("navigation").locator('a[href="/console/applications/"]').click()
        self.follow("/console/applications/new/")
        self.page.get_by_label("电商后台").check()
        self.page.get_by_label("我是天猫/集市商家").check()
        self.page.get_by_label("天猫售后服务商").check()
        self.press("Begin the application")
        self.page.wait_for_url("**/edit/company/")
        self.number = PurePosixPath(urlsplit(self.page.url).path).parts[3]

    def wait_for(self, state: State) -> None:
        """Until the application's page, left open, shows this state by itself."""
        expect(self.page.locator(".state-badge").first).to_have_text(words.state(state))

    # The wizard

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[name={name}]")

    def fill(self, **typed: str) -> None:
        for name, text in typed.items():
            self.field(name).fill(text)

    def save(self, *, later: bool = False) -> None:
        self.press("Save and go on later" if later else "Save and continue")

    def expect_step(self, step: str) -> None:
        expect(self.page).to_have_url(re.compile(f"/edit/{step}/"))

    def expect_error(self, name: str, text: str, **values: object) -> None:
        """The message stands beside the field."""
        beside = self.page.locator(f"#div_id_{name} .invalid-feedback")
        expect(beside).to_be_visible()
        expect(beside).to_have_text(zh(text, **values))

    def expect_typed(self, **typed: str) -> None:
        for name, text in typed.items():
            expect(self.field(name)).to_have_value(text)

    def upload(self, kind: str, name: str, content_type: str, content: bytes) -> None:
        self.page.locator("[name=kind]").select_option(kind)
        self.page.locator("[name=file]").set_input_files(
            {"name": name, "mimeType": content_type, "buffer": content}
        )
        self.press("Upload")
        expect(self.page.locator(".documents")).to_contain_text(name)

    def code_from_mail(self, address: str) -> str:
        """The six digits of the newest mail to this address, read on the sandbox's page of mails."""
        eventually(lambda: self.stack.sandbox.mails(to=address), f"a mail to {address}")
        inbox = self.page.context.new_page()
        inbox.goto(f"{self.stack.sandbox_url}/mail/?to={address}")
        inbox.locator(".rows a").first.click()
        found = re.search(r"\b\d{6}\b", inbox.locator("pre.mail").inner_text())
        inbox.close()
        assert found is not None
        return found[0]

    # Money

    def pay_from(self, account: str) -> None:
        """From the deposit's page to the cashier, pay there, and come back."""
        self.open_deposit()
        self.page.locator(f'form[action="/console/deposit/{self.number}/pay/"] button').click()
        expect(self.page).to_have_url(re.compile(re.escape(f"{self.stack.sandbox_url}/cashier/")))
        self.page.get_by_role("radio", name=account).check()
        self.page.get_by_role("button", name="确认付款").click()
        expect(self.page).to_have_url(re.compile(f"/console/deposit/{self.number}/returned/"))

    # What one is told

    def timeline(self) -> list[str]:
        """The steps on the application's page, oldest first."""
        self.open_application()
        return self.page.locator(".timeline li > strong").all_inner_texts()[::-1]

    def expect_notice(self, subject: str) -> None:
        self.open("/console/notices/")
        expect(self.page.locator(".notices")).to_contain_text(subject)


def mailed(stack: Stack, seller: Seller, subject: str) -> None:
    """Wait until the company's contact has got a mail with this subject."""
    eventually(lambda: stack.sandbox.mails(to=seller.email, subject=subject), f"the mail “{subject}”")
