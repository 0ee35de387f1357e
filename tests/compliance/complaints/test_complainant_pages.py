"""The complainant's pages: filing, following, adding to, appealing and ending a complaint."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint, ComplaintFile, QuestionCode
from deposits.duties import cases
from deposits.models import Compensation
from tests.compliance.complaints.conftest import PAYEE, again, decide, file, sweep
from tests.compliance.complaints.pages import own_page, pdf, picture, script, send, typed_claim
from tests.people import make_staff
from tests.portal.conftest import Browser, english
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role

__all__ = ["english"]

STATES = ["filed", "contested", "undecided", "decided", "appealed", "final", "withdrawn"]


@pytest.fixture
def browser(customer: User) -> Browser:
    return Browser(customer)


def new_page(provider: Application) -> str:
    return f"/complaints/new/?provider={provider.number}"


# The way in ----------------------------------------------------------------------------------------


def test_everybody_reads_how_a_complaint_goes_and_how_long_it_takes(db: None) -> None:
    page = Browser(None).get("/complaints/")

    assert page.problems() == []
    for words in ("Within 48 hours", "72 hours for both", "Within 7 days"):
        assert words in page.text
    assert "/login/?next=/complaints/new/" in page.links


def test_whoever_is_logged_in_finds_the_own_complaints_alone(
    filed: Complaint, browser: Browser, stranger: User
) -> None:
    assert own_page(filed) in browser.get("/complaints/").links
    assert own_page(filed) not in Browser(stranger).get("/complaints/").links
    assert "You have not filed a complaint." in Browser(stranger).get("/complaints/").text


def test_the_page_of_a_provider_leads_to_the_complaint(member: Application, browser: Browser) -> None:
    assert new_page(member) in browser.get(f"/providers/{member.number}/").links


@pytest.mark.parametrize("words", ["小店", "number"])
def test_a_provider_is_found_by_name_or_number(member: Application, browser: Browser, words: str) -> None:
    asked = member.number.lower() if words == "number" else words

    page = browser.get(f"/complaints/new/?q={asked}")

    assert page.problems() == []
    assert new_page(member) in page.links


@pytest.mark.parametrize("query", ["q=没有这家", "provider=SPXXXXXXXXXX", "provider=%00", "q=%00", "q="])
def test_a_provider_that_is_not_there_is_asked_for_again(db: None, browser: Browser, query: str) -> None:
    page = browser.get(f"/complaints/new/?{query}")

    assert page.status == 200
    assert page.problems() == []


def test_nobody_complains_about_a_company_that_never_served(
    under_review: Application, browser: Browser
) -> None:
    assert "There is no provider with this number" in browser.get(new_page(under_review)).text
    assert new_page(under_review) not in browser.get("/complaints/new/?q=小店").links
    assert send(browser, new_page(under_review), **typed_claim()).status == 200
    assert not Complaint.objects.exists()


def test_nobody_complains_about_the_own_company(member: Application, merchant: User) -> None:
    page = Browser(merchant).get(new_page(member))

    assert "This is your own company" in page.text
    assert page.all("textarea") == []


def test_nobody_files_without_a_log_in(member: Application) -> None:
    assert Browser(None).get(new_page(member)).location.startswith("/login/?next=")
    assert send(Browser(None), new_page(member), **typed_claim()).location.startswith("/login/")
    assert not Complaint.objects.exists()


# Filing --------------------------------------------------------------------------------------------


def test_a_complaint_is_filed_with_its_evidence(
    member: Application, browser: Browser, customer: User
) -> None:
    answer = send(browser, new_page(member), **typed_claim(files=[picture(), pdf()]))

    complaint = Complaint.objects.get()
    assert answer.location == own_page(complaint)
    assert (complaint.complainant, complaint.application) == (customer, member)
    assert (complaint.claimed, complaint.order_value) == (Decimal("300.00"), Decimal("1000.00"))
    assert sorted(complaint.files.values_list("content_type", flat=True)) == ["application/pdf", "image/png"]
    assert f"Your complaint {complaint.number} has been filed." in browser.get(answer.location).text


@pytest.mark.parametrize(
    ("identity", "name", "kind"),
    [
        ("2088102000000201", "", "ALIPAY_USER_ID"),
        ("２０８８ １０２０ ００００ ０２０１", "", "ALIPAY_USER_ID"),
        ("buyer@example.com", "李小茶", "ALIPAY_LOGON_ID"),
        ("13800138000", "李小茶", "ALIPAY_LOGON_ID"),
    ],
)
def test_a_payee_is_a_number_or_a_login_name_with_a_real_name(
    member: Application, browser: Browser, identity: str, name: str, kind: str
) -> None:
    send(browser, new_page(member), **typed_claim(payee_identity=identity, payee_name=name))

    assert Complaint.objects.get().payee_identity_type == kind


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"order_number": " "}, "order_number", "This field is required."),
    ({"order_number": "1" * 41}, "order_number", "at most 40 characters"),
    ({"order_value": "viel"}, "order_value", "Give an amount in yuan"),
    ({"order_value": "NaN"}, "order_value", "Give an amount in yuan"),
    ({"order_value": "0"}, "order_value", "above zero"),
    ({"order_value": "-5"}, "order_value", "above zero"),
    ({"order_value": "1e9"}, "order_value", "too high"),
    ({"claimed": "3.001"}, "claimed", "two decimal places"),
    ({"claimed": "1000.01"}, "claimed", "higher than the value of its order"),
    ({"text": ""}, "text", "This field is required."),
    ({"text": "长" * 4001}, "text", "at most 4000 characters"),
    ({"payee_identity": "2088"}, "payee_identity", "login name at Alipay"),
    ({"payee_identity": "208810200000020"}, "payee_identity", "16 digits"),
    ({"payee_identity": "buyer@example.com"}, "payee_name", "real name"),
    ({"payee_name": "李小茶"}, "payee_identity", "Give the account"),
    ({"truthful": None}, "truthful", "has to be confirmed"),
]


@pytest.mark.parametrize(("change", "field", "message"), WRONG)
def test_what_is_wrong_stands_beside_its_field_and_everything_typed_is_kept(
    member: Application, browser: Browser, change: dict[str, Any], field: str, message: str
) -> None:
    typed = typed_claim(**change)

    page = send(browser, new_page(member), **typed)

    assert page.status == 422
    assert message in page.error_of(f"claim_{field}")
    kept = page.form_values()
    for name in typed.keys() - {"channel", "question", "truthful"}:
        assert kept[name] == typed[name]
    assert [
        radio["value"] for radio in page.all("input") if radio.get("type") == "radio" and "checked" in radio
    ] == [
        typed["channel"],
        typed["question"],
    ]
    assert page.problems() == []
    assert "choose the files again" in page.text
    assert not Complaint.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channel": None}, "Choose where the order was placed."),
        ({"channel": "by pigeon"}, "Select a valid choice"),
        ({"question": None}, "Choose what it is about."),
        ({"question": "987654"}, "Choose another question."),
        ({"question": "x"}, "Choose another question."),
    ],
)
def test_a_choice_that_is_none_is_said_above_the_choices(
    member: Application, browser: Browser, change: dict[str, Any], message: str
) -> None:
    page = send(browser, new_page(member), **typed_claim(**change))

    assert page.status == 422
    assert message in page.text
    assert page.problems() == []


def test_a_retired_question_is_not_offered(member: Application, browser: Browser) -> None:
    QuestionCode.objects.filter(code="data").update(is_active=False)
    retired = QuestionCode.objects.get(code="data")

    assert retired.title not in browser.get(new_page(member)).text
    assert send(browser, new_page(member), **typed_claim(question=str(retired.pk))).status == 422


def test_a_file_that_is_none_is_named(member: Application, browser: Browser) -> None:
    page = send(browser, new_page(member), **typed_claim(files=[picture(), script("病毒.png")]))

    assert page.status == 422
    assert "病毒.png: Hand in a JPEG" in page.error_of("claim_files")
    assert not ComplaintFile.objects.exists()


def test_pressing_twice_files_once(member: Application, browser: Browser) -> None:
    first = send(browser, new_page(member), **typed_claim())

    second = send(browser, new_page(member), **typed_claim(order_number=" 2026 1124 88001"))

    assert second.location == first.location
    assert Complaint.objects.count() == 1


def test_an_order_that_somebody_else_has_claimed_is_said_beside_it(
    member: Application, browser: Browser, stranger: User
) -> None:
    file(member, stranger, order_number="2026112488001")

    page = send(browser, new_page(member), **typed_claim())

    assert page.status == 422
    assert "already a complaint about this order" in page.error_of("claim_order_number")


# One complaint -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", STATES)
def test_the_page_is_sound_in_each_state(
    request: pytest.FixtureRequest, browser: Browser, fixture: str
) -> None:
    page = browser.get(own_page(request.getfixturevalue(fixture)))

    assert page.status == 200
    assert page.problems() == []


@pytest.mark.parametrize(
    ("fixture", "words", "offered"),
    [
        ("filed", "The other side's turn", {"withdraw", "name_payee"}),
        ("contested", "Your turn", {"add_evidence", "finish_evidence", "withdraw", "name_payee"}),
        ("undecided", "The platform's turn", {"withdraw", "name_payee"}),
        ("decided", "You can appeal", {"appeal", "name_payee"}),
        ("appealed", "The other side has appealed.", {"name_payee"}),
        ("final", "It waits for your Alipay account", {"name_payee"}),
        ("withdrawn", "You have withdrawn the complaint.", set()),
    ],
)
def test_each_state_says_whose_turn_it_is_and_offers_what_can_be_done(
    request: pytest.FixtureRequest, browser: Browser, fixture: str, words: str, offered: set[str]
) -> None:
    complaint = request.getfixturevalue(fixture)

    page = browser.get(own_page(complaint))

    assert words in page.text
    actions = {form["action"].partition("#")[0] for form in page.all("form") if "action" in form}
    every = ("add_evidence", "finish_evidence", "appeal", "withdraw", "name_payee")
    assert {name for name in every if own_page(complaint, name) in actions} == offered


def test_a_deadline_is_a_date_and_the_time_left(
    filed: Complaint, browser: Browser, move_clock: Callable[..., None]
) -> None:
    move_clock(hours=23, minutes=1)

    assert "1 day left" in browser.get(own_page(filed)).text.replace("\xa0", " ")


def test_after_its_end_a_state_offers_nothing_even_before_the_sweep(
    contested: Complaint, browser: Browser, sleep_until: Callable[..., None]
) -> None:
    sleep_until(contested.due_at, 1)

    page = browser.get(own_page(contested))

    assert "The deadline has passed." in page.text
    assert own_page(contested, "add_evidence") not in page.html


def test_words_typed_too_late_are_not_lost(
    contested: Complaint, browser: Browser, sleep_until: Callable[..., None]
) -> None:
    sleep_until(contested.due_at, 1)

    page = send(browser, own_page(contested, "add_evidence"), text="补充聊天记录")

    assert page.status == 409
    assert "It was not handed in." in page.text
    assert "补充聊天记录" in page.text
    assert page.problems() == []


def test_the_whole_way_of_the_complainant(
    contested: Complaint, browser: Browser, merchant: User, ops: User
) -> None:
    send(browser, own_page(contested, "add_evidence"), text="聊天记录见附件", files=[picture("聊天.png")])
    page = browser.get(own_page(contested))
    assert "聊天记录见附件" in page.text and "聊天.png" in page.text
    assert send(browser, own_page(contested, "finish_evidence")).status == 302
    complaints.finish_evidence(contested.pk, actor=merchant)
    decide(again(contested), ops, "not_liable", "0.00")
    assert "依据物流记录。" in browser.get(own_page(contested)).text

    answer = send(
        browser, own_page(contested, "appeal"), text="物流记录是假的", seen=again(contested).version
    )

    assert answer.status == 302
    assert again(contested).state == ComplaintState.APPEALED
    assert "You have appealed." in browser.get(own_page(contested)).text


def test_evidence_that_is_sent_twice_is_kept_once(contested: Complaint, browser: Browser) -> None:
    before = contested.statements.count()

    for _press in range(2):
        send(browser, own_page(contested, "add_evidence"), text="聊天记录见附件", files=[picture()])

    assert contested.statements.count() == before + 1
    assert contested.files.count() == 1


def test_withdrawing_wants_to_be_confirmed(filed: Complaint, browser: Browser) -> None:
    page = send(browser, own_page(filed, "withdraw"), reason="已协商", seen=filed.version)
    assert page.status == 422
    assert "Confirm that you take it back." in page.error_of("withdraw_certain")
    assert page.form_values()["reason"] == "已协商"

    send(browser, own_page(filed, "withdraw"), reason="已协商", certain="on", seen=filed.version)

    assert again(filed).state == ComplaintState.WITHDRAWN
    assert "已协商" in browser.get(own_page(filed)).text


def test_an_old_page_changes_nothing_and_shows_the_case_as_it_is(
    decided: Complaint, browser: Browser
) -> None:
    page = send(browser, own_page(decided, "appeal"), text="不同意", seen=decided.version - 1)

    assert page.status == 409
    assert "This page is out of date" in page.text
    assert page.form_values()["text"] == "不同意"
    assert page.form_values()["seen"] == str(decided.version)
    assert again(decided).state == ComplaintState.DECIDED


# The money -----------------------------------------------------------------------------------------


def test_the_payee_can_be_named_later_and_what_waits_is_sent(final: Complaint, browser: Browser) -> None:
    page = send(browser, own_page(final, "name_payee"), payee_identity="buyer@example.com")
    assert "real name" in page.error_of("name_payee_payee_name")
    assert page.form_values()["payee_identity"] == "buyer@example.com"

    send(browser, own_page(final, "name_payee"), payee_identity=PAYEE.identity)

    assert Compensation.objects.get().state == "in_progress"
    assert "On its way to your Alipay account" in browser.get(own_page(final)).text


def test_what_the_deposit_could_not_give_is_said_to_be_still_to_come(
    member: Application, customer: User, browser: Browser, sleep_until: Callable[..., None]
) -> None:
    cases.penalise(member.pk, case="violation:1", amount=Decimal("99900.00"), reason="扣罚", actor=None)
    complaint = file(member, customer, payee=PAYEE)
    for _state in range(2):
        sleep_until(again(complaint).due_at, 1)
        sweep()

    text = browser.get(own_page(complaint)).text

    assert "Still to come" in text
    assert "¥200.00" in text and "¥100.00" in text


# Whose it is ---------------------------------------------------------------------------------------


def test_nobody_but_the_complainant_finds_the_page(
    contested: Complaint, merchant: User, stranger: User, sub_account: User
) -> None:
    for person in (merchant, stranger, sub_account):
        other = Browser(person)
        assert other.get(own_page(contested)).status == 404
        for action in ("add_evidence", "finish_evidence", "appeal", "withdraw", "name_payee"):
            assert send(other, own_page(contested, action), text="x", certain="on").status == 404
    assert again(contested).version == contested.version


@pytest.mark.parametrize("number", ["%00", "TS0000000000", "x"])
def test_a_number_that_is_none_is_not_found(db: None, browser: Browser, number: str) -> None:
    assert browser.get(f"/complaints/{number}/").status == 404


def test_a_file_is_shown_where_that_is_safe_and_only_with_its_case(
    member: Application, browser: Browser, merchant: User, stranger: User
) -> None:
    send(browser, new_page(member), **typed_claim(files=[picture(), pdf()]))
    complaint = Complaint.objects.get()
    others = file(member, stranger)
    image, document = complaint.files.order_by("-content_type")

    shown = browser.client.get(own_page(complaint, "file", image.pk))
    saved = browser.client.get(own_page(complaint, "file", document.pk))

    assert shown["Content-Disposition"].startswith("inline")
    assert saved["Content-Disposition"].startswith("attachment")
    assert shown["X-Content-Type-Options"] == saved["X-Content-Type-Options"] == "nosniff"
    assert browser.client.get(own_page(others, "file", image.pk)).status_code == 404
    for person in (stranger, merchant):
        assert Browser(person).client.get(own_page(complaint, "file", image.pk)).status_code == 404
        assert Browser(person).client.get(own_page(others, "file", image.pk)).status_code == 404


def test_neither_the_other_sides_people_nor_staff_are_named(
    final: Complaint, browser: Browser, merchant: User, ops: User, second_ops: User
) -> None:
    text = browser.get(own_page(final)).text

    for person in (ops, second_ops):
        assert person.display_name not in text
    assert merchant.display_name not in text


def test_what_staff_note_for_themselves_is_not_shown(
    undecided: Complaint, browser: Browser, ops: User
) -> None:
    complaints.claim(undecided.pk, actor=ops)
    complaints.decide(
        undecided.pk,
        actor=ops,
        liability="liable",
        award=Decimal("10.00"),
        reason="公开的理由",
        internal_note="内部备注",
    )

    text = browser.get(own_page(undecided)).text

    assert "公开的理由" in text
    assert "内部备注" not in text
    assert "Case claimed" not in text


def test_staff_have_no_part_in_these_pages(filed: Complaint) -> None:
    person = make_staff("lixian", "李闲", Role.OPS)

    assert Browser(person).get(own_page(filed)).status == 403


def test_only_a_post_with_a_token_moves_anything(filed: Complaint, customer: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(customer)

    assert strict.get(own_page(filed, "withdraw")).status_code == 405
    assert strict.post(own_page(filed, "withdraw"), {"certain": "on"}).status_code == 403
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def test_what_the_pages_cost(
    contested: Complaint, browser: Browser, member: Application, customer: User
) -> None:
    def cost(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(path).status == 200
        return len(queries)

    paths = ("/complaints/", new_page(member), "/complaints/new/?q=小店", own_page(contested))
    assert {path: cost(path) for path in paths} == {
        "/complaints/": 10,
        new_page(member): 9,
        "/complaints/new/?q=小店": 5,
        own_page(contested): 10,
    }
    for number in range(3):
        file(member, customer)
        complaints.add_evidence(contested.pk, actor=customer, text=f"补充 {number}")
    assert {path: cost(path) for path in ("/complaints/", own_page(contested))} == {
        "/complaints/": 10,
        own_page(contested): 10,
    }
