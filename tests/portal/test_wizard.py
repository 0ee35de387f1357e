"""The application form: each step saved, each mistake told beside its field, nothing typed lost."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications import drafts, selectors, services
from applications.lifecycle import State
from applications.models import Agreement, Application, DocumentKind, EmailCode, ShopCheck
from tests.database import owner_role
from tests.people import COMPANY_DATA, OTHER_CREDIT_CODE, PDF, begin, complete, hand_in, make_merchant
from tests.portal.conftest import Browser, stored
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Mail

COMPANY: dict[str, Any] = {
    "company_name": "杭州小店电子商务有限公司",
    "credit_code": "9133 0100 7996 5505 8b",
    "legal_representative": "王小店",
    "region": "33",
    "licence_valid_until": "2040-01-01",
    "address": "杭州市余杭区文一西路 969 号",
}
CONTACT = {"contact_name": "陈联系", "contact_phone": "0571-85022088", "contact_email": "lianxi@example.com"}
ACCOUNT = {
    "onboarding_link": "https://xiaodian.tmall.com/",
    "alipay_account_id": "２０８８102146225135",
    "service_scope": "客服、仓储",
    "categories": ["after_sales", "operations"],
}
STEPS: dict[str, dict[str, Any]] = {"company": COMPANY, "contact": CONTACT, "account": ACCOUNT}

Address = Callable[..., str]


def typed(step: str, application: Application, **changed: Any) -> dict[str, Any]:
    application = stored(application)
    return STEPS[step] | {"seen": application.version, "action": "continue"} | changed


def test_an_application_is_created_typed_proved_and_handed_in(shop: Browser, merchant: User) -> None:
    page = shop.post(
        "/console/applications/new/",
        {"app_type": "ecommerce_backend", "identity": "merchant", "categories": ["after_sales"]},
    )
    application = Application.objects.get(applicant=merchant)
    root = f"/console/applications/{application.number}/"
    assert page.location == f"{root}edit/company/"

    assert shop.post(page.location, typed("company", application)).location == f"{root}edit/contact/"
    page = shop.post(f"{root}edit/contact/", typed("contact", application, action="send_code"))
    assert page.location == f"{root}edit/contact/#proof"
    mail = Mail.objects.get(to="lianxi@example.com")
    code = re.search(r"\b\d{6}\b", mail.body)
    assert code is not None
    page = shop.post(
        f"{root}edit/contact/", typed("contact", application, action="verify_code", code=code[0])
    )
    assert page.location == f"{root}edit/account/"
    assert shop.post(page.location, typed("account", application)).location == f"{root}edit/materials/"
    licence = SimpleUploadedFile("营业执照.pdf", PDF, content_type="application/pdf")
    shop.post(f"{root}edit/materials/", {"kind": DocumentKind.LICENCE, "file": licence})
    ShopCheck.objects.filter(application=application).update(state="done")
    services.pass_shop_check(application.pk)
    review = shop.get(f"{root}edit/review/")
    assert "Still missing" not in review.text
    page = shop.post(
        f"{root}edit/review/", review.form_values() | {"accept_rules": "on", "truthful": "on"}, follow=True
    )

    application = stored(application)
    assert application.state == State.UNDER_REVIEW
    assert "Handed in. A reviewer will look at it." in page.text
    data = {name: getattr(application, name) for name in COMPANY_DATA}
    assert data == COMPANY_DATA | {"contact_phone": "+8657185022088"}
    assert application.categories == ["after_sales", "operations"]
    assert application.acceptances.get().agreement.version == 1


@pytest.mark.parametrize(
    ("step", "field", "value", "told"),
    [
        ("company", "company_name", "", "required"),
        ("company", "company_name", "小", "whole name"),
        ("company", "credit_code", "9133010079965505", "this one has 16"),
        ("company", "credit_code", "92330100799655058B", "begins with 91"),
        ("company", "credit_code", "91330100799655058A", "check character"),
        ("company", "legal_representative", "王3", "without digits"),
        ("company", "region", "", "required"),
        ("company", "licence_valid_until", "2020-01-01", "expired on 2020-01-01"),
        ("company", "licence_valid_until", "soon", "valid date"),
        ("company", "licence_valid_until", "", "Give the last day"),
        ("contact", "contact_phone", "0571-85022088-801", "without an extension"),
        ("contact", "contact_phone", "85022088", "area code"),
        ("contact", "contact_email", "lianxi", "valid email"),
        ("account", "onboarding_link", "http://xiaodian.tmall.com/", "https://"),
        ("account", "onboarding_link", "https://xiaodian.example.com/", "must lead to"),
        ("account", "alipay_account_id", "13800138000", "login name"),
        ("account", "alipay_account_id", "208810214622513", "16 digits"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    shop: Browser, draft: Application, page_of: Address, step: str, field: str, value: str, told: str
) -> None:
    page = shop.post(page_of(f"edit/{step}/"), typed(step, draft, **{field: value}))

    assert page.status == 422
    assert told in page.error_of(f"id_{field}")
    assert f'href="#id_{field}"' in page.html  # the summary leads to it
    expected = STEPS[step] | {field: value}
    expected.pop("categories", None)  # boxes, not typed
    assert {name: page.form_values()[name] for name in expected} == expected
    draft = stored(draft)
    assert draft.company_name == draft.contact_name == draft.onboarding_link == ""


def test_no_category_is_told_beside_the_categories(
    shop: Browser, page_of: Address, draft: Application
) -> None:
    page = shop.post(page_of("edit/account/"), typed("account", draft, categories=[]))

    assert page.status == 422
    assert "This field is required" in page.text


def test_a_licence_without_expiry_needs_no_date(shop: Browser, draft: Application, page_of: Address) -> None:
    shop.post(
        page_of("edit/company/"),
        typed("company", draft, licence_permanent="on", licence_valid_until="2020-01-01"),
    )

    draft = stored(draft)
    assert draft.licence_permanent
    assert draft.licence_valid_until is None


def test_a_licence_is_valid_through_its_last_day(shop: Browser, draft: Application, page_of: Address) -> None:
    shop.post(page_of("edit/company/"), typed("company", draft, licence_valid_until=str(clock.today())))

    draft = stored(draft)
    assert draft.licence_valid_until == clock.today()


def test_an_unfinished_step_can_be_saved_and_left(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    page = shop.post(
        page_of("edit/company/"),
        {"company_name": "杭州小店有限公司", "seen": draft.version, "action": "later"},
    )

    assert page.location == page_of()
    assert shop.get(page_of("edit/company/")).form_values()["company_name"] == "杭州小店有限公司"


def test_a_wrong_value_is_refused_in_an_unfinished_step_too(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    page = shop.post(page_of("edit/company/"), {"credit_code": "91", "action": "later"})

    assert "this one has 2" in page.error_of("id_credit_code")


def test_any_step_can_be_opened_at_any_time(shop: Browser, page_of: Address) -> None:
    for step in ("review", "account", "company", "materials", "contact"):
        assert shop.get(page_of(f"edit/{step}/")).status == 200
    assert shop.get(page_of("edit/payment/")).status == 404


def test_an_older_page_overwrites_nothing_and_keeps_what_was_typed(
    shop: Browser, draft: Application, page_of: Address, sub_account: User
) -> None:
    old = draft.version
    drafts.save_data(draft.pk, actor=sub_account, data={"company_name": "别人写的有限公司"})

    page = shop.post(page_of("edit/company/"), COMPANY | {"seen": old, "action": "continue"})

    assert page.status == 422
    assert "This page is out of date" in page.text
    assert "别人写的有限公司" in page.text
    assert page.form_values()["company_name"] == COMPANY["company_name"]
    draft = stored(draft)
    assert draft.company_name == "别人写的有限公司"

    again = shop.post(
        page_of("edit/company/"), COMPANY | {"seen": page.form_values()["seen"], "action": "continue"}
    )
    assert again.status == 302
    draft = stored(draft)
    assert draft.company_name == COMPANY["company_name"]


def test_a_step_on_with_an_unverified_address_leads_to_its_proof(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    page = shop.post(page_of("edit/contact/"), typed("contact", draft))

    assert page.location == page_of("edit/contact/#proof")
    draft = stored(draft)
    assert draft.contact_name == "陈联系"


def test_a_wrong_code_is_told_beside_its_field_and_the_contact_stays(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    shop.post(page_of("edit/contact/"), typed("contact", draft, action="send_code"))

    page = shop.post(page_of("edit/contact/"), typed("contact", draft, action="verify_code", code="not it"))

    assert page.status == 422
    assert "not the code that was sent" in page.error_of("id_code")
    assert page.form_values()["contact_name"] == "陈联系"
    assert EmailCode.objects.get().failures == 1


def test_a_code_typed_in_full_width_digits_is_read(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    shop.post(page_of("edit/contact/"), typed("contact", draft, action="send_code"))
    sent = re.search(r"\b\d{6}\b", Mail.objects.get(to="lianxi@example.com").body)
    assert sent is not None
    code = sent[0]
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)

    shop.post(page_of("edit/contact/"), typed("contact", draft, action="verify_code", code=f" {wide} "))

    draft = stored(draft)
    assert draft.contact_email_verified_at is not None


def test_codes_are_limited_and_the_page_says_so(shop: Browser, draft: Application, page_of: Address) -> None:
    for _attempt in range(6):
        page = shop.post(page_of("edit/contact/"), typed("contact", draft, action="send_code"), follow=True)

    assert "Too many codes in one hour" in page.text
    assert page.form_values()["contact_name"] == "陈联系"


def test_a_file_that_is_neither_picture_nor_pdf_is_refused_beside_the_field(
    shop: Browser, draft: Application, page_of: Address
) -> None:
    script = SimpleUploadedFile("营业执照.jpg", b"<script>alert(1)</script>", content_type="image/jpeg")

    page = shop.post(page_of("edit/materials/"), {"kind": "licence", "file": script})

    assert page.status == 422
    assert "JPEG, PNG or WebP picture, or a PDF" in page.error_of("id_file")
    assert draft.documents.count() == 0


def test_no_file_is_told_beside_the_field(shop: Browser, page_of: Address) -> None:
    page = shop.post(page_of("edit/materials/"), {"kind": "licence"})

    assert "required" in page.error_of("id_file")


def test_a_removed_file_is_gone_from_the_page_and_kept_as_history(
    shop: Browser, verified: Application
) -> None:
    document = selectors.documents_of(verified).get()
    root = f"/console/applications/{verified.number}/"
    assert "营业执照.pdf" in shop.get(f"{root}edit/materials/").text

    shop.post(f"{root}documents/{document.pk}/remove/")

    page = shop.get(f"{root}edit/materials/")
    assert "营业执照.pdf has been removed" in page.text
    assert "No files yet" in page.text
    assert verified.documents.count() == 1


def test_the_last_step_names_what_is_missing_with_its_place(shop: Browser, page_of: Address) -> None:
    page = shop.get(page_of("edit/review/"))

    assert "Still missing" in page.text
    assert {page_of("edit/company/"), page_of("edit/contact/"), page_of("edit/materials/")} <= set(page.links)
    assert "once the shop check is passed" in page.text
    assert any("disabled" in button for button in page.all("button"))


@pytest.mark.parametrize("box", ["accept_rules", "truthful"])
def test_both_declarations_are_needed(shop: Browser, verified: Application, box: str) -> None:
    path = f"/console/applications/{verified.number}/edit/review/"
    boxes = {"accept_rules": "on", "truthful": "on"}
    boxes.pop(box)

    page = shop.post(path, shop.get(path).form_values() | boxes)

    assert page.status == 422
    assert "to hand in" in page.error_of(f"id_{box}")
    verified = stored(verified)
    assert verified.state == State.SHOP_VERIFIED


def test_rules_that_changed_while_they_were_read_are_shown_anew(shop: Browser, verified: Application) -> None:
    path = f"/console/applications/{verified.number}/edit/review/"
    shown = shop.get(path).form_values()
    with owner_role():
        Agreement.objects.create(version=2, title="新规则", body="第二版", effective_from=clock.now())

    page = shop.post(path, shown | {"accept_rules": "on", "truthful": "on"})

    assert "The rules have changed" in page.text
    assert "第二版" in page.text
    assert page.form_values()["agreement_version"] == "2"
    assert "accept_rules" not in page.form_values()
    verified = stored(verified)
    assert verified.state == State.SHOP_VERIFIED


def test_a_company_that_is_taken_is_refused_without_naming_anybody(
    shop: Browser, verified: Application, stranger: User
) -> None:
    hand_in(complete(begin(stranger), contact_email="andere@example.com"))
    path = f"/console/applications/{verified.number}/edit/review/"

    page = shop.post(path, shop.get(path).form_values() | {"accept_rules": "on", "truthful": "on"})

    assert "already under review or admitted" in page.text
    assert "小店乙" not in page.text


def test_an_older_last_step_hands_nothing_in(shop: Browser, verified: Application, sub_account: User) -> None:
    path = f"/console/applications/{verified.number}/edit/review/"
    shown = shop.get(path).form_values()
    drafts.save_data(verified.pk, actor=sub_account, data={"credit_code": OTHER_CREDIT_CODE})

    page = shop.post(path, shown | {"accept_rules": "on", "truthful": "on"})

    assert "This page is out of date" in page.text
    assert OTHER_CREDIT_CODE in page.text
    verified = stored(verified)
    assert verified.state == State.SHOP_VERIFIED


def test_what_was_handed_in_can_t_be_edited(shop: Browser, under_review: Application) -> None:
    path = f"/console/applications/{under_review.number}/edit/company/"

    for page in (shop.get(path), shop.post(path, COMPANY | {"company_name": "另一家有限公司"})):
        assert page.location == f"/console/applications/{under_review.number}/"
    under_review = stored(under_review)
    assert under_review.company_name == COMPANY["company_name"]


def test_after_the_deadline_nothing_is_saved_and_the_page_says_when_it_was(
    shop: Browser, draft: Application, page_of: Address, move_clock: Callable[..., None]
) -> None:
    move_clock(days=91)
    shop.client.force_login(draft.applicant)

    page = shop.post(page_of("edit/company/"), typed("company", draft), follow=True)

    assert "The deadline was" in page.text


# Beginning -----------------------------------------------------------------------------------------


def test_the_guided_choice_shows_the_other_ways_as_closed(shop: Browser) -> None:
    page = shop.get("/console/applications/new/")

    closed = {field["value"] for field in page.all("input") if "disabled" in field}
    assert closed == {"mobile", "website", "developer"}


def test_a_category_must_be_chosen(shop: Browser) -> None:
    page = shop.post("/console/applications/new/", {"app_type": "ecommerce_backend", "identity": "merchant"})

    assert page.status == 422
    assert "Choose at least one category." in page.text
    assert not Application.objects.exists()


@pytest.mark.parametrize("choice", [{"app_type": "mobile"}, {"identity": "developer"}])
def test_a_closed_way_leads_nowhere_even_by_hand(shop: Browser, choice: dict[str, str]) -> None:
    way = {"app_type": "ecommerce_backend", "identity": "merchant", "categories": ["after_sales"]}

    assert shop.post("/console/applications/new/", way | choice).status == 422
    assert not Application.objects.exists()


def test_a_second_application_is_refused_with_the_reason(shop: Browser, draft: Application) -> None:
    page = shop.post(
        "/console/applications/new/",
        {"app_type": "ecommerce_backend", "identity": "merchant", "categories": ["operations"]},
    )

    assert "already has an open application" in page.text
    assert "checked" in next(field for field in page.all("input") if field.get("value") == "operations")
    assert "/console/applications/new/" not in shop.get("/console/applications/").links


def test_a_sub_account_edits_for_its_company(sub_shop: Browser, draft: Application, page_of: Address) -> None:
    assert sub_shop.post(page_of("edit/company/"), typed("company", draft)).status == 302

    draft = stored(draft)
    assert draft.legal_representative == "王小店"


def test_what_an_ended_application_had_typed_is_carried_over(shop: Browser, verified: Application) -> None:
    services.withdraw(verified.pk, actor=verified.applicant)

    page = shop.post(
        "/console/applications/new/",
        {"app_type": "ecommerce_backend", "identity": "merchant", "categories": ["after_sales"]},
        follow=True,
    )

    assert page.form_values()["company_name"] == COMPANY["company_name"]


def test_a_date_is_shown_as_a_date_field_reads_it(shop: Browser, verified: Application) -> None:
    page = shop.get(f"/console/applications/{verified.number}/edit/company/")

    assert page.form_values()["licence_valid_until"] == dt.date(2040, 1, 1).isoformat()


def test_people_of_another_company_are_strangers_at_every_step(draft: Application, page_of: Address) -> None:
    other = Browser(make_merchant("路人", "700000001"))

    for step in ("company", "contact", "account", "materials", "review"):
        assert other.get(page_of(f"edit/{step}/")).status == 404
        assert other.post(page_of(f"edit/{step}/"), COMPANY).status == 404
    draft = stored(draft)
    assert draft.version == 1
