"""Taobao's authorisation runs out: the check waits, the merchant logs in again, and it goes on by itself."""

from urllib.parse import parse_qs, urlsplit

from applications import drafts, shop_checks
from applications.lifecycle import State
from applications.models import CheckState, ShopCheck
from tests.portal.conftest import Browser, stored
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User

SELLER = 2200606100001


def log_in(browser: Browser, sandbox: SandboxClient, onward: str) -> str:
    """Through Taobao and back; where the browser is sent in the end."""
    there = browser.post("/accounts/taobao/login/", {"process": "login", "next": onward}).location
    query = parse_qs(urlsplit(there).query)
    code = sandbox.authorize(SELLER, query["redirect_uri"][0])
    callback = urlsplit(query["redirect_uri"][0]).path
    return browser.get(f"{callback}?code={code}&state={query['state'][0]}").location


def test_who_is_logged_in_logs_in_again_and_the_check_goes_on(
    anybody: Browser, sandbox: SandboxClient
) -> None:
    assert log_in(anybody, sandbox, "/console/") == "/console/"
    person = User.objects.get(taobao_user_id=str(SELLER))
    application = drafts.create_application(person, categories=["after_sales"])
    check = ShopCheck.objects.get(application=application)
    sandbox.expire_session(SELLER)
    shop_checks.run(check.pk)
    page = f"/console/applications/{application.number}/"
    assert "Please log in with Taobao again" in anybody.get(page).text

    assert log_in(anybody, sandbox, page) == page

    assert User.objects.filter(taobao_user_id=str(SELLER)).count() == 1
    check.refresh_from_db()
    assert check.state == CheckState.QUEUED
    assert "is being checked at Taobao" in anybody.get(page).text
    shop_checks.run(check.pk)
    assert stored(application).state == State.SHOP_VERIFIED
    assert "Log in with Taobao again" not in anybody.get(page).text
