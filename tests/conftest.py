"""What every test can ask for: the application's database, a sandbox, the whole stack, a browser."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker, Settings

from tests import browser as chromium
from tests import database, services
from tests.sandbox_client import SandboxClient, SandboxProcess
from tests.stack import Stack
from tmall_sp.embedded import environment, locks

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytest_plugins = ["tests.people"]

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Database ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> Iterator[Callable[[], None]]:
    """One worker at a time makes its database: they share the server's roles."""
    turn = locks.FileLock(services.base_dir() / "making-a-database")
    turn.take()
    yield turn.release
    turn.close()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_modify_db_settings: Callable[[], None],
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """From here on, tests have the rights of `tmall_sp_app`; `owner_role` lifts that for a block."""
    django_db_modify_db_settings()
    with django_db_blocker.unblock(), database.application_role():
        database.remember_reference_rows()
        yield


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """The application may not truncate; emptying tables between tests is the owner's."""
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def as_owner(self: TransactionTestCase) -> None:
        with database.owner_role():
            flush(self)
            database.restore_reference_rows()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", as_owner)
        yield


# Sandbox -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _shared_sandbox() -> Iterator[SandboxProcess]:
    process = SandboxProcess(os.environ)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def sandbox(_shared_sandbox: SandboxProcess) -> SandboxClient:
    """The sandbox that the settings name, freshly reset; one process for each xdist worker."""
    _shared_sandbox.client.reset()
    return _shared_sandbox.client


@pytest.fixture
def fresh_sandbox(tmp_path: Path, settings: Settings) -> Iterator[SandboxProcess]:
    """A sandbox of the test's own, with new keys, and settings that point to it; to be stopped or killed."""
    port, sandbox_port, smtp_port = services.free_ports(3)
    environ = environment.compose(
        run_dir=tmp_path / "sandbox-run",
        port=port,
        sandbox_port=sandbox_port,
        smtp_port=smtp_port,
        env="test",
    )
    # One clock for portal and sandbox; notifications come to this test's portal.
    environ |= {name: os.environ[name] for name in ("CLOCK_FILE", "SITE_URL")}
    process = SandboxProcess(environ)
    process.start()
    for name in ("SANDBOX_URL", "TAOBAO_GATEWAY_URL", "TAOBAO_OAUTH_URL", "ALIPAY_GATEWAY_URL"):
        setattr(settings, name, environ[name])
    settings.ALIPAY_KEY_DIR = Path(environ["ALIPAY_KEY_DIR"])
    settings.EMAIL_PORT = smtp_port
    yield process
    process.stop()


# The whole stack -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Web, worker, beat and sandbox as deployed, with staff but no provider; shared by a worker's tests."""
    with Stack(services.base_dir() / f"stack-{services.worker_name()}") as running:
        yield running


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[Stack]:
    """A stack for one test alone: for kills, freezes and a moved clock."""
    with Stack(tmp_path / "stack") as running:
        yield running


# Browser -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """A running Chromium."""
    reason = chromium.missing()
    if reason is not None:
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django would take for async code of ours.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        started = playwright.chromium.launch(executable_path=chromium.executable(), args=chromium.FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: "Browser") -> Iterator[Callable[..., "Page"]]:
    """`new_page(width=1280)`: a page of a new person, without cookies, in Chinese; 390 is a phone."""
    contexts = []

    def open_page(width: int = 1280) -> "Page":
        phone = width < 600
        context = browser.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": 844 if phone else 900},
            is_mobile=phone,
            has_touch=phone,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., "Page"]) -> "Page":
    """A desktop page, 1280 pixels wide."""
    return new_page(1280)


@pytest.fixture
def phone(new_page: Callable[..., "Page"]) -> "Page":
    """A phone's page, 390 pixels wide."""
    return new_page(390)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests before their stack is started, where there is no browser; never in CI."""
    reason = chromium.missing()
    if reason is None or IN_CI:
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"browser tests: {reason}"))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what did not run, and why."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "browser tests: " in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.section("Browser tests did NOT run", yellow=True)
        terminalreporter.line(f"{len(skipped)} browser tests were left out: {chromium.missing()}")
