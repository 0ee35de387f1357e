"""Every state × every transition of a violation, as the design says: in Python, and past Python in SQL."""

import itertools
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django_fsm import TransitionNotAllowed, can_proceed

from compliance.models import Violation, ViolationStep
from compliance.violations.lifecycle import ViolationState, edges
from tests.database import owner_role
from tmall_sp.accounts.models import User

# Written out by hand from the design, so that lifecycle.py is compared with something.
LAWFUL = {
    "take_up": {"reported": "investigating"},
    "propose": {"investigating": "investigating"},
    "verify": {"investigating": "verified"},
    "dismiss": {"investigating": "dismissed"},
    "appeal": {"verified": "appealed"},
    "reject_appeal": {"appealed": "verified"},
    "uphold_appeal": {"appealed": "overturned"},
}
LAWFUL_PAIRS = {(source, target) for steps in LAWFUL.values() for source, target in steps.items()}

VERIFIED = (
    "investigator_id = %(a)s, taken_up_at = now(), proposed_at = now(), verifier_id = %(b)s,"
    " decided_at = now(), decision_reason = 'x'"
)
# What a row in each state needs beside it, by the CHECKs; %(a)s and %(b)s are two people.
COLUMNS = {
    "reported": "investigator_id = NULL, taken_up_at = NULL, verifier_id = NULL, decided_at = NULL",
    "investigating": "investigator_id = %(a)s, taken_up_at = now(), verifier_id = NULL, decided_at = NULL",
    "verified": VERIFIED,
    "appealed": VERIFIED,
    "overturned": VERIFIED,
    "dismissed": "investigator_id = %(a)s, taken_up_at = now(), verifier_id = NULL,"
    " decided_at = now(), decision_reason = 'x'",
}


def test_the_design_names_every_transition() -> None:
    assert {name for name, _, _ in edges()} == set(LAWFUL)
    assert {(source, target) for _, source, target in edges()} == LAWFUL_PAIRS


@pytest.mark.parametrize(("state", "name"), list(itertools.product(ViolationState.values, LAWFUL)))
def test_a_transition_is_allowed_exactly_where_the_design_says(state: str, name: str) -> None:
    violation = Violation(state=state)
    step = getattr(violation, name)
    target = LAWFUL[name].get(state)

    assert can_proceed(step) == (target is not None)
    if target is None:
        with pytest.raises(TransitionNotAllowed):
            step()
        assert violation.state == state
    else:
        step()
        assert violation.state == target


def test_the_state_cannot_be_assigned() -> None:
    violation = Violation()
    with pytest.raises(AttributeError):
        violation.state = ViolationState.VERIFIED


def passes(statement: str, **values: Any) -> bool:
    """Whether the database takes a statement; it is undone."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            transaction.set_rollback(True)
    except Error:
        return False
    return True


def put(violation: Violation, state: str, people: tuple[User, User]) -> None:
    """Put a row into a state, as only the owner may."""
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending when triggers are switched
        cursor.execute("ALTER TABLE compliance_violation DISABLE TRIGGER USER")
        cursor.execute(
            f"UPDATE compliance_violation SET state = %(state)s, {COLUMNS[state]} WHERE id = %(pk)s",
            {"state": state, "pk": violation.pk, "a": people[0].pk, "b": people[1].pk},
        )
        cursor.execute("ALTER TABLE compliance_violation ENABLE TRIGGER USER")


@pytest.mark.parametrize("source", ViolationState.values)
def test_sql_refuses_every_unlawful_update(
    reported: Violation, second_ops: User, third_ops: User, source: str
) -> None:
    put(reported, source, (second_ops, third_ops))
    for target in ViolationState.values:
        update = f"UPDATE compliance_violation SET state = %(state)s, {COLUMNS[target]} WHERE id = %(pk)s"
        lawful = (source, target) in LAWFUL_PAIRS or source == target
        taken = passes(update, state=target, pk=reported.pk, a=second_ops.pk, b=third_ops.pk)
        assert taken == lawful, f"{source} → {target}"


@pytest.mark.parametrize("state", ViolationState.values)
def test_sql_lets_a_violation_begin_reported_alone(
    reported: Violation, second_ops: User, third_ops: User, state: str
) -> None:
    def insert() -> bool:
        return passes(
            "INSERT INTO compliance_violation (application_id, severity, title, facts, reported_at, finding,"
            " decision_reason, version, state, investigator_id, taken_up_at, proposed_at, verifier_id, decided_at)"
            " SELECT application_id, 'general', 't', 'f', now(), 'x', 'x', 1, %(state)s, %(a)s, %(at)s, %(at)s,"
            " %(b)s, %(decided)s FROM compliance_violation WHERE id = %(pk)s",
            state=state,
            pk=reported.pk,
            a=None if state == "reported" else second_ops.pk,
            b=third_ops.pk if COLUMNS[state] == VERIFIED else None,
            at=None if state == "reported" else reported.reported_at,
            decided=None if state in ("reported", "investigating") else reported.reported_at,
        )

    assert insert() == (state == ViolationState.REPORTED)
    with owner_role():
        assert insert(), "the owner may load a history"


@pytest.mark.parametrize(
    "change",
    [
        "state = 'approved'",
        "severity = 'deadly'",
        "investigator_id = NULL",
        "verifier_id = NULL",
        "verifier_id = investigator_id",
        "verifier_id = reported_by_id",
        "investigator_id = reported_by_id",
        "decided_at = NULL",
        "decision_reason = ''",
        "proposed_at = NULL",
    ],
)
def test_sql_keeps_a_verified_violation_whole(
    reported: Violation, second_ops: User, third_ops: User, change: str
) -> None:
    put(reported, "verified", (second_ops, third_ops))
    assert passes("UPDATE compliance_violation SET title = 'y' WHERE id = %(pk)s", pk=reported.pk)
    assert not passes(f"UPDATE compliance_violation SET {change} WHERE id = %(pk)s", pk=reported.pk)


@pytest.mark.parametrize("statement", ["UPDATE {} SET note = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_history_of_a_violation_only_grows(reported: Violation, statement: str) -> None:
    assert not passes(statement.format("compliance_violationstep"))
    if "TRUNCATE" not in statement:
        with owner_role():
            assert not passes(statement.format("compliance_violationstep"))
    assert ViolationStep.objects.filter(violation=reported).count() == 1
