"""Pages of reviews: the owner's form, the provider's list, the directory; whose they are, and at what cost."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.models import Review, ServedShop
from compliance.reviews import services as reviews
from tests.compliance.reviews.making import MARKS, REASON, TEXT, all_marks
from tests.compliance.served_shops.making import SHOP, browser, join, serve
from tests.people import make_merchant
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User


def at(name: str, *args: Any) -> str:
    return reverse(f"reviews:{name}", args=args)


def owner_page(shop: ServedShop) -> str:
    return reverse("served_shops:provider", args=[shop.pk])


def directory_page(application: Application) -> str:
    return reverse("compliance:provider", args=[application.number])


def read(person: User | None, address: str) -> Markup:
    page = Markup(browser(person).get(address))
    assert page.status == 200, page.html
    assert page.problems() == []
    return page


def send(person: User, address: str, **data: Any) -> Markup:
    return Markup(browser(person).post(address, data))


# The owner ------------------------------------------------------------------------------------------


def test_the_owner_writes_a_review(serving: ServedShop, owner: User) -> None:
    answer = send(owner, at("write", serving.pk), **MARKS, text=TEXT)

    assert (answer.status, answer.location) == (302, owner_page(serving))
    page = read(owner, owner_page(serving))
    assert TEXT in page.text
    assert "attitude" not in page.form_values(), "once a quarter"


@pytest.mark.parametrize("mark", ["", "6", "x"])
def test_a_review_that_is_refused_keeps_what_was_typed(serving: ServedShop, owner: User, mark: str) -> None:
    page = send(owner, at("write", serving.pk), **(MARKS | {"speed": mark}), text=TEXT)

    assert page.status == 422
    assert page.error_of("id_speed")
    assert page.form_values()["text"] == TEXT
    assert page.form_values()["attitude"] == "5"
    assert page.problems() == []
    assert not Review.objects.exists()


def test_a_second_review_of_the_quarter_says_so(review: Review, serving: ServedShop, owner: User) -> None:
    page = send(owner, at("write", serving.pk), **MARKS)

    assert page.status == 422
    assert "already reviewed" in page.text
    assert Review.objects.count() == 1


def test_a_sub_account_writes_nothing(serving: ServedShop, owner: User) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")

    assert send(sub, at("write", serving.pk), **MARKS).status == 403
    assert not Review.objects.exists()


# The provider ---------------------------------------------------------------------------------------


def test_the_provider_replies_and_reports_on_its_page(
    review: Review, active: Application, merchant: User
) -> None:
    page = read(merchant, at("list", active.number))
    assert TEXT in page.text and SHOP in page.text
    send(merchant, at("reply", active.number, review.pk), **{f"reply-{review.pk}-reply": "谢谢支持"})
    send(merchant, at("report", active.number, review.pk), **{f"report-{review.pk}-reason": "与服务无关"})

    review.refresh_from_db()
    assert (review.reply, review.report_reason) == ("谢谢支持", "与服务无关")
    page = read(merchant, at("list", active.number))
    assert "谢谢支持" in page.text and "与服务无关" in page.text
    assert page.form_values().keys() == {"csrfmiddlewaretoken", "next"}, "each once"


def test_a_reply_that_is_refused_is_shown_open_again(
    review: Review, active: Application, merchant: User
) -> None:
    page = send(merchant, at("reply", active.number, review.pk), **{f"reply-{review.pk}-reply": "长" * 501})

    assert page.status == 422
    assert page.error_of(f"id_reply-{review.pk}-reply")
    assert page.form_values()[f"reply-{review.pk}-reply"] == "长" * 501
    assert page.problems() == []


def test_a_second_reply_says_so(review: Review, active: Application, merchant: User) -> None:
    reviews.reply(review.pk, actor=merchant, text="谢谢")

    page = send(merchant, at("reply", active.number, review.pk), **{f"reply-{review.pk}-reply": "再说一句"})
    assert page.status == 422
    assert "already replied" in page.text


def test_a_reader_of_the_company_answers_nothing(review: Review, active: Application, stranger: User) -> None:
    join(stranger, active)

    assert not any("reply" in name for name in read(stranger, at("list", active.number)).form_values())
    answer = send(stranger, at("reply", active.number, review.pk), **{f"reply-{review.pk}-reply": "谢谢"})
    assert answer.status == 403


@pytest.mark.parametrize("name", ["list", "reply", "report"])
def test_reviews_of_another_company_do_not_exist(
    review: Review, active: Application, stranger: User, owner: User, name: str
) -> None:
    for person in (stranger, owner):
        client = browser(person)
        if name == "list":
            assert client.get(at("list", active.number)).status_code == 404
        else:
            assert client.post(at(name, active.number, review.pk)).status_code == 404


def test_another_companys_review_is_not_reached_through_the_own_number(
    review: Review, other_member: Application, stranger: User
) -> None:
    """A pk of another company beside one's own number."""
    assert browser(stranger).get(at("list", other_member.number)).status_code == 200
    for name in ("reply", "report"):
        assert browser(stranger).post(at(name, other_member.number, review.pk)).status_code == 404


def test_a_company_without_a_review_reads_who_can_write_one(active: Application, merchant: User) -> None:
    assert "No review yet" in read(merchant, at("list", active.number)).text


# The directory --------------------------------------------------------------------------------------


def test_the_directory_shows_marks_and_masks_the_shop(
    review: Review, active: Application, merchant: User, owner: User
) -> None:
    reviews.reply(review.pk, actor=merchant, text="谢谢支持")

    page = read(None, directory_page(active))
    for words in (TEXT, "谢谢支持", "花**店", "4.0", "Attitude 5"):
        assert words in page.text
    for secret in (SHOP, owner.taobao_nick, owner.taobao_user_id):
        assert secret not in page.html
    card = read(None, reverse("compliance:directory"))
    assert "4.0" in card.text and "1 review" in card.text


def test_a_hidden_review_is_not_in_the_directory(
    review: Review, active: Application, owner: User, ops: User
) -> None:
    reviews.hide(review.pk, actor=ops, reason=REASON)

    page = read(None, directory_page(active))
    assert TEXT not in page.text and REASON not in page.text
    assert "1 review" not in read(None, reverse("compliance:directory")).text
    assert REASON in read(owner, owner_page(review.served_shop)).text


def test_reviews_of_an_expelled_provider_are_gone_with_its_page(
    review: Review, active: Application, verified_violation: object
) -> None:
    assert browser(None).get(directory_page(active)).status_code == 404


# Costs ----------------------------------------------------------------------------------------------


def test_more_reviews_cost_no_more(review: Review, active: Application, merchant: User, owner: User) -> None:
    def cost(person: User | None, address: str) -> int:
        client = browser(person)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    pages = [
        (None, directory_page(active)),
        (None, reverse("compliance:directory")),
        (merchant, at("list", active.number)),
    ]
    before = [cost(*page) for page in pages]
    for number in range(3):
        person = make_merchant(f"店主{number}", f"70660000{number}")
        reviews.write(
            serve(active, person, f"第{number}家店").pk, actor=person, marks=all_marks(3), text="还行"
        )

    assert [cost(*page) for page in pages] == before == [3, 1, 8]
