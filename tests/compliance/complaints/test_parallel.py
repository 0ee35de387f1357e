"""Two people, or a person and the system, at the same moment: one outcome each, and the books agree."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from compliance import exits
from compliance.complaints import services as complaints
from compliance.models import Complaint
from compliance.tasks import sweep_complaints
from deposits.models import Compensation, Deposit
from tests.compliance.complaints.conftest import (
    CLAIMED,
    PAYEE,
    REQUIRED,
    again,
    decide,
    decide_appeal,
    deposit_of,
    file,
    money,
)
from tests.deposits.conftest import expel, reload
from tests.people import make_staff
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)

SleepUntil = Callable[..., None]


def names(complaint: Complaint) -> list[str]:
    return list(complaint.steps.values_list("name", flat=True))


def refusals(outcomes: list[Any]) -> list[str]:
    """The codes of those that were refused."""
    return [outcome for outcome in outcomes if isinstance(outcome, str)]


def admitting(complaint: Complaint, who: User, amount: Decimal = CLAIMED) -> Callable[[], Any]:
    return partial(complaints.admit, complaint.pk, actor=who, amount=amount, text="认。")


def the_sweep() -> None:
    sweep_complaints()


# At the deadline -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-0.05, 0.0, 0.05])
def test_an_admission_at_the_deadline_and_the_sweep(
    filed: Complaint, merchant: User, sleep_until: SleepUntil, seconds: float
) -> None:
    """Whichever comes first is the finding; there is one, and the other is refused or finds nothing to do."""
    sleep_until(filed.due_at, seconds)

    admitted, *_rest = together(
        admitting(filed, merchant, Decimal("100.00")), the_sweep, the_sweep, the_sweep
    )
    sweep_complaints()

    complaint = again(filed)
    assert complaint.state == "decided"
    if isinstance(admitted, str):
        assert admitted in ("too_late", "wrong_state")
        assert names(filed) == ["file", "default"]
        assert complaint.award == CLAIMED
    else:
        assert names(filed) == ["file", "admit"]
        assert complaint.award == Decimal("100.00")
    assert money(filed) == {"freeze": CLAIMED}


def test_an_appeal_at_the_deadline_and_the_sweep(
    decided: Complaint, merchant: User, sleep_until: SleepUntil
) -> None:
    sleep_until(again(decided).due_at, -0.02)

    appealed, *_rest = together(
        partial(complaints.appeal, decided.pk, actor=merchant, text="不服。"), the_sweep, the_sweep
    )

    if isinstance(appealed, str):
        assert appealed in ("too_late", "wrong_state")
        sweep_complaints()
        assert again(decided).state == "final"
        assert money(decided)["compensation"] == Decimal("200.00")
    else:
        assert again(decided).state == "appealed"
        assert money(decided) == {"freeze": CLAIMED}


def test_a_late_appeal_and_the_sweep_that_makes_it_final(
    decided: Complaint, merchant: User, sleep_until: SleepUntil
) -> None:
    sleep_until(again(decided).due_at, 1)

    outcomes = together(
        partial(complaints.appeal, decided.pk, actor=merchant, text="不服。"), the_sweep, the_sweep
    )

    assert outcomes[0] in ("too_late", "wrong_state")
    assert again(decided).state == "final"
    assert names(decided).count("finalise") == 1
    assert money(decided)["compensation"] == Decimal("200.00")


# Two people ----------------------------------------------------------------------------------------


def test_an_admission_and_a_contest(filed: Complaint, merchant: User, sub_account: User) -> None:
    outcomes = together(
        admitting(filed, merchant),
        partial(complaints.contest, filed.pk, actor=sub_account, text="不认。"),
    )

    assert refusals(outcomes) == ["wrong_state"]
    assert again(filed).state in ("final", "evidence")
    assert ("compensation" in money(filed)) == (again(filed).state == "final")


def test_two_decisions(undecided: Complaint, ops: User, second_ops: User, third_ops: User) -> None:
    outcomes = together(
        partial(decide, undecided, ops, "liable", "300.00"),
        partial(decide, undecided, second_ops, "not_liable", "0.00"),
        partial(decide, undecided, third_ops, "shared", "100.00"),
    )

    assert refusals(outcomes) == ["wrong_state"] * 2
    [winner] = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    complaint = again(undecided)
    assert (complaint.decided_by, complaint.award) == (winner.decided_by, winner.award)
    assert names(undecided).count("decide") == 1
    assert money(undecided) == {"freeze": CLAIMED}


def test_two_decisions_on_one_appeal(appealed: Complaint, second_ops: User, third_ops: User) -> None:
    outcomes = together(
        partial(decide_appeal, appealed, second_ops, "liable", "300.00"),
        partial(decide_appeal, appealed, third_ops, "not_liable", "0.00"),
    )

    assert refusals(outcomes) == ["wrong_state"]
    moved = money(appealed)
    assert moved == (
        {"freeze": CLAIMED, "compensation": CLAIMED}
        if again(appealed).award
        else {"freeze": CLAIMED, "release": CLAIMED}
    )


def test_one_of_eight_claims_a_case(undecided: Complaint) -> None:
    people = [make_staff(f"ops{number}", f"运{number}", Role.OPS) for number in range(8)]

    outcomes = together(*(partial(complaints.claim, undecided.pk, actor=person) for person in people))

    assert sorted(refusals(outcomes)) == ["already_claimed"] * 7
    assert names(undecided).count("claim") == 1


def test_a_decision_and_a_withdrawal(undecided: Complaint, customer: User, ops: User) -> None:
    outcomes = together(
        partial(decide, undecided, ops, "liable", "300.00"),
        partial(complaints.withdraw, undecided.pk, actor=customer),
    )

    assert refusals(outcomes) == ["wrong_state"]
    complaint = again(undecided)
    if complaint.state == "withdrawn":
        assert money(undecided) == {"freeze": CLAIMED, "release": CLAIMED}
    else:
        assert (complaint.state, money(undecided)) == ("decided", {"freeze": CLAIMED})


def test_both_sides_appeal(decided: Complaint, merchant: User, customer: User) -> None:
    outcomes = together(
        partial(complaints.appeal, decided.pk, actor=merchant, text="不服。"),
        partial(complaints.appeal, decided.pk, actor=customer, text="不够。"),
    )

    assert refusals(outcomes) == ["wrong_state"]
    complaint = again(decided)
    assert complaint.state == "appealed"
    assert complaint.appealed_side == ("provider" if outcomes[1] == "wrong_state" else "complainant")
    assert (
        names(decided).count("appeal") == complaint.statements.filter(text=complaint.appeal_text).count() == 1
    )


def test_both_sides_finish(contested: Complaint, merchant: User, customer: User) -> None:
    outcomes = together(
        partial(complaints.finish_evidence, contested.pk, actor=merchant),
        partial(complaints.finish_evidence, contested.pk, actor=customer),
    )

    assert refusals(outcomes) == []
    assert again(contested).state == "awaiting_decision"
    assert names(contested).count("close_evidence") == 1


def test_a_withdrawal_pressed_twice(filed: Complaint, customer: User) -> None:
    outcomes = together(*[partial(complaints.withdraw, filed.pk, actor=customer)] * 3)
    assert refusals(outcomes) == ["wrong_state"] * 2
    assert money(filed) == {"freeze": CLAIMED, "release": CLAIMED}


# Filing --------------------------------------------------------------------------------------------


def test_one_order_is_claimed_once(member: Application, customer: User, stranger: User) -> None:
    outcomes = together(
        *(partial(file, member, person, order_number="X1") for person in (customer, stranger, customer))
    )

    assert refusals(outcomes) == ["claimed_already"] * 2
    complaint = Complaint.objects.get()
    assert deposit_of(complaint).frozen == CLAIMED
    assert money(complaint) == {"freeze": CLAIMED}


def test_claims_share_what_is_there(member: Application, customer: User, stranger: User) -> None:
    """Each claims more than half of the deposit: together they freeze all of it, and no more."""
    claim = {"order_value": Decimal("70000.00"), "claimed": Decimal("70000.00")}

    together(*(partial(file, member, person, **claim) for person in (customer, stranger)))

    first, second = Complaint.objects.order_by("pk")
    assert sorted([money(first)["freeze"], money(second)["freeze"]]) == [
        Decimal("30000.00"),
        Decimal("70000.00"),
    ]
    assert deposit_of(first).available == 0


def test_a_complaint_and_the_end_of_an_exit(
    member: Application, customer: User, merchant: User, move_clock: Callable[..., None]
) -> None:
    applications.request_exit(member.pk, actor=merchant)
    move_clock(days=31)

    filed, left = together(partial(file, member, customer), partial(exits.complete_exit, member.pk))

    if reload(member).state == State.EXITED:
        assert filed == "not_a_member"
        assert not Complaint.objects.exists(), "nothing is open against who has left"
    else:
        assert left == "not_cleared"
        assert money(Complaint.objects.get()) == {"freeze": CLAIMED}


def test_an_exit_and_the_withdrawal_that_clears_it(
    filed: Complaint, member: Application, customer: User, merchant: User, move_clock: Callable[..., None]
) -> None:
    applications.request_exit(member.pk, actor=merchant)
    move_clock(days=31)

    together(partial(complaints.withdraw, filed.pk, actor=customer), partial(exits.complete_exit, member.pk))

    assert again(filed).state == "withdrawn"
    assert money(filed) == {"freeze": CLAIMED, "release": CLAIMED}
    assert reload(member).state in (State.EXITED, State.EXITING)


# Expulsion -----------------------------------------------------------------------------------------


def test_an_expulsion_and_the_decision_of_an_appeal(
    appealed: Complaint, member: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    """The award is paid in either order; the rest is forfeited with the deposit or after it."""
    outcomes = together(
        partial(decide_appeal, appealed, second_ops, "shared", "100.00"),
        partial(expel, member, third_ops, ops),
    )

    assert refusals(outcomes) == []
    assert (again(appealed).state, reload(member).state) == ("final", State.EXPELLED)
    moved = money(appealed)
    assert (moved["compensation"], moved["release"]) == (Decimal("100.00"), Decimal("200.00"))
    deposit = deposit_of(appealed)
    assert (deposit.available, deposit.frozen, deposit.owed) == (0, 0, 0)
    forfeited = deposit.transfers.filter(kind="forfeiture").values_list("amount", flat=True)
    assert sum(forfeited) == REQUIRED - Decimal("100.00")


def test_an_expulsion_and_a_complaint(
    member: Application, customer: User, ops: User, second_ops: User
) -> None:
    filed, _expelled = together(partial(file, member, customer), partial(expel, member, ops, second_ops))

    assert reload(member).state == State.EXPELLED
    frozen = Deposit.objects.get(application=member).frozen
    if isinstance(filed, str):
        assert (filed, frozen) == ("not_a_member", 0)
    else:
        assert frozen == CLAIMED
        assert money(filed) == {"freeze": CLAIMED}


# The payee -----------------------------------------------------------------------------------------


def test_a_payee_named_while_the_decision_becomes_final_is_sent_once(
    decided: Complaint, customer: User, sleep_until: SleepUntil
) -> None:
    sleep_until(again(decided).due_at, 1)

    together(partial(complaints.name_payee, decided.pk, actor=customer, payee=PAYEE), the_sweep, the_sweep)
    sweep_complaints()

    row = Compensation.objects.get()
    assert (row.payee_identity, row.amount) == (PAYEE.identity, Decimal("200.00"))
    assert row.payouts.count() == 1
    money(decided)
