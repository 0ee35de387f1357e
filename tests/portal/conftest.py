"""Browsers of the portal's people, in English so that messages can be named by their msgid."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from applications import shop_checks, shop_rules
from applications.models import Application, CheckState, ShopCheck
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def stored(application: Application) -> Application:
    """The application as the database has it now."""
    return Application.objects.get(pk=application.pk)


class Browser:
    """A person's browser: `get` and `post` give the page as `Markup`, with the response beside it."""

    def __init__(self, person: User | None) -> None:
        self.client = Client(headers={"accept-language": "en"})
        if person is not None:
            self.client.force_login(person)

    def get(self, path: str, **headers: str) -> Markup:
        return Markup(self.client.get(path, headers=headers))

    def post(self, path: str, data: dict[str, Any] | None = None, *, follow: bool = False) -> Markup:
        return Markup(self.client.post(path, data or {}, follow=follow))


@pytest.fixture
def anybody(db: None) -> Browser:
    """Nobody is logged in."""
    return Browser(None)


@pytest.fixture
def shop(merchant: User) -> Browser:
    return Browser(merchant)


@pytest.fixture
def sub_shop(sub_account: User) -> Browser:
    return Browser(sub_account)


@pytest.fixture
def other_shop(stranger: User) -> Browser:
    return Browser(stranger)


@pytest.fixture
def page_of(draft: Application) -> Callable[..., str]:
    """`page_of("edit/company/")`: the address of a page of 小店甲's application."""
    return lambda rest="": f"/console/applications/{draft.number}/{rest}"


@pytest.fixture
def unqualified(draft: Application) -> Application:
    """Bound on 2026-10-01 and not authenticated by real name: half a year is reached on 2027-04-01."""
    check = ShopCheck.objects.get(application=draft)
    ShopCheck.objects.filter(pk=check.pk).update(
        state=CheckState.RUNNING, claimed_at=clock.now(), attempts=check.attempts + 1
    )
    check.refresh_from_db()
    reading = shop_rules.Reading(
        status="normal",
        promoted_type="not authentication",
        has_shop=True,
        bound_on=clock.today() - dt.timedelta(days=20),
    )
    shop_checks._record(check, reading)
    return stored(draft)


@pytest.fixture
def check_state(draft: Application) -> Callable[..., None]:
    """`check_state("waiting", attempts=3)`: the open shop check of the draft as a worker left it."""

    def put(state: str, **fields: Any) -> None:
        ShopCheck.objects.filter(application=draft).exclude(state=CheckState.DONE).update(
            state=state, **fields
        )

    return put
