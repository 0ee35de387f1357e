"""What a company reads of a violation that was found against it, and its appeal: never the finding or the reporter."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.models import AppealFile, Violation, ViolationAppeal
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits import proposals
from deposits.duties import cases
from deposits.models import Proposal
from tests.compliance.conftest import FACTS, FINDING, REASON, TITLE
from tests.compliance.violations.conftest import Verify, fresh
from tests.people import PDF
from tests.portal.markup import Markup
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

Appeal = Callable[[Violation], Violation]
TEXT = "聊天记录不是我们发的。"


@pytest.fixture
def browser(merchant: User) -> Client:
    return browser_of(merchant)


def browser_of(person: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return client


def url(violation: Violation, name: str = "violation", *more: object) -> str:
    return reverse(f"cases:{name}", args=[violation.application.number, violation.pk, *more])


def read(client: Client, violation: Violation) -> Markup:
    return Markup(client.get(url(violation)))


def send(client: Client, violation: Violation, **typed: object) -> Any:
    content = {"text": TEXT, "seen": fresh(violation).version, **typed}
    return client.post(url(violation, "violation_appeal"), content)


def evidence(name: str = "公证书.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/pdf")


def test_the_company_reads_the_decision_and_not_the_finding(
    active: Application, verify: Verify, browser: Client, ops: User, second_ops: User
) -> None:
    page = read(browser, verify(active))

    assert page.problems() == []
    assert TITLE in page.text and REASON in page.text
    for secret in (FACTS, FINDING, ops.display_name, second_ops.display_name):
        assert secret not in page.text


def test_each_sanction_is_told_with_its_money_and_its_date(
    active: Application, verify: Verify, browser: Client
) -> None:
    cases.penalise(active.pk, case="violation:999", amount=Decimal("97000.00"), reason="扣罚", actor=None)
    violation = verify(active, penalty=Decimal("5000.00"), suspension_days=10)

    page = read(browser, violation)

    sanction = violation.sanctions.get(measure="suspension")
    assert sanction.rectify_by is not None
    assert "¥5,000.00" in page.text and "¥2,000.00 are still owed" in page.text
    assert f"Put it right by {sanction.rectify_by.astimezone():%Y-%m-%d}"[:18] in page.text
    assert "6 / 12" in page.text


def test_an_expelled_company_reads_why_and_may_appeal(
    active: Application, verify: Verify, browser: Client
) -> None:
    violation = verify(active, "severe")

    page = read(browser, violation)

    assert "¥100,000.00 of the deposit are forfeited" in page.text
    assert REASON in page.text and url(violation, "violation_appeal") in page.html
    assert (
        url(violation) in browser.get(reverse("applications:detail", args=[active.number])).content.decode()
    )
    assert "/console/cases/" in browser.get(reverse("compliance:exit", args=[active.number])).content.decode()


@pytest.mark.parametrize("state", ["reported", "proposed", "dismissed"])
def test_a_suspicion_is_not_shown(reported: Violation, second_ops: User, browser: Client, state: str) -> None:
    if state != "reported":
        violations.take_up(reported.pk, actor=second_ops)
        violations.propose(reported.pk, actor=second_ops, severity="general", finding=FINDING)
    if state == "dismissed":
        violations.dismiss(reported.pk, actor=second_ops, reason="证据不足")

    assert browser.get(url(reported)).status_code == 404
    assert send(browser, reported).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_finds_nothing(active: Application, verify: Verify, stranger: User, method: str) -> None:
    violation = verify(active)
    knock = getattr(browser_of(stranger), method)

    for name, more in (("violation", ()), ("violation_appeal", ()), ("violation_file", (1,))):
        assert knock(url(violation, name, *more)).status_code in (404, 405)


def test_the_appeal_reaches_operations_with_its_files(
    active: Application, verify: Verify, browser: Client, third_ops: User
) -> None:
    violation = verify(active)

    answer = send(browser, violation, files=[evidence(), evidence("二.pdf")])

    assert answer.status_code == 302
    assert fresh(violation).state == ViolationState.APPEALED
    appeal = ViolationAppeal.objects.get()
    assert (appeal.text, appeal.files.count()) == (TEXT, 2)
    page = read(browser, violation)
    assert page.problems() == []
    assert TEXT in page.text and "公证书.pdf" in page.text
    assert (
        TEXT
        in staff_client(third_ops)
        .get(reverse("admin:compliance_violation_change", args=[violation.pk]))
        .content.decode()
    )


def test_a_refused_appeal_keeps_every_word(active: Application, verify: Verify, browser: Client) -> None:
    violation = verify(active)

    empty = Markup(send(browser, violation, text=""))
    bad_file = Markup(send(browser, violation, files=[evidence("a.pdf", b"MZ no pdf")]))

    assert (empty.status, bad_file.status) == (422, 409)
    assert empty.error_of("appeal_text") and bad_file.error_of("appeal_files")
    assert bad_file.problems() == []
    assert bad_file.form_values()["text"].strip() == TEXT
    assert fresh(violation).state == ViolationState.VERIFIED


def test_an_appeal_on_an_old_page_is_shown_again_and_can_then_be_sent(
    active: Application, verify: Verify, browser: Client, third_ops: User
) -> None:
    violation = verify(active, suspension_days=10)
    violations.confirm_rectified(violation.pk, actor=third_ops, reason="已整改")

    page = Markup(send(browser, violation, seen=violation.version))

    assert (page.status, page.problems()) == (409, [])
    typed = page.form_values()
    assert typed["text"].strip() == TEXT
    assert send(browser, violation, text=typed["text"], seen=typed["seen"]).status_code == 302


def test_there_is_one_appeal(active: Application, verify: Verify, appeal: Appeal, browser: Client) -> None:
    violation = appeal(verify(active))

    answer = send(browser, violation)

    page = Markup(answer)
    assert (page.status, page.problems()) == (409, [])
    assert TEXT in page.text and "can't be done while" in page.text
    assert ViolationAppeal.objects.count() == 1


def test_only_the_main_account_appeals(active: Application, verify: Verify, sub_account: User) -> None:
    violation = verify(active)
    client = browser_of(sub_account)

    assert "Only the main Taobao account" in read(client, violation).text
    assert send(client, violation).status_code == 403
    assert fresh(violation).state == ViolationState.VERIFIED


def test_the_appeal_ends_with_its_period(
    active: Application, verify: Verify, browser: Client, move_clock: Callable[..., None]
) -> None:
    violation = verify(active)
    assert "6 days, 23 hours left" in read(browser, violation).text.replace("\xa0", " ")

    move_clock(days=8)

    page = read(browser, violation)
    assert "The decision is final" in page.text
    assert url(violation, "violation_appeal") not in page.html
    assert send(browser, violation).status_code == 409


def test_an_appeal_that_is_being_decided_says_no_more_than_that(
    active: Application, verify: Verify, appeal: Appeal, browser: Client, fourth_ops: User
) -> None:
    violation = appeal(verify(active, "severe"))
    violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="拟撤销")

    page = read(browser, violation)

    assert "being decided" in page.text
    assert "拟撤销" not in page.text and fourth_ops.display_name not in page.text


def test_the_decision_on_the_appeal_is_read_with_what_was_taken_back(
    active: Application,
    verify: Verify,
    appeal: Appeal,
    uphold: Appeal,
    browser: Client,
    fourth_ops: User,
) -> None:
    violation = uphold(appeal(verify(active, penalty=Decimal("5000.00"))))

    page = read(browser, violation)

    assert "申诉成立" in page.text and "Taken back on" in page.text
    assert "0 / 12" in page.text
    assert fourth_ops.display_name not in page.text


def test_the_money_of_a_penalty_is_told_to_wait_for_finance_until_it_is_back(
    active: Application, verify: Verify, appeal: Appeal, uphold: Appeal, browser: Client, finance: User
) -> None:
    violation = uphold(appeal(verify(active, penalty=Decimal("5000.00"))))
    assert "as soon as finance has checked it" in read(browser, violation).text

    proposals.accept(Proposal.objects.get().pk, actor=finance)

    text = read(browser, violation).text
    assert "as soon as finance" not in text and "is back in your deposit" in text


def test_a_violation_that_fills_the_year_says_so(
    active: Application, verify: Verify, browser: Client
) -> None:
    verify(active)
    second = verify(active)

    text = read(browser, second).text

    assert "counts as severe" in text and "12 / 12" in text
    assert "It can't come back." in text


class TestFiles:
    @pytest.fixture
    def file(self, active: Application, verify: Verify, browser: Client) -> AppealFile:
        send(browser, verify(active), files=[evidence()])
        return AppealFile.objects.select_related("appeal__violation__application").get()

    def test_are_read_by_the_company(self, file: AppealFile, browser: Client) -> None:
        answer = browser.get(url(file.appeal.violation, "violation_file", file.pk))

        assert answer.getvalue() == PDF
        assert answer["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("who", "status"), [("third_ops", 200), ("auditor", 200), ("superuser", 403), ("finance", 403)]
    )
    def test_are_read_by_roles_of_the_case(
        self, file: AppealFile, who: str, status: int, request: pytest.FixtureRequest
    ) -> None:
        address = reverse("admin:compliance_violation_appeal_file", args=[file.appeal.violation_id, file.pk])

        assert staff_client(request.getfixturevalue(who)).get(address).status_code == status

    def test_of_another_case_are_not_found(
        self, file: AppealFile, active: Application, verify: Verify, browser: Client, third_ops: User
    ) -> None:
        other = verify(active)

        assert browser.get(url(other, "violation_file", file.pk)).status_code == 404
        address = reverse("admin:compliance_violation_appeal_file", args=[other.pk, file.pk])
        assert staff_client(third_ops).get(address).status_code == 404


def test_what_the_page_costs(
    active: Application, verify: Verify, appeal: Appeal, browser: Client, auditor: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("5000.00"), suspension_days=10))
    desk = staff_client(auditor)

    def cost(client: Client, address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    assert cost(browser, url(violation)) == 13
    assert cost(desk, reverse("admin:compliance_violation_change", args=[violation.pk])) == 19
