"""Who of staff reads complaints, who acts, and who sees a file; everybody else is refused at each door."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from applications.models import Application
from compliance.complaints import files
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint, ComplaintFile, QuestionCode
from tests.compliance.complaints.conftest import again, file
from tests.compliance.complaints.desk import ADD, LIST, offered, typed, url
from tests.people import PDF
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

QUESTIONS = "/admin/compliance/questioncode/"
STEPS = (
    "claim",
    "decide",
    "decide_appeal",
    "add_evidence",
    "appeal",
    "name_payee",
    "withdraw",
    "release",
)


@pytest.fixture
def shown(undecided: Complaint, member: Application, customer: User) -> ComplaintFile:
    """A PDF of another complaint's claim, and the undecided one beside it."""
    evidence = files.checked([SimpleUploadedFile("证据.pdf", PDF, content_type="application/pdf")])
    other = file(member, customer)
    with_file = complaints.contest(other.pk, actor=member.applicant, text="见附件。", uploads=evidence)
    return with_file.files.get()


def client_of(person: str, request: pytest.FixtureRequest) -> Client:
    return staff_client(request.getfixturevalue(person))


@pytest.mark.parametrize("person", ["ops", "second_ops", "finance", "auditor"])
def test_reads_everything(person: str, shown: ComplaintFile, request: pytest.FixtureRequest) -> None:
    client = client_of(person, request)
    pages = [LIST, url(shown.complaint), url(shown.complaint, "file", shown.pk)]

    assert {client.get(page).status_code for page in pages} == {200}


@pytest.mark.parametrize("person", ["reviewer", "second_reviewer"])
def test_a_reviewer_reads_nothing(person: str, shown: ComplaintFile, request: pytest.FixtureRequest) -> None:
    """The one who admitted the company, or another."""
    client = client_of(person, request)
    pages = [LIST, ADD, QUESTIONS, url(shown.complaint), url(shown.complaint, "file", shown.pk)]

    assert {client.get(page).status_code for page in pages} == {403}


@pytest.mark.parametrize("person", ["customer", "merchant", "stranger"])
def test_who_is_no_staff_reads_nothing(
    person: str, shown: ComplaintFile, request: pytest.FixtureRequest
) -> None:
    client = client_of(person, request)
    pages = [LIST, ADD, QUESTIONS, url(shown.complaint), url(shown.complaint, "file", shown.pk)]

    assert not {client.get(page).status_code for page in pages} & {200}


def test_a_superuser_reads_no_evidence_and_does_nothing(
    undecided: Complaint, shown: ComplaintFile, superuser: User
) -> None:
    client = staff_client(superuser)

    assert client.get(url(shown.complaint, "file", shown.pk)).status_code == 403
    assert offered(client, undecided) == []
    assert client.post(ADD, {}).status_code == 403
    assert client.get(f"{QUESTIONS}add/").status_code == 403
    for step in STEPS:
        assert client.post(url(undecided, step), sent(undecided, step)).status_code in (403, 409), step
    assert_untouched(undecided)


@pytest.mark.parametrize("person", ["finance", "auditor"])
@pytest.mark.parametrize("step", STEPS)
def test_who_only_reads_is_refused(
    person: str, step: str, undecided: Complaint, request: pytest.FixtureRequest
) -> None:
    client = client_of(person, request)

    assert client.get(url(undecided, step)).status_code == 403
    assert client.post(url(undecided, step), sent(undecided, step)).status_code in (403, 409)
    assert_untouched(undecided)


@pytest.mark.parametrize("person", ["finance", "auditor"])
def test_who_only_reads_enters_nothing(
    person: str, member: Application, request: pytest.FixtureRequest
) -> None:
    client = client_of(person, request)

    assert client.get(ADD).status_code == 403
    assert client.post(ADD, {"provider": member.number}).status_code == 403
    assert Complaint.objects.count() == 0


@pytest.mark.parametrize("step", STEPS)
def test_who_admitted_the_company_is_refused(undecided: Complaint, ops: User, step: str) -> None:
    Application.objects.filter(pk=undecided.application_id).update(approved_by=ops)

    assert staff_client(ops).post(url(undecided, step), sent(undecided, step)).status_code in (403, 409)
    assert_untouched(undecided)


@pytest.mark.parametrize("step", STEPS)
def test_a_stranger_finds_no_step(undecided: Complaint, stranger: User, step: str) -> None:
    assert staff_client(stranger).post(url(undecided, step), sent(undecided, step)).status_code in (302, 403)
    assert_untouched(undecided)


def test_a_file_is_served_only_under_its_own_case(
    undecided: Complaint, shown: ComplaintFile, ops: User
) -> None:
    client = staff_client(ops)

    assert client.get(url(undecided, "file", shown.pk)).status_code == 404
    assert client.post(url(shown.complaint, "file", shown.pk)).status_code == 405


def test_a_file_is_shown_in_a_frame_of_our_own_and_runs_nothing(shown: ComplaintFile, ops: User) -> None:
    answer = staff_client(ops).get(url(shown.complaint, "file", shown.pk))

    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("person", "reads", "changes"),
    [
        ("ops", 200, 200),
        ("auditor", 200, 403),
        ("finance", 403, 403),
        ("reviewer", 403, 403),
        ("superuser", 200, 403),
    ],
)
def test_the_catalogue_is_operations(
    person: str, reads: int, changes: int, request: pytest.FixtureRequest
) -> None:
    client = client_of(person, request)
    question = QuestionCode.objects.get(code="other")

    assert client.get(QUESTIONS).status_code == reads
    assert client.get(f"{QUESTIONS}add/").status_code == changes
    client.post(f"{QUESTIONS}{question.pk}/change/", {"code": "other", "title": "改", "position": "9"})
    assert (QuestionCode.objects.get(code="other").title == "改") == (changes == 200)


def test_operations_are_led_to_no_page_that_refuses_them(final: Complaint, ops: User) -> None:
    client = staff_client(ops)
    page = client.get(url(final)).content.decode()

    for link in set(re.findall(r'href="(/(?:admin|ops)/[^"#]+)"', page)):
        if "logout" not in link:
            assert client.get(link).status_code == 200, link


def sent(complaint: Complaint, step: str) -> dict[str, str]:
    """What a form of this step would send."""
    words = {"text": "补充。", "reason": "撤回。", "payee_identity": "2088102000000201", "payee_name": "丁"}
    decision = typed(complaint, figures="x", confirm="1") if step.startswith("decide") else {}
    return {"seen": str(complaint.version), **words, **decision}


def assert_untouched(complaint: Complaint) -> None:
    found = again(complaint)
    assert found.state == ComplaintState.AWAITING_DECISION
    assert (found.version, found.claimed_by, found.payee_identity) == (complaint.version, None, "")
