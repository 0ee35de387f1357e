"""Two people, or a person and the system, at the same moment: one outcome."""

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application, Ban
from compliance.models import ExitOutcome, ExitRequest, Violation
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits.models import Deposit
from tests.compliance.conftest import PAID, REASON, investigate, report
from tests.people import make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core.errors import DomainError

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do each in a thread of its own, all released together; "ok", or the code of the refusal."""
    gate = threading.Barrier(len(acts))
    outcomes = [""] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            gate.wait(timeout=30)
            act()
            outcomes[place] = "ok"
        except DomainError as error:
            outcomes[place] = error.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.fixture
def leaving(exiting: Application, ops: User, second_ops: User) -> Violation:
    """Against a company that is leaving: a finding that somebody need only verify."""
    return investigate(report(exiting, ops), second_ops)


def kept(application: Application) -> tuple[str, int]:
    """Its state, and how many bans stand on it."""
    return Application.objects.get(pk=application.pk).state, Ban.objects.count()


def test_expulsion_and_completed_exit_have_one_outcome(
    leaving: Violation, exiting: Application, third_ops: User
) -> None:
    decided, left = at_once(
        lambda: violations.verify(leaving.pk, actor=third_ops, reason=REASON),
        lambda: applications.complete_exit(exiting.pk),
    )

    assert decided == "ok", "a verification is recorded in either case"
    deposit = Deposit.objects.get(application=exiting)
    assert deposit.available == 0
    moved = dict(deposit.transfers.exclude(kind="payment").values_list("kind", "amount"))
    if left == "ok":
        assert kept(exiting) == (State.EXITED, 1)
        assert moved == {"refund": PAID}
        assert ExitRequest.objects.get().outcome == ExitOutcome.COMPLETED
    else:
        assert left == "wrong_state"
        assert kept(exiting) == (State.EXPELLED, 1)
        assert moved == {"forfeiture": PAID}
        assert ExitRequest.objects.get().outcome == ExitOutcome.EXPELLED


def test_expulsion_and_cancelled_exit_end_in_expulsion_once(
    leaving: Violation, exiting: Application, third_ops: User, merchant: User
) -> None:
    decided, cancelled = at_once(
        lambda: violations.verify(leaving.pk, actor=third_ops, reason=REASON),
        lambda: applications.cancel_exit(exiting.pk, actor=merchant),
    )

    assert decided == "ok"
    assert cancelled in ("ok", "wrong_state")
    assert kept(exiting) == (State.EXPELLED, 1)
    outcome = ExitOutcome.CANCELLED if cancelled == "ok" else ExitOutcome.EXPELLED
    assert ExitRequest.objects.get().outcome == outcome
    assert exiting.transitions.filter(name="expel").count() == 1


def test_completed_and_cancelled_exit_have_one_outcome(exiting: Application, merchant: User) -> None:
    outcomes = at_once(
        lambda: applications.complete_exit(exiting.pk),
        lambda: applications.cancel_exit(exiting.pk, actor=merchant),
    )

    assert sorted(outcomes) == ["ok", "wrong_state"]
    state, _bans = kept(exiting)
    assert state == (State.EXITED if outcomes[0] == "ok" else State.ACTIVE)
    assert ExitRequest.objects.count() == 1


@pytest.fixture
def eight_ops(db: None) -> Iterator[list[User]]:
    yield [make_staff(f"ops{number}", f"运{number}", Role.OPS) for number in range(8)]


def test_one_of_eight_takes_a_violation_up(reported: Violation, eight_ops: list[User]) -> None:
    outcomes = at_once(
        *(lambda person=person: violations.take_up(reported.pk, actor=person) for person in eight_ops)
    )

    assert sorted(outcomes) == ["ok", *["wrong_state"] * 7]
    violation = Violation.objects.get(pk=reported.pk)
    assert violation.investigator == eight_ops[outcomes.index("ok")]
    assert violation.steps.filter(name="take_up").count() == 1


def test_one_of_eight_verifies_a_violation(
    proposed: Violation, active: Application, eight_ops: list[User]
) -> None:
    outcomes = at_once(
        *(
            lambda person=person: violations.verify(proposed.pk, actor=person, reason=REASON)
            for person in eight_ops
        )
    )

    assert sorted(outcomes) == ["ok", *["wrong_state"] * 7]
    assert Violation.objects.get(pk=proposed.pk).state == ViolationState.VERIFIED
    assert kept(active) == (State.EXPELLED, 1)


def test_verification_and_dismissal_have_one_outcome(
    proposed: Violation, active: Application, second_ops: User, third_ops: User
) -> None:
    outcomes = at_once(
        lambda: violations.verify(proposed.pk, actor=third_ops, reason=REASON),
        lambda: violations.dismiss(proposed.pk, actor=second_ops, reason="证据不足"),
    )

    assert sorted(outcomes) == ["ok", "wrong_state"]
    expelled = kept(active) == (State.EXPELLED, 1)
    assert expelled == (outcomes[0] == "ok")
