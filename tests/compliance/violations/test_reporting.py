"""Who puts a suspected violation on the queue: operations, a merchant, or the system."""

import datetime as dt
from collections.abc import Callable
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from applications import services as applications
from applications.models import Application
from compliance import tasks
from compliance.complaints import clocks
from compliance.models import Complaint, Violation
from compliance.violations import services as violations
from compliance.violations.automatic import TRIGGERS
from tests.compliance.complaints.conftest import complaints as complaint_verbs
from tests.compliance.complaints.conftest import customer, decide, decide_appeal, file, member
from tests.compliance.conftest import FACTS, TITLE
from tests.people import make_merchant
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

__all__ = ["customer", "member"]

Move = Callable[..., None]


def refused(code: str, call: Callable[[], object]) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        call()
    assert refusal.value.code == code
    return refusal.value


# By a merchant -------------------------------------------------------------------------------------


def report(application: Application, actor: User, **changes: object) -> Violation:
    values: dict[str, object] = {"title": TITLE, "facts": FACTS, "uploads": ()}
    return violations.report_by_merchant(application.pk, actor=actor, **(values | changes))  # type: ignore[arg-type]


def test_a_merchant_reports_with_evidence(active: Application, stranger: User, ops: User) -> None:
    violation = report(active, stranger, uploads=[SimpleUploadedFile("聊天.pdf", b"%PDF-1.4\n%%EOF\n")])

    assert (violation.state, violation.severity, violation.reported_by) == ("reported", "general", stranger)
    stored = violation.files.get()
    assert (stored.original_name, stored.uploaded_by) == ("聊天.pdf", stranger)
    step = violation.steps.get()
    assert (step.name, step.actor) == ("report", stranger)
    assert Notice.objects.filter(recipient=ops, key=f"violation:{violation.pk}:{step.pk}").exists()


@pytest.mark.parametrize("who", ["merchant", "sub_account", "ops", "superuser"])
def test_neither_the_company_nor_staff_reports_as_a_merchant(
    active: Application, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotPermitted):
        report(active, request.getfixturevalue(who))

    assert not Violation.objects.exists()


def test_a_member_of_the_company_does_not_report_it(active: Application, stranger: User) -> None:
    assert active.company is not None
    active.company.memberships.create(user=stranger, role="reader")

    with pytest.raises(NotPermitted):
        report(active, stranger)


def test_a_merchant_does_not_report_as_operations(active: Application, stranger: User) -> None:
    with pytest.raises(NotPermitted):
        violations.report(active.pk, actor=stranger, severity="severe", title=TITLE, facts=FACTS)


def test_a_merchant_reports_so_many_a_day(active: Application, stranger: User, move_clock: Move) -> None:
    noon = dt.timedelta(hours=12) - (clock.now() - clock.day_start(clock.today()))
    move_clock(seconds=noon.total_seconds())
    for _number in range(3):
        report(active, stranger)
    assert violations.reports_left(stranger) == 0

    refused("too_many_reports", lambda: report(active, stranger))
    report(active, make_merchant("小店丙", "706377777"))

    move_clock(hours=12)
    assert violations.reports_left(stranger) == 3
    report(active, stranger)


def test_the_daily_limit_is_a_rule(active: Application, stranger: User) -> None:
    set_rule("violation.reports_per_day", 1)
    report(active, stranger)

    refused("too_many_reports", lambda: report(active, stranger))


@pytest.mark.parametrize("field", ["title", "facts"])
def test_a_report_says_what_happened(active: Application, stranger: User, field: str) -> None:
    refusal = refused("empty", lambda: report(active, stranger, **{field: " \n"}))

    assert refusal.field == field
    assert not Violation.objects.exists()


def test_files_that_are_no_evidence_are_refused(active: Application, stranger: User) -> None:
    many = [SimpleUploadedFile(f"{number}.pdf", b"%PDF-1.4") for number in range(6)]

    for uploads, code in (([SimpleUploadedFile("a.exe", b"MZ")], "not_a_picture"), (many, "too_many_files")):
        refusal = refused(code, partial(report, active, stranger, uploads=uploads))
        assert refusal.field == "files"
    assert not Violation.objects.exists()


def test_an_applicant_cannot_be_reported(under_review: Application, stranger: User) -> None:
    refused("not_a_provider", lambda: report(under_review, stranger))


# By the system -------------------------------------------------------------------------------------


def sweep() -> list[Violation]:
    tasks.sweep_violations()
    return list(Violation.objects.order_by("pk"))


@pytest.fixture
def uphold(customer: User, merchant: User, ops: User, second_ops: User) -> Callable[..., Complaint]:
    """`uphold(member)`: a complaint that was contested, decided for the complainant, and is final."""

    def run(application: Application, liability: str = "liable", award: str = "300.00") -> Complaint:
        filed = file(application, customer)
        complaint_verbs.contest(filed.pk, actor=merchant, text="不实")
        complaint_verbs.finish_evidence(filed.pk, actor=merchant)
        complaint_verbs.finish_evidence(filed.pk, actor=customer)
        decided = decide(filed, ops, liability, award)
        complaint_verbs.appeal(filed.pk, actor=merchant if award != "0.00" else customer, text="不服")
        assert decided.state == "decided"
        return decide_appeal(filed, second_ops, liability, award)

    return run


def test_many_upheld_complaints_are_reported_once(
    member: Application, uphold: Callable[..., Complaint]
) -> None:
    uphold(member)
    uphold(member)
    uphold(member, "not_liable", "0.00")
    assert sweep() == []
    last = uphold(member, "shared", "100.00")

    violation = sweep()[0]

    assert (violation.severity, violation.state, violation.reported_by) == ("general", "reported", None)
    assert violation.trigger == f"complaints:{last.pk}"
    assert "3" in violation.facts
    assert sweep() == [violation]
    # Each complaint counts for one report.
    uphold(member)
    uphold(member)
    assert sweep() == [violation]
    uphold(member)
    assert len(sweep()) == 2


def test_what_is_older_than_the_rule_does_not_count(
    member: Application, uphold: Callable[..., Complaint], move_clock: Move
) -> None:
    uphold(member)
    uphold(member)
    move_clock(days=90, seconds=60)
    uphold(member)

    assert sweep() == []


def test_silence_is_reported_once(member: Application, customer: User, move_clock: Move) -> None:
    for _number in range(2):
        filed = file(member, customer)
        move_clock(hours=49)
        clocks.act_on_deadline(filed.pk)

    (violation,) = sweep()

    assert violation.trigger.startswith("silence:")
    assert sweep() == [violation]


def test_the_number_is_a_rule(member: Application, uphold: Callable[..., Complaint]) -> None:
    set_rule(
        "violation.automatic", {"complaints": 1, "complaint_days": 90, "silences": 2, "silence_days": 90}
    )
    uphold(member)

    assert len(sweep()) == 1


def test_a_trigger_reports_once_also_in_the_database(active: Application) -> None:
    first = violations.report_by_system(active.pk, trigger="silence:1", title=TITLE, facts=FACTS)
    assert first is not None
    assert violations.report_by_system(active.pk, trigger="silence:1", title=TITLE, facts=FACTS) is None

    with pytest.raises(IntegrityError), transaction.atomic():
        Violation.objects.create(
            application=active, severity="general", title="t", facts="f", trigger="silence:1"
        )


def test_two_workers_report_it_once(member: Application, uphold: Callable[..., Complaint]) -> None:
    for _number in range(3):
        uphold(member)
    trigger = TRIGGERS[0]
    assert trigger.due() == [member.pk]

    trigger.report_if_due(member.pk)
    trigger.report_if_due(member.pk)

    assert Violation.objects.count() == 1


def test_a_company_that_has_left_is_reported_too(active: Application, merchant: User) -> None:
    applications.request_exit(active.pk, actor=merchant)
    applications.complete_exit(active.pk)

    assert violations.report_by_system(active.pk, trigger="silence:1", title=TITLE, facts=FACTS) is not None
