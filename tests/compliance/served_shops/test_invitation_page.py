"""The page behind an invitation's link: what it tells whom, and that only a shop's main account answers."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import ServedShop, ShopState
from compliance.served_shops import invitations
from tests.compliance.served_shops.making import SHOP, again, at, browser
from tests.people import COMPANY_DATA, make_merchant
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User

MoveClock = Callable[..., None]


def read(person: User | None, shop: ServedShop) -> Markup:
    page = Markup(browser(person).get(at("invitation", shop.token)))
    assert page.status == 200
    assert page.problems() == []
    return page


def test_anybody_with_the_link_reads_who_invites_and_what_it_means(invited: ServedShop) -> None:
    page = read(None, invited)

    for words in (COMPANY_DATA["company_name"], SHOP, "compensation comes out of its deposit", "GMV"):
        assert words in page.text
    for secret in ("contact_name", "contact_phone", "contact_email", "credit_code", "alipay_account_id"):
        assert COMPANY_DATA[secret] not in page.html
    assert page.response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert 'name="robots" content="noindex"' in page.html


def test_who_is_not_logged_in_is_led_through_taobao_and_back(invited: ServedShop) -> None:
    values = read(None, invited).form_values()
    assert values["next"] == at("invitation", invited.token)
    assert "answer" not in values

    answer = browser(None).post(at("answer", invited.token), {"answer": "accept", "is_mine": "on"})
    assert answer.status_code == 302 and answer["Location"].startswith("/login/?next=")
    assert again(invited).state == ShopState.INVITED


def test_the_way_back_from_a_login_asks_again(invited: ServedShop, owner: User) -> None:
    answer = browser(owner).get(at("answer", invited.token))

    assert (answer.status_code, answer["Location"]) == (302, at("invitation", invited.token))
    assert again(invited).state == ShopState.INVITED


def test_the_owner_accepts_on_the_page(invited: ServedShop, owner: User) -> None:
    page = read(owner, invited)
    assert "花店主" in page.text
    answer = browser(owner).post(at("answer", invited.token), {"answer": "accept", "is_mine": "on"})

    assert (answer.status_code, answer["Location"]) == (302, at("provider", invited.pk))
    assert again(invited).owner == owner
    assert at("provider", invited.pk) in read(owner, invited).links


def test_accepting_without_the_confirmation_is_asked_again(invited: ServedShop, owner: User) -> None:
    page = Markup(browser(owner).post(at("answer", invited.token), {"answer": "accept"}))

    assert page.status == 422
    assert "Confirm that the shop is yours" in page.error_of("id_is_mine")
    assert again(invited).state == ShopState.INVITED


def test_the_owner_declines_without_confirming_anything(invited: ServedShop, owner: User) -> None:
    answer = browser(owner).post(at("answer", invited.token), {"answer": "decline"})

    assert answer.status_code == 302
    assert again(invited).state == ShopState.DECLINED
    assert "has been declined" in read(owner, invited).text


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("merchant", "You belong to the company that invites"),
        ("sub", "with a sub-account"),
        ("ops", "Staff can't answer"),
    ],
)
def test_who_cannot_answer_reads_why_and_has_no_button(
    invited: ServedShop, owner: User, merchant: User, ops: User, who: str, words: str
) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")
    person = {"merchant": merchant, "sub": sub, "ops": ops}[who]

    page = read(person, invited)
    assert words in page.text
    assert at("answer", invited.token) not in page.html
    answer = browser(person).post(at("answer", invited.token), {"answer": "accept", "is_mine": "on"})
    assert answer.status_code == (403 if who == "ops" else 409)
    assert again(invited).state == ShopState.INVITED


def test_a_late_answer_reads_that_it_is_late(invited: ServedShop, owner: User, move_clock: MoveClock) -> None:
    move_clock(days=15)

    assert "was valid until" in read(owner, invited).text
    page = Markup(browser(owner).post(at("answer", invited.token), {"answer": "accept", "is_mine": "on"}))
    assert page.status == 409
    assert "was valid until" in page.text


def test_whoever_comes_second_reads_that_it_is_answered(
    invited: ServedShop, owner: User, stranger: User
) -> None:
    invitations.accept(invited.pk, actor=owner)

    page = read(stranger, invited)
    assert "answered already" in page.text
    assert "花店主" not in page.html, "the link does not tell others who the owner is"


def test_a_withdrawn_invitation_says_so(invited: ServedShop, merchant: User) -> None:
    invitations.withdraw(invited.pk, actor=merchant)

    assert "has withdrawn this invitation" in read(None, invited).text


def test_an_expelled_company_cannot_be_authorised(
    invited: ServedShop, active: Application, verified_violation: object
) -> None:
    assert "does not take part in the programme" in read(None, invited).text


@pytest.mark.parametrize("token", ["x", "a" * 32, "../..%2F"])
def test_a_link_that_was_never_given_leads_nowhere(invited: ServedShop, owner: User, token: str) -> None:
    assert browser(None).get(f"/invitations/{token}/").status_code == 404
    assert browser(owner).post(f"/invitations/{token}/answer/").status_code == 404


def test_what_the_page_costs(invited: ServedShop, owner: User) -> None:
    costs = []
    for person in (None, owner):
        client = browser(person)
        client.get(at("invitation", invited.token))
        with CaptureQueriesContext(connection) as queries:
            client.get(at("invitation", invited.token))
        costs.append(len(queries))

    assert costs == [1, 7]
