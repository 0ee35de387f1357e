"""The owner's pages: who serves the shop, and the buttons to end, to complain, to review."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import ServedShop, ShopState
from tests.compliance.served_shops.making import SHOP, again, at, browser, serve
from tests.people import (
    make_merchant,
)
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def read(person: User, address: str) -> Markup:
    page = Markup(browser(person).get(address))
    assert page.status == 200, page.html
    assert page.problems() == []
    return page


def test_the_owner_sees_who_serves_and_what_can_be_done(
    serving: ServedShop, active: Application, owner: User
) -> None:
    listed = read(owner, at("providers"))
    assert at("provider", serving.pk) in listed.links
    assert active.company_name in listed.text and SHOP in listed.text

    page = read(owner, at("provider", serving.pk))
    assert f"/complaints/new/?provider={active.number}" in page.links
    assert {"ends_on", "attitude", "text"} <= set(page.form_values())


def test_the_entry_stands_in_the_navigation(owner: User) -> None:
    assert at("providers") in read(owner, "/console/").links


def test_who_has_no_provider_reads_how_to_get_one(stranger: User) -> None:
    assert "No company serves your shop yet" in read(stranger, at("providers")).text


def test_the_owner_ends_the_relation(serving: ServedShop, owner: User) -> None:
    page = Markup(browser(owner).post(at("end_by_owner", serving.pk), {"ends_on": "2020-01-01"}))
    assert page.status == 422
    assert "began on" in page.error_of("id_ends_on")
    assert page.problems() == []

    browser(owner).post(at("end_by_owner", serving.pk), {"ends_on": clock.today().isoformat()})
    assert again(serving).state == ShopState.ENDED
    page = read(owner, at("provider", serving.pk))
    assert "ends_on" not in page.form_values()
    assert "Possible until" in page.text, "it can still be reviewed"
    page = Markup(browser(owner).post(at("end_by_owner", serving.pk), {"ends_on": clock.today().isoformat()}))
    assert page.status == 422
    assert "can't be done any more" in page.text


def test_a_sub_account_reads_and_changes_nothing(serving: ServedShop, owner: User) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")

    page = read(sub, at("provider", serving.pk))
    assert "Only the shop's main Taobao account" in page.text
    assert not {"ends_on", "attitude"} & set(page.form_values())
    answer = browser(sub).post(at("end_by_owner", serving.pk), {"ends_on": clock.today().isoformat()})
    assert answer.status_code == 403
    assert again(serving).state == ShopState.SERVING


@pytest.mark.parametrize("name", ["provider", "end_by_owner"])
def test_a_relation_of_another_does_not_exist(
    serving: ServedShop, merchant: User, stranger: User, name: str
) -> None:
    for person in (merchant, stranger):
        client = browser(person)
        send = client.get if name == "provider" else client.post
        assert send(at(name, serving.pk)).status_code == 404


def test_an_invitation_is_no_relation(invited: ServedShop, owner: User) -> None:
    assert browser(owner).get(at("provider", invited.pk)).status_code == 404


def test_an_expelled_company_can_neither_be_reviewed_nor_complained_about_here(
    serving: ServedShop, active: Application, owner: User, verified_violation: object
) -> None:
    page = read(owner, at("provider", serving.pk))
    assert "not in the programme any more" in page.text
    assert "attitude" not in page.form_values()
    assert not any(link.startswith("/complaints/new/?") for link in page.links)
    assert not any(link.startswith("/providers/SP") for link in page.links)


def test_more_providers_cost_no_more(serving: ServedShop, owner: User, other_member: Application) -> None:
    def cost(address: str) -> int:
        client = browser(owner)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    pages = [at("providers"), at("provider", serving.pk)]
    before = [cost(page) for page in pages]
    serve(other_member, owner, "同一家店")

    assert [cost(page) for page in pages] == before == [5, 8]
