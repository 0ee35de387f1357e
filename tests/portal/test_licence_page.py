"""The page on which a member hands its renewed licence in, and what the membership's page says of suspensions."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications import licence_renewals, services, suspensions, tasks
from applications.lifecycle import State
from applications.models import Application, LicenceRenewal
from tests.people import PDF
from tests.portal.conftest import Browser, stored
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

NEXT = "2045-01-01"


@pytest.fixture
def expired(approved: Application) -> Application:
    """A member, suspended for its expired licence."""
    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    yesterday = clock.today() - dt.timedelta(days=1)
    Application.objects.filter(pk=approved.pk).update(licence_valid_until=yesterday)
    tasks.sweep_expired_licences()
    return stored(approved)


@pytest.fixture
def address(expired: Application) -> str:
    return f"/console/applications/{expired.number}/licence/"


def typed(**other: object) -> dict[str, object]:
    file = SimpleUploadedFile("新执照.pdf", PDF, content_type="application/pdf")
    return {"file": file, "valid_until": NEXT, **other}


def test_from_the_to_do_list_to_an_active_membership(
    shop: Browser, expired: Application, address: str, reviewer: User
) -> None:
    assert address in shop.get("/console/").links
    page = shop.get(address)
    assert page.problems() == []
    assert "It expired on" in page.text

    shop.post(address, typed())

    assert address not in shop.get("/console/").links
    waiting = shop.get(address)
    assert waiting.problems() == []
    assert "Being looked at" in waiting.text
    licence_renewals.verify(LicenceRenewal.objects.get().pk, actor=reviewer)
    assert stored(expired).state == State.ACTIVE
    assert "It is valid until 2045-01-01" in shop.get(address).text


def test_the_membership_says_what_cures_each_suspension(
    shop: Browser, expired: Application, address: str, ops: User
) -> None:
    suspensions.suspend(expired.pk, cause="ops", reason="正在核查", actor=ops)
    suspensions.suspend(expired.pk, cause="shortfall", reason="保证金不足")

    page = shop.get(f"/console/applications/{expired.number}/")

    assert page.problems() == []
    for words in (
        "Hand in the renewed licence",
        "once the deposit is full again",
        "Operations lift it",
        "No exit follows from this by itself",
    ):
        assert words in page.text
    due = expired.suspensions.get(cause="licence_expired").exit_due_at
    assert due is not None
    assert f"{due.astimezone(clock.SHANGHAI):%Y-%m-%d}" in page.text
    shop.post(address, typed())
    assert "You handed in a renewed licence" in shop.get(f"/console/applications/{expired.number}/").text


@pytest.mark.parametrize(
    ("other", "field", "words"),
    [
        ({"valid_until": ""}, "id_valid_until", "Give the last day"),
        ({"valid_until": "2020-01-01"}, "id_valid_until", "expired already"),
        ({"valid_until": "soon"}, "id_valid_until", "valid date"),
        ({"file": ""}, "id_file", "required"),
        ({"file": SimpleUploadedFile("a.pdf", b"MZ no PDF")}, "id_file", "JPEG, PNG or WebP"),
    ],
)
def test_a_bad_input_is_said_beside_its_field(
    shop: Browser, address: str, other: dict[str, object], field: str, words: str
) -> None:
    page = shop.post(address, typed(**other))

    assert page.status == 422
    assert words in page.error_of(field)
    assert page.problems() == []
    if "valid_until" not in other:
        assert page.form_values()["valid_until"] == NEXT
    assert not LicenceRenewal.objects.exists()


def test_it_is_taken_back_and_handed_in_again(shop: Browser, address: str) -> None:
    shop.post(address, typed())
    again = shop.post(address, typed())
    assert (again.status, LicenceRenewal.objects.count()) == (422, 1)

    renewal = LicenceRenewal.objects.get()
    shop.post(f"{address}{renewal.pk}/withdraw/")
    shop.post(address, typed())

    states = LicenceRenewal.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["withdrawn", "waiting"]


def test_without_expiry(shop: Browser, address: str) -> None:
    shop.post(address, typed(permanent="on", valid_until=""))

    assert LicenceRenewal.objects.get().valid_until is None


def test_a_refusal_is_read_there(shop: Browser, address: str, reviewer: User) -> None:
    shop.post(address, typed())
    licence_renewals.refuse(LicenceRenewal.objects.get().pk, actor=reviewer, reason="看不清有效期")

    page = shop.get(address)

    assert "看不清有效期" in page.text
    assert "id_file" in page.html


def test_the_file_is_the_companys_own(shop: Browser, other_shop: Browser, address: str) -> None:
    shop.post(address, typed())
    path = f"{address}{LicenceRenewal.objects.get().pk}/"

    own = shop.client.get(path)
    assert own.getvalue() == PDF
    assert own["Content-Disposition"].startswith("attachment")
    for stranger in (path, address):
        assert other_shop.get(stranger).status == 404
    assert other_shop.post(address, typed()).status == 404


def test_a_sub_account_hands_it_in(sub_shop: Browser, address: str) -> None:
    sub_shop.post(address, typed())

    assert LicenceRenewal.objects.get().state == "waiting"


def test_before_the_approval_there_is_nothing_to_hand_in(shop: Browser, under_review: Application) -> None:
    address = f"/console/applications/{under_review.number}/licence/"

    assert "id_file" not in shop.get(address).html
    shop.post(address, typed())
    assert not LicenceRenewal.objects.exists()


def test_what_the_page_costs(shop: Browser, address: str, cost: Callable[[Browser, str], int]) -> None:
    before = cost(shop, address)
    for _again in range(3):
        shop.post(address, typed())
        shop.post(f"{address}{LicenceRenewal.objects.latest('pk').pk}/withdraw/")

    assert (before, cost(shop, address)) == (6, 6)


@pytest.fixture
def cost(db: None) -> Callable[[Browser, str], int]:
    def measure(browser: Browser, path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status == 200
        return len(queries)

    return measure
