"""What is owed is paid first, in date order, from whatever becomes available; or two people waive it (design §4)."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from compliance.exits import complete_exit
from deposits import proposals
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, obligations
from deposits.gateways.alipay import IdentityType
from deposits.models import (
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    Payout,
    ProposalKind,
    Refund,
    TopUpDemand,
)
from deposits.outgoing import compensations
from deposits.outgoing.payees import Payee
from tests.deposits.conftest import REQUIRED, books_agree, deposit_of, expel, reload, two_decide
from tests.deposits.test_cases import (
    CASE,
    CUSTOMER,
    OTHER_CASE,
    cny,
    of_kind,
    penalise,
    settle,
    steps,
    sums,
)
from tests.deposits.trades import pay_what_is_due
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]
EARLY, LATE = "complaint:E", "violation:9"


@pytest.fixture
def indebted(member: Application, move_clock: MoveClock) -> Application:
    """Owes 2,000 of a compensation, and since a day later 500 of a penalty; CNY 10,000 are frozen for CASE."""
    cases.freeze(member.pk, case=CASE, claimed=cny("10000.00"))
    settle(member, "92000.00", EARLY, payee=CUSTOMER)
    move_clock(days=1)
    penalise(member, "500.00", LATE)
    assert sums(member) == (0, cny("10000.00"), cny("2500.00"))
    return reload(member)


def debts() -> list[tuple[str, Decimal]]:
    """State and what is outstanding, the oldest first."""
    return [(row.state, row.outstanding) for row in Obligation.objects.order_by("created_at", "pk")]


def lock_and_settle(application: Application) -> Decimal:
    with transaction.atomic():
        return obligations.settle(deposit_of(application))


# Paid first ----------------------------------------------------------------------------------------


def test_a_top_up_pays_debts_first_and_fills_the_deposit_with_the_rest(indebted: Application) -> None:
    assert deposit_of(indebted).shortfall == cny("92500.00")

    pay_what_is_due(indebted)

    assert debts() == [("settled", 0), ("settled", 0)]
    assert sums(indebted) == (cny("90000.00"), cny("10000.00"), 0)
    assert deposit_of(indebted).shortfall == 0
    assert not TopUpDemand.objects.filter(closed_at=None).exists()
    assert books_agree()


def test_a_release_pays_the_oldest_debt_wholly_and_the_next_in_part(
    member: Application,
) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("2100.00"))
    settle(member, "99900.00", EARLY, payee=CUSTOMER)
    penalise(member, "500.00", LATE)

    cases.release(member.pk, case=CASE)

    assert debts() == [("settled", 0), ("open", cny("400.00"))]
    assert of_kind(member, "compensation") == [cny("97900.00"), cny("2000.00")]
    assert of_kind(member, "penalty") == [cny("100.00")]
    assert sums(member) == (0, 0, cny("400.00"))
    assert books_agree()


def test_a_debt_is_paid_in_as_many_parts_as_it_takes_each_with_its_receipt(
    member: Application,
) -> None:
    for number in (1, 2, 3):
        cases.freeze(member.pk, case=f"complaint:{number}", claimed=cny("100.00"))
    penalise(member, "100000.00", LATE)

    for number in (1, 2, 3):
        cases.release(member.pk, case=f"complaint:{number}")

    obligation = Obligation.objects.get()
    parts = obligation.transfers.order_by("pk")
    assert [part.amount for part in parts] == [cny("100.00")] * 3
    assert len({part.key for part in parts}) == 3
    assert {part.case for part in parts} == {LATE}
    assert (obligation.state, obligation.settled) == ("settled", cny("300.00"))
    assert obligation.closed_at is not None
    paid = Notice.objects.filter(recipient=member.applicant, key__startswith="deposit:obligation-paid")
    assert {notice.link.rstrip("/").rsplit("/", 1)[1] for notice in paid} == {str(part.pk) for part in parts}
    assert steps(member).count("obligation_paid") == 3


def test_a_part_of_a_compensation_goes_to_the_payee_of_its_case(indebted: Application) -> None:
    pay_what_is_due(indebted)

    first, second = Compensation.objects.filter(case=EARLY).order_by("pk")
    assert second.amount == cny("2000.00")
    assert (second.payee_identity, second.payee_name) == (first.payee_identity, first.payee_name)
    assert Payout.objects.get(compensation=second).amount == cny("2000.00")


def test_a_payee_known_while_nothing_could_be_paid_is_remembered(
    member: Application,
) -> None:
    penalise(member, "100000.00", LATE)
    settle(member, "50.00", payee=CUSTOMER)
    assert not Compensation.objects.exists()

    pay_what_is_due(reload(member))

    assert Payout.objects.get().payee_identity == CUSTOMER.identity


def test_a_payee_named_later_gets_the_later_parts(
    member: Application,
    finance: User,
) -> None:
    settle(member, "100050.00")
    named = Payee("customer@example.com", IdentityType.LOGON_ID, "顾客丁")
    compensations.name_payee(Compensation.objects.get().pk, named, actor=finance)

    pay_what_is_due(reload(member))

    assert [payout.payee_identity for payout in Payout.objects.order_by("pk")] == [named.identity] * 2


def test_a_part_without_a_payee_waits_for_one(member: Application) -> None:
    settle(member, "100050.00")
    pay_what_is_due(reload(member))
    assert [(row.state, row.amount) for row in Compensation.objects.order_by("pk")] == [
        ("waiting", REQUIRED),
        ("waiting", cny("50.00")),
    ]


def test_what_another_case_froze_pays_no_debt(indebted: Application) -> None:
    assert lock_and_settle(indebted) == 0
    assert sums(indebted) == (0, cny("10000.00"), cny("2500.00"))


def test_settling_again_pays_nothing_again(indebted: Application) -> None:
    pay_what_is_due(indebted)
    before = LedgerTransfer.objects.count()
    assert lock_and_settle(indebted) == 0
    assert LedgerTransfer.objects.count() == before


def test_one_cause_owes_once(member: Application) -> None:
    penalise(member, "100000.00", LATE)

    def owe(amount: str) -> Obligation:
        with transaction.atomic():
            return obligations.owe(
                deposit_of(member), Kind.BREACH, cny(amount), case=CASE, key="cause", reason="r"
            )

    assert owe("10.00") == owe("10.00")
    with pytest.raises(ledger.KeyUsed):
        owe("11.00")
    assert sums(member)[2] == cny("10.00")


def test_a_debt_recorded_while_money_is_there_is_paid_at_once(member: Application) -> None:
    """Whoever calls: what owes anything has nothing available."""
    with transaction.atomic():
        obligations.owe(deposit_of(member), Kind.BREACH, cny("10.00"), case=CASE, key="cause")
    assert debts() == [("settled", 0)]
    assert sums(member) == (cny("99990.00"), 0, 0)


def test_no_more_than_is_owed_is_demanded_of_a_member_that_is_leaving(indebted: Application) -> None:
    cases.release(indebted.pk, case=CASE)
    penalise(indebted, "8000.00", OTHER_CASE)
    assert sums(indebted) == (0, 0, cny("500.00"))
    applications.request_exit(indebted.pk, actor=indebted.applicant)

    order = pay_what_is_due(reload(indebted))

    assert order.amount == cny("500.00")
    assert sums(indebted) == (0, 0, 0)


def test_a_debt_bars_the_exit_until_it_is_paid(indebted: Application, move_clock: MoveClock) -> None:
    cases.settle_case(indebted.pk, case=CASE, award=cny("10000.00"), reason="r", actor=None)
    applications.request_exit(indebted.pk, actor=indebted.applicant)
    move_clock(days=40)
    with pytest.raises(DomainError, match="not_cleared"):
        complete_exit(indebted.pk)

    pay_what_is_due(reload(indebted))
    complete_exit(indebted.pk)

    assert reload(indebted).state == State.EXITED
    assert not Refund.objects.exists(), "nothing was left"


# Waived --------------------------------------------------------------------------------------------


def test_two_people_waive_what_is_outstanding(
    indebted: Application, finance: User, second_finance: User
) -> None:
    debt = Obligation.objects.get(kind="compensation")

    two_decide(ProposalKind.WAIVE_OBLIGATION, debt, finance, second_finance)

    assert debts() == [("waived", cny("2000.00")), ("open", cny("500.00"))]
    assert sums(indebted)[2] == cny("500.00")
    assert "obligation_waived" in steps(indebted)
    assert books_agree()

    pay_what_is_due(indebted)
    assert of_kind(indebted, "compensation") == [cny("90000.00")], "a waived debt takes nothing"


def test_a_waiver_that_fills_the_deposit_ends_the_demand(
    member: Application,
    finance: User,
    second_finance: User,
) -> None:
    cases.freeze(member.pk, case=CASE, claimed=REQUIRED)
    penalise(member, "500.00", LATE)
    assert TopUpDemand.objects.get().closed_at is None

    two_decide(ProposalKind.WAIVE_OBLIGATION, Obligation.objects.get(), finance, second_finance)

    assert TopUpDemand.objects.get().closed_at is not None


def test_nobody_waives_alone(indebted: Application, finance: User, ops: User, reviewer: User) -> None:
    debt = Obligation.objects.order_by("pk")[0]
    with pytest.raises(NotPermitted):
        proposals.propose(ProposalKind.WAIVE_OBLIGATION, actor=reviewer, reason="r", target=debt)
    proposal = proposals.propose(ProposalKind.WAIVE_OBLIGATION, actor=finance, reason="r", target=debt)
    for person in (finance, ops, reviewer):
        with pytest.raises(NotPermitted):
            proposals.accept(proposal.pk, actor=person)
    assert sums(indebted)[2] == cny("2500.00")


def test_what_is_paid_meanwhile_is_not_waived(
    indebted: Application, finance: User, second_finance: User
) -> None:
    debt = Obligation.objects.order_by("pk")[0]
    proposal = proposals.propose(ProposalKind.WAIVE_OBLIGATION, actor=finance, reason="r", target=debt)
    pay_what_is_due(indebted)

    with pytest.raises(DomainError, match="not_open"):
        proposals.accept(proposal.pk, actor=second_finance)
    with pytest.raises(DomainError, match="not_open"):
        proposals.propose(ProposalKind.WAIVE_OBLIGATION, actor=second_finance, reason="r", target=debt)

    assert debts() == [("settled", 0), ("settled", 0)]


# After an expulsion --------------------------------------------------------------------------------


def test_an_expelled_company_is_asked_for_nothing_and_its_debts_stay_recorded(
    indebted: Application, ops: User, second_ops: User
) -> None:
    expel(indebted, ops, second_ops)

    assert sums(indebted) == (0, cny("10000.00"), cny("2500.00"))
    assert not TopUpDemand.objects.filter(closed_at=None).exists()
    with pytest.raises(DomainError, match="nothing_due"):
        pay_what_is_due(reload(indebted))


# Past Python ---------------------------------------------------------------------------------------


def test_the_database_refuses_a_debt_beside_available_money(member: Application) -> None:
    """Even where the sums are right."""
    deposit = deposit_of(member)
    with pytest.raises(IntegrityError, match="pays what is owed first"), transaction.atomic():
        Obligation.objects.create(deposit=deposit, case=CASE, kind="penalty", amount=cny("1.00"), key="k")
        Deposit.objects.filter(pk=deposit.pk).update(owed=cny("1.00"))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
