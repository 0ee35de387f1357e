"""Decisions taken back by two people, neither of whom had a part in them."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from applications import required_exits, reversals, services, suspensions
from applications.lifecycle import State
from applications.models import Application, Ban
from applications.selectors import ban_in_force
from tests.people import begin, make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

REASON = "申诉成立：证据不足"


def state(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)


@pytest.fixture
def reporter(db: None) -> User:
    """王报, of operations, who reported what the company was expelled for."""
    return make_staff("wangbao", "王报", Role.OPS)


@pytest.fixture
def judges(db: None) -> tuple[User, User]:
    """Two of operations who had no part in it."""
    return make_staff("fangshen", "方审", Role.OPS), make_staff("heshen", "何审", Role.OPS)


@pytest.fixture
def expelled(active: Application, ops: User, second_ops: User, reporter: User) -> Application:
    return services.expel(active.pk, investigator=ops, verifier=second_ops, reporter=reporter, reason="售假")


def overturn(application: Application, proposer: User, decider: User) -> Application:
    return reversals.overturn_expulsion(application.pk, proposer=proposer, decider=decider, reason=REASON)


class TestOverturning:
    def test_the_company_is_suspended_and_no_longer_banned(
        self, expelled: Application, judges: tuple[User, User]
    ) -> None:
        overturn(expelled, *judges)

        row = expelled.transitions.last()
        assert row is not None
        assert (row.name, row.to_state, row.reason) == ("overturn_expulsion", "suspended", REASON)
        assert (row.proposed_by, row.actor) == judges
        assert Ban.objects.get().lifted_at is not None
        assert not ban_in_force(credit_code=expelled.credit_code)

    def test_a_person_lifts_the_suspension_that_remains(
        self, expelled: Application, judges: tuple[User, User], ops: User
    ) -> None:
        overturn(expelled, *judges)
        suspension = expelled.suspensions.get()

        with pytest.raises(NotPermitted):
            suspensions.lift(expelled.pk, cause="ops", case=suspension.case)
        suspensions.lift(expelled.pk, cause="ops", case=suspension.case, actor=ops)

        assert state(expelled) == State.ACTIVE

    def test_what_it_was_suspended_for_before_stands_again(
        self, active: Application, ops: User, second_ops: User, judges: tuple[User, User]
    ) -> None:
        suspensions.suspend(active.pk, cause="shortfall", reason="保证金不足")
        services.expel(active.pk, investigator=ops, verifier=second_ops, reporter=None, reason="售假")

        overturn(active, *judges)

        assert list(active.suspensions.values_list("cause", flat=True)) == ["shortfall", "ops"]

    @pytest.mark.parametrize("person", ["ops", "second_ops", "reporter"])
    def test_nobody_of_the_first_decision_has_a_say(
        self, person: str, request: pytest.FixtureRequest, expelled: Application, judges: tuple[User, User]
    ) -> None:
        partial = request.getfixturevalue(person)

        for pair in ((partial, judges[0]), (judges[0], partial)):
            with pytest.raises(DomainError, match="not_impartial"):
                overturn(expelled, *pair)
        assert state(expelled) == State.EXPELLED
        assert Ban.objects.get().lifted_at is None

    def test_who_admitted_the_company_has_no_say(
        self, expelled: Application, judges: tuple[User, User], reviewer: User
    ) -> None:
        grant(reviewer, Role.OPS)

        with pytest.raises(DomainError, match="not_impartial"):
            overturn(expelled, judges[0], User.objects.get(pk=reviewer.pk))

    def test_the_last_expulsion_counts(
        self, expelled: Application, ops: User, second_ops: User, judges: tuple[User, User]
    ) -> None:
        overturn(expelled, *judges)
        services.expel(expelled.pk, investigator=judges[0], verifier=judges[1], reporter=None, reason="再犯")

        with pytest.raises(DomainError, match="not_impartial"):
            overturn(expelled, ops, judges[0])
        overturn(expelled, ops, second_ops)
        assert expelled.suspensions.count() == 2

    def test_nobody_overturns_alone(self, expelled: Application, judges: tuple[User, User]) -> None:
        with pytest.raises(DomainError, match="same_person"):
            overturn(expelled, judges[0], judges[0])

    @pytest.mark.parametrize("person", ["finance", "auditor", "superuser", "merchant"])
    def test_both_are_of_operations(
        self, person: str, request: pytest.FixtureRequest, expelled: Application, judges: tuple[User, User]
    ) -> None:
        other = request.getfixturevalue(person)

        for pair in ((judges[0], other), (other, judges[0])):
            with pytest.raises(NotPermitted):
                overturn(expelled, *pair)

    def test_a_member_has_nothing_to_overturn(self, active: Application, judges: tuple[User, User]) -> None:
        with pytest.raises(DomainError, match="wrong_state"):
            overturn(active, *judges)

    def test_a_newer_application_has_to_end_first(
        self, active: Application, ops: User, second_ops: User, judges: tuple[User, User], merchant: User
    ) -> None:
        """A ban that has run out let the company apply anew."""
        services.expel(
            active.pk,
            investigator=ops,
            verifier=second_ops,
            reporter=None,
            reason="售假",
            ban_ends_at=clock.now(),
        )
        newer = begin(merchant)

        with pytest.raises(DomainError, match="new_application"):
            overturn(active, *judges)
        assert state(active) == State.EXPELLED

        services.withdraw(newer.pk, actor=merchant)
        assert overturn(active, *judges).state == State.SUSPENDED

    def test_a_required_exit_does_not_come_back_with_it(
        self, active: Application, ops: User, second_ops: User, judges: tuple[User, User], merchant: User
    ) -> None:
        required_exits.require_exit(active.pk, actor=ops, second_actor=second_ops, reason="长期不服务")
        services.expel(active.pk, investigator=ops, verifier=second_ops, reporter=None, reason="售假")
        overturn(active, *judges)

        services.request_exit(active.pk, actor=merchant)
        assert services.cancel_exit(active.pk, actor=merchant).state == State.SUSPENDED


class TestRevokingAnApproval:
    def test_the_application_ends_and_the_merchant_reads_why(
        self, approved: Application, ops: User, second_ops: User
    ) -> None:
        reversals.revoke_approval(approved.pk, proposer=ops, decider=second_ops, reason="材料造假")

        row = approved.transitions.last()
        assert row is not None
        assert (row.name, row.to_state, row.reason) == ("revoke_approval", "rejected", "材料造假")
        assert (row.proposed_by, row.actor) == (ops, second_ops)
        assert begin(approved.applicant).state == State.CREATED

    def test_nobody_revokes_alone(
        self, approved: Application, ops: User, superuser: User, reviewer: User
    ) -> None:
        with pytest.raises(DomainError, match="same_person"):
            reversals.revoke_approval(approved.pk, proposer=ops, decider=ops, reason="材料造假")
        for other in (superuser, reviewer, approved.applicant):
            with pytest.raises(NotPermitted):
                reversals.revoke_approval(approved.pk, proposer=ops, decider=other, reason="材料造假")
        assert state(approved) == State.APPROVED

    def test_not_once_the_deposit_is_paid(self, approved: Application, ops: User, second_ops: User) -> None:
        services.record_deposit(approved.pk)

        with pytest.raises(DomainError, match="wrong_state"):
            reversals.revoke_approval(approved.pk, proposer=ops, decider=second_ops, reason="材料造假")

    def test_a_reason_is_needed(self, approved: Application, ops: User, second_ops: User) -> None:
        with pytest.raises(DomainError, match="no_reason"):
            reversals.revoke_approval(approved.pk, proposer=ops, decider=second_ops, reason=" ")


class TestLiftingABan:
    @pytest.fixture
    def banned(
        self, active: Application, merchant: User, ops: User, second_ops: User, reporter: User
    ) -> Application:
        """It left, and was banned for what was found afterwards."""
        services.request_exit(active.pk, actor=merchant)
        services.complete_exit(active.pk)
        return services.ban_former_member(
            active.pk, investigator=ops, verifier=second_ops, reporter=reporter, reason="售假"
        )

    def test_the_company_may_come_back(self, banned: Application, judges: tuple[User, User]) -> None:
        proposer, decider = judges

        reversals.lift_ban(banned.pk, proposer=proposer, decider=decider, reason=REASON)

        row = banned.transitions.last()
        assert row is not None
        assert (row.name, row.to_state, row.proposed_by, row.actor) == ("lift_ban", "exited", *judges)
        assert not ban_in_force(credit_code=banned.credit_code)

    def test_nobody_lifts_it_alone_or_after_the_first_decision(
        self, banned: Application, judges: tuple[User, User], ops: User, reporter: User
    ) -> None:
        first, second = judges
        for people, code in (
            ((first, first), "same_person"),
            ((ops, second), "not_impartial"),
            ((first, reporter), "not_impartial"),
        ):
            with pytest.raises(DomainError) as refusal:
                reversals.lift_ban(banned.pk, proposer=people[0], decider=people[1], reason=REASON)
            assert refusal.value.code == code
        assert ban_in_force(credit_code=banned.credit_code)

    def test_both_are_of_operations(
        self, banned: Application, judges: tuple[User, User], superuser: User
    ) -> None:
        with pytest.raises(NotPermitted):
            reversals.lift_ban(banned.pk, proposer=judges[0], decider=superuser, reason=REASON)

    def test_a_member_is_not_banned(self, active: Application, judges: tuple[User, User]) -> None:
        with pytest.raises(DomainError) as refusal:
            reversals.lift_ban(active.pk, proposer=judges[0], decider=judges[1], reason=REASON)

        assert refusal.value.code == "wrong_state"


class TestTheTimelineInTheDatabase:
    @pytest.mark.parametrize(
        ("name", "people", "constraint"),
        [
            ("overturn_expulsion", "actor", "two people decide"),
            ("lift_ban", "actor", "two people decide"),
            ("revoke_approval", "actor", "two people decide"),
            ("require_exit", "actor", "two people decide"),
            ("expel", "actor proposed_by", "transition_decided_by_a_second_person"),
            ("expel", "proposed_by", "transition_decided_by_a_second_person"),
        ],
    )
    def test_has_two_people_where_two_decide(
        self, active: Application, ops: User, name: str, people: str, constraint: str
    ) -> None:
        row = {"actor_id": None, "proposed_by_id": None} | {f"{who}_id": ops.pk for who in people.split()}

        with pytest.raises(DatabaseError, match=constraint):
            enter(active, name, row)

    @pytest.mark.parametrize("who", ["actor_id", "proposed_by_id"])
    def test_has_no_reporter_among_them(
        self, active: Application, ops: User, second_ops: User, who: str
    ) -> None:
        row = {"actor_id": ops.pk, "proposed_by_id": second_ops.pk}

        with pytest.raises(DatabaseError, match="transition_not_decided_by_its_reporter"):
            enter(active, "expel", row | {"reported_by_id": row[who]})


def enter(application: Application, name: str, people: Mapping[str, int | None]) -> None:
    """A timeline entry past Python, as the application's role."""
    row: dict[str, Any] = {
        "application_id": application.pk,
        "name": name,
        "from_state": "active",
        "to_state": "active",
        "at": clock.now(),
        "reason": "",
        "internal_note": "",
        "public": True,
        **people,
    }
    places = ", ".join(["%s"] * len(row))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO applications_transition ({', '.join(row)}) VALUES ({places})", list(row.values())
        )
