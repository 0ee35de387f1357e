"""Two people put the books right, or bring them up to what happened at Alipay; what can't be decided is refused."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from applications import reversals
from applications.lifecycle import State
from applications.models import Application
from deposits import proposals
from deposits.books import corrections, ledger
from deposits.books.accounts import Account, Kind
from deposits.duties import cases
from deposits.models import LedgerTransfer, Obligation, Proposal, ProposalKind, Refund, TopUpDemand
from deposits.outgoing import clean_record
from tests.deposits.conftest import (
    REQUIRED,
    books_agree,
    deposit_of,
    expel,
    leave,
    reload,
    two_decide,
)
from tests.deposits.test_cases import CASE, OTHER_CASE, charge, cny, penalise, settle, steps, sums
from tests.deposits.trades import pay_what_is_due
from tests.people import make_staff
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

CORRECT, BOOK = ProposalKind.CORRECT_ENTRY, ProposalKind.BOOK_MOVEMENT
Correct = Callable[[LedgerTransfer], Proposal]


@pytest.fixture
def correct(finance: User, second_finance: User) -> Correct:
    return lambda row: two_decide(CORRECT, row, finance, second_finance)


def row_of(kind: str) -> LedgerTransfer:
    return LedgerTransfer.objects.filter(kind=kind).latest("pk")


# Entries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [penalise, charge])
def test_two_people_take_a_deduction_back(
    member: Application, verb: Callable[..., object], correct: Correct, second_finance: User
) -> None:
    verb(member, "500.00")
    [row] = LedgerTransfer.objects.filter(kind__in=["penalty", "breach"])

    proposal = correct(row)

    mirror = LedgerTransfer.objects.get(reverses=row)
    assert (mirror.kind, mirror.debit, mirror.credit) == ("correction", row.credit, row.debit)
    assert (mirror.amount, mirror.proposal, mirror.actor) == (row.amount, proposal, second_finance)
    assert sums(member) == (REQUIRED, 0, 0)
    assert TopUpDemand.objects.get().closed_at is not None, "nothing is missing any more"
    assert "entry_corrected" in steps(member)
    assert Notice.objects.filter(recipient=member.applicant, key=f"deposit:corrected:{mirror.pk}").exists()
    assert clean_record.blemishes(reload(member)) == []
    assert books_agree()


def test_a_correction_pays_debts_first(member: Application, correct: Correct) -> None:
    penalise(member, "99000.00")
    settle(member, "1500.00", OTHER_CASE)

    correct(row_of("penalty"))

    assert Obligation.objects.get().state == "settled"
    assert sums(member) == (cny("98500.00"), 0, 0)
    assert books_agree()


def test_what_settled_a_debt_can_be_corrected_and_the_debt_stays_settled(
    member: Application, correct: Correct
) -> None:
    penalise(member, "100050.00")
    pay_what_is_due(reload(member))
    row = LedgerTransfer.objects.get(obligation__isnull=False)

    correct(row)

    assert Obligation.objects.get().state == "settled"
    assert sums(member) == (cny("100050.00"), 0, 0)
    assert books_agree()


def test_what_is_corrected_after_the_exit_goes_back_to_the_company(
    member: Application, correct: Correct
) -> None:
    penalise(member, "500.00")
    leave(member)

    correct(row_of("penalty"))

    assert [refund.amount for refund in Refund.objects.order_by("pk")] == [cny("99500.00"), cny("500.00")]
    assert sums(member) == (0, 0, 0)
    assert books_agree()


def test_what_two_people_give_back_to_an_expelled_company_is_not_forfeited_again(
    member: Application, correct: Correct, ops: User, second_ops: User
) -> None:
    expel(member, ops, second_ops)
    correct(row_of("forfeiture"))
    assert sums(member) == (REQUIRED, 0, 0)
    assert reload(member).state == State.EXPELLED

    cases.release(member.pk, case=CASE)
    assert sums(member) == (REQUIRED, 0, 0)
    assert penalise(member, "500.00").taken == cny("500.00")


@pytest.mark.parametrize("kind", [Kind.FUNDING, Kind.WITHDRAWAL, Kind.GATEWAY_FEE, Kind.OPENING_BALANCE])
def test_what_was_booked_by_hand_is_taken_back(
    kind: Kind, correct: Correct, finance: User, second_finance: User
) -> None:
    if kind == Kind.OPENING_BALANCE:
        ledger.post(kind, cny("7.00"), key="opening")
    else:
        two_decide(BOOK, None, finance, second_finance, **movement(kind=kind))

    correct(row_of(kind))

    assert set(ledger.totals().values()) == {Decimal(0)}
    assert books_agree()


def test_what_follows_from_orders_and_cases_is_not_corrected(member: Application, finance: User) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    settle(member, "100.00")
    leave(member)
    kinds = set()
    for row in LedgerTransfer.objects.all():
        kinds.add(row.kind)
        assert not corrections.may_be_corrected(row)
        with pytest.raises(DomainError, match="not_correctable"):
            proposals.propose(CORRECT, actor=finance, reason="r", target=row)
    assert kinds == {"payment", "freeze", "compensation", "release", "refund"}


def test_an_entry_is_corrected_once(
    member: Application, correct: Correct, finance: User, second_finance: User
) -> None:
    penalise(member, "500.00")
    row = row_of("penalty")
    correct(row)

    assert not corrections.may_be_corrected(row)
    with pytest.raises(DomainError, match="corrected"):
        proposals.propose(CORRECT, actor=finance, reason="r", target=row)
    with pytest.raises(DomainError, match="not_correctable"):
        proposals.propose(CORRECT, actor=finance, reason="r", target=row_of("correction"))
    assert sums(member) == (REQUIRED, 0, 0)


def test_nobody_corrects_alone(member: Application, finance: User, ops: User) -> None:
    penalise(member, "500.00")
    with pytest.raises(NotPermitted):
        proposals.propose(CORRECT, actor=ops, reason="r", target=row_of("payment"))
    proposal = proposals.propose(CORRECT, actor=finance, reason="r", target=row_of("penalty"))
    for person in (finance, ops):
        with pytest.raises(NotPermitted):
            proposals.accept(proposal.pk, actor=person)
    assert sums(member) == (cny("99500.00"), 0, 0)


def test_operations_propose_to_give_back_what_a_case_took_and_finance_accepts(
    member: Application, finance: User, ops: User
) -> None:
    penalise(member, "500.00")
    proposal = proposals.propose(CORRECT, actor=ops, reason="r", target=row_of("penalty"))
    with pytest.raises(NotPermitted):
        proposals.accept(proposal.pk, actor=ops)

    proposals.accept(proposal.pk, actor=finance)

    assert sums(member) == (REQUIRED, 0, 0)


def test_what_is_overturned_meanwhile_is_not_corrected_as_well(
    member: Application, finance: User, second_finance: User, ops: User, second_ops: User, third_ops: User
) -> None:
    expel(member, ops, second_ops)
    proposal = proposals.propose(CORRECT, actor=finance, reason="r", target=row_of("forfeiture"))
    reversals.overturn_expulsion(
        member.pk, proposer=third_ops, decider=make_staff("wuyun", "吴运", Role.OPS), reason="申诉成立"
    )

    with pytest.raises(DomainError, match="corrected"):
        proposals.accept(proposal.pk, actor=second_finance)
    assert sums(member) == (REQUIRED, 0, 0)


# Movements at Alipay -------------------------------------------------------------------------------

SERIAL = "20261124110070001502260000000001"
HAPPENED = "2026-11-23T09:30:00+08:00"


def movement(**changes: str) -> dict[str, str]:
    return {"kind": "funding", "amount": "7.00", "serial": SERIAL, "at": HAPPENED} | changes


def propose(finance: User, **changes: str) -> Proposal:
    return proposals.propose(BOOK, actor=finance, reason="对账", details=movement(**changes))


@pytest.mark.parametrize(
    ("kind", "account", "cash"),
    [
        ("funding", Account.PLATFORM_FUNDING, "7.00"),
        ("withdrawal", Account.BANK_WITHDRAWAL, "-7.00"),
        ("gateway_fee", Account.GATEWAY_FEES, "-7.00"),
    ],
)
def test_two_people_book_what_happened_at_alipay(
    kind: str, account: Account, cash: str, finance: User, second_finance: User
) -> None:
    proposal = two_decide(BOOK, None, finance, second_finance, **movement(kind=kind))

    row = LedgerTransfer.objects.get()
    assert (row.kind, row.amount, row.note, row.proposal) == (kind, cny("7.00"), SERIAL, proposal)
    assert row.at == dt.datetime.fromisoformat(HAPPENED)
    assert ledger.totals()[account] == cny("7.00")
    assert ledger.totals()[Account.ALIPAY_CASH] == cny(cash)
    assert books_agree()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "penalty"),
        ("kind", ""),
        ("amount", "0.00"),
        ("amount", "-7.00"),
        ("amount", "7.001"),
        ("amount", "sieben"),
        ("amount", "Infinity"),
        ("amount", "NaN"),
        ("amount", "99999999999.00"),
        ("serial", ""),
        ("serial", "x" * 65),
        ("serial", "1\x00"),
        ("serial", "a:b"),
        ("at", ""),
        ("at", "2026-11-23T09:30:00"),
        ("at", "gestern"),
        ("at", "2099-01-01T00:00:00+08:00"),
    ],
)
def test_a_movement_that_cant_be_booked_is_refused_beside_its_field(
    finance: User, field: str, value: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        propose(finance, **{field: value})
    assert refusal.value.field == field
    assert refusal.value.message
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("field", ["kind", "amount", "serial", "at"])
def test_a_movement_that_lacks_a_detail_is_refused_beside_its_field(finance: User, field: str) -> None:
    details = movement()
    del details[field]
    with pytest.raises(DomainError) as refusal:
        proposals.propose(BOOK, actor=finance, reason="对账", details=details)
    assert refusal.value.field == field


def test_one_movement_is_booked_once(finance: User, second_finance: User) -> None:
    first, second = propose(finance), propose(finance, amount="8.00")
    proposals.accept(first.pk, actor=second_finance)

    for again in (
        lambda: proposals.accept(second.pk, actor=second_finance),
        lambda: propose(finance, kind="withdrawal"),
    ):
        with pytest.raises(DomainError, match="booked") as refusal:
            again()
        assert refusal.value.field == "serial"

    assert LedgerTransfer.objects.count() == 1


def test_a_movement_booked_wrongly_is_corrected_and_booked_again(
    finance: User, second_finance: User, correct: Correct
) -> None:
    for amount in ("7.00", "8.00"):
        two_decide(BOOK, None, finance, second_finance, **movement(amount=amount))
        correct(row_of("funding"))
    two_decide(BOOK, None, finance, second_finance, **movement(amount="9.00"))

    assert ledger.totals()[Account.PLATFORM_FUNDING] == cny("9.00")
    with pytest.raises(DomainError, match="booked"):
        propose(finance)


@pytest.mark.django_db(transaction=True)
def test_a_movement_decided_twice_at_the_same_moment_is_booked_once(
    finance: User, second_finance: User
) -> None:
    first, second = propose(finance), propose(second_finance, amount="8.00")

    outcomes = together(
        lambda: proposals.accept(first.pk, actor=second_finance).state,
        lambda: proposals.accept(second.pk, actor=finance).state,
    )

    assert sorted(outcomes) == ["accepted", "booked"]
    assert LedgerTransfer.objects.count() == 1


def test_nobody_books_alone(finance: User, ops: User) -> None:
    with pytest.raises(NotPermitted):
        propose(ops)
    proposal = propose(finance)
    for person in (finance, ops):
        with pytest.raises(NotPermitted):
            proposals.accept(proposal.pk, actor=person)
    assert not LedgerTransfer.objects.exists()


def test_a_deposit_gets_nothing_by_a_movement(
    member: Application, finance: User, second_finance: User
) -> None:
    two_decide(BOOK, None, finance, second_finance, **movement())
    assert sums(member) == (REQUIRED, 0, 0)
    assert not deposit_of(member).transfers.filter(kind="funding").exists()
    assert clock.now() > row_of("funding").at
