"""The page of one application: the shop check in plain words, answers to the reviewer, and the way out."""

import datetime as dt
import io
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from applications import drafts, selectors, services, uploads
from applications.lifecycle import State
from applications.models import Application, DocumentKind, ShopCheck
from tests.portal.conftest import Browser, stored
from tests.portal.markup import Markup
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

Address = Callable[..., str]


def page_of_(application: Application) -> str:
    return f"/console/applications/{application.number}/"


# The shop check ------------------------------------------------------------------------------------


def test_an_unqualified_shop_sees_each_failing_rule_and_the_date(
    shop: Browser, unqualified: Application
) -> None:
    eligible = selectors.latest_evidence(unqualified)
    assert eligible is not None

    page = shop.get(page_of_(unqualified))

    assert "资质对应店铺校验为不合格" in page.text
    assert f"The shop can pass from {eligible.eligible_on:%Y-%m-%d}" in page.text
    assert "has not passed real-name authentication" in page.text
    assert "half a year is reached on" in page.text
    assert "It is checked again by itself at" in page.text
    assert [a["class"] for t, a in page.elements if t == "li" and a.get("class") == "fail"] == ["fail"] * 2


def test_a_check_that_goes_on_is_polled_until_the_application_moves(
    shop: Browser, draft: Application
) -> None:
    page = shop.get(page_of_(draft))
    (section,) = [a for _tag, a in page.elements if a.get("id") == "shop-check"]
    assert section["hx-trigger"] == "every 2s"

    part = shop.get(section["hx-get"], **{"hx-request": "true"})
    assert part.status == 200
    assert "<html" not in part.html
    ShopCheck.objects.update(state="done")
    services.pass_shop_check(draft.pk)
    after = shop.get(section["hx-get"], **{"hx-request": "true"})

    assert after.response["HX-Refresh"] == "true"
    assert "hx-get" not in shop.get(page_of_(draft)).html


def test_a_check_that_waits_for_taobao_says_so_and_is_no_verdict(
    shop: Browser, draft: Application, check_state: Callable[..., None]
) -> None:
    check_state("waiting", attempts=3, due_at=clock.now() + dt.timedelta(minutes=5))

    page = shop.get(page_of_(draft))

    assert "waiting for Taobao" in page.text
    assert "no verdict" in page.text
    assert "Tried 3 times" in page.text
    assert "不合格" not in page.text


def test_a_session_that_ran_out_is_renewed_by_a_button_that_comes_back(
    shop: Browser, draft: Application, check_state: Callable[..., None]
) -> None:
    check_state("reauthorise")

    page = shop.get(page_of_(draft))

    assert "Log in with Taobao again" in page.text
    form = next(form for form in page.all("form") if form["action"] == "/accounts/taobao/login/")
    assert form["method"] == "post"
    assert {"name": "next", "value": page_of_(draft), "type": "hidden"} in page.all("input")


def test_the_merchant_can_have_the_shop_checked_again_within_limits(
    shop: Browser, unqualified: Application
) -> None:
    path = f"{page_of_(unqualified)}check/"

    told = []
    for _press in range(4):
        told.append(shop.post(path, follow=True).text)
        ShopCheck.objects.update(state="done")  # as a worker leaves it

    assert all("is being checked again" in text for text in told[:3])
    assert "Please wait an hour" in told[3]
    assert shop.get(path).status == 405


# The change request --------------------------------------------------------------------------------


def answers(application: Application, text: str = "已按执照修改") -> dict[str, object]:
    request = selectors.open_request(application)
    assert request is not None
    return {f"answer_{item.pk}": text for item in request.items.all()} | {"seen": application.version}


def test_a_change_request_leads_to_the_step_of_each_change(
    shop: Browser, changes_requested: Application
) -> None:
    page = shop.get(page_of_(changes_requested))

    assert "公司名称与营业执照不一致" in page.text
    assert f"{page_of_(changes_requested)}edit/company/" in page.links


def test_answered_changes_are_handed_in_again(shop: Browser, changes_requested: Application) -> None:
    page = shop.post(f"{page_of_(changes_requested)}resubmit/", answers(changes_requested), follow=True)

    assert "Handed in again" in page.text
    assert stored(changes_requested).state == State.UNDER_REVIEW
    item = changes_requested.review_requests.get().items.get()
    assert item.answer == "已按执照修改"


def test_a_missing_answer_is_told_beside_it(shop: Browser, changes_requested: Application) -> None:
    data = answers(changes_requested, text="  ")
    field = next(name for name in data if name.startswith("answer_"))

    page = shop.post(f"{page_of_(changes_requested)}resubmit/", data)

    assert page.status == 422
    assert "Say what you did" in page.error_of(f"id_{field}")
    assert stored(changes_requested).state == State.CHANGES_REQUESTED


def test_a_refused_answer_keeps_what_was_typed(
    shop: Browser, changes_requested: Application, sub_account: User
) -> None:
    data = answers(changes_requested)
    drafts.save_data(changes_requested.pk, actor=sub_account, data={"address": "另一个地址"})

    page = shop.post(f"{page_of_(changes_requested)}resubmit/", data)

    assert "This page is out of date" in page.text
    field = next(name for name in data if name.startswith("answer_"))
    assert page.form_values()[field] == "已按执照修改"
    assert page.form_values()["seen"] == str(stored(changes_requested).version)
    assert stored(changes_requested).state == State.CHANGES_REQUESTED


def test_without_an_open_request_there_is_nothing_to_answer(shop: Browser, under_review: Application) -> None:
    page = shop.post(f"{page_of_(under_review)}resubmit/", {}, follow=True)

    assert "There is no open change request" in page.text


# The timeline --------------------------------------------------------------------------------------


def test_the_timeline_is_public_newest_first_and_names_no_staff(
    shop: Browser, changes_requested: Application
) -> None:
    page = shop.get(page_of_(changes_requested))

    assert page.text.index("Changes requested") < page.text.index("Application begun")
    assert "李审" not in page.text
    assert "Programme staff" in page.text
    assert "Review claimed" not in page.text


def test_the_page_leads_to_deposit_directory_and_exit_when_they_exist(
    shop: Browser, approved: Application
) -> None:
    deposit, way_out = f"/console/deposit/{approved.number}/", f"/console/exit/{approved.number}/"
    directory = f"/providers/{approved.number}/"
    assert deposit in shop.get(page_of_(approved)).links
    assert way_out not in shop.get(page_of_(approved)).links

    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)

    assert {deposit, way_out, directory} <= set(shop.get(page_of_(approved)).links)


# Withdrawing ---------------------------------------------------------------------------------------


def test_withdrawing_asks_once_more_and_keeps_the_reason(shop: Browser, under_review: Application) -> None:
    path = f"{page_of_(under_review)}withdraw/"
    asked = shop.get(path)
    assert "Withdraw this application?" in asked.text
    assert stored(under_review).state == State.UNDER_REVIEW

    page = shop.post(path, {"seen": asked.form_values()["seen"], "reason": "暂不加入"}, follow=True)

    assert "has been withdrawn" in page.text
    assert "暂不加入" in page.text
    assert stored(under_review).state == State.WITHDRAWN


def test_a_sub_account_can_t_withdraw(sub_shop: Browser, under_review: Application) -> None:
    path = f"{page_of_(under_review)}withdraw/"

    for page in (sub_shop.get(path), sub_shop.post(path, {"seen": under_review.version})):
        assert page.status == 403
        assert "Only the main Taobao account" in page.text
    assert path not in sub_shop.get(page_of_(under_review)).links
    assert stored(under_review).state == State.UNDER_REVIEW


def test_an_older_page_withdraws_nothing(shop: Browser, under_review: Application, reviewer: User) -> None:
    path = f"{page_of_(under_review)}withdraw/"
    seen = shop.get(path).form_values()["seen"]
    services.claim(under_review.pk, actor=reviewer)

    page = shop.post(path, {"seen": seen}, follow=True)

    assert "This page is out of date" in page.text
    assert stored(under_review).state == State.UNDER_REVIEW


def test_after_the_approval_the_deposits_page_withdraws(shop: Browser, approved: Application) -> None:
    path = f"{page_of_(approved)}withdraw/"

    for page in (shop.get(path), shop.post(path, {"seen": approved.version})):
        assert page.location == f"/console/deposit/{approved.number}/withdraw/"
    assert stored(approved).state == State.APPROVED


def test_what_has_ended_can_t_be_withdrawn(shop: Browser, merchant: User, draft: Application) -> None:
    services.withdraw(draft.pk, actor=merchant)

    page = shop.post(f"{page_of_(draft)}withdraw/", {"reason": ""}, follow=True)

    assert "can't be done" in page.text


# Files ---------------------------------------------------------------------------------------------


def png() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, format="PNG")
    return content.getvalue()


@pytest.fixture
def picture(verified: Application) -> str:
    """The address of a picture among the materials."""
    upload = SimpleUploadedFile("门头照.png", png(), content_type="image/png")
    document = uploads.add_document(
        verified.pk, actor=verified.applicant, kind=DocumentKind.OTHER, upload=upload
    )
    return f"{page_of_(verified)}documents/{document.pk}/"


def disposition(page: Markup) -> str:
    return str(page.response["Content-Disposition"]).split(";")[0]


def test_a_picture_is_shown_and_can_be_saved(shop: Browser, picture: str) -> None:
    shown, saved = shop.get(picture), shop.get(f"{picture}?download")

    assert shown.response["Content-Type"] == "image/png"
    assert (disposition(shown), disposition(saved)) == ("inline", "attachment")
    for page in (shown, saved):
        assert page.response["X-Content-Type-Options"] == "nosniff"
        assert page.response["Cache-Control"] == "private, no-store"
    assert b"".join(saved.response.streaming_content).startswith(b"\x89PNG")


def test_a_pdf_is_only_saved(shop: Browser, verified: Application) -> None:
    document = selectors.documents_of(verified).get(kind=DocumentKind.LICENCE)

    page = shop.get(f"{page_of_(verified)}documents/{document.pk}/")

    assert disposition(page) == "attachment"
    assert "%E8%90%A5" in page.response["Content-Disposition"]  # 营…, as RFC 5987 writes it


def test_a_file_is_there_for_its_company_only(
    anybody: Browser, other_shop: Browser, sub_shop: Browser, picture: str
) -> None:
    assert other_shop.get(picture).status == 404
    assert anybody.get(picture).location.startswith("/login/")
    assert sub_shop.get(picture).status == 200


def test_a_file_of_another_application_is_not_there(
    shop: Browser, other_shop: Browser, picture: str, stranger: User
) -> None:
    theirs = drafts.create_application(stranger, categories=["operations"])
    document = picture.split("/documents/")[1]

    assert other_shop.get(f"{page_of_(theirs)}documents/{document}").status == 404
    assert other_shop.post(f"{page_of_(theirs)}documents/{document}remove/").status == 404


def test_a_removed_file_and_one_that_is_lost_are_not_there(
    shop: Browser, verified: Application, picture: str
) -> None:
    document = verified.documents.get(kind=DocumentKind.OTHER)
    document.file.delete(save=False)
    document.refresh_from_db()
    assert shop.get(picture).status == 404

    uploads.remove_document(verified.pk, document.pk, actor=verified.applicant)

    assert shop.get(picture).status == 404


def test_a_stranger_finds_no_page_of_the_application(other_shop: Browser, under_review: Application) -> None:
    root = page_of_(under_review)

    assert [other_shop.get(root + rest).status for rest in ("", "withdraw/", "agreement/")] == [404] * 3
    posts = ("check/", "resubmit/", "withdraw/", "agreement/")
    assert [other_shop.post(root + rest).status for rest in posts] == [404] * 4
    assert stored(under_review).version == under_review.version
