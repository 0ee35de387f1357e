"""Who may do what with a complaint: its two sides, operations, and nobody else, whichever other rights they hold."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from applications.models import Application
from compliance.complaints import permissions
from compliance.complaints import services as complaints
from compliance.models import Complaint, Side
from tests.compliance.complaints.conftest import PAYEE, a_claim, again, decide, decide_appeal, file, give_role
from tests.deposits.conftest import expel, reload
from tests.people import make_merchant, make_staff
from tmall_sp.accounts.models import CompanyRole, User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

Act = Callable[[Complaint, User], Any]

OF_PROVIDER: dict[str, tuple[str, Act]] = {
    "admit": (
        "filed",
        lambda it, who: complaints.admit(it.pk, actor=who, amount=Decimal("1.00"), text="认。"),
    ),
    "contest": ("filed", lambda it, who: complaints.contest(it.pk, actor=who, text="不认。")),
}
OF_COMPLAINANT: dict[str, tuple[str, Act]] = {
    "withdraw": ("filed", lambda it, who: complaints.withdraw(it.pk, actor=who)),
    "name_payee": ("filed", lambda it, who: complaints.name_payee(it.pk, actor=who, payee=PAYEE)),
}
OF_BOTH: dict[str, tuple[str, Act]] = {
    "add_evidence": ("contested", lambda it, who: complaints.add_evidence(it.pk, actor=who, text="见图。")),
    "finish_evidence": ("contested", lambda it, who: complaints.finish_evidence(it.pk, actor=who)),
    "appeal": ("decided", lambda it, who: complaints.appeal(it.pk, actor=who, text="不服。")),
}
OF_OPERATIONS: dict[str, tuple[str, Act]] = {
    "claim": ("undecided", lambda it, who: complaints.claim(it.pk, actor=who)),
    "decide": ("undecided", lambda it, who: decide(it, who, "liable", "300.00")),
    "decide_appeal": ("appealed", lambda it, who: decide_appeal(it, who, "liable", "300.00")),
}
ACTS = OF_PROVIDER | OF_COMPLAINANT | OF_BOTH | OF_OPERATIONS


@pytest.fixture
def people(
    merchant: User,
    sub_account: User,
    customer: User,
    stranger: User,
    reviewer: User,
    ops: User,
    third_ops: User,
    finance: User,
    auditor: User,
    superuser: User,
) -> dict[str, User]:
    """王运 decided where something is decided; 李审 admitted the company, and now works in operations, too."""
    grant(reviewer, Role.OPS)
    grant(superuser, Role.OPS)
    return {
        "provider": merchant,
        "sub-account of the provider": sub_account,
        "complainant": customer,
        "stranger": stranger,
        "who admitted the company": reviewer,
        "operations": third_ops,
        "finance": finance,
        "auditor": auditor,
        "superuser": superuser,
    }


ALLOWED = {
    "admit": {"provider"},
    "contest": {"provider", "sub-account of the provider"},
    "withdraw": {"complainant"},
    "name_payee": {"complainant"},
    "add_evidence": {"provider", "sub-account of the provider", "complainant"},
    "finish_evidence": {"provider", "sub-account of the provider", "complainant"},
    "appeal": {"provider", "sub-account of the provider", "complainant"},
    "claim": {"operations"},
    "decide": {"operations"},
    "decide_appeal": {"operations"},
}


@pytest.mark.parametrize("verb", ACTS)
def test_a_verb_is_done_by_whom_it_belongs_to(
    request: pytest.FixtureRequest, people: dict[str, User], verb: str
) -> None:
    state, act = ACTS[verb]
    complaint = again(request.getfixturevalue(state))
    steps = complaint.steps.count()

    for who, person in people.items():
        if who not in ALLOWED[verb]:
            with pytest.raises(NotPermitted):
                act(complaint, person)
            assert complaint.steps.count() == steps, f"{verb} by {who}"


@pytest.mark.parametrize(
    ("verb", "who"), [(verb, who) for verb, all_ in ALLOWED.items() for who in sorted(all_)]
)
def test_it_is_done_and_recorded_with_the_side_that_spoke(
    request: pytest.FixtureRequest, people: dict[str, User], verb: str, who: str
) -> None:
    state, act = ACTS[verb]
    complaint = request.getfixturevalue(state)

    act(complaint, people[who])

    step = complaint.steps.get(name=verb)
    sides = {"complainant": Side.COMPLAINANT, "operations": ""}
    assert (step.actor, step.side) == (people[who], sides.get(who, Side.PROVIDER))


def test_a_member_with_a_right_to_edit_answers_and_a_reader_does_not(
    filed: Complaint, member: Application, stranger: User, db: None
) -> None:
    reader = make_merchant("小店丁", "706377777")
    give_role(stranger, member, CompanyRole.EDITOR)
    give_role(reader, member, CompanyRole.READER)

    with pytest.raises(NotPermitted):
        complaints.contest(filed.pk, actor=reader, text="不认。")
    assert complaints.contest(filed.pk, actor=stranger, text="不认。").state == "evidence"


# Impartial -----------------------------------------------------------------------------------------


def test_who_decided_does_not_decide_the_appeal(appealed: Complaint, ops: User, second_ops: User) -> None:
    with pytest.raises(NotPermitted, match="not_impartial"):
        complaints.claim(appealed.pk, actor=ops)
    with pytest.raises(NotPermitted, match="not_impartial"):
        decide_appeal(appealed, ops, "shared", "100.00")

    assert decide_appeal(appealed, second_ops, "shared", "100.00").state == "final"


@pytest.fixture
def entered(member: Application, ops: User) -> Complaint:
    """By 王运, for 顾客丁, who has no account."""
    return complaints.enter(member.pk, actor=ops, claim=a_claim(), name="顾客丁", contact="13900000001")


def test_operations_speak_for_whom_they_entered_it_and_then_do_not_decide(
    entered: Complaint, merchant: User, ops: User, second_ops: User, third_ops: User
) -> None:
    """王运 entered it, 赵运 hands in evidence for the complainant: 周运 is left to decide."""
    complaints.contest(entered.pk, actor=merchant, text="不认。")
    complaints.add_evidence(entered.pk, actor=second_ops, text="顾客丁寄来的照片。")
    complaints.finish_evidence(entered.pk, actor=ops)
    complaints.finish_evidence(entered.pk, actor=merchant)

    for person in (ops, second_ops):
        with pytest.raises(NotPermitted, match="not_impartial"):
            decide(entered, person, "liable", "300.00")
    assert decide(entered, third_ops, "liable", "300.00").state == "decided"


def test_who_handles_a_case_does_not_speak_for_its_complainant(
    entered: Complaint, merchant: User, second_ops: User
) -> None:
    complaints.contest(entered.pk, actor=merchant, text="不认。")
    complaints.claim(entered.pk, actor=second_ops)

    with pytest.raises(NotPermitted):
        complaints.add_evidence(entered.pk, actor=second_ops, text="照片。")


def test_who_decided_does_not_appeal_for_the_complainant(
    entered: Complaint, merchant: User, ops: User, second_ops: User, third_ops: User
) -> None:
    complaints.contest(entered.pk, actor=merchant, text="不认。")
    complaints.finish_evidence(entered.pk, actor=ops)
    complaints.finish_evidence(entered.pk, actor=merchant)
    decide(entered, second_ops, "shared", "100.00")

    with pytest.raises(NotPermitted):
        complaints.appeal(entered.pk, actor=second_ops, text="太少。")
    appealed = complaints.appeal(entered.pk, actor=ops, text="太少。")

    assert appealed.appealed_side == Side.COMPLAINANT
    with pytest.raises(NotPermitted):
        decide_appeal(appealed, ops, "liable", "300.00")
    assert decide_appeal(appealed, third_ops, "liable", "300.00").award == Decimal("300.00")


def test_who_named_the_payee_does_not_decide(entered: Complaint, merchant: User, second_ops: User) -> None:
    complaints.name_payee(entered.pk, actor=second_ops, payee=PAYEE)
    assert not permissions.may_decide(second_ops, again(entered))


def test_staff_who_belong_to_the_company_do_not_decide(
    undecided: Complaint, member: Application, third_ops: User
) -> None:
    give_role(third_ops, member, CompanyRole.READER)
    with pytest.raises(NotPermitted, match="not_impartial"):
        decide(undecided, third_ops, "liable", "300.00")


def test_operations_take_back_only_what_they_entered(entered: Complaint, filed: Complaint, ops: User) -> None:
    with pytest.raises(NotPermitted):
        complaints.withdraw(filed.pk, actor=ops)
    assert complaints.withdraw(entered.pk, actor=ops).state == "withdrawn"


# Claims --------------------------------------------------------------------------------------------


def test_a_claimed_case_is_decided_by_who_claimed_it(
    undecided: Complaint, ops: User, second_ops: User
) -> None:
    complaints.claim(undecided.pk, actor=ops)

    for act in (
        lambda: complaints.claim(undecided.pk, actor=second_ops),
        lambda: decide(undecided, second_ops, "liable", "300.00"),
    ):
        with pytest.raises(DomainError, match="already_claimed") as refusal:
            act()
        assert str(ops) in str(refusal.value.message)
    with pytest.raises(NotPermitted, match="not_yours"):
        complaints.release(undecided.pk, actor=second_ops)

    complaints.release(undecided.pk, actor=ops)
    assert decide(undecided, second_ops, "liable", "300.00").claimed_by == second_ops


def test_an_overdue_case_is_taken_over(
    undecided: Complaint, ops: User, second_ops: User, sleep_until: Callable[..., None]
) -> None:
    complaints.claim(undecided.pk, actor=ops)
    assert undecided.due_at is not None

    sleep_until(undecided.due_at, -1)
    with pytest.raises(DomainError, match="already_claimed"):
        complaints.claim(undecided.pk, actor=second_ops)
    sleep_until(undecided.due_at, 1)
    complaints.claim(undecided.pk, actor=second_ops)

    assert decide(undecided, second_ops, "liable", "300.00").state == "decided"


def test_an_appeal_brings_the_case_back_to_the_queue(decided: Complaint, merchant: User, ops: User) -> None:
    assert again(decided).claimed_by == ops
    assert complaints.appeal(decided.pk, actor=merchant, text="不服。").claimed_by is None


# Out of date ---------------------------------------------------------------------------------------


def test_a_page_that_is_out_of_date_changes_nothing(filed: Complaint, merchant: User, customer: User) -> None:
    seen = filed.version
    complaints.contest(filed.pk, actor=merchant, text="不认。")

    with pytest.raises(StaleVersion):
        complaints.withdraw(filed.pk, actor=customer, seen=seen)
    assert again(filed).state == "evidence"
    assert complaints.withdraw(filed.pk, actor=customer, seen=again(filed).version)


def test_taking_a_case_puts_no_answer_out_of_date(filed: Complaint, merchant: User, ops: User) -> None:
    complaints.claim(filed.pk, actor=ops)
    assert complaints.contest(filed.pk, actor=merchant, text="不认。", seen=filed.version)


# An expelled company -------------------------------------------------------------------------------


def test_an_expelled_company_still_answers_and_appeals(
    member: Application, customer: User, merchant: User, ops: User, second_ops: User, third_ops: User
) -> None:
    complaint = file(member, customer)
    expel(member, second_ops, third_ops)

    complaints.contest(complaint.pk, actor=merchant, text="不认。")
    complaints.add_evidence(complaint.pk, actor=merchant, text="签收单。")
    complaints.finish_evidence(complaint.pk, actor=merchant)
    complaints.finish_evidence(complaint.pk, actor=customer)
    decide(complaint, ops, "liable", "300.00")

    assert complaints.appeal(complaint.pk, actor=merchant, text="不服。").state == "appealed"
    assert reload(member).state == "expelled"


def test_who_expelled_a_company_may_decide_its_complaints(
    undecided: Complaint, member: Application, second_ops: User, third_ops: User
) -> None:
    """Another question: the two expelled it for a violation, and know neither side."""
    expel(member, second_ops, third_ops)
    assert decide(undecided, third_ops, "not_liable", "0.00").state == "decided"


def test_an_inactive_person_decides_nothing(undecided: Complaint) -> None:
    gone = make_staff("likun", "离坤", Role.OPS)
    gone.is_active = False
    gone.save()
    with pytest.raises(NotPermitted):
        decide(undecided, gone, "liable", "300.00")
