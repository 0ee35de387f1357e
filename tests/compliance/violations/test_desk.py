"""The desk for violations: what it offers to whom, what it says before a decision, and that only POST decides."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from applications.lifecycle import State
from applications.models import Application
from compliance.admin.violations import steps as desk_steps
from compliance.models import Violation
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from tests.compliance.conftest import FACTS, FINDING, REASON, TITLE, report
from tests.compliance.violations.conftest import Verify
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

ADD = "/admin/compliance/violation/add/"
LIST = "/admin/compliance/violation/"


def url(violation: Violation, step: str = "change") -> str:
    return reverse(f"admin:compliance_violation_{step}", args=[violation.pk])


def again(violation: Violation) -> Violation:
    return Violation.objects.get(pk=violation.pk)


def offered(person: User, violation: Violation) -> list[str]:
    return [step.name for step in staff_client(person).get(url(violation)).context["steps"]]


def test_a_violation_goes_its_whole_way_over_the_desk(
    active: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    reporter, investigator, verifier = map(staff_client, (ops, second_ops, third_ops))

    content = {"number": active.number.lower(), "severity": "severe", "title": TITLE, "facts": FACTS}
    answer = reporter.post(ADD, content)
    violation = Violation.objects.get()
    assert answer["Location"] == url(violation)
    investigator.post(url(violation, "take_up"), {"seen": violation.version})
    finding = {"seen": again(violation).version, "severity": "severe", "finding": FINDING, "ground": "rules"}
    investigator.post(url(violation, "propose"), finding)
    consequences = " ".join(verifier.get(url(violation, "verify")).context["consequences"])
    decision = {"seen": again(violation).version, "reason": REASON}
    answer = verifier.post(url(violation, "verify"), decision, follow=True)

    assert "100,000.00" in consequences and active.company_name in consequences
    assert answer.status_code == 200
    assert again(violation).state == ViolationState.VERIFIED
    assert Application.objects.get(pk=active.pk).state == State.EXPELLED


def test_each_is_offered_what_is_theirs(
    reported: Violation, ops: User, second_ops: User, third_ops: User, auditor: User
) -> None:
    assert [offered(person, reported) for person in (ops, second_ops, third_ops, auditor)] == [
        [],
        ["take_up"],
        ["take_up"],
        [],
    ]
    violations.take_up(reported.pk, actor=second_ops)
    assert [offered(person, reported) for person in (ops, second_ops, third_ops)] == [
        [],
        ["propose", "dismiss"],
        ["dismiss"],
    ]
    violations.propose(reported.pk, actor=second_ops, severity="severe", finding=FINDING)
    assert offered(third_ops, reported) == ["verify", "dismiss"]
    assert offered(second_ops, reported) == ["propose", "dismiss"]
    violations.verify(reported.pk, actor=third_ops, reason=REASON)
    assert offered(third_ops, reported) == []


@pytest.mark.parametrize("step", ["take_up", "propose", "verify", "dismiss"])
def test_looking_at_a_step_decides_nothing(proposed: Violation, third_ops: User, step: str) -> None:
    staff_client(third_ops).get(url(proposed, step))

    assert again(proposed).state == ViolationState.INVESTIGATING
    assert again(proposed).version == proposed.version


def test_the_investigator_who_verifies_anyway_is_refused(
    proposed: Violation, active: Application, second_ops: User
) -> None:
    answer = staff_client(second_ops).post(
        url(proposed, "verify"), {"seen": proposed.version, "reason": REASON}
    )

    assert answer.status_code == 409
    assert REASON in answer.content.decode()
    assert Application.objects.get(pk=active.pk).state == State.ACTIVE


def test_a_page_that_is_out_of_date_is_shown_again_with_every_word(
    proposed: Violation, second_ops: User, third_ops: User
) -> None:
    violations.propose(proposed.pk, actor=second_ops, severity="general", finding="改为一般违规")

    answer = staff_client(third_ops).post(
        url(proposed, "verify"), {"seen": proposed.version, "reason": REASON}
    )

    page = answer.content.decode()
    assert answer.status_code == 409
    assert REASON in page and "改为一般违规" in page
    assert again(proposed).state == ViolationState.INVESTIGATING


def test_a_superuser_sees_and_decides_nothing(proposed: Violation, superuser: User) -> None:
    client = staff_client(superuser)

    assert client.get(url(proposed)).context["steps"] == []
    answer = client.post(url(proposed, "verify"), {"seen": proposed.version, "reason": REASON})
    assert answer.status_code == 403
    assert client.post(ADD, {}).status_code == 403
    assert again(proposed).state == ViolationState.INVESTIGATING


STEPS = [step.name for step in desk_steps.STEPS]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("who", ["reviewer", "finance", "auditor", "superuser", "stranger", "merchant"])
def test_only_operations_take_a_step(
    proposed: Violation, who: str, step: str, request: pytest.FixtureRequest
) -> None:
    data = {
        "seen": proposed.version,
        "reason": REASON,
        "severity": "severe",
        "finding": FINDING,
        "ground": "rules",
    }

    answer = staff_client(request.getfixturevalue(who)).post(url(proposed, step), data)

    assert answer.status_code == 403
    assert (again(proposed).state, again(proposed).version) == (proposed.state, proposed.version)


@pytest.mark.parametrize("model", ["violation", "sanction", "violationappeal"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("ops", 200), ("auditor", 200), ("reviewer", 403), ("finance", 403), ("stranger", 403)],
)
def test_operations_and_the_auditor_read_the_lists(
    verified_violation: Violation, model: str, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    client = staff_client(request.getfixturevalue(who))

    assert client.get(f"/admin/compliance/{model}/").status_code == status


def test_a_sanction_leads_to_its_violation(verified_violation: Violation, ops: User, finance: User) -> None:
    sanction = verified_violation.sanctions.first()
    assert sanction is not None
    address = reverse("admin:compliance_sanction_change", args=[sanction.pk])

    assert staff_client(ops).get(address)["Location"] == url(verified_violation)
    assert staff_client(finance).get(address).status_code == 403


@pytest.mark.parametrize(("path", "queries"), [(LIST, 8), ("/admin/compliance/sanction/", 7)])
def test_a_longer_list_costs_no_more(
    active: Application,
    verify: Verify,
    auditor: User,
    path: str,
    queries: int,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    client = staff_client(auditor)

    for _again in range(2):
        verify(active, penalty=Decimal("100.00"))
        with django_assert_num_queries(queries):
            client.get(path)


@pytest.mark.parametrize("who", ["reviewer", "finance"])
def test_other_staff_see_no_violations(proposed: Violation, who: str, request: pytest.FixtureRequest) -> None:
    client = staff_client(request.getfixturevalue(who))

    assert client.get(url(proposed)).status_code == 403
    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("number", ["SPAAAAAAAAAA", ""])
def test_a_report_without_a_provider_is_shown_again(ops: User, number: str) -> None:
    answer = staff_client(ops).post(
        ADD, {"number": number, "severity": "severe", "title": TITLE, "facts": FACTS}
    )

    assert answer.status_code == 200
    assert FACTS in answer.content.decode()
    assert not Violation.objects.exists()


def test_an_applicant_cannot_be_reported(under_review: Application, ops: User) -> None:
    content = {"number": under_review.number, "severity": "severe", "title": TITLE, "facts": FACTS}
    staff_client(ops).post(ADD, content)

    assert not Violation.objects.exists()


@pytest.mark.parametrize(
    ("work", "who", "count"),
    [
        ("", "third_ops", 2),
        ("reported", "third_ops", 1),
        ("proposed", "third_ops", 1),
        ("mine", "second_ops", 1),
        ("mine", "third_ops", 0),
    ],
)
def test_the_queue_shows_whose_turn_it_is(
    proposed: Violation,
    active: Application,
    ops: User,
    work: str,
    who: str,
    count: int,
    request: pytest.FixtureRequest,
) -> None:
    report(active, ops, "general")

    answer = staff_client(request.getfixturevalue(who)).get(LIST, {"work": work})

    assert answer.context["cl"].result_count == count


def test_the_first_page_counts_what_waits(
    proposed: Violation, active: Application, ops: User, third_ops: User, second_ops: User
) -> None:
    report(active, None, "general")

    def waiting(person: User) -> list[int]:
        tasks = staff_client(person).get("/admin/").context["tasks"]
        return [task.count for task in tasks if "violation" in task.url]

    assert waiting(third_ops) == [1, 0, 1, 0]
    assert waiting(second_ops) == [1, 1, 0, 0]
    assert waiting(ops) == [1, 0, 0, 0]


def test_the_page_of_the_application_names_violation_and_exit(
    proposed: Violation, exiting: Application, third_ops: User
) -> None:
    page = staff_client(third_ops).get(reverse("admin:applications_application_change", args=[exiting.pk]))

    text = page.content.decode()
    assert TITLE in text
    assert exiting.exit_requests.get().notice_ends_at.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d") in text
