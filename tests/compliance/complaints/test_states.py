"""Every state × every transition of a complaint, as the design says: in Python, past Python in SQL, and by its verbs."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django_fsm import TransitionNotAllowed, can_proceed

from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState, edges
from compliance.models import Complaint, ComplaintStep
from tests.compliance.complaints.conftest import PAYEE, again, decide, decide_appeal
from tests.database import owner_role
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError

# Written out by hand from the design, so that lifecycle.py is compared with something.
LAWFUL = {
    "admit": {"awaiting_response": "decided"},
    "contest": {"awaiting_response": "evidence"},
    "default": {"awaiting_response": "decided"},
    "close_evidence": {"evidence": "awaiting_decision"},
    "decide": {"awaiting_decision": "decided"},
    "appeal": {"decided": "appealed"},
    "decide_appeal": {"appealed": "final"},
    "finalise": {"decided": "final"},
    "withdraw": {
        "awaiting_response": "withdrawn",
        "evidence": "withdrawn",
        "awaiting_decision": "withdrawn",
    },
}
LAWFUL_PAIRS = {(source, target) for steps in LAWFUL.values() for source, target in steps.items()}


def test_the_design_names_every_transition() -> None:
    assert {name for name, _, _ in edges()} == set(LAWFUL)
    assert {(source, target) for _, source, target in edges()} == LAWFUL_PAIRS


@pytest.mark.parametrize(("state", "name"), list(itertools.product(ComplaintState.values, LAWFUL)))
def test_a_transition_is_allowed_exactly_where_the_design_says(state: str, name: str) -> None:
    complaint = Complaint(state=state)
    step = getattr(complaint, name)
    target = LAWFUL[name].get(state)

    assert can_proceed(step) == (target is not None)
    if target is None:
        with pytest.raises(TransitionNotAllowed):
            step()
        assert complaint.state == state
    else:
        step()
        assert complaint.state == target


def test_the_state_cannot_be_assigned() -> None:
    complaint = Complaint()
    with pytest.raises(AttributeError):
        complaint.state = ComplaintState.FINAL


# The verbs -----------------------------------------------------------------------------------------

FIXTURES = {
    "awaiting_response": "filed",
    "evidence": "contested",
    "awaiting_decision": "undecided",
    "decided": "decided",
    "appealed": "appealed",
    "final": "final",
    "withdrawn": "withdrawn",
}

# Where each verb leads from; from everywhere else it is refused. Written by hand, as above.
VERBS = {
    "admit": {"awaiting_response": "decided"},
    "contest": {"awaiting_response": "evidence"},
    "add_evidence": {"evidence": "evidence"},
    "finish_evidence": {"evidence": "evidence"},
    "appeal": {"decided": "appealed"},
    "withdraw": LAWFUL["withdraw"],
    "claim": {state: state for state in ("awaiting_response", "evidence", "awaiting_decision", "appealed")},
    "decide": {"awaiting_decision": "decided"},
    "decide_appeal": {"appealed": "final"},
    "act_on_deadline": {
        "awaiting_response": "decided",
        "evidence": "awaiting_decision",
        "awaiting_decision": "awaiting_decision",
        "decided": "final",
        "appealed": "appealed",
        "final": "final",
        "withdrawn": "withdrawn",
    },
}


@pytest.fixture
def verbs(
    merchant: User, customer: User, third_ops: User, move_clock: Callable[..., None]
) -> dict[str, Callable[[Complaint], Any]]:
    def act(complaint: Complaint) -> None:
        move_clock(days=30)
        complaints.act_on_deadline(complaint.pk)

    return {
        "admit": lambda it: complaints.admit(it.pk, actor=merchant, amount=Decimal("100.00"), text="认。"),
        "contest": lambda it: complaints.contest(it.pk, actor=merchant, text="不认。"),
        "add_evidence": lambda it: complaints.add_evidence(it.pk, actor=customer, text="见图。"),
        "finish_evidence": lambda it: complaints.finish_evidence(it.pk, actor=customer),
        "appeal": lambda it: complaints.appeal(it.pk, actor=customer, text="不够。"),
        "withdraw": lambda it: complaints.withdraw(it.pk, actor=customer),
        "claim": lambda it: complaints.claim(it.pk, actor=third_ops),
        "decide": lambda it: decide(it, third_ops, "liable", "300.00"),
        "decide_appeal": lambda it: decide_appeal(it, third_ops, "liable", "300.00"),
        "act_on_deadline": act,
    }


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(ComplaintState.values, VERBS)))
def test_a_verb_leads_on_exactly_where_the_design_says(
    request: pytest.FixtureRequest, verbs: dict[str, Callable[[Complaint], Any]], state: str, verb: str
) -> None:
    complaint = again(request.getfixturevalue(FIXTURES[state]))
    if verb == "claim":
        # Taken by nobody, as in the queue.
        Complaint.objects.filter(pk=complaint.pk).update(claimed_by=None)
    assert complaint.state == state
    steps = complaint.steps.count()
    target = VERBS[verb].get(state)

    if target is None:
        with pytest.raises(DomainError) as refusal:
            verbs[verb](complaint)
        assert refusal.value.code == "wrong_state"
        assert again(complaint).state == state
        assert complaint.steps.count() == steps, "a refusal leaves no trace"
    else:
        verbs[verb](complaint)
        assert again(complaint).state == target


@pytest.mark.parametrize("state", ComplaintState.values)
def test_a_payee_is_named_as_long_as_something_may_be_paid(
    request: pytest.FixtureRequest, customer: User, state: str
) -> None:
    complaint = request.getfixturevalue(FIXTURES[state])
    if state == "withdrawn":
        with pytest.raises(DomainError, match="nothing_due"):
            complaints.name_payee(complaint.pk, actor=customer, payee=PAYEE)
        assert not again(complaint).payee_identity
        return
    complaints.name_payee(complaint.pk, actor=customer, payee=PAYEE)
    assert complaints.payee_of(again(complaint)) == PAYEE
    if state == "final":  # and nothing any more once it has been sent
        with pytest.raises(DomainError, match="nothing_due"):
            complaints.name_payee(complaint.pk, actor=customer, payee=PAYEE)


# SQL -----------------------------------------------------------------------------------------------

_UNDECIDED = (
    "liability = '', award = 0, decided_at = NULL, decision_reason = '', decided_by_id = NULL,"
    " appealed_side = '', appealed_at = NULL"
)
_DECIDED = (
    "liability = 'shared', award = 200, decided_at = now(), decision_reason = 'x', decided_by_id = %(a)s"
)
_NO_APPEAL = "appealed_side = '', appealed_at = NULL"

# What a row in each state needs beside it, by the CHECKs.
COLUMNS = {
    "awaiting_response": f"{_UNDECIDED}, closed_at = NULL",
    "evidence": f"{_UNDECIDED}, closed_at = NULL",
    "awaiting_decision": f"{_UNDECIDED}, closed_at = NULL",
    "decided": f"{_DECIDED}, {_NO_APPEAL}, closed_at = NULL",
    "appealed": f"{_DECIDED}, appealed_side = 'provider', appealed_at = now(), appeal_text = 'x', closed_at = NULL",
    "final": f"{_DECIDED}, {_NO_APPEAL}, closed_at = now()",
    "withdrawn": f"{_UNDECIDED}, closed_at = now()",
}


def passes(statement: str, **values: Any) -> bool:
    """Whether the database takes a statement; it is undone."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            transaction.set_rollback(True)
    except Error:
        return False
    return True


def put(complaint: Complaint, state: str, person: User) -> None:
    """Put a row into a state, as only the owner may."""
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending when triggers are switched
        cursor.execute("ALTER TABLE compliance_complaint DISABLE TRIGGER USER")
        cursor.execute(
            f"UPDATE compliance_complaint SET state = %(state)s, {COLUMNS[state]} WHERE id = %(pk)s",
            {"state": state, "pk": complaint.pk, "a": person.pk},
        )
        cursor.execute("ALTER TABLE compliance_complaint ENABLE TRIGGER USER")


@pytest.mark.parametrize("source", ComplaintState.values)
def test_sql_refuses_every_unlawful_update(filed: Complaint, ops: User, source: str) -> None:
    put(filed, source, ops)
    for target in ComplaintState.values:
        if source == target:
            continue
        update = f"UPDATE compliance_complaint SET state = %(state)s, {COLUMNS[target]} WHERE id = %(pk)s"
        taken = passes(update, state=target, pk=filed.pk, a=ops.pk)
        assert taken == ((source, target) in LAWFUL_PAIRS), f"{source} → {target}"


@pytest.mark.parametrize("state", ComplaintState.values)
def test_sql_lets_a_complaint_begin_unanswered_alone(filed: Complaint, ops: User, state: str) -> None:
    """A copy of a row that was put into the state begins there, for the owner alone."""
    put(filed, state, ops)
    columns = [
        str(field.column)
        for field in Complaint._meta.concrete_fields
        if field.column not in ("id", "number", "order_number")
    ]
    names = ", ".join(columns)

    def insert() -> bool:
        return passes(
            f"INSERT INTO compliance_complaint (number, order_number, {names})"
            f" SELECT 'TSTEST000001', 'another', {names} FROM compliance_complaint WHERE id = %(pk)s",
            pk=filed.pk,
        )

    assert insert() == (state == ComplaintState.AWAITING_RESPONSE)
    with owner_role():
        assert insert(), "the owner may load a history"


@pytest.mark.parametrize(
    "change",
    [
        "state = 'approved'",
        "award = 301",
        "award = -1",
        "claimed = 299",
        "liability = ''",
        "liability = 'not_liable'",
        "decision_reason = ''",
        "decided_at = NULL",
        "decided_by_id = complainant_id",
        "decided_by_id = (SELECT approved_by_id FROM applications_application a WHERE a.id = application_id)",
        "appeal_decided_by_id = decided_by_id, appeal_decided_at = now(), appeal_reason = 'x'",
        "appealed_side = ''",
        "appealed_side = '', appealed_at = NULL",
        "appealed_at = NULL",
        "appeal_text = ''",
        "closed_at = now()",
        "complainant_id = NULL, entered_by_id = NULL",
        "entered_by_id = complainant_id",
        "number = 'TSTEST000001'",
        "filed_at = now()",
        "text = 'other'",
    ],
)
def test_sql_keeps_an_appealed_complaint_whole(appealed: Complaint, change: str) -> None:
    assert passes("UPDATE compliance_complaint SET payee_name = 'y' WHERE id = %(pk)s", pk=appealed.pk)
    assert not passes(f"UPDATE compliance_complaint SET {change} WHERE id = %(pk)s", pk=appealed.pk)


@pytest.mark.parametrize(
    "change",
    [
        "award = 100",
        "liability = 'liable'",
        "appeal_decided_by_id = NULL",
        "appeal_reason = ''",
        "closed_at = now()",
        "closed_at = NULL",
    ],
)
def test_sql_keeps_what_money_moved_on(final: Complaint, change: str) -> None:
    assert passes("UPDATE compliance_complaint SET payee_name = 'y' WHERE id = %(pk)s", pk=final.pk)
    assert not passes(f"UPDATE compliance_complaint SET {change} WHERE id = %(pk)s", pk=final.pk)


@pytest.mark.parametrize("table", ["complaintstep", "complaintstatement", "complaintfile"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET side = 'provider'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_history_of_a_complaint_only_grows(contested: Complaint, table: str, statement: str) -> None:
    sql = statement.format(f"compliance_{table}")
    assert not passes(sql)
    if "TRUNCATE" not in statement and table != "complaintfile":  # of which there are none here
        with owner_role():
            assert not passes(sql)
    assert ComplaintStep.objects.filter(complaint=contested).count() == 2


def test_a_complaint_is_not_deleted(filed: Complaint) -> None:
    assert not passes("DELETE FROM compliance_complaint")
