"""A suspension with time to put things right: who ends it, and what happens when the time is over."""

from collections.abc import Callable

import pytest

from applications import suspensions
from applications.lifecycle import State
from applications.models import Application
from applications.todo import tasks_for
from compliance import directory, tasks
from compliance.models import Violation
from compliance.violations import rectification
from compliance.violations import services as violations
from tests.compliance.violations.conftest import Verify, again, fresh, measures
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

Move = Callable[..., None]


@pytest.fixture
def suspended(verify: Verify, active: Application) -> Violation:
    """For ten days."""
    return verify(active, suspension_days=10)


def told(person: User, violation: Violation, name: str) -> bool:
    step = violation.steps.filter(name=name).last()
    return (
        step is not None
        and Notice.objects.filter(recipient=person, key=f"violation:{violation.pk}:{step.pk}").exists()
    )


def test_operations_confirm_early_and_the_provider_serves_again(
    suspended: Violation, active: Application, second_ops: User, merchant: User
) -> None:
    violations.confirm_rectified(suspended.pk, actor=second_ops, reason="已逐条整改")

    assert again(active).state == State.ACTIVE
    assert directory.providers().filter(pk=active.pk).exists()
    assert active.suspensions.get().lift_reason == "已逐条整改"
    assert told(merchant, suspended, "confirm_rectified")
    # It was imposed and stands: only an appeal takes it back.
    assert measures(suspended)["suspension"]


@pytest.mark.parametrize("who", ["ops", "reviewer"])
def test_who_reported_or_admitted_does_not_confirm(
    suspended: Violation, who: str, request: pytest.FixtureRequest
) -> None:
    person: User = request.getfixturevalue(who)
    grant(person, Role.OPS)

    with pytest.raises(DomainError) as refusal:
        violations.confirm_rectified(suspended.pk, actor=User.objects.get(pk=person.pk), reason="已整改")

    assert refusal.value.code == "not_impartial"


@pytest.mark.parametrize("who", ["merchant", "finance", "superuser"])
def test_only_operations_confirm(
    suspended: Violation, active: Application, who: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotPermitted):
        violations.confirm_rectified(suspended.pk, actor=request.getfixturevalue(who), reason="已整改")

    assert again(active).state == State.SUSPENDED


def test_what_is_not_suspended_is_not_confirmed(
    suspended: Violation, second_ops: User, verify: Verify
) -> None:
    violations.confirm_rectified(suspended.pk, actor=second_ops, reason="已整改")

    with pytest.raises(DomainError) as refusal:
        violations.confirm_rectified(suspended.pk, actor=second_ops, reason="已整改")

    assert refusal.value.code == "not_suspended"


def test_a_confirmation_needs_its_reason(suspended: Violation, second_ops: User) -> None:
    with pytest.raises(DomainError) as refusal:
        violations.confirm_rectified(suspended.pk, actor=second_ops, reason=" ")

    assert refusal.value.code == "empty"


def test_operations_are_told_once_when_the_time_is_over(
    suspended: Violation, active: Application, ops: User, merchant: User, move_clock: Move
) -> None:
    tasks.sweep_violations()
    assert not suspended.steps.filter(name="not_rectified").exists()
    move_clock(days=10, seconds=1)

    for _minute in range(2):
        tasks.sweep_violations()

    assert suspended.steps.filter(name="not_rectified").count() == 1
    assert told(ops, suspended, "not_rectified") and told(merchant, suspended, "not_rectified")
    assert again(active).state == State.SUSPENDED
    assert fresh(suspended).version == suspended.version, "a person's page is not out of date for it"


def test_nobody_is_told_of_what_was_put_right_in_time(
    suspended: Violation, active: Application, second_ops: User, ops: User, move_clock: Move
) -> None:
    suspensions.lift(active.pk, cause="sanction", case=suspended.case, actor=second_ops, reason="已整改")
    move_clock(days=10, seconds=1)

    tasks.sweep_violations()

    assert not told(ops, suspended, "not_rectified")
    assert not rectification.overdue().exists()


def test_it_can_be_put_right_late(
    suspended: Violation, active: Application, second_ops: User, move_clock: Move
) -> None:
    move_clock(days=20)
    tasks.sweep_violations()

    violations.confirm_rectified(suspended.pk, actor=second_ops, reason="已整改")

    assert again(active).state == State.ACTIVE


# The company's to-do list --------------------------------------------------------------------------


def todo(person: User, application: Application) -> list[str]:
    return [task.code for task in tasks_for(person, again(application))]


def test_the_company_reads_what_to_put_right_and_that_it_may_appeal(
    suspended: Violation, active: Application, merchant: User, sub_account: User, move_clock: Move
) -> None:
    found = {task.code: task for task in tasks_for(merchant, again(active))}
    assert found["put_right"].due_at == suspended.sanctions.get(measure="suspension").rectify_by
    assert found["appeal_violation"].due_at == violations.appeal_until(suspended)
    assert "appeal_violation" not in todo(sub_account, active)

    move_clock(days=9)

    urgent = {task.code: task.urgent for task in tasks_for(merchant, again(active))}
    assert urgent["put_right"] and "appeal_violation" not in urgent


def test_the_list_is_empty_once_all_is_done(
    suspended: Violation, active: Application, merchant: User, second_ops: User, fourth_ops: User
) -> None:
    violations.confirm_rectified(suspended.pk, actor=second_ops, reason="已整改")
    violations.file_appeal(suspended.pk, actor=merchant, text="不服")

    assert not {"put_right", "appeal_violation"} & set(todo(merchant, active))
    violations.decide_appeal(suspended.pk, actor=fourth_ops, uphold=False, reason="不成立")
    assert "appeal_violation" not in todo(merchant, active)


def test_the_expelled_owner_finds_the_appeal(
    verified_violation: Violation, active: Application, merchant: User
) -> None:
    assert again(active).state == State.EXPELLED

    assert todo(merchant, active) == ["appeal_violation"]
