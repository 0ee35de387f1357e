"""The merchant's pages on a phone: nothing has to be scrolled sideways."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.journey.camera import Camera, assert_fits
from tests.journey.merchant import Merchant
from tests.journey.providers import admit
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_providers_pages_fit_a_phone(stack: Stack, open_page: Callable[..., Page], camera: Camera) -> None:
    provider = admit(stack, 40)
    merchant = Merchant(stack, open_page(390))

    merchant.to_taobao()
    assert_fits(merchant.page)
    merchant.grant(provider.nick)
    merchant.page.wait_for_url(f"{stack.url}/console/")
    merchant.number = provider.number
    camera.take(merchant.page, "console")
    merchant.page.get_by_role("main").get_by_role("link", name=provider.company).click()
    camera.take(merchant.page, "application")
    for name, path in {
        "deposit": f"/console/deposit/{provider.number}/",
        "exit": f"/console/exit/{provider.number}/",
        "notices": "/console/notices/",
        "applications": "/console/applications/",
        "directory": "/providers/",
        "provider": f"/providers/{provider.number}/",
        "rules": "/rules/",
        "home": "/",
    }.items():
        merchant.open(path)
        camera.take(merchant.page, name)
