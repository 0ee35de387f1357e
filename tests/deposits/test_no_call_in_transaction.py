"""No path of the deposits calls Alipay while a database transaction is open: a lock would wait for the network."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction

from applications.models import Application
from deposits import services
from deposits.gateways.alipay import Alipay, BillType, IdentityType
from deposits.incoming import payments
from deposits.models import PaymentOrder, Payout
from deposits.outgoing import bank_returns, payout_decisions, payouts
from tests.deposits.conftest import Pay, leave, pay_out
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.gateway import CallInTransaction

MoveClock = Callable[..., None]


def refuses_in_a_transaction(call: Callable[[], object]) -> None:
    with transaction.atomic(), pytest.raises(CallInTransaction):
        call()


@pytest.fixture
def order(approved: Application, pay: Pay) -> PaymentOrder:
    """Paid, and nobody has asked yet; it is due."""
    paid = pay(approved)
    PaymentOrder.objects.update(next_check_at=clock.now())
    return paid


@pytest.mark.parametrize(
    "path",
    [
        lambda order: payments.check_order(order.pk),
        lambda order: payments.resolve(order),
        lambda order: payments.close_now(order),
        lambda order: services.lapse_if_due(order.deposit.application_id),
        lambda order: services.withdraw(
            order.deposit.application_id, actor=order.deposit.application.applicant
        ),
    ],
    ids=["check", "resolve", "close", "lapse", "withdraw"],
)
def test_about_a_payment(order: PaymentOrder, path: Callable[[PaymentOrder], object]) -> None:
    refuses_in_a_transaction(lambda: path(order))


def test_when_a_refund_is_sent(exited: Application) -> None:
    refuses_in_a_transaction(lambda: payouts.send(Payout.objects.get().pk))


def test_when_a_refund_is_asked_for_again(exited: Application, alipay: SandboxClient) -> None:
    alipay.fault("alipay.trade.refund", "drop")
    payouts.send(Payout.objects.get().pk)
    Payout.objects.update(due_at=clock.now())
    refuses_in_a_transaction(lambda: payouts.send(Payout.objects.get().pk))


def test_when_a_transfer_is_sent_or_watched(
    active: Application, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    move_clock(days=400)
    leave(active)
    payouts.send(Payout.objects.get().pk)
    transfer = Payout.objects.get(method="transfer")
    refuses_in_a_transaction(lambda: payouts.send(transfer.pk))

    pay_out_abandoned()
    Payout.objects.update(watch_at=clock.now())
    refuses_in_a_transaction(lambda: bank_returns.watch(transfer.pk))


def pay_out_abandoned() -> None:
    """The attempt in the transaction has claimed it, and is given up."""
    pay_out()
    assert Payout.objects.get(method="transfer").state == "done"


def test_when_a_person_asks(exited: Application, alipay: SandboxClient, finance: User) -> None:
    alipay.fault("alipay.trade.refund", "sub_code", sub_code="ACQ.BUYER_ERROR")
    pay_out()
    refuses_in_a_transaction(lambda: payout_decisions.ask_again(Payout.objects.get().pk, actor=finance))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "call",
    [
        lambda alipay: alipay.query_trade("D1"),
        lambda alipay: alipay.close_trade("D1"),
        lambda alipay: alipay.refund("D1", Decimal("1.00"), "R1", "r"),
        lambda alipay: alipay.query_refund("D1", "R1"),
        lambda alipay: alipay.transfer(
            "R1", Decimal("1.00"), "2088102146225135", IdentityType.USER_ID, None, "t", "r"
        ),
        lambda alipay: alipay.query_transfer("R1"),
        lambda alipay: alipay.bill_url(BillType.TRADE, dt.date(2026, 11, 23)),
        lambda alipay: alipay.download_bill("http://127.0.0.1:9/bill.zip"),
    ],
    ids=["trade", "close", "refund", "refund query", "transfer", "transfer query", "bill", "download"],
)
def test_no_method_of_the_gateway(sandbox: SandboxClient, call: Callable[[Alipay], object]) -> None:
    refuses_in_a_transaction(lambda: call(Alipay.from_settings()))
