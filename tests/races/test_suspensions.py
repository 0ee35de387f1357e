"""Reasons for a suspension come and go at the same moment: whoever serves at the end has none."""

from functools import partial

import pytest

from applications import reversals, services, suspensions
from applications.lifecycle import State
from applications.models import Application, Suspension
from applications.selectors import open_suspensions
from tests.deposits.conftest import reload
from tests.people import make_staff
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)

CASES = [str(number) for number in range(8)]


@pytest.fixture
def active(approved: Application) -> Application:
    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    return reload(approved)


def names(application: Application) -> list[str]:
    return [row.name for row in application.transitions.all()]


def test_the_same_reason_given_eight_times_is_one(active: Application) -> None:
    suspend = partial(suspensions.suspend, active.pk, cause="shortfall", reason="保证金不足")

    assert len(set(together(*[suspend] * 8))) == 1
    assert Suspension.objects.count() == names(active).count("suspend") == 1


def test_eight_reasons_lifted_at_once_reinstate_once(active: Application, ops: User) -> None:
    for case in CASES:
        suspensions.suspend(active.pk, cause="sanction", case=case, reason="处罚", actor=ops)

    together(
        *(partial(suspensions.lift, active.pk, cause="sanction", case=case, actor=ops) for case in CASES)
    )

    assert reload(active).state == State.ACTIVE
    assert (names(active).count("reinstate"), names(active).count("lift_suspension")) == (1, 7)


def test_a_suspension_at_the_moment_of_staying_after_all(active: Application, merchant: User) -> None:
    services.request_exit(active.pk, actor=merchant)

    together(
        partial(services.cancel_exit, active.pk, actor=merchant),
        partial(suspensions.suspend, active.pk, cause="shortfall", reason="保证金不足"),
    )

    assert reload(active).state == State.SUSPENDED
    assert open_suspensions(active).count() == 1


def test_an_expulsion_is_overturned_once(active: Application, ops: User, second_ops: User) -> None:
    services.expel(active.pk, investigator=ops, verifier=second_ops, reporter=None, reason="售假")
    judges = [make_staff(f"judge{number}", f"审{number}", Role.OPS) for number in range(4)]

    outcomes = together(
        *(
            partial(
                reversals.overturn_expulsion, active.pk, proposer=first, decider=second, reason="申诉成立"
            )
            for first, second in (judges[:2], judges[2:], judges[1:3])
        )
    )

    assert outcomes.count("wrong_state") == 2
    assert reload(active).state == State.SUSPENDED
    assert Suspension.objects.count() == 1
