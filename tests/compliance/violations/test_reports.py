"""A merchant reports a provider of the directory; the public reads who was expelled."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from applications.models import Application
from compliance.models import Violation, ViolationFile
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from tests.compliance.conftest import FACTS, FINDING, REASON, TITLE
from tests.compliance.violations.conftest import Verify
from tests.people import PDF
from tests.portal.markup import Markup
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

MINE = "/console/reports/"
NOTICES = "/providers/notices/"


def browser_of(person: User | None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person)
    return client


def form_url(application: Application) -> str:
    return reverse("compliance:report_provider", args=[application.number])


def send(person: User, application: Application, **typed: object) -> Any:
    return browser_of(person).post(form_url(application), {"title": TITLE, "facts": FACTS, **typed})


def test_a_report_waits_for_operations_and_its_sender_is_thanked(
    active: Application, stranger: User, ops: User
) -> None:
    file = SimpleUploadedFile("截图.pdf", PDF, content_type="application/pdf")

    answer = send(stranger, active, files=[file])

    assert answer["Location"] == MINE
    violation = Violation.objects.get()
    assert (violation.state, violation.reported_by, violation.application) == (
        ViolationState.REPORTED,
        stranger,
        active,
    )
    page = Markup(browser_of(stranger).get(MINE))
    assert page.problems() == []
    assert TITLE in page.text and "being investigated" in page.text
    desk = staff_client(ops).get(reverse("admin:compliance_violation_change", args=[violation.pk]))
    assert "截图.pdf" in desk.content.decode()
    assert [step.name for step in desk.context["steps"]] == ["take_up"]


@pytest.mark.parametrize(
    ("who", "status"), [("ops", 200), ("auditor", 200), ("superuser", 403), ("reviewer", 403)]
)
def test_its_evidence_is_read_by_roles_of_the_case(
    active: Application, stranger: User, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    send(stranger, active, files=[SimpleUploadedFile("截图.pdf", PDF, content_type="application/pdf")])
    file = ViolationFile.objects.get()
    address = reverse("admin:compliance_violation_report_file", args=[file.violation_id, file.pk])

    assert staff_client(request.getfixturevalue(who)).get(address).status_code == status


def test_a_decided_report_says_so_without_details(
    active: Application, stranger: User, second_ops: User, third_ops: User
) -> None:
    send(stranger, active)
    violation = Violation.objects.get()
    violations.take_up(violation.pk, actor=second_ops)
    violations.propose(violation.pk, actor=second_ops, severity="general", finding=FINDING)
    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    page = Markup(browser_of(stranger).get(MINE))

    assert "decided" in page.text
    for detail in (REASON, FINDING, "verified", "points"):
        assert detail not in page.text


def test_ones_own_company_is_refused(active: Application, merchant: User) -> None:
    assert "<textarea" not in browser_of(merchant).get(form_url(active)).content.decode()
    assert send(merchant, active).status_code == 403
    assert not Violation.objects.exists()


def test_what_is_empty_or_no_picture_is_refused_beside_its_field(active: Application, stranger: User) -> None:
    empty = Markup(send(stranger, active, facts=""))
    bad_file = Markup(send(stranger, active, files=[SimpleUploadedFile("a.exe", b"MZ")]))

    assert (empty.status, bad_file.status) == (422, 409)
    assert empty.error_of("report_facts") and bad_file.error_of("report_files")
    assert bad_file.form_values()["facts"].strip() == FACTS
    assert bad_file.problems() == []
    assert not Violation.objects.exists()


def test_there_is_a_limit_to_reports_in_a_day(
    active: Application, stranger: User, move_clock: Callable[..., None]
) -> None:
    for _again in range(3):
        assert send(stranger, active).status_code == 302

    assert "tomorrow" in browser_of(stranger).get(form_url(active)).content.decode()
    refused = send(stranger, active)
    assert refused.status_code == 409
    assert FACTS in refused.content.decode()

    move_clock(days=1)
    assert send(stranger, active).status_code == 302


def test_only_providers_of_the_directory_have_the_page(under_review: Application, stranger: User) -> None:
    assert browser_of(stranger).get(form_url(under_review)).status_code == 404
    assert send(stranger, under_review).status_code == 404


def test_somebody_without_a_taobao_log_in_is_led_to_it(active: Application) -> None:
    for address in (form_url(active), MINE):
        assert browser_of(None).get(address)["Location"].startswith(reverse("login"))


def test_each_sees_their_own_reports_only(active: Application, stranger: User, merchant: User) -> None:
    send(stranger, active)

    assert TITLE not in browser_of(merchant).get(MINE).content.decode()


# Notices of punishment -----------------------------------------------------------------------------


def test_everybody_reads_who_was_expelled_and_not_why(active: Application, verify: Verify) -> None:
    verify(active, "severe")

    page = Markup(browser_of(None).get(NOTICES))

    assert page.problems() == []
    assert active.company_name in page.text and "expulsion" in page.text
    assert TITLE not in page.text and REASON not in page.text
    assert NOTICES in browser_of(None).get("/providers/").content.decode()


def test_a_sanction_that_does_not_expel_is_nobodys_business(active: Application, verify: Verify) -> None:
    verify(active)

    assert active.company_name not in browser_of(None).get(NOTICES).content.decode()


def test_a_notice_is_gone_with_an_upheld_appeal(
    active: Application,
    verify: Verify,
    appeal: Callable[[Violation], Violation],
    uphold: Callable[[Violation], Violation],
) -> None:
    uphold(appeal(verify(active, "severe")))

    assert active.company_name not in browser_of(None).get(NOTICES).content.decode()


def test_the_notices_cost_one_query(
    active: Application, verify: Verify, django_assert_num_queries: Callable[..., Any]
) -> None:
    verify(active, "severe")

    with django_assert_num_queries(1):
        browser_of(None).get(NOTICES)


def test_the_pages_of_reports_cost_a_fixed_number_of_queries(
    active: Application, stranger: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    client = browser_of(stranger)
    send(stranger, active)
    send(stranger, active)

    with django_assert_num_queries(5):
        client.get(MINE)
    with django_assert_num_queries(9):
        client.get(form_url(active))
