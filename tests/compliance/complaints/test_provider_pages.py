"""The provider's pages: all its cases, and one complaint that it answers."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from applications.models import Application
from compliance import case_list
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint
from deposits.duties import cases
from tests.compliance.complaints.conftest import PAYEE, again, file
from tests.compliance.complaints.pages import case_page, pdf, picture, send
from tests.people import make_merchant
from tests.portal.conftest import Browser, english
from tmall_sp.accounts.models import CompanyRole, Membership, User

__all__ = ["english"]

ACTIONS = ("admit", "contest", "add_evidence", "finish_evidence", "appeal")
OFFERED = {
    "filed": {"admit", "contest"},
    "contested": {"add_evidence", "finish_evidence"},
    "undecided": set(),
    "decided": {"appeal"},
    "appealed": set(),
    "final": set(),
    "withdrawn": set(),
}


@pytest.fixture
def browser(merchant: User) -> Browser:
    return Browser(merchant)


@pytest.fixture
def reader(member: Application) -> User:
    """Somebody of the company who may only read."""
    assert member.company is not None
    person = make_merchant("会计丁", "806300009")
    Membership.objects.create(user=person, company=member.company, role=CompanyRole.READER)
    return person


def offered(browser: Browser, complaint: Complaint) -> set[str]:
    page = browser.get(case_page(complaint))
    assert (page.status, page.problems()) == (200, [])
    actions = {form.get("action", "").partition("#")[0] for form in page.all("form")}
    return {name for name in ACTIONS if case_page(complaint, name) in actions}


def cost(browser: Browser, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(path).status == 200
    return len(queries)


# The list ------------------------------------------------------------------------------------------


def test_a_company_without_cases_is_told_so(member: Application, browser: Browser) -> None:
    page = browser.get("/console/cases/")

    assert page.problems() == []
    assert "No complaint and no violation." in page.text


def test_what_is_open_stands_first_and_the_nearest_deadline_at_the_top(
    member: Application, merchant: User, customer: User, move_clock: Callable[..., None]
) -> None:
    withdrawn = file(member, customer)
    complaints.withdraw(withdrawn.pk, actor=customer)
    late = file(member, customer)
    complaints.contest(late.pk, actor=merchant, text="不认责")
    soon = file(member, customer)

    def listed(which: str) -> list[Complaint | None]:
        return [row.complaint for row in case_list.page(merchant, which=which)]

    assert listed("all") == [soon, late, withdrawn]
    assert listed("open") == [soon, late]
    assert listed("closed") == [withdrawn]
    assert case_list.count_open(merchant) == 2


@pytest.mark.parametrize("query", ["show=x", "show=%00", "page=x", "page=-1", "page=99", "show=closed"])
def test_an_odd_address_of_the_list_is_answered(filed: Complaint, browser: Browser, query: str) -> None:
    assert browser.get(f"/console/cases/?{query}").status == 200


def test_a_long_list_has_pages(member: Application, customer: User, browser: Browser) -> None:
    for _number in range(case_list.A_PAGE + 1):
        person = make_merchant(f"买家{_number}", f"8064{_number:05}")
        file(member, person, claimed=Decimal("1.00"))

    assert "?page=2" in browser.get("/console/cases/").links
    assert len(case_list.page(member.applicant, number="2").object_list) == 1


def test_the_list_holds_nobody_elses_cases(filed: Complaint, stranger: User, customer: User) -> None:
    for person in (stranger, customer):
        assert case_page(filed) not in Browser(person).get("/console/cases/").links
        assert case_list.count_open(person) == 0


def test_the_list_costs_the_same_for_few_and_many(
    filed: Complaint, member: Application, customer: User, browser: Browser
) -> None:
    few = cost(browser, "/console/cases/")
    for _number in range(4):
        file(member, customer)

    assert cost(browser, "/console/cases/") == few == 7


# One complaint -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixture", OFFERED)
def test_each_state_offers_what_can_be_done(
    request: pytest.FixtureRequest, browser: Browser, fixture: str
) -> None:
    assert offered(browser, request.getfixturevalue(fixture)) == OFFERED[fixture]


def test_what_silence_brings_is_said_with_the_deadline(filed: Complaint, browser: Browser) -> None:
    text = browser.get(case_page(filed)).text

    assert "Your turn" in text
    assert "If you say nothing until then, it is decided against you" in text


def test_after_the_deadline_nothing_is_offered_even_before_the_sweep(
    filed: Complaint, browser: Browser, sleep_until: Callable[..., None]
) -> None:
    sleep_until(filed.due_at, 1)

    assert offered(browser, filed) == set()
    page = send(browser, case_page(filed, "contest"), text="来晚了的说明")
    assert page.status == 409
    assert "来晚了的说明" in page.text and "It was not handed in." in page.text


def test_a_sub_account_contests_but_does_not_admit(filed: Complaint, sub_account: User) -> None:
    browser = Browser(sub_account)
    assert offered(browser, filed) == {"contest"}
    assert send(browser, case_page(filed, "admit"), amount="1", text="认责").status == 403

    send(browser, case_page(filed, "contest"), text="不认责", files=[picture(), pdf()], seen=filed.version)

    assert again(filed).state == ComplaintState.EVIDENCE
    assert filed.files.count() == 2


def test_a_reader_of_the_company_only_reads(filed: Complaint, reader: User) -> None:
    browser = Browser(reader)

    assert offered(browser, filed) == set()
    assert send(browser, case_page(filed, "contest"), text="不认责").status == 403
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def test_what_an_admission_costs_is_spelled_out_before(
    member: Application, customer: User, browser: Browser
) -> None:
    cases.penalise(member.pk, case="violation:1", amount=Decimal("99900.00"), reason="扣罚", actor=None)
    complaint = file(member, customer)

    text = browser.get(case_page(complaint)).text
    assert "of it from what is frozen ¥100.00" in text
    assert "of it still owed afterwards ¥200.00" in text
    part = browser.get(f"{case_page(complaint, 'admission_cost')}?amount=60").text
    assert "of it from what is frozen ¥60.00" in part
    assert again(complaint).state == ComplaintState.AWAITING_RESPONSE


@pytest.mark.parametrize("amount", ["", "x", "0", "-1", "300.01", "NaN", "%00"])
def test_an_amount_that_cannot_be_admitted_costs_nothing(
    filed: Complaint, browser: Browser, amount: str
) -> None:
    page = browser.get(f"{case_page(filed, 'admission_cost')}?amount={amount}")

    assert page.status == 200
    assert "Give an amount above zero and at most ¥300.00" in page.text


@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"amount": "300.01", "text": "认责"}, "amount", "at most what is claimed"),
        ({"amount": "", "text": "认责"}, "amount", "required"),
        ({"amount": "12", "text": " "}, "text", "required"),
    ],
)
def test_a_wrong_admission_keeps_what_was_typed(
    filed: Complaint, browser: Browser, typed: dict[str, str], field: str, message: str
) -> None:
    page = send(browser, case_page(filed, "admit"), seen=filed.version, **typed)

    assert page.status == 422
    assert message in page.error_of(f"admit_{field}")
    assert f'value="{typed["amount"]}"' in page.html or not typed["amount"]
    assert page.problems() == []
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def test_admitting_all_of_it_ends_the_case_and_shows_the_money(filed: Complaint, browser: Browser) -> None:
    send(browser, case_page(filed, "admit"), amount="300", text="同意赔付", seen=filed.version)

    assert again(filed).state == ComplaintState.FINAL
    page = browser.get(case_page(filed))
    assert "¥300.00 of the ¥300.00 that are claimed" in page.text
    assert any("/receipts/" in link for link in page.links)


def test_an_old_page_changes_nothing(filed: Complaint, browser: Browser) -> None:
    page = send(browser, case_page(filed, "contest"), text="不认责", seen=filed.version + 1)

    assert page.status == 409
    assert "This page is out of date" in page.text
    assert "不认责" in page.form_values()["text"] or "不认责" in page.text
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def test_the_whole_way_of_a_provider_that_contests(
    filed: Complaint, browser: Browser, customer: User, ops: User
) -> None:
    send(browser, case_page(filed, "contest"), text="不认责", seen=filed.version)
    send(browser, case_page(filed, "add_evidence"), text="签收单见附件", files=[pdf("签收单.pdf")])
    assert "签收单.pdf" in browser.get(case_page(filed)).text
    send(browser, case_page(filed, "finish_evidence"))
    complaints.finish_evidence(filed.pk, actor=customer)
    complaints.decide(filed.pk, actor=ops, liability="liable", award=Decimal("300.00"), reason="理由")

    send(browser, case_page(filed, "appeal"), text="漏看了签收单", seen=again(filed).version)

    assert again(filed).state == ComplaintState.APPEALED


# Whose it is ---------------------------------------------------------------------------------------


def test_strangers_and_the_complainant_find_nothing_here(
    filed: Complaint, stranger: User, customer: User, member: Application
) -> None:
    upload = file_of(filed, customer)
    for person in (stranger, customer):
        other = Browser(person)
        for name in ("complaint", "admission_cost"):
            assert other.get(case_page(filed, name)).status == 404
        assert other.client.get(case_page(filed, "file", upload)).status_code == 404
        for name in ACTIONS:
            assert send(other, case_page(filed, name), text="x", amount="1").status == 404
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def file_of(complaint: Complaint, customer: User) -> int:
    """A file that the complainant handed in with another complaint against the same company."""
    send(
        Browser(customer),
        f"/complaints/new/?provider={complaint.application.number}",
        channel="offline",
        order_number="HT-1",
        order_value="10",
        question=complaint.question_id,
        text="见附件",
        claimed="1",
        truthful="on",
        files=[picture()],
    )
    return Complaint.objects.get(order_number="HT-1").files.get().pk


def test_a_file_is_had_with_its_own_case_alone(filed: Complaint, customer: User, browser: Browser) -> None:
    upload = file_of(filed, customer)
    its_own = Complaint.objects.get(order_number="HT-1")

    assert browser.client.get(case_page(its_own, "file", upload)).status_code == 200
    assert browser.client.get(case_page(filed, "file", upload)).status_code == 404


@pytest.mark.parametrize("rest", ["%00/complaints/x/", "SPX/complaints/%00/", "SPX/complaints/TS0000000000/"])
def test_numbers_that_are_none_are_not_found(db: None, browser: Browser, rest: str) -> None:
    assert browser.get(f"/console/cases/{rest}").status == 404


def test_the_provider_never_reads_the_payee_nor_staffs_notes(
    member: Application, customer: User, browser: Browser, ops: User
) -> None:
    complaint = file(member, customer, payee=PAYEE)
    complaints.contest(complaint.pk, actor=member.applicant, text="不认责")
    complaints.finish_evidence(complaint.pk, actor=member.applicant)
    complaints.finish_evidence(complaint.pk, actor=customer)
    complaints.name_payee(complaint.pk, actor=customer, payee=PAYEE)
    complaints.decide(
        complaint.pk,
        actor=ops,
        liability="liable",
        award=Decimal("300.00"),
        reason="公开的理由",
        internal_note="内部备注",
    )

    html = browser.get(case_page(complaint)).html

    assert "公开的理由" in html
    for hidden in (PAYEE.identity, "内部备注", ops.display_name, "Payee named", customer.taobao_user_id):
        assert hidden not in html


def test_only_a_post_with_a_token_moves_anything(filed: Complaint, merchant: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(merchant)

    assert strict.get(case_page(filed, "contest")).status_code == 405
    assert strict.post(case_page(filed, "contest"), {"text": "不认责"}).status_code == 403
    assert again(filed).state == ComplaintState.AWAITING_RESPONSE


def test_the_page_costs_the_same_for_little_and_much(
    contested: Complaint, merchant: User, browser: Browser
) -> None:
    little = cost(browser, case_page(contested))
    for number in range(3):
        complaints.add_evidence(contested.pk, actor=merchant, text=f"补充 {number}")

    assert cost(browser, case_page(contested)) == little == 10
