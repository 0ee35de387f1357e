"""`ledger_check`: right at the end of every path, and a difference is found."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from applications.models import Application
from deposits.books import bookkeeping, ledger
from deposits.books.accounts import Kind
from tests.database import owner_role
from tests.deposits.conftest import OTHER_COMPANY, PERSON, Pay, deposit_of, expel, pay_out, settle
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User

OPENING = Decimal("500000.00")


def differences() -> list[str]:
    return [row.name for row in bookkeeping.comparisons() if not row.agrees]


def as_alipay_has_it(alipay: SandboxClient) -> bool:
    """Whether our cash and Alipay's own books agree; the sandbox begins with an opening balance."""
    ours = next(row.ledger for row in bookkeeping.comparisons() if row.name == "alipay_cash")
    return Decimal(alipay.books()["seller_balance"]) - OPENING == ours


def test_empty_books_balance(db: None) -> None:
    assert differences() == []


def test_paid_and_refunded(exited: Application, alipay: SandboxClient) -> None:
    assert differences() == []
    assert as_alipay_has_it(alipay)

    pay_out()

    assert differences() == []
    assert as_alipay_has_it(alipay)


def test_refused_and_sent_back(approved: Application, pay: Pay, alipay: SandboxClient) -> None:
    for buyer in (OTHER_COMPANY, PERSON):
        settle(pay(approved, buyer=buyer))
    assert differences() == []
    assert as_alipay_has_it(alipay)

    pay_out()

    assert differences() == []
    assert as_alipay_has_it(alipay)


def test_expelled_and_forfeited(
    active: Application, alipay: SandboxClient, ops: User, second_ops: User
) -> None:
    ledger.post(Kind.FREEZE, Decimal("1.00"), key="case", deposit=deposit_of(active))
    expel(active, ops, second_ops)

    assert differences() == []
    assert as_alipay_has_it(alipay)


def test_waiting_for_finance(exited: Application, alipay: SandboxClient) -> None:
    alipay.fault("alipay.trade.refund", "sub_code", sub_code="ACQ.BUYER_ERROR", times=-1)
    pay_out()

    assert differences() == []
    assert as_alipay_has_it(alipay)


def damage(table: str, change: str) -> None:
    """What only the owner can do, with the triggers switched off."""
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE deposits_{table} DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE deposits_{table} SET {change}")
        cursor.execute(f"ALTER TABLE deposits_{table} ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    ("table", "change", "found"),
    [
        ("deposit", "available = 1", "deposit_available"),
        ("paymentorder", "paid_amount = 1", "alipay_cash"),
        ("payout", "amount = 1", "refund"),
        ("refund", "amount = 1", "refund_in_transit"),
    ],
)
def test_damage_is_found(exited: Application, table: str, change: str, found: str) -> None:
    damage(table, change)
    assert found in {word for name in differences() for word in name.split()}


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_the_figures(exited: Application) -> None:
    output = StringIO()
    call_command("ledger_check", stdout=output)

    text = output.getvalue()
    assert "refund_in_transit" in text and "100,000.00" in text
    assert text.endswith("The books balance.\n")


@pytest.mark.django_db(transaction=True)
def test_the_command_exits_1_on_a_difference(exited: Application) -> None:
    damage("refund", "amount = 1")
    output, errors = StringIO(), StringIO()

    with pytest.raises(SystemExit) as stop:
        call_command("ledger_check", stdout=output, stderr=errors)

    assert stop.value.code == 1
    assert "DIFFERS" in output.getvalue()
