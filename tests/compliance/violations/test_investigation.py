"""Violations: who may decide, what a decision brings about, and that nobody decides alone."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ObjectDoesNotExist

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application, Ban
from compliance import directory
from compliance.models import Violation
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits.books.accounts import Kind
from deposits.models import Deposit
from tests.compliance.conftest import FACTS, FINDING, PAID, REASON, TITLE, investigate, report
from tests.people import make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

# What the company reads: what it did, and why that was decided.
TOLD = f"{TITLE}\n{REASON}"


def refused(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(DomainError) as refusal:
        call()
    assert refusal.value.code == code


def again(row: Application) -> Application:
    return Application.objects.get(pk=row.pk)


# The way of a violation ----------------------------------------------------------------------------


def test_a_verified_severe_violation_expels_at_once(
    proposed: Violation, active: Application, ops: User, second_ops: User, third_ops: User, merchant: User
) -> None:
    violation = violations.verify(proposed.pk, actor=third_ops, reason=REASON)

    assert violation.state == ViolationState.VERIFIED
    assert (violation.investigator, violation.verifier) == (second_ops, third_ops)
    application = again(active)
    assert application.state == State.EXPELLED
    step = application.transitions.last()
    assert step is not None
    assert (step.name, step.actor, step.reason) == ("expel", third_ops, TOLD)
    ban = Ban.objects.get()
    assert (ban.application, ban.ends_at) == (application, None)
    deposit = Deposit.objects.get(application=application)
    assert (deposit.available, deposit.frozen) == (0, 0)
    assert deposit.transfers.get(kind=Kind.FORFEITURE).amount == PAID
    assert not directory.providers().exists()
    assert Notice.objects.filter(recipient=merchant, key=f"application:{active.pk}:{step.pk}").exists()


def test_each_step_leaves_one_row_of_history(verified_violation: Violation) -> None:
    rows = list(
        verified_violation.steps.values_list("name", "from_state", "to_state", "actor__username", "note")
    )

    assert rows == [
        ("report", "", "reported", "wangyun", ""),
        ("take_up", "reported", "investigating", "zhaoyun", ""),
        ("propose", "investigating", "investigating", "zhaoyun", FINDING),
        ("verify", "investigating", "verified", "zhouyun", REASON),
    ]


def test_a_verified_general_violation_is_recorded_and_told(
    active: Application, ops: User, second_ops: User, third_ops: User, merchant: User
) -> None:
    violation = investigate(report(active, ops, "general"), second_ops)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert again(active).state == State.ACTIVE
    assert not Ban.objects.exists()
    notice = Notice.objects.get(recipient=merchant, key__startswith="violation:")
    assert TITLE in notice.body and REASON in notice.body


def test_the_investigator_decides_on_the_severity(
    active: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    violation = report(active, ops, "severe")
    violations.take_up(violation.pk, actor=second_ops)
    violations.propose(violation.pk, actor=second_ops, severity="general", finding=FINDING)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert again(active).state == State.ACTIVE
    assert list(violation.steps.values_list("severity", flat=True)) == [
        "severe",
        "severe",
        "general",
        "general",
    ]


def test_a_dismissed_violation_changes_nothing_and_tells_its_reporter(
    proposed: Violation, active: Application, ops: User, second_ops: User
) -> None:
    violation = violations.dismiss(proposed.pk, actor=second_ops, reason="证据不足")

    assert violation.state == ViolationState.DISMISSED
    assert violation.verifier is None
    assert again(active).state == State.ACTIVE
    step = violation.steps.get(name="dismiss")
    assert Notice.objects.filter(recipient=ops, key=f"violation:{violation.pk}:{step.pk}").exists()


def test_the_system_can_report(active: Application, second_ops: User, third_ops: User) -> None:
    violation = investigate(report(active, None), second_ops)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert again(active).state == State.EXPELLED


def test_operations_are_told_what_waits_for_them(
    ops: User, second_ops: User, third_ops: User, active: Application
) -> None:
    reported = report(active, ops)

    def waiting(person: User) -> list[tuple[str]]:
        return list(Notice.objects.filter(recipient=person, key__startswith="violation:").values_list("key"))

    assert [len(waiting(person)) for person in (ops, second_ops, third_ops)] == [0, 1, 1]
    investigate(reported, second_ops)
    assert [len(waiting(person)) for person in (ops, second_ops, third_ops)] == [0, 1, 2]


# Outside a membership ------------------------------------------------------------------------------


def test_an_applicant_cannot_be_reported(under_review: Application, ops: User) -> None:
    refused("not_a_provider", lambda: report(under_review, ops))


def test_what_is_found_after_the_exit_bans_and_moves_nothing(
    active: Application, merchant: User, ops: User, second_ops: User, third_ops: User
) -> None:
    applications.request_exit(active.pk, actor=merchant)
    applications.complete_exit(active.pk)
    violation = investigate(report(active, ops), second_ops)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    application = again(active)
    assert application.state == State.EXITED
    assert Ban.objects.get().reason == TOLD
    step = application.transitions.last()
    assert step is not None and step.name == "ban"


def test_a_second_severe_violation_of_an_expelled_company_is_recorded(
    active: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    first, second = (investigate(report(active, ops), second_ops) for _ in range(2))
    violations.verify(first.pk, actor=third_ops, reason=REASON)

    violations.verify(second.pk, actor=third_ops, reason=REASON)

    assert again(active).transitions.filter(name="expel").count() == 1
    assert Ban.objects.count() == 1


# Two people ----------------------------------------------------------------------------------------


def test_the_investigator_cannot_verify(proposed: Violation, second_ops: User) -> None:
    refused("same_person", lambda: violations.verify(proposed.pk, actor=second_ops, reason=REASON))


def test_the_reporter_can_neither_investigate_nor_verify_nor_dismiss(
    reported: Violation, ops: User, second_ops: User
) -> None:
    refused("not_impartial", lambda: violations.take_up(reported.pk, actor=ops))
    investigate(reported, second_ops)
    refused("not_impartial", lambda: violations.verify(reported.pk, actor=ops, reason=REASON))
    refused("not_impartial", lambda: violations.dismiss(reported.pk, actor=ops, reason=REASON))


def test_who_admitted_the_company_can_neither_investigate_nor_verify(
    reported: Violation, reviewer: User, second_ops: User
) -> None:
    grant(reviewer, Role.OPS)
    reviewer = User.objects.get(pk=reviewer.pk)

    refused("not_impartial", lambda: violations.take_up(reported.pk, actor=reviewer))
    investigate(reported, second_ops)
    refused("not_impartial", lambda: violations.verify(reported.pk, actor=reviewer, reason=REASON))


def test_a_member_of_the_company_cannot_decide(
    reported: Violation, active: Application, second_ops: User
) -> None:
    assert active.company is not None
    active.company.memberships.create(user=second_ops, role="reader")

    refused("not_impartial", lambda: violations.take_up(reported.pk, actor=second_ops))


def test_a_superuser_has_no_short_cut(reported: Violation, proposed: Violation, superuser: User) -> None:
    for act in (
        lambda: violations.report(
            reported.application_id, actor=superuser, severity="severe", title=TITLE, facts=FACTS
        ),
        lambda: violations.take_up(reported.pk, actor=superuser),
        lambda: violations.propose(proposed.pk, actor=superuser, severity="severe", finding=FINDING),
        lambda: violations.verify(proposed.pk, actor=superuser, reason=REASON),
        lambda: violations.dismiss(proposed.pk, actor=superuser, reason=REASON),
    ):
        with pytest.raises(NotPermitted):
            act()


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.FINANCE, Role.AUDITOR, Role.EXPERT])
def test_only_operations_decide(proposed: Violation, role: Role) -> None:
    person = make_staff("somebody", "某人", role)

    refused("not_permitted", lambda: violations.verify(proposed.pk, actor=person, reason=REASON))


def test_an_investigator_who_is_no_longer_of_operations_cannot_help_to_expel(
    proposed: Violation, active: Application, second_ops: User, third_ops: User
) -> None:
    second_ops.groups.clear()

    refused("not_permitted", lambda: violations.verify(proposed.pk, actor=third_ops, reason=REASON))

    assert again(active).state == State.ACTIVE
    assert Violation.objects.get(pk=proposed.pk).state == ViolationState.INVESTIGATING


# Refusals ------------------------------------------------------------------------------------------


def test_nothing_is_verified_without_a_finding(
    reported: Violation, second_ops: User, third_ops: User
) -> None:
    violations.take_up(reported.pk, actor=second_ops)

    refused("no_finding", lambda: violations.verify(reported.pk, actor=third_ops, reason=REASON))


def test_only_the_investigator_proposes(reported: Violation, second_ops: User, third_ops: User) -> None:
    violations.take_up(reported.pk, actor=second_ops)

    refused(
        "not_the_investigator",
        lambda: violations.propose(reported.pk, actor=third_ops, severity="severe", finding=FINDING),
    )


def test_what_is_taken_up_cannot_be_taken_up_again(
    reported: Violation, second_ops: User, third_ops: User
) -> None:
    violations.take_up(reported.pk, actor=second_ops)

    refused("wrong_state", lambda: violations.take_up(reported.pk, actor=third_ops))


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_decision_needs_its_reason(
    proposed: Violation, third_ops: User, second_ops: User, text: str
) -> None:
    refused("empty", lambda: violations.verify(proposed.pk, actor=third_ops, reason=text))
    refused("empty", lambda: violations.dismiss(proposed.pk, actor=third_ops, reason=text))
    refused(
        "empty", lambda: violations.propose(proposed.pk, actor=second_ops, severity="severe", finding=text)
    )


def test_who_acts_on_an_old_page_is_told_and_changes_nothing(
    proposed: Violation, second_ops: User, third_ops: User
) -> None:
    seen = proposed.version
    violations.propose(proposed.pk, actor=second_ops, severity="general", finding="改为一般违规")

    with pytest.raises(StaleVersion, match="赵运"):
        violations.verify(proposed.pk, actor=third_ops, reason=REASON, seen=seen)

    assert Violation.objects.get(pk=proposed.pk).state == ViolationState.INVESTIGATING


def test_an_unknown_violation_is_not_found(ops: User) -> None:
    with pytest.raises(ObjectDoesNotExist):
        violations.take_up(0, actor=ops)
