"""The provider's pages: shops, invitations, GMV, figures of the company; whose they are, and at what cost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.models import Declaration, DeclarationState, ServedShop, ShopState
from compliance.quarters import Quarter
from compliance.served_shops import declarations, invitations
from tests.compliance.served_shops.making import (
    SHOP,
    again,
    at,
    browser,
    join,
    paper,
    picture,
    serve,
    serve_since,
)
from tests.people import make_merchant
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

MoveClock = Callable[..., None]
FIVE = Decimal(5)


def read(person: User, address: str) -> Markup:
    page = Markup(browser(person).get(address))
    assert page.status == 200, page.html
    assert page.problems() == []
    return page


def send(person: User, address: str, **data: Any) -> Markup:
    return Markup(browser(person).post(address, data))


# Invitations ----------------------------------------------------------------------------------------


def test_an_invitation_is_made_and_shows_its_link(active: Application, merchant: User) -> None:
    answer = send(merchant, at("list", active.number), shop_name=SHOP)

    shop = ServedShop.objects.get()
    assert (answer.status, answer.location) == (302, at("shop", active.number, shop.pk))
    link = read(merchant, answer.location).form_values()
    assert any(value.endswith(at("invitation", shop.token)) for value in link.values())


def test_a_name_that_is_refused_is_shown_again(
    invited: ServedShop, active: Application, merchant: User
) -> None:
    page = send(merchant, at("list", active.number), shop_name=SHOP)

    assert page.status == 422
    assert "already open" in page.error_of("id_shop_name")
    assert page.form_values()["shop_name"] == SHOP
    assert page.problems() == []
    assert ServedShop.objects.count() == 1


def test_an_invitation_is_renewed_and_withdrawn(
    invited: ServedShop, active: Application, merchant: User, move_clock: MoveClock
) -> None:
    move_clock(days=5)
    send(merchant, at("renew", active.number, invited.pk))
    assert (again(invited).expires_at - clock.now()).days == 13
    send(merchant, at("withdraw", active.number, invited.pk))
    assert again(invited).state == ShopState.REVOKED
    page = Markup(browser(merchant).post(at("renew", active.number, invited.pk), follow=True))
    assert "can't be done any more" in page.text


def test_one_that_came_to_nothing_is_made_anew_by_a_button(
    invited: ServedShop, active: Application, merchant: User, owner: User
) -> None:
    invitations.decline(invited.pk, actor=owner)
    page = read(merchant, at("shop", active.number, invited.pk))
    assert page.form_values()["shop_name"] == SHOP
    assert SHOP in read(merchant, at("list", active.number)).text

    send(merchant, at("list", active.number), shop_name=SHOP)
    assert ServedShop.objects.filter(state=ShopState.INVITED).count() == 1


# Relations ------------------------------------------------------------------------------------------


def test_the_provider_ends_a_relation(serving: ServedShop, active: Application, merchant: User) -> None:
    page = send(merchant, at("end", active.number, serving.pk), ends_on="2020-01-01")
    assert page.status == 422
    assert "began on" in page.error_of("id_ends_on")
    assert page.form_values()["ends_on"] == "2020-01-01"
    assert page.problems() == []

    send(merchant, at("end", active.number, serving.pk), ends_on=clock.today().isoformat())
    assert again(serving).state == ShopState.ENDED
    page = send(merchant, at("end", active.number, serving.pk), ends_on=clock.today().isoformat())
    assert page.status == 422
    assert "can't be done any more" in page.text


def test_a_reader_of_the_company_reads_and_changes_nothing(
    serving: ServedShop, active: Application, stranger: User
) -> None:
    join(stranger, active)

    assert "shop_name" not in read(stranger, at("list", active.number)).form_values()
    assert "ends_on" not in read(stranger, at("shop", active.number, serving.pk)).form_values()
    assert "figure" not in read(stranger, at("figures", active.number)).form_values()
    assert send(stranger, at("list", active.number), shop_name="乙店").status == 403
    today = clock.today().isoformat()
    assert send(stranger, at("end", active.number, serving.pk), ends_on=today).status == 403
    assert again(serving).state == ShopState.SERVING


# GMV ------------------------------------------------------------------------------------------------


def test_gmv_is_declared_on_the_shops_page(serving: ServedShop, active: Application, merchant: User) -> None:
    address = at("shop", active.number, serving.pk)
    send(merchant, address, quarter=str(Quarter.current()), value="1200000.5", file=paper())

    row = Declaration.objects.get()
    page = read(merchant, address)
    assert "¥1,200,000.50" in page.text
    assert at("evidence", active.number, row.pk) in page.links
    assert "Every quarter of the relation is declared." in page.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("value", "-1", "greater than or equal to 0"), ("value", "viel", "number"), ("file", "", "required")],
)
def test_gmv_that_is_refused_keeps_what_was_typed(
    serving: ServedShop, active: Application, merchant: User, field: str, value: str, words: str
) -> None:
    filled = {"quarter": str(Quarter.current()), "value": "12.5", "file": paper()} | {field: value}
    page = send(merchant, at("shop", active.number, serving.pk), **filled)

    assert page.status == 422
    assert words in page.error_of(f"id_{field}")
    assert page.form_values()["value"] == filled["value"]
    assert page.problems() == []
    assert not Declaration.objects.exists()


def test_gmv_that_is_sent_twice_says_so(active: Application, owner: User, merchant: User) -> None:
    """Beside the quarter while there is another to declare, above the page when there is none."""
    current, last = str(Quarter.current()), str(Quarter.current().previous)
    shop = serve_since(active, owner, Quarter.named(last).last_day)
    address = at("shop", active.number, shop.pk)

    def declare(quarter: str) -> Markup:
        return send(merchant, address, quarter=quarter, value="5", file=paper())

    assert [declare(last).status, declare(last).status] == [302, 422]
    assert "already declared" in declare(last).error_of("id_quarter")
    assert [declare(current).status, declare(current).status] == [302, 422]
    page = declare(current)
    assert "already declared" in page.text
    assert "quarter" not in page.form_values()
    assert page.problems() == []


def test_the_reason_of_a_refusal_stands_beside_the_figure(
    declared: Declaration, active: Application, merchant: User, ops: User
) -> None:
    declarations.refuse(declared.pk, actor=ops, reason="截图看不出统计周期")

    page = read(merchant, at("shop", active.number, declared.served_shop_id))
    assert "截图看不出统计周期" in page.text
    assert "quarter" in page.form_values(), "it can be declared anew"


# Figures of the company -----------------------------------------------------------------------------


def test_a_figure_is_declared_on_its_page(active: Application, merchant: User) -> None:
    address = at("figures", active.number)
    assert "Not declared yet." in read(merchant, address).text
    send(merchant, address, figure="seats", value="80", file=picture())

    page = read(merchant, address)
    assert "80 seats" in page.text
    again_page = send(merchant, address, figure="seats", value="81", file=picture())
    assert again_page.status == 422
    assert "already waits" in again_page.error_of("id_figure")
    assert again_page.form_values()["value"] == "81"
    assert again_page.problems() == []


def test_the_evidence_is_shown_to_the_company_alone(
    declared: Declaration, active: Application, merchant: User, owner: User, stranger: User
) -> None:
    address = at("evidence", active.number, declared.pk)

    answer = browser(merchant).get(address)
    assert answer.status_code == 200
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    for person in (owner, stranger):
        assert browser(person).get(address).status_code == 404


# Whose ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shop", "renew", "withdraw", "end"])
def test_a_shop_of_another_provider_does_not_exist(
    serving: ServedShop, active: Application, stranger: User, owner: User, name: str
) -> None:
    for person in (stranger, owner):
        assert send(person, at(name, active.number, serving.pk)).status == 404


def test_another_providers_rows_are_not_reached_through_the_own_number(
    declared: Declaration, other_member: Application, stranger: User
) -> None:
    """A pk of another company beside one's own number."""
    number, shop = other_member.number, declared.served_shop_id

    assert browser(stranger).get(at("list", number)).status_code == 200
    assert browser(stranger).get(at("shop", number, shop)).status_code == 404
    assert browser(stranger).get(at("evidence", number, declared.pk)).status_code == 404
    for name in ("renew", "withdraw", "end"):
        assert send(stranger, at(name, number, shop)).status == 404


@pytest.mark.parametrize("name", ["list", "figures"])
def test_an_applicant_has_no_such_pages(approved: Application, merchant: User, name: str) -> None:
    assert browser(merchant).get(at(name, approved.number)).status_code == 404


def test_a_member_finds_the_pages_from_the_applications_own(active: Application, merchant: User) -> None:
    page = Markup(browser(merchant).get(f"/console/applications/{active.number}/"))

    for name in ("list", "figures"):
        assert at(name, active.number) in page.links
    assert f"/console/reviews/{active.number}/" in page.links


# To do ----------------------------------------------------------------------------------------------


def todo(merchant: User) -> list[str]:
    return [task.code for task in browser(merchant).get("/console/").context["tasks"]]


def test_the_to_do_list_asks_for_what_is_not_declared(
    active: Application, merchant: User, owner: User, ops: User
) -> None:
    last = str(Quarter.current().previous)
    serve(active, make_merchant("店主", "706600001"), "新店")
    assert "declare_gmv" not in todo(merchant), "it was not served in the last quarter"
    shop = serve_since(active, owner, Quarter.named(last).last_day)
    assert "declare_gmv" in todo(merchant)
    row = declarations.declare_gmv(shop.pk, actor=merchant, quarter=last, value=FIVE, upload=paper())
    assert "declare_gmv" not in todo(merchant)
    declarations.refuse(row.pk, actor=ops, reason="看不清")
    assert "declare_gmv" in todo(merchant)


def test_the_to_do_list_asks_for_a_refused_figure_until_it_is_declared_anew(
    active: Application, merchant: User, ops: User
) -> None:
    def declare() -> Declaration:
        return declarations.declare_figure(
            active.pk, actor=merchant, figure="seats", value=FIVE, upload=paper()
        )

    first = declare()
    assert "declare_again" not in todo(merchant)
    declarations.refuse(first.pk, actor=ops, reason="看不清")
    assert "declare_again" in todo(merchant)
    assert declare().state == DeclarationState.DECLARED
    assert "declare_again" not in todo(merchant)


# Costs ----------------------------------------------------------------------------------------------


def cost(person: User, address: str) -> int:
    client = browser(person)
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


def test_more_shops_and_figures_cost_no_more(
    declared: Declaration, active: Application, merchant: User, ops: User
) -> None:
    declarations.declare_figure(active.pk, actor=merchant, figure="seats", value=FIVE, upload=paper())
    invitations.invite(active.pk, actor=merchant, shop_name="待答复")
    pages = [
        at("list", active.number),
        at("shop", active.number, declared.served_shop_id),
        at("figures", active.number),
    ]
    before = [cost(merchant, page) for page in pages]

    for number in range(3):
        serve(active, make_merchant(f"店主{number}", f"70660000{number}"), f"第{number}家店")
        invitations.invite(active.pk, actor=merchant, shop_name=f"待答复{number}")
    for figure in ("staff", "systems"):
        declarations.declare_figure(active.pk, actor=merchant, figure=figure, value=FIVE, upload=paper())
    shop = declared.served_shop
    assert shop is not None
    for _again in range(2):
        row = shop.declarations.latest("pk")
        declarations.refuse(row.pk, actor=ops, reason="看不清")
        declarations.declare_gmv(shop.pk, actor=merchant, quarter=row.quarter, value=FIVE, upload=paper())

    assert [cost(merchant, page) for page in pages] == before == [10, 9, 6]
