"""An exit that is required, an approval that is revoked: one proposes, another decides, and nobody is both."""

from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from applications import decisions, services
from applications.lifecycle import State
from applications.models import Application, Decision, DecisionKind
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

REASON = "长期不提供服务"
EXIT, REVOKE = DecisionKind.REQUIRE_EXIT, DecisionKind.REVOKE_APPROVAL


def propose(application: Application, actor: User, kind: DecisionKind = EXIT, **kwargs: Any) -> Decision:
    return decisions.propose(kind, application.pk, actor=actor, reason=REASON, **kwargs)


def state(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)


def refused(code: str) -> Any:
    return pytest.raises(DomainError, match=f"^{code}:")


@pytest.fixture
def proposed(active: Application, ops: User) -> Decision:
    return propose(active, ops, note="连续三个月无响应")


def test_an_exit_is_required_by_two(
    active: Application, proposed: Decision, ops: User, second_ops: User
) -> None:
    assert state(active) == State.ACTIVE

    decisions.accept(proposed.pk, actor=second_ops, reason="已核对")

    row = active.transitions.last()
    assert row is not None
    assert (row.name, row.proposed_by, row.actor, row.reason) == ("require_exit", ops, second_ops, REASON)
    assert (state(active), Application.objects.get().exit_required) == (State.EXITING, True)
    assert (Decision.objects.get().state, Decision.objects.get().decided_by) == ("accepted", second_ops)


def test_an_approval_is_revoked_by_two(approved: Application, ops: User, second_ops: User) -> None:
    decision = propose(approved, ops, REVOKE)

    decisions.accept(decision.pk, actor=second_ops)

    row = approved.transitions.last()
    assert row is not None
    assert (state(approved), row.name, row.reason) == (State.REJECTED, "revoke_approval", REASON)


def test_the_company_reads_nothing_before(active: Application, proposed: Decision) -> None:
    assert not active.transitions.filter(reason=REASON).exists()
    assert not Notice.objects.filter(recipient=active.applicant, body__contains=REASON).exists()


@pytest.mark.parametrize("person", ["ops", "superuser", "auditor", "finance", "reviewer", "merchant"])
def test_nobody_else_is_the_second_person(
    active: Application, proposed: Decision, request: pytest.FixtureRequest, person: str
) -> None:
    other = request.getfixturevalue(person)
    with pytest.raises(NotPermitted):
        decisions.accept(proposed.pk, actor=other)
    with pytest.raises(NotPermitted):
        decisions.refuse(proposed.pk, actor=other, reason="不")
    if person != "ops":
        with pytest.raises(NotPermitted):
            propose(active, other)
        with pytest.raises(NotPermitted):
            decisions.withdraw(proposed.pk, actor=other)
    assert state(active) == State.ACTIVE


def test_a_superuser_in_the_group_of_operations_is_none(proposed: Decision, superuser: User) -> None:
    grant(superuser, Role.OPS)

    with pytest.raises(NotPermitted):
        decisions.accept(proposed.pk, actor=User.objects.get(pk=superuser.pk))


def test_whoever_admitted_the_company_decides_on_no_exit(
    active: Application, reviewer: User, ops: User, second_ops: User
) -> None:
    grant(reviewer, Role.OPS)
    admitted = User.objects.get(pk=reviewer.pk)

    with refused("not_impartial"):
        propose(active, admitted)
    decision = propose(active, ops)
    with refused("not_impartial"):
        decisions.accept(decision.pk, actor=User.objects.get(pk=reviewer.pk))

    assert (state(active), Decision.objects.get().state) == (State.ACTIVE, "open")


def test_a_refusal_tells_the_proposer_why(
    active: Application, proposed: Decision, ops: User, second_ops: User
) -> None:
    with refused("no_reason"):
        decisions.refuse(proposed.pk, actor=second_ops, reason=" ")

    decisions.refuse(proposed.pk, actor=second_ops, reason="证据不足")

    assert state(active) == State.ACTIVE
    assert "证据不足" in Notice.objects.get(recipient=ops, key__endswith=":refused").body
    propose(active, second_ops)


def test_the_proposer_takes_it_back(proposed: Decision, ops: User, second_ops: User) -> None:
    with pytest.raises(NotPermitted):
        decisions.withdraw(proposed.pk, actor=second_ops)

    decisions.withdraw(proposed.pk, actor=ops)

    with refused("decided"):
        decisions.accept(proposed.pk, actor=second_ops)


def test_others_of_operations_are_told(
    active: Application, ops: User, second_ops: User, superuser: User
) -> None:
    decision = propose(active, ops)

    told = Notice.objects.filter(key=f"decision:{decision.pk}:proposed")
    assert list(told.values_list("recipient", flat=True)) == [second_ops.pk]


def test_what_cannot_be_decided_is_not_proposed(active: Application, ops: User, second_ops: User) -> None:
    with refused("wrong_state"):
        propose(active, ops, REVOKE)
    with refused("no_reason"):
        decisions.propose(EXIT, active.pk, actor=ops, reason="  ")
    with pytest.raises(StaleVersion):
        propose(active, ops, seen=active.version - 1)
    propose(active, ops)
    with refused("already_proposed"):
        propose(active, second_ops)


def test_a_membership_that_moved_on_leaves_the_proposal_open(
    active: Application, proposed: Decision, merchant: User, second_ops: User
) -> None:
    services.request_exit(active.pk, actor=merchant)

    with refused("wrong_state"):
        decisions.accept(proposed.pk, actor=second_ops)

    assert Decision.objects.get().state == "open"
    assert decisions.refuse(proposed.pk, actor=second_ops, reason="已自行退出").state == "refused"


class TestTheDatabase:
    def test_nobody_decides_what_they_proposed(self, proposed: Decision, ops: User) -> None:
        with pytest.raises(IntegrityError, match="decision_decided_by_another"), transaction.atomic():
            Decision.objects.update(state="accepted", decided_by=ops, decided_at=clock.now())

    def test_nothing_begins_decided(self, active: Application, ops: User, second_ops: User) -> None:
        with pytest.raises(DatabaseError, match="does not begin"), transaction.atomic():
            Decision.objects.create(
                application=active,
                kind=EXIT,
                reason=REASON,
                proposed_by=ops,
                state="accepted",
                decided_by=second_ops,
                decided_at=clock.now(),
            )

    def test_neither_proposal_nor_decision_is_rewritten(self, proposed: Decision, second_ops: User) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Decision.objects.update(reason="另一个理由")
        decisions.refuse(proposed.pk, actor=second_ops, reason="不")
        with pytest.raises(DatabaseError), transaction.atomic():
            Decision.objects.update(state="accepted")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM applications_decision")


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_accepted_by_many_at_once_it_is_one_exit(
        self, active: Application, ops: User, second_ops: User, third_ops: User
    ) -> None:
        decision = propose(active, ops)

        outcomes = together(
            *(partial(decisions.accept, decision.pk, actor=actor) for actor in (second_ops, third_ops) * 3)
        )

        assert outcomes.count("decided") == 5
        assert active.transitions.filter(name="require_exit").count() == 1

    def test_accepted_while_the_company_leaves_by_itself_it_is_one_of_both(
        self, active: Application, merchant: User, ops: User, second_ops: User
    ) -> None:
        decision = propose(active, ops)

        outcomes = together(
            partial(decisions.accept, decision.pk, actor=second_ops),
            partial(services.request_exit, active.pk, actor=merchant),
        )

        assert outcomes.count("wrong_state") == 1
        assert active.transitions.filter(to_state=State.EXITING).count() == 1
