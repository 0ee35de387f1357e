"""Suspended while one reason stands, active again when none does; and each reason a row that stays."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from applications import services, suspensions
from applications.lifecycle import State
from applications.models import Application, Suspension
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

REASON = "保证金未在期限内补足"


def state(application: Application) -> str:
    return str(Application.objects.get(pk=application.pk).state)


def last_step(application: Application) -> str:
    row = application.transitions.last()
    assert row is not None
    return row.name


def suspend(application: Application, cause: str = "shortfall", **kwargs: Any) -> Suspension:
    return suspensions.suspend(application.pk, cause=cause, reason=REASON, **kwargs)


def lift(application: Application, cause: str = "shortfall", **kwargs: Any) -> Suspension | None:
    return suspensions.lift(application.pk, cause=cause, **kwargs)


@pytest.fixture
def suspended(active: Application) -> Application:
    """For a shortfall, by the system."""
    suspend(active)
    return Application.objects.get(pk=active.pk)


@pytest.fixture
def exiting(active: Application, merchant: User) -> Application:
    return services.request_exit(active.pk, actor=merchant)


class TestSuspend:
    def test_an_active_member_is_suspended_and_reads_why(self, active: Application) -> None:
        suspension = suspend(active)

        row = active.transitions.last()
        assert row is not None
        assert (row.name, row.to_state, row.reason, row.actor) == ("suspend", "suspended", REASON, None)
        assert (suspension.opened_by, suspension.lifted_at) == (None, None)
        assert Notice.objects.filter(recipient=active.applicant, key__endswith=f":{row.pk}").exists()

    def test_a_second_reason_is_one_row_and_one_entry_more(self, suspended: Application, ops: User) -> None:
        version = suspended.version

        suspend(suspended, "sanction", actor=ops, case="violation:1")
        suspend(suspended, "sanction", actor=ops, case="violation:2")

        assert suspended.suspensions.count() == 3
        row = suspended.transitions.last()
        assert row is not None
        assert (row.name, row.from_state, row.to_state) == ("add_suspension", "suspended", "suspended")
        assert Application.objects.get(pk=suspended.pk).version == version + 2

    def test_a_repetition_changes_nothing(self, suspended: Application) -> None:
        steps = suspended.transitions.count()

        assert suspend(suspended) == suspended.suspensions.get()
        assert suspended.transitions.count() == steps

    def test_the_same_cause_can_come_back(self, suspended: Application) -> None:
        lift(suspended)

        suspend(suspended)

        assert suspended.suspensions.count() == 2
        assert state(suspended) == State.SUSPENDED

    def test_one_that_is_leaving_has_the_row_and_goes_on_leaving(self, exiting: Application) -> None:
        suspend(exiting)

        assert state(exiting) == State.EXITING
        assert last_step(exiting) == "add_suspension"

    @pytest.mark.parametrize("fixture", ["under_review", "approved"])
    def test_who_does_not_serve_can_not_be_suspended(
        self, fixture: str, request: pytest.FixtureRequest
    ) -> None:
        application = request.getfixturevalue(fixture)

        with pytest.raises(DomainError, match="wrong_state"):
            suspend(application)
        assert not Suspension.objects.exists()

    def test_who_never_served_can_not_be_suspended_on_its_way_out(
        self, approved: Application, merchant: User
    ) -> None:
        """Cancelling leads back to `deposit_paid`, from which it becomes active by itself."""
        services.record_deposit(approved.pk)
        services.request_exit(approved.pk, actor=merchant)

        with pytest.raises(DomainError, match="wrong_state"):
            suspend(approved)

    @pytest.mark.parametrize("person", ["merchant", "reviewer", "finance", "superuser"])
    def test_only_operations_suspend(
        self, person: str, request: pytest.FixtureRequest, active: Application
    ) -> None:
        with pytest.raises(NotPermitted):
            suspend(active, "ops", actor=request.getfixturevalue(person))
        assert state(active) == State.ACTIVE

    def test_the_system_never_decides_for_operations(self, active: Application) -> None:
        with pytest.raises(NotPermitted):
            suspend(active, "ops")

    def test_a_reason_is_needed(self, active: Application, ops: User) -> None:
        with pytest.raises(DomainError, match="no_reason"):
            suspensions.suspend(active.pk, cause="ops", reason=" ", actor=ops)

    def test_an_old_page_is_refused(self, suspended: Application, active: Application, ops: User) -> None:
        with pytest.raises(StaleVersion):
            suspend(suspended, "ops", actor=ops, seen=active.version)
        assert suspended.suspensions.count() == 1

    @pytest.mark.parametrize(
        ("cause", "days"), [("shortfall", 30), ("licence_expired", 30), ("sanction", None)]
    )
    def test_what_has_a_cure_has_a_date(self, active: Application, cause: str, days: int | None) -> None:
        suspension = suspend(active, cause)

        due = suspension.exit_due_at
        assert (due - suspension.opened_at if due else None) == (dt.timedelta(days=days) if days else None)

    def test_the_date_keeps_the_rule_of_the_day(self, suspended: Application) -> None:
        set_rule("suspension.exit_days", 5)

        due = suspended.suspensions.get().exit_due_at
        assert due is not None and due > clock.now() + dt.timedelta(days=29)


class TestLift:
    def test_the_last_one_makes_the_member_active_again(self, suspended: Application) -> None:
        lift(suspended, reason="已补足")

        assert state(suspended) == State.ACTIVE
        row = suspended.transitions.last()
        assert row is not None
        assert (row.name, row.reason) == ("reinstate", "已补足")
        assert Notice.objects.filter(recipient=suspended.applicant, key__endswith=f":{row.pk}").exists()

    def test_the_member_stays_suspended_while_another_is_open(
        self, suspended: Application, ops: User, second_ops: User
    ) -> None:
        suspend(suspended, "sanction", actor=ops, case="violation:1")
        suspend(suspended, "sanction", actor=ops, case="violation:2")

        lift(suspended)
        lift(suspended, "sanction", case="violation:2", actor=second_ops)

        assert state(suspended) == State.SUSPENDED
        assert last_step(suspended) == "lift_suspension"
        lift(suspended, "sanction", case="violation:1", actor=ops)
        assert state(suspended) == State.ACTIVE

    @pytest.mark.parametrize("cause", ["sanction", "ops"])
    def test_only_a_person_of_operations_lifts_a_decision(
        self, active: Application, ops: User, finance: User, superuser: User, cause: str
    ) -> None:
        suspend(active, cause, actor=ops)

        for actor in (None, finance, superuser, active.applicant):
            with pytest.raises(NotPermitted):
                lift(active, cause, actor=actor)
        assert state(active) == State.SUSPENDED
        lift(active, cause, actor=ops)
        assert state(active) == State.ACTIVE

    def test_operations_may_lift_a_shortfall_too(self, suspended: Application, ops: User) -> None:
        lift(suspended, actor=ops, reason="已与财务确认")

        assert suspended.suspensions.get().lifted_by == ops

    def test_a_merchant_lifts_nothing(self, suspended: Application, merchant: User) -> None:
        with pytest.raises(NotPermitted):
            lift(suspended, actor=merchant)

    def test_a_repetition_lifts_nothing_more(self, suspended: Application) -> None:
        lift(suspended)
        steps = suspended.transitions.count()

        assert lift(suspended) is None
        assert suspended.transitions.count() == steps

    def test_one_that_is_leaving_goes_on_leaving(self, exiting: Application) -> None:
        suspend(exiting)

        lift(exiting)

        assert state(exiting) == State.EXITING

    def test_an_old_page_is_refused(self, suspended: Application, active: Application, ops: User) -> None:
        with pytest.raises(StaleVersion):
            lift(suspended, actor=ops, seen=active.version)


class TestCancellingAnExit:
    def test_of_one_that_was_suspended_leads_back_to_suspended(
        self, suspended: Application, merchant: User
    ) -> None:
        services.request_exit(suspended.pk, actor=merchant)

        assert services.cancel_exit(suspended.pk, actor=merchant).state == State.SUSPENDED

    def test_of_one_that_was_suspended_and_cured_meanwhile_leads_to_active(
        self, suspended: Application, merchant: User
    ) -> None:
        services.request_exit(suspended.pk, actor=merchant)
        lift(suspended)

        assert services.cancel_exit(suspended.pk, actor=merchant).state == State.ACTIVE

    def test_of_one_that_was_active_leads_to_suspended_if_it_has_to(
        self, exiting: Application, merchant: User
    ) -> None:
        suspend(exiting)

        assert services.cancel_exit(exiting.pk, actor=merchant).state == State.SUSPENDED

    def test_of_one_that_never_served_leads_back_to_its_deposit(
        self, approved: Application, merchant: User
    ) -> None:
        services.record_deposit(approved.pk)
        services.request_exit(approved.pk, actor=merchant)

        assert services.cancel_exit(approved.pk, actor=merchant).state == State.DEPOSIT_PAID


def sql(statement: str, *values: Any) -> None:
    """As the application's role, past Python."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


class TestTheDatabase:
    @pytest.mark.parametrize(
        "column", ["cause", "reason", "opened_at", "exit_due_at", "case", "opened_by_id"]
    )
    def test_keeps_what_was_written(self, suspended: Application, ops: User, column: str) -> None:
        values = {
            "cause": "sanction",
            "reason": "另一个理由",
            "opened_at": clock.now(),
            "exit_due_at": None,
            "case": "x",
            "opened_by_id": ops.pk,
        }
        with pytest.raises(DatabaseError):
            sql(f'UPDATE applications_suspension SET "{column}" = %s', values[column])

    def test_keeps_what_was_lifted_as_it_is(self, suspended: Application) -> None:
        lift(suspended)

        for change in ("lifted_at = NULL", "lift_reason = 'x'", "lifted_at = now()"):
            with pytest.raises(DatabaseError):
                sql(f"UPDATE applications_suspension SET {change}")

    @pytest.mark.parametrize("statement", ["DELETE FROM", "TRUNCATE"])
    def test_loses_none(self, suspended: Application, statement: str) -> None:
        with pytest.raises(DatabaseError, match="permission denied"):
            sql(f"{statement} applications_suspension")

    def test_has_one_open_row_for_a_cause_and_case(self, suspended: Application) -> None:
        with pytest.raises(DatabaseError, match="one_open_suspension"):
            sql(
                "INSERT INTO applications_suspension"
                ' (application_id, cause, "case", reason, opened_at, lift_reason)'
                ' SELECT application_id, cause, "case", reason, opened_at, lift_reason FROM applications_suspension'
            )

    @pytest.mark.parametrize(
        ("columns", "constraint"),
        [
            ({"cause": "weather"}, "suspension_cause_known"),
            ({"reason": ""}, "suspension_has_reason"),
            ({"cause": "ops"}, "suspension_by_operations_has_a_person"),
            ({"cause": "sanction", "exit_due_at": "2030-01-01"}, "suspension_exit_only_with_a_cure"),
            ({"cause": "sanction", "lifted_at": "2100-01-01"}, "suspension_lifted_by_whoever_may"),
            ({"lifted_at": "2020-01-01"}, "suspension_lifted_by_whoever_may"),
            ({"lift_reason": "没有解除"}, "suspension_lifted_by_whoever_may"),
        ],
    )
    def test_refuses_a_row_that_no_verb_writes(
        self, active: Application, columns: dict[str, str], constraint: str
    ) -> None:
        row = {
            "application_id": active.pk,
            "cause": "shortfall",
            "case": "",
            "reason": REASON,
            "opened_at": clock.now(),
            "lift_reason": "",
        } | columns
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(["%s"] * len(row))

        with pytest.raises(DatabaseError, match=constraint):
            sql(f"INSERT INTO applications_suspension ({names}) VALUES ({places})", *row.values())

    def test_refuses_a_lifting_by_nobody_where_a_person_has_to(self, active: Application, ops: User) -> None:
        suspend(active, "sanction", actor=ops)

        with pytest.raises(DatabaseError, match="suspension_lifted_by_whoever_may"):
            sql("UPDATE applications_suspension SET lifted_at = %s", clock.now())
