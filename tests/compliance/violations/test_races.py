"""Decisions on violations, and whatever else happens to the company at that moment: one outcome, balanced books."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from django.core.management import call_command

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application, Ban
from compliance import exits
from compliance.complaints import services as complaints
from compliance.models import Violation
from compliance.violations import points, restitution
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits import proposals, tasks
from deposits.books.accounts import Account, Kind
from deposits.books.ledger import totals
from deposits.incoming import payments
from deposits.models import Obligation, PaymentOrder, Proposal, ReturnedPayment
from deposits.states import ProposalState
from tests.compliance.complaints.conftest import file as file_complaint
from tests.compliance.conftest import FACTS, PAID, REASON, TITLE, activate
from tests.compliance.violations.conftest import (
    APPEAL,
    Verify,
    again,
    books_agree,
    deposit_of,
    fresh,
    measures,
)
from tests.deposits.conftest import OTHER_COMPANY, Pay, pay_out, settle
from tests.people import (
    OTHER_CREDIT_CODE,
    admit,
    begin,
    complete,
    hand_in,
    make_merchant,
    make_staff,
)
from tests.races.together import together
from tests.rules import set_rule
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core import clock

pytestmark = pytest.mark.django_db(transaction=True)

# So few that several expel nobody.
ONE_POINT = {"general": 1, "severe": 12, "year": 12}


@pytest.fixture(autouse=True)
def _books(db: None) -> object:
    """Whatever came first, the books agree."""
    yield
    assert books_agree()


@pytest.fixture
def paid(approved: Application, pay: Pay) -> Application:
    """A member whose deposit came through Alipay."""
    settle(pay(approved))
    return again(approved)


def verifying(violation: Violation, actor: User) -> Callable[[], str]:
    return lambda: violations.verify(violation.pk, actor=actor, reason=REASON).state


# Verifications -------------------------------------------------------------------------------------


def test_of_two_general_ones_verified_at_once_one_counts_as_severe(
    propose: Verify, active: Application, third_ops: User, fourth_ops: User
) -> None:
    first, second = propose(active), propose(active)

    assert together(verifying(first, third_ops), verifying(second, fourth_ops)) == ["verified"] * 2

    assert sorted([fresh(first).counts_as_severe, fresh(second).counts_as_severe]) == [False, True]
    assert again(active).state == State.EXPELLED
    assert Ban.objects.count() == 1
    assert active.transitions.filter(name="expel").count() == 1
    assert points.in_year(active.pk, clock.now()) == 12


def test_of_two_severe_ones_verified_at_once_one_expels(
    propose: Verify, active: Application, third_ops: User, fourth_ops: User
) -> None:
    first, second = propose(active, "severe"), propose(active, "severe")

    assert together(verifying(first, third_ops), verifying(second, fourth_ops)) == ["verified"] * 2

    expelled = [measures(first).get("expulsion"), measures(second).get("expulsion")]
    assert sorted(expelled, key=str) == [None, True]
    assert deposit_of(active).transfers.filter(kind=Kind.FORFEITURE).count() == 1


def test_two_penalties_at_once_take_what_is_there_and_owe_the_rest(
    propose: Verify, active: Application, third_ops: User, fourth_ops: User
) -> None:
    set_rule("violation.points", ONE_POINT)
    first, second = (propose(active, penalty=Decimal("60000.00")) for _number in range(2))

    assert together(verifying(first, third_ops), verifying(second, fourth_ops)) == ["verified"] * 2

    deposit = deposit_of(active)
    assert sum(row.amount for row in deposit.transfers.filter(kind=Kind.PENALTY)) == PAID
    assert (deposit.available, deposit.owed) == (0, Decimal("20000.00"))


def test_one_merchant_reports_so_many_though_at_once_and_of_two_companies(
    active: Application, stranger: User, reviewer: User
) -> None:
    owner = make_merchant("小店戊", "706355555")
    drafted = complete(begin(owner), credit_code=OTHER_CREDIT_CODE, alipay_account_id="2088101000000199")
    other = activate(admit(hand_in(drafted), reviewer))

    def report(application: Application) -> int:
        return violations.report_by_merchant(application.pk, actor=stranger, title=TITLE, facts=FACTS).pk

    outcomes = together(*[partial(report, active), partial(report, other)] * 4)

    assert outcomes.count("too_many_reports") == 5
    assert Violation.objects.count() == 3


# Appeals -------------------------------------------------------------------------------------------


def test_of_two_appeals_at_once_one_is_filed(verify: Verify, active: Application, merchant: User) -> None:
    violation = verify(active)
    file = partial(violations.file_appeal, violation.pk, actor=merchant, text=APPEAL)

    outcomes = together(*[lambda: file().state] * 4)

    assert sorted(outcomes) == ["appealed", *["wrong_state"] * 3]
    assert fresh(violation).steps.filter(name="appeal").count() == 1


def test_an_appeal_while_its_time_ends_is_filed_or_late(
    verify: Verify, active: Application, merchant: User, move_clock: Callable[..., None]
) -> None:
    violation = verify(active)
    move_clock(days=7, seconds=-2)

    appealed, _moved = together(
        lambda: violations.file_appeal(violation.pk, actor=merchant, text=APPEAL).state,
        lambda: move_clock(days=1),
    )

    expected = {"appealed": ViolationState.APPEALED, "too_late": ViolationState.VERIFIED}
    assert fresh(violation).state == expected[appealed]


def test_of_two_decisions_on_an_appeal_one_counts(
    verify: Verify, active: Application, merchant: User, fourth_ops: User, fifth_ops: User
) -> None:
    violation = verify(active, penalty=Decimal("500.00"))
    violations.file_appeal(violation.pk, actor=merchant, text=APPEAL)

    def decide(person: User, uphold: bool) -> str:
        return violations.decide_appeal(violation.pk, actor=person, uphold=uphold, reason="理由").state

    outcomes = together(partial(decide, fourth_ops, True), partial(decide, fifth_ops, False))

    assert outcomes.count("wrong_state") == 1
    upheld = "overturned" in outcomes
    assert measures(violation)["penalty"] is not upheld
    assert Proposal.objects.count() == int(upheld)


def test_two_people_who_propose_at_once(
    verified_violation: Violation, merchant: User, fourth_ops: User, fifth_ops: User
) -> None:
    violation = violations.file_appeal(verified_violation.pk, actor=merchant, text=APPEAL)

    def propose(person: User, uphold: bool) -> str:
        violations.propose_appeal_decision(violation.pk, actor=person, uphold=uphold, reason="理由")
        return "proposed it"

    outcomes = together(partial(propose, fourth_ops, True), partial(propose, fifth_ops, False))

    assert sorted(outcomes) == ["proposed", "proposed it"]


def test_two_upheld_appeals_at_once_bring_everything_back(
    verify: Verify, active: Application, merchant: User, fourth_ops: User, fifth_ops: User
) -> None:
    first, second = verify(active), verify(active)
    for violation in (first, second):
        violations.file_appeal(violation.pk, actor=merchant, text=APPEAL)
        violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="成立")

    def decide(violation: Violation) -> str:
        return violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=True, reason="成立").state

    assert together(partial(decide, first), partial(decide, second)) == ["overturned"] * 2

    assert again(active).state == State.SUSPENDED
    assert active.transitions.filter(name="overturn_expulsion").count() == 1
    assert deposit_of(active).available == PAID
    assert points.in_year(active.pk, clock.now()) == 0


def test_put_right_and_overturned_at_once_lifts_one_suspension(
    verify: Verify, active: Application, merchant: User, second_ops: User, fourth_ops: User
) -> None:
    violation = verify(active, suspension_days=5)
    violations.file_appeal(violation.pk, actor=merchant, text=APPEAL)

    confirmed, decided = together(
        lambda: violations.confirm_rectified(violation.pk, actor=second_ops, reason="已整改").state,
        lambda: violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=True, reason="成立").state,
    )

    assert decided == "overturned"
    assert confirmed in ("appealed", "wrong_state")
    assert again(active).state == State.ACTIVE
    assert active.transitions.filter(name="reinstate").count() == 1


# With whatever else happens to the company ---------------------------------------------------------


def test_an_appeal_and_the_end_of_the_exit(verify: Verify, active: Application, merchant: User) -> None:
    violation = verify(active)
    applications.request_exit(active.pk, actor=merchant)
    active.exit_requests.update(notice_ends_at=clock.now())

    appealed, left = together(
        lambda: violations.file_appeal(violation.pk, actor=merchant, text=APPEAL).state,
        lambda: exits.complete_exit(active.pk).state,
    )

    assert appealed == "appealed", "a company that has left appeals too"
    assert left in ("exited", "not_cleared")
    assert again(active).state == (State.EXITED if left == "exited" else State.EXITING)


@pytest.mark.parametrize("award", ["300.00", "0.00"])
def test_an_expulsion_and_the_decision_of_a_complaint(
    propose: Verify, active: Application, merchant: User, third_ops: User, award: str
) -> None:
    customer = make_merchant("买家丙", "806300001")
    judge, second_judge = (make_staff(f"judge{n}", f"审{n}", Role.OPS) for n in range(2))
    complaint = file_complaint(active, customer)
    complaints.contest(complaint.pk, actor=merchant, text="不实")
    for side in (merchant, customer):
        complaints.finish_evidence(complaint.pk, actor=side)
    liability = "not_liable" if award == "0.00" else "liable"
    complaints.decide(
        complaint.pk, actor=judge, liability=liability, award=Decimal(award), reason="依据物流记录"
    )
    loser = customer if award == "0.00" else merchant
    complaints.appeal(complaint.pk, actor=loser, text="不服")
    violation = propose(active, "severe")

    def decide() -> str:
        return complaints.decide_appeal(
            complaint.pk, actor=second_judge, liability=liability, award=Decimal(award), reason="维持"
        ).state

    assert together(verifying(violation, third_ops), decide) == ["verified", "final"]

    deposit = deposit_of(active)
    assert again(active).state == State.EXPELLED
    assert (deposit.available, deposit.frozen, deposit.owed) == (0, 0, 0)
    forfeited = sum(row.amount for row in deposit.transfers.filter(kind=Kind.FORFEITURE))
    paid = sum(row.amount for row in deposit.transfers.filter(kind=Kind.COMPENSATION))
    assert (forfeited, paid) == (PAID - Decimal(award), Decimal(award))


def test_an_expulsion_and_the_return_of_a_refused_payment(
    propose: Verify, paid: Application, alipay: SandboxClient, pay: Pay, verify: Verify, third_ops: User
) -> None:
    alipay.account(OTHER_COMPANY, name="别家公司", kind="CORPORATE", balance="5000.00")
    verify(paid, penalty=Decimal("1000.00"))
    order = settle(pay(paid, buyer=OTHER_COMPANY))
    assert order.state == "refused"
    violation = propose(paid, "severe")

    verified, _returned = together(verifying(violation, third_ops), tasks.sweep_payouts)
    pay_out()

    assert verified == "verified"
    assert ReturnedPayment.objects.get(order=order).state == "done"
    [account] = alipay.get("alipay-accounts", user_id=OTHER_COMPANY)
    assert Decimal(account["balance"]) == Decimal("5000.00")
    assert again(paid).state == State.EXPELLED
    assert totals()[Account.SUSPENSE] == 0
    assert totals()[Account.FORFEITURE_INCOME] == PAID - 1000
    call_command("ledger_check")


def test_a_top_up_and_a_penalty(
    propose: Verify, verify: Verify, paid: Application, pay: Pay, third_ops: User
) -> None:
    set_rule("violation.points", ONE_POINT)
    verify(paid, penalty=Decimal("1000.00"))
    order = pay(paid)
    violation = propose(paid, penalty=Decimal("250.00"))

    together(lambda: payments.resolve(order), verifying(violation, third_ops))

    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    deposit = deposit_of(paid)
    assert (deposit.available, deposit.shortfall) == (PAID - 250, Decimal("250.00"))
    call_command("ledger_check")


def test_a_top_up_and_the_appeal_against_what_it_pays(
    verify: Verify,
    paid: Application,
    pay: Pay,
    alipay: SandboxClient,
    merchant: User,
    fourth_ops: User,
    finance: User,
) -> None:
    violation = verify(paid, penalty=PAID + Decimal("500.00"))
    violations.file_appeal(violation.pk, actor=merchant, text=APPEAL)
    order = pay(paid)

    together(
        lambda: payments.resolve(order),
        lambda: violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=True, reason="成立").state,
    )
    for overturned in restitution.left_over():
        restitution.propose_left_over(overturned.pk)
    for proposal in Proposal.objects.filter(state=ProposalState.OPEN).order_by("-kind"):
        together(partial(proposals.accept, proposal.pk, actor=finance))

    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    deposit = deposit_of(paid)
    # 100,000 at the beginning and the whole top-up of 100,500: nothing of the penalty is left.
    assert (deposit.available, deposit.owed) == (PAID + PAID + 500, 0)
    assert totals()[Account.PENALTY_INCOME] == 0
    assert Obligation.objects.get().state in ("settled", "waived")
    call_command("ledger_check")
