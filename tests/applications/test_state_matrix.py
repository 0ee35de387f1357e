"""Every state × every transition, as the design says: in Python, and past Python in SQL."""

import itertools

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django_fsm import TransitionNotAllowed, can_proceed

from applications.lifecycle import State, edges
from applications.models import Application
from tests.database import owner_role

# Written out by hand from the design, so that lifecycle.py is compared with something.
LAWFUL = {
    "pass_shop_check": {"created": "shop_verified", "shop_unqualified": "shop_verified"},
    "fail_shop_check": {"created": "shop_unqualified", "shop_unqualified": "shop_unqualified"},
    "submit": {"shop_verified": "under_review"},
    "approve": {"under_review": "approved"},
    "request_changes": {"under_review": "changes_requested"},
    "resubmit": {"changes_requested": "under_review"},
    "reject": {"under_review": "rejected"},
    "revoke_approval": {"approved": "rejected"},
    "withdraw": dict.fromkeys(
        ["created", "shop_unqualified", "shop_verified", "under_review", "changes_requested", "approved"],
        "withdrawn",
    ),
    "lapse": dict.fromkeys(
        ["created", "shop_unqualified", "shop_verified", "changes_requested", "approved"], "lapsed"
    ),
    "record_deposit": {"approved": "deposit_paid"},
    "activate": {"deposit_paid": "active"},
    "suspend": {"active": "suspended"},
    "reinstate": {"suspended": "active"},
    "request_exit": dict.fromkeys(["deposit_paid", "active", "suspended"], "exiting"),
    "require_exit": dict.fromkeys(["active", "suspended"], "exiting"),
    "cancel_exit": {"exiting": "active"},
    "complete_exit": {"exiting": "exited"},
    "expel": dict.fromkeys(["deposit_paid", "active", "suspended", "exiting"], "expelled"),
    "overturn_expulsion": {"expelled": "suspended"},
}
# From `exiting` cancelling leads back to where it came from.
RETURNS = {("exiting", "deposit_paid"), ("exiting", "active"), ("exiting", "suspended")}

LAWFUL_PAIRS = {(source, target) for steps in LAWFUL.values() for source, target in steps.items()} | RETURNS


def in_state(state: str) -> Application:
    return Application(state=state, exit_origin="active" if state == State.EXITING else "")


def test_the_design_names_every_transition() -> None:
    assert {name for name, _, _ in edges()} == set(LAWFUL)
    assert {(source, target) for _, source, target in edges()} == LAWFUL_PAIRS


@pytest.mark.parametrize(("state", "name"), list(itertools.product(State.values, LAWFUL)))
def test_a_transition_is_allowed_exactly_where_the_design_says(state: str, name: str) -> None:
    application = in_state(state)
    step = getattr(application, name)
    target = LAWFUL[name].get(state)

    assert can_proceed(step) == (target is not None)
    if target is None:
        with pytest.raises(TransitionNotAllowed):
            step()
        assert application.state == state
    else:
        step()
        assert application.state == target


def test_cancelling_an_exit_leads_back_to_where_it_came_from() -> None:
    for origin in (State.DEPOSIT_PAID, State.ACTIVE, State.SUSPENDED):
        application = Application(state=State.EXITING, exit_origin=origin)
        application.cancel_exit()
        assert application.state == origin


def test_the_state_cannot_be_assigned() -> None:
    application = Application()
    with pytest.raises(AttributeError):
        application.state = State.ACTIVE


def load(application: Application, state: str) -> None:
    """Put a row into a state as the owner may: by loading it."""
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # ALTER TABLE waits for no deferred check
        cursor.execute("ALTER TABLE applications_application DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE applications_application SET state = %s, exit_origin = 'active', company_id = %s WHERE id = %s",
            [state, application.company_id, application.pk],
        )
        cursor.execute("ALTER TABLE applications_application ENABLE TRIGGER USER")


def test_sql_refuses_every_unlawful_update(under_review: Application) -> None:
    for source in State.values:
        load(under_review, source)
        for target in State.values:
            lawful = (source, target) in LAWFUL_PAIRS or source == target
            assert sql_update_passes(under_review.pk, target) == lawful, f"{source} → {target}"


def sql_update_passes(pk: int, state: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE applications_application SET state = %s WHERE id = %s", [state, pk])
            transaction.set_rollback(True)
    except (InternalError, IntegrityError):
        return False
    return True


@pytest.mark.parametrize("state", State.values)
def test_sql_lets_an_application_begin_in_created_alone(draft: Application, state: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE applications_application SET state = 'withdrawn' WHERE id = %s", [draft.pk])

    assert sql_insert_passes(draft.pk, state) == (state == State.CREATED)


def sql_insert_passes(copy_of: int, state: str) -> bool:
    columns = [
        field.column
        for field in Application._meta.concrete_fields
        if field.column not in ("id", "state", "number", "exit_origin", "company_id")
    ]
    names = ", ".join(column for column in columns if column)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO applications_application (state, number, exit_origin, {names}) "
                f"SELECT %s, 'SPTEST000001', 'active', {names} FROM applications_application WHERE id = %s",
                [state, copy_of],
            )
            transaction.set_rollback(True)
    except (InternalError, IntegrityError):
        return False
    return True


def test_sql_refuses_an_unknown_state(draft: Application) -> None:
    assert not sql_update_passes(draft.pk, "promoted")


def test_the_owner_may_load_a_history(draft: Application) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE applications_application SET state = 'withdrawn' WHERE id = %s", [draft.pk])
    with owner_role():
        assert sql_insert_passes(draft.pk, State.REJECTED)
