"""One row moves one amount, once; what Python refuses, SQL refuses to the application's role as well."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from applications.models import Application
from deposits.books import ledger
from deposits.books.accounts import ENTRIES, Account, Kind
from deposits.models import Deposit, LedgerTransfer, ProposalKind
from tests.database import owner_role
from tests.deposits.conftest import deposit_of, two_decide
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

SUM = Decimal("100000.00")


@pytest.fixture
def paid(approved: Application) -> Deposit:
    """A deposit with its sum, posted without a payment order."""
    deposit = deposit_of(approved)
    ledger.post(Kind.PAYMENT, SUM, key="paid", deposit=deposit)
    return Deposit.objects.get(pk=deposit.pk)


def balances(deposit: Deposit) -> list[Decimal]:
    """Available and frozen, as they are stored now."""
    row = Deposit.objects.get(pk=deposit.pk)
    return [row.available, row.frozen]


def check_at_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_deposit_opens_empty_with_the_required_amount(approved: Application) -> None:
    deposit = deposit_of(approved)
    assert (deposit.required, deposit.available, deposit.frozen, deposit.shortfall) == (SUM, 0, 0, SUM)


def test_freeze_and_release_move_between_the_two_balances(paid: Deposit) -> None:
    ledger.post(Kind.FREEZE, Decimal("300.50"), key="f", deposit=paid)
    assert balances(paid) == [Decimal("99699.50"), Decimal("300.50")]
    assert Deposit.objects.get(pk=paid.pk).shortfall == 0

    ledger.post(Kind.RELEASE, Decimal("300.50"), key="r", deposit=paid)
    assert balances(paid) == [SUM, 0]
    check_at_commit()


def test_one_cause_moves_money_once(paid: Deposit) -> None:
    first = ledger.post(Kind.PENALTY, Decimal("5.00"), key="case 1", deposit=paid)
    again = ledger.post(Kind.PENALTY, Decimal("5.00"), key="case 1", deposit=paid)

    assert first == again
    assert balances(paid) == [Decimal("99995.00"), 0]


def test_a_key_is_not_used_for_something_else(paid: Deposit) -> None:
    ledger.post(Kind.PENALTY, Decimal("5.00"), key="case 1", deposit=paid)
    with pytest.raises(ledger.KeyUsed):
        ledger.post(Kind.PENALTY, Decimal("6.00"), key="case 1", deposit=paid)


def test_no_more_is_taken_than_is_there(paid: Deposit) -> None:
    with pytest.raises(DomainError, match="insufficient"):
        ledger.post(Kind.PENALTY, SUM + Decimal("0.01"), key="p", deposit=paid)
    assert balances(paid) == [SUM, 0]


@pytest.mark.parametrize("amount", [Decimal(0), Decimal(-1), Decimal("0.001"), 5.0, 5])
def test_an_amount_is_positive_and_of_whole_cents(paid: Deposit, amount: Decimal) -> None:
    with pytest.raises(ValueError, match="whole cents"):
        ledger.post(Kind.PENALTY, amount, key="p", deposit=paid)


def test_a_reversal_mirrors_its_row_once(paid: Deposit, finance: User, second_finance: User) -> None:
    row = ledger.post(Kind.FORFEITURE, SUM, key="x", deposit=paid)
    assert balances(paid) == [0, 0]

    proposal = two_decide(ProposalKind.CORRECT_ENTRY, row, finance, second_finance)
    ledger.reverse(row, Kind.CORRECTION, note="appeal upheld", proposal=proposal)

    assert balances(paid) == [SUM, 0]
    assert LedgerTransfer.objects.filter(reverses=row).count() == 1
    check_at_commit()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_posted_outside_a_transaction() -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        ledger.post(Kind.FUNDING, Decimal("1.00"), key="f")


def test_the_accounts_add_up_to_nothing(paid: Deposit) -> None:
    ledger.post(Kind.PENALTY, Decimal("5.00"), key="p", deposit=paid)
    totals = ledger.totals()

    assert totals[Account.ALIPAY_CASH] == SUM
    assert totals[Account.DEPOSIT_AVAILABLE] + totals[Account.PENALTY_INCOME] == SUM


# The same rules, past Python -----------------------------------------------------------------------

INSERT = """
    INSERT INTO deposits_ledgertransfer
        (deposit_id, kind, debit, credit, amount, at, key, "case", note, reverses_id)
    VALUES (%s, %s, %s, %s, %s, now(), %s, '', '', %s)
"""


def insert(
    deposit: Deposit | None,
    kind: str = "penalty",
    debit: str = "deposit_available",
    credit: str = "penalty_income",
    amount: str = "1.00",
    key: str = "sql",
    reverses: int | None = None,
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [deposit.pk if deposit else None, kind, debit, credit, amount, key, reverses])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE deposits_ledgertransfer SET amount = 1",
        "DELETE FROM deposits_ledgertransfer",
        "TRUNCATE deposits_ledgertransfer",
        "DELETE FROM deposits_deposit",
        "DELETE FROM deposits_payout",
        "TRUNCATE deposits_paymentorder CASCADE",
    ],
)
def test_sql_rewrites_no_books(paid: Deposit, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_even_the_owner_changes_no_ledger_row(paid: Deposit) -> None:
    with owner_role(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deposits_ledgertransfer SET amount = 1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0.00"},
        {"amount": "-1.00"},
        {"debit": "penalty_income"},
        {"kind": "payment"},
        {"kind": "nonsense"},
        {"credit": "somewhere"},
        {"key": "paid"},
        {"kind": "correction"},
        {"debit": "alipay_cash", "credit": "deposit_available", "kind": "penalty"},
    ],
)
def test_sql_refuses_a_row_that_is_no_movement(paid: Deposit, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        insert(paid, **wrong)


def test_sql_refuses_a_deposits_money_without_its_deposit(paid: Deposit) -> None:
    with pytest.raises(IntegrityError):
        insert(None)


def test_sql_refuses_a_reversal_that_is_no_mirror(paid: Deposit) -> None:
    row = ledger.post(Kind.PENALTY, Decimal("5.00"), key="p", deposit=paid)
    with pytest.raises(IntegrityError):
        insert(
            paid,
            kind="correction",
            debit="penalty_income",
            credit="deposit_available",
            amount="4.00",
            reverses=row.pk,
        )


def test_sql_refuses_a_row_without_its_balance(paid: Deposit) -> None:
    with pytest.raises(IntegrityError, match="not the sum"), transaction.atomic():
        insert(paid)
        check_at_commit()


@pytest.mark.parametrize("column", ["available", "frozen"])
def test_sql_refuses_a_balance_without_its_row(paid: Deposit, column: str) -> None:
    with pytest.raises(IntegrityError, match="not the sum"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE deposits_deposit SET {column} = {column} + 1 WHERE id = %s", [paid.pk])
        check_at_commit()


@pytest.mark.parametrize("column", ["available", "frozen", "required"])
def test_sql_refuses_a_negative_balance(paid: Deposit, column: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_deposit SET {column} = -1 WHERE id = %s", [paid.pk])


@pytest.mark.parametrize("kind", list(ENTRIES))
def test_every_kind_fits_its_accounts_in_the_database_too(
    paid: Deposit, kind: Kind, finance: User, second_finance: User
) -> None:
    if kind in (Kind.FUNDING, Kind.WITHDRAWAL):
        movement = {"kind": kind, "amount": "2.00", "serial": "1", "at": clock.now().isoformat()}
        two_decide(ProposalKind.BOOK_MOVEMENT, None, finance, second_finance, **movement)
        row = LedgerTransfer.objects.get(kind=kind)
        assert (row.debit, row.credit) == ENTRIES[kind]
        return
    if kind in (Kind.RELEASE, Kind.COMPENSATION):
        ledger.post(Kind.FREEZE, Decimal("2.00"), key="first", deposit=paid)
    if kind == Kind.REFUND_PAID:
        ledger.post(Kind.REFUND, Decimal("2.00"), key="first", deposit=paid)
    row = ledger.post(kind, Decimal("2.00"), key="k", deposit=paid)
    check_at_commit()
    assert (row.debit, row.credit) == ENTRIES[kind]
