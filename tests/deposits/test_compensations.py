"""Compensation goes to whom a case names, once, and waits until somebody is named (design §4, protocols B8)."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import Application
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.gateways.alipay import IdentityType
from deposits.models import Compensation, LedgerTransfer, Payout
from deposits.outgoing import compensations
from deposits.outgoing.compensations import Payee
from tests.deposits.conftest import REQUIRED, books_agree, deposit_of, pay_out
from tests.rules import set_rule
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

BUYER = Payee("2088102000000777", IdentityType.USER_ID, "张三")
BY_LOGIN = Payee("zhangsan@example.com", IdentityType.LOGON_ID, "张三")


@pytest.fixture
def buyer(alipay: SandboxClient) -> SandboxClient:
    """张三 has an account."""
    alipay.account(
        BUYER.identity, name=BUYER.name, kind="PRIVATE", logon_id=BY_LOGIN.identity, balance="0.00"
    )
    return alipay


@pytest.fixture
def entry(active: Application) -> LedgerTransfer:
    """What a case took out of the deposit."""
    return deduct(active, "1234.56")


def deduct(application: Application, amount: str, actor: User | None = None) -> LedgerTransfer:
    deposit = deposit_of(application)
    ledger.post(Kind.FREEZE, Decimal(amount), key="freeze", deposit=deposit, case="c1")
    return ledger.post(
        Kind.COMPENSATION, Decimal(amount), key="compensation", deposit=deposit, case="c1", actor=actor
    )


def received(buyer: SandboxClient) -> str:
    [account] = buyer.get("alipay-accounts", user_id=BUYER.identity)
    return str(account["balance"])


@pytest.mark.parametrize("payee", [BUYER, BY_LOGIN, Payee(BUYER.identity, IdentityType.USER_ID)])
def test_a_known_payee_is_paid_at_once(entry: LedgerTransfer, buyer: SandboxClient, payee: Payee) -> None:
    compensation = compensations.open_compensation(entry, payee=payee)
    assert compensation.state == "in_progress"

    pay_out()

    compensation.refresh_from_db()
    assert (compensation.state, compensation.case) == ("done", "c1")
    assert received(buyer) == "1234.56"
    [transfer] = buyer.transfers()
    assert (transfer["executions"], transfer["remark"]) == (1, "保证金赔付")
    paid = LedgerTransfer.objects.get(kind="compensation_paid")
    assert (paid.amount, paid.case, paid.deposit) == (entry.amount, "c1", entry.deposit)
    assert ledger.totals()[Account.COMPENSATION_PAYABLE] == 0
    assert books_agree()
    application = compensation.deposit.application
    assert "compensation_paid" in [step.name for step in application.transitions.all()]


def test_one_deduction_is_paid_once(entry: LedgerTransfer, buyer: SandboxClient) -> None:
    first = compensations.open_compensation(entry, payee=BUYER)

    assert compensations.open_compensation(entry, payee=BUYER) == first
    assert compensations.open_compensation(entry, payee=None) == first

    pay_out()
    assert received(buyer) == "1234.56"


def test_without_a_payee_it_waits_and_finance_is_told(
    finance: User, entry: LedgerTransfer, buyer: SandboxClient
) -> None:
    compensation = compensations.open_compensation(entry, payee=None)

    assert (compensation.state, Payout.objects.count()) == ("waiting", 0)
    assert ledger.totals()[Account.COMPENSATION_PAYABLE] == entry.amount
    assert Notice.objects.filter(recipient=finance, key__startswith="deposit:compensation-").exists()
    assert compensations.waiting_of("c1") == [compensation]

    compensations.name_payee(compensation.pk, BY_LOGIN, actor=finance)
    pay_out()

    assert received(buyer) == "1234.56"
    assert not compensations.waiting_of("c1")
    assert books_agree()


def test_the_case_itself_may_name_the_payee(entry: LedgerTransfer, buyer: SandboxClient) -> None:
    compensation = compensations.open_compensation(entry, payee=None)
    compensations.name_payee(compensation.pk, BUYER)
    pay_out()
    assert received(buyer) == "1234.56"


def test_a_payee_is_named_once(finance: User, entry: LedgerTransfer, buyer: SandboxClient) -> None:
    compensation = compensations.open_compensation(entry, payee=None)
    compensations.name_payee(compensation.pk, BUYER, actor=finance)

    with pytest.raises(DomainError) as refusal:
        compensations.name_payee(compensation.pk, BUYER, actor=finance)
    assert refusal.value.code == "named"
    assert Payout.objects.count() == 1

    for change in ("payee_identity = 'x'", "payee_name = 'x'", "amount = 1", "state = 'waiting'"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE deposits_compensation SET {change}")


def test_whoever_took_the_money_out_does_not_say_where_it_goes(
    active: Application, finance: User, second_finance: User, ops: User
) -> None:
    entry = deduct(active, "5.00", actor=finance)
    compensation = compensations.open_compensation(entry, payee=None)

    for person in (finance, ops):
        with pytest.raises(NotPermitted):
            compensations.name_payee(compensation.pk, BUYER, actor=person)

    assert compensations.name_payee(compensation.pk, BUYER, actor=second_finance).state == "in_progress"


@pytest.mark.parametrize(
    ("payee", "code", "field"),
    [
        (Payee("2088", IdentityType.USER_ID, "张三"), "no_account", "payee_identity"),
        (Payee("20881020000007770", IdentityType.USER_ID, "张三"), "no_account", "payee_identity"),
        (Payee("", IdentityType.OPEN_ID, "张三"), "no_account", "payee_identity"),
        (Payee("zhang san", IdentityType.LOGON_ID, "张三"), "no_account", "payee_identity"),
        (Payee("zhangsan@example.com", IdentityType.LOGON_ID, " "), "no_name", "payee_name"),
        (Payee("zhangsan@example.com", IdentityType.LOGON_ID, "张" * 101), "too_long", "payee_name"),
        (Payee("z" * 101, IdentityType.OPEN_ID, "张三"), "too_long", "payee_identity"),
    ],
)
def test_a_payee_that_alipay_would_refuse_is_refused_here(
    entry: LedgerTransfer, payee: Payee, code: str, field: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        compensations.open_compensation(entry, payee=payee)

    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Compensation.objects.exists()


def test_a_payee_with_another_name_is_paid_nothing(entry: LedgerTransfer, buyer: SandboxClient) -> None:
    compensations.open_compensation(entry, payee=Payee(BUYER.identity, IdentityType.USER_ID, "李四"))

    pay_out()

    payout = Payout.objects.get()
    assert (payout.state, payout.last_code, payout.last_answer) == (
        "attention",
        "PAYEE_USER_INFO_ERROR",
        "支付宝账号和姓名不匹配",
    )
    assert not buyer.transfers()
    assert Compensation.objects.get().state == "in_progress"
    assert ledger.totals()[Account.COMPENSATION_PAYABLE] == entry.amount


def test_a_large_compensation_is_split(active: Application, buyer: SandboxClient) -> None:
    """Of the parts none is too small to be transferred."""
    set_rule("payout.transfer_limit", "1000.00", active.created_at)
    buyer.change_settings(transfer_limit_private_fen=100_000)
    entry = deduct(active, "2000.05")

    compensations.open_compensation(entry, payee=BUYER)
    pay_out()

    assert [payout.amount for payout in Payout.objects.all()] == [
        Decimal("1000.00"),
        Decimal("999.90"),
        Decimal("0.15"),
    ]
    assert received(buyer) == "2000.05"
    assert Compensation.objects.get().state == "done"
    assert books_agree()


def test_only_compensation_is_paid_out(active: Application) -> None:
    row = ledger.post(Kind.PENALTY, Decimal("5.00"), key="p", deposit=deposit_of(active))
    with pytest.raises(ValueError, match="compensation"):
        compensations.open_compensation(row, payee=BUYER)


@pytest.mark.parametrize("state", ["in_progress", "done"])
def test_sql_sends_nothing_to_nobody(entry: LedgerTransfer, state: str) -> None:
    compensations.open_compensation(entry, payee=None)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deposits_compensation SET state = %s", [state])


def test_the_deposits_own_money_is_not_touched(entry: LedgerTransfer, buyer: SandboxClient) -> None:
    compensations.open_compensation(entry, payee=BUYER)
    pay_out()
    deposit = entry.deposit
    assert deposit is not None
    deposit.refresh_from_db()
    assert deposit.available == REQUIRED - entry.amount
    assert received(buyer) == "1234.56"
