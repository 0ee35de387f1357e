"""Exits that the programme requires: by two people, or by itself after a suspension that nobody cured."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from applications import required_exits, services, suspensions, tasks
from applications.lifecycle import State
from applications.models import Application, Suspension
from applications.signals import moved
from tests.people import OTHER_CREDIT_CODE, admit, begin, complete, hand_in
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

MoveClock = Callable[..., None]
REASON = "长期不提供服务"


def state(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)


def require(application: Application, first: User, second: User) -> Application:
    return required_exits.require_exit(application.pk, actor=first, second_actor=second, reason=REASON)


@pytest.fixture
def suspended(active: Application) -> Application:
    suspensions.suspend(active.pk, cause="shortfall", reason="保证金不足")
    return Application.objects.get(pk=active.pk)


@pytest.fixture
def required(active: Application, ops: User, second_ops: User) -> Application:
    return require(active, ops, second_ops)


class TestByTwoPeople:
    def test_the_company_leaves_and_reads_why(
        self, required: Application, ops: User, second_ops: User
    ) -> None:
        row = required.transitions.last()
        assert row is not None
        assert (row.name, row.from_state, row.to_state) == ("require_exit", "active", "exiting")
        assert (row.proposed_by, row.actor, row.reason) == (ops, second_ops, REASON)
        assert required.exit_required

    def test_a_suspended_one_too(self, suspended: Application, ops: User, second_ops: User) -> None:
        assert require(suspended, ops, second_ops).exit_origin == State.SUSPENDED

    def test_nobody_requires_it_alone(self, active: Application, ops: User) -> None:
        with pytest.raises(DomainError, match="same_person"):
            require(active, ops, ops)
        assert state(active) == State.ACTIVE

    @pytest.mark.parametrize("person", ["finance", "reviewer", "superuser", "merchant"])
    def test_both_are_of_operations(
        self, person: str, request: pytest.FixtureRequest, active: Application, ops: User
    ) -> None:
        other = request.getfixturevalue(person)

        for pair in ((ops, other), (other, ops)):
            with pytest.raises(NotPermitted):
                require(active, *pair)

    def test_who_admitted_the_company_has_no_say(
        self, active: Application, ops: User, reviewer: User
    ) -> None:
        grant(reviewer, Role.OPS)

        with pytest.raises(DomainError, match="not_impartial"):
            require(active, ops, User.objects.get(pk=reviewer.pk))

    def test_who_belongs_to_the_company_has_no_say(
        self, active: Application, ops: User, second_ops: User
    ) -> None:
        assert active.company is not None
        Membership.objects.create(company=active.company, user=ops, role=CompanyRole.READER)

        with pytest.raises(DomainError, match="not_impartial"):
            require(active, ops, second_ops)

    def test_one_that_never_served_leaves_by_itself_or_not_at_all(
        self, approved: Application, ops: User, second_ops: User
    ) -> None:
        services.record_deposit(approved.pk)

        with pytest.raises(DomainError, match="wrong_state"):
            require(approved, ops, second_ops)


class TestCancelling:
    def test_is_refused(self, required: Application, merchant: User) -> None:
        with pytest.raises(DomainError, match="exit_required"):
            services.cancel_exit(required.pk, actor=merchant)
        assert state(required) == State.EXITING

    @pytest.mark.parametrize("change", ["state = 'active'", "exit_required = false"])
    def test_is_refused_past_python(self, required: Application, change: str) -> None:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE applications_application SET {change} WHERE id = %s", [required.pk])

    def test_the_exit_still_ends(self, required: Application) -> None:
        assert services.complete_exit(required.pk).state == State.EXITED

    def test_a_later_exit_of_ones_own_can_be_cancelled(self, active: Application, merchant: User) -> None:
        services.request_exit(active.pk, actor=merchant)

        assert services.cancel_exit(active.pk, actor=merchant).state == State.ACTIVE


class TestBySystem:
    def test_after_thirty_days_without_a_cure(self, suspended: Application, move_clock: MoveClock) -> None:
        move_clock(days=30, seconds=1)

        tasks.sweep_suspensions()

        row = suspended.transitions.last()
        assert row is not None
        assert (row.name, row.actor, row.to_state) == ("require_exit", None, "exiting")
        assert row.reason
        assert Application.objects.get(pk=suspended.pk).exit_required

    def test_not_before(self, suspended: Application, move_clock: MoveClock) -> None:
        move_clock(days=29, hours=23)

        tasks.sweep_suspensions()

        assert state(suspended) == State.SUSPENDED
        with pytest.raises(DomainError, match="not_due"):
            required_exits.require_exit_by_system(suspended.pk)

    def test_the_instant_itself_is_in_time(
        self, suspended: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        due = suspended.suspensions.get().exit_due_at
        assert due is not None
        monkeypatch.setattr(clock, "now", lambda: due)
        assert not required_exits.due().exists()

        monkeypatch.setattr(clock, "now", lambda: due + dt.timedelta(microseconds=1))
        assert required_exits.due().get() == suspended

    def test_not_once_it_was_cured(self, suspended: Application, ops: User, move_clock: MoveClock) -> None:
        """What remains is a decision of operations, which the company can't cure."""
        suspensions.suspend(suspended.pk, cause="ops", reason="调查中", actor=ops)
        suspensions.lift(suspended.pk, cause="shortfall")
        move_clock(days=60)
        assert not required_exits.due().exists()

        tasks.sweep_suspensions()

        assert state(suspended) == State.SUSPENDED
        with pytest.raises(DomainError, match="not_due"):
            required_exits.require_exit_by_system(suspended.pk)

    def test_an_active_one_is_left_alone(self, active: Application) -> None:
        with pytest.raises(DomainError, match="wrong_state"):
            required_exits.require_exit_by_system(active.pk)

    def test_a_repeated_sweep_does_nothing_more(self, suspended: Application, move_clock: MoveClock) -> None:
        suspensions.suspend(suspended.pk, cause="licence_expired", reason="营业执照已过期")
        move_clock(days=31)

        tasks.sweep_suspensions()
        tasks.sweep_suspensions()

        assert suspended.transitions.filter(name="require_exit").count() == 1

    def test_one_that_fails_stops_no_other(
        self, suspended: Application, stranger: User, reviewer: User, move_clock: MoveClock
    ) -> None:
        other = admit(hand_in(complete(begin(stranger), credit_code=OTHER_CREDIT_CODE)), reviewer)
        services.record_deposit(other.pk)
        services.activate_if_ready(other.pk)
        suspensions.suspend(other.pk, cause="shortfall", reason="保证金不足")
        move_clock(days=31)

        def refuse(application: Application, **kwargs: object) -> None:
            if application.pk == suspended.pk:
                raise RuntimeError("a receiver that can't write its rows")

        moved.connect(refuse)
        try:
            tasks.sweep_suspensions()
        finally:
            moved.disconnect(refuse)

        assert (state(suspended), state(other)) == (State.SUSPENDED, State.EXITING)

    def test_the_sweep_asks_once_when_nothing_is_due(
        self, suspended: Application, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        with django_assert_num_queries(1):
            tasks.sweep_suspensions()


def test_rows_stay_open_when_the_membership_ends(required: Application) -> None:
    suspensions.suspend(required.pk, cause="shortfall", reason="保证金不足")
    services.complete_exit(required.pk)

    assert Suspension.objects.get().lifted_at is None
    assert not required_exits.due().exists()
