"""From the button to the receipt, through the sandbox: what is accepted, and what goes back."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from applications.lifecycle import State
from applications.models import Application
from deposits import tasks
from deposits.gateways.alipay import Alipay
from deposits.incoming import payments
from deposits.models import Deposit, PaymentOrder, ReturnedPayment
from tests.deposits.conftest import (
    BOUND,
    NAME,
    OTHER_COMPANY,
    PERSON,
    REQUIRED,
    Pay,
    deposit_of,
    expel,
    pay_out,
    reload,
    settle,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.gateway import CallInTransaction
from tmall_sp.core.models import Notice


def refused(application: Application, order: PaymentOrder, reason: str) -> ReturnedPayment:
    """The order was refused for the reason, nothing reached the deposit, and the money goes back."""
    deposit = deposit_of(application)
    returned = ReturnedPayment.objects.get(order=order)
    assert (order.state, returned.reason, returned.amount) == ("refused", reason, order.paid_amount)
    assert (deposit.available, deposit.frozen) == (0, 0)
    assert [row.kind for row in order.transfers.all()] == ["refused_payment"]
    pay_out()
    returned.refresh_from_db()
    assert returned.state == "done"
    assert {row.kind for row in order.transfers.all()} == {"refused_payment", "refused_return"}
    return returned


def test_a_full_payment_from_the_bound_account_makes_a_member(approved: Application, pay: Pay) -> None:
    order = settle(pay(approved))

    deposit = deposit_of(approved)
    assert (order.state, order.paid_amount, order.buyer_name) == ("paid", REQUIRED, NAME)
    assert deposit.available == REQUIRED
    assert deposit.frozen == deposit.shortfall == 0
    assert reload(approved).state == State.ACTIVE
    assert [row.kind for row in deposit.transfers.all()] == ["payment"]


def test_a_settled_order_is_settled_once(approved: Application, pay: Pay) -> None:
    order = pay(approved)
    trade = Alipay.from_settings().query_trade(order.out_trade_no)
    assert trade is not None

    payments.settle(order.pk, trade)
    payments.settle(order.pk, trade)

    assert deposit_of(approved).transfers.count() == 1


def test_an_unpaid_order_is_asked_about_again(approved: Application, merchant: User) -> None:
    order = payments.open_order(approved.pk, actor=merchant)

    order = settle(order)

    assert order.state == "open"
    assert order.next_check_at is not None and order.next_check_at > clock.now()


def test_the_button_uses_the_open_order_again(approved: Application, merchant: User) -> None:
    first = payments.open_order(approved.pk, actor=merchant)
    assert payments.open_order(approved.pk, actor=merchant) == first


def test_the_order_expires_with_the_application(approved: Application, merchant: User) -> None:
    order = payments.open_order(approved.pk, actor=merchant)
    assert approved.deadline_at is not None
    assert order.time_expire == approved.deadline_at.replace(microsecond=0)


def test_a_sub_account_and_a_stranger_cant_pay(
    approved: Application, sub_account: User, stranger: User
) -> None:
    for person in (sub_account, stranger):
        with pytest.raises(NotPermitted):
            payments.open_order(approved.pk, actor=person)


def test_nothing_is_to_be_paid_before_the_approval_or_after_the_payment(
    under_review: Application, merchant: User
) -> None:
    with pytest.raises(DomainError, match="nothing_due"):
        payments.open_order(under_review.pk, actor=merchant)


def test_a_member_with_a_full_deposit_has_nothing_to_pay(active: Application, merchant: User) -> None:
    with pytest.raises(DomainError, match="nothing_due"):
        payments.open_order(active.pk, actor=merchant)


def test_no_order_is_opened_after_the_deadline(
    approved: Application, merchant: User, move_clock: Callable[..., None]
) -> None:
    move_clock(days=15, seconds=1)
    with pytest.raises(DomainError, match="too_late"):
        payments.open_order(approved.pk, actor=merchant)


# What goes back ------------------------------------------------------------------------------------


def test_another_companys_payment_goes_back_to_it(
    approved: Application, pay: Pay, alipay: SandboxClient
) -> None:
    order = settle(pay(approved, buyer=OTHER_COMPANY))

    refused(approved, order, "wrong_payer")
    assert reload(approved).state == State.APPROVED
    [refund] = alipay.refunds(out_trade_no=order.out_trade_no)
    assert (refund["amount"], refund["executions"]) == ("100000.00", 1)
    [account] = alipay.get("alipay-accounts", user_id=OTHER_COMPANY)
    assert account["balance"] == "1000000.00"


def test_a_private_payment_goes_back(approved: Application, pay: Pay) -> None:
    refused(approved, settle(pay(approved, buyer=PERSON)), "not_corporate")


@pytest.mark.parametrize("amount", ["99999.99", "100000.01"])
def test_a_wrong_amount_goes_back(approved: Application, pay: Pay, amount: str) -> None:
    returned = refused(approved, settle(pay(approved, amount=amount)), "wrong_amount")
    assert returned.amount == Decimal(amount)


def test_a_payment_after_the_deadline_goes_back(approved: Application, pay: Pay) -> None:
    order = pay(approved)
    hour_ago = clock.now() - dt.timedelta(hours=1)
    Application.objects.filter(pk=approved.pk).update(deadline_at=hour_ago)

    refused(approved, settle(order), "late")


def test_a_payment_for_an_expelled_company_goes_back(
    active: Application, pay: Pay, alipay: SandboxClient, ops: User, second_ops: User
) -> None:
    deposit = deposit_of(active)
    Deposit.objects.filter(pk=deposit.pk).update(required=REQUIRED + 500)
    order = pay(active)
    expel(active, ops, second_ops)

    order = settle(order)

    assert (order.state, order.returned.reason) == ("refused", "not_expected")
    assert deposit_of(active).available == 0


def test_merchant_reads_why_and_may_pay_again(approved: Application, pay: Pay, merchant: User) -> None:
    settle(pay(approved, buyer=OTHER_COMPANY))
    assert Notice.objects.filter(recipient=merchant, key__startswith="deposit:refused:").exists()
    assert "payment_refused" in [row.name for row in approved.transitions.all()]

    settle(pay(approved))

    assert reload(approved).state == State.ACTIVE


def test_a_payment_before_the_deadline_counts_however_late_the_news(
    approved: Application, pay: Pay, move_clock: Callable[..., None]
) -> None:
    order = pay(approved)
    move_clock(days=20)

    tasks.sweep_unpaid()

    assert reload(approved).state == State.ACTIVE
    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"


# Only an open id -----------------------------------------------------------------------------------


def test_where_alipay_gives_an_open_id_the_name_decides_and_binds_it(
    approved: Application, pay: Pay, alipay: SandboxClient
) -> None:
    alipay.change_settings(open_id_only=True)

    settle(pay(approved))

    application = reload(approved)
    assert application.state == State.ACTIVE
    [account] = alipay.get("alipay-accounts", user_id=BOUND)
    assert application.alipay_open_id == account["open_id"]


def test_another_companys_open_id_goes_back(approved: Application, pay: Pay, alipay: SandboxClient) -> None:
    alipay.change_settings(open_id_only=True)
    refused(approved, settle(pay(approved, buyer=OTHER_COMPANY)), "wrong_payer")


# Top-up --------------------------------------------------------------------------------------------


def test_a_shortfall_is_topped_up(active: Application, pay: Pay) -> None:
    Deposit.objects.filter(application=active).update(required=REQUIRED + 500)

    order = settle(pay(active))

    deposit = deposit_of(active)
    assert (order.purpose, order.state, order.paid_amount) == ("top_up", "paid", 500)
    assert deposit.available == REQUIRED + 500
    assert deposit.shortfall == 0


# Alipay's silence ----------------------------------------------------------------------------------


def test_a_gateway_that_is_down_is_no_verdict(approved: Application, pay: Pay, alipay: SandboxClient) -> None:
    order = pay(approved)
    alipay.fault("alipay.trade.query", "http_502", times=1)

    assert settle(order).last_error == "http_status"
    assert settle(order).state == "paid"


def test_the_sweep_finds_a_payment_whose_notification_was_lost(
    approved: Application, pay: Pay, move_clock: Callable[..., None]
) -> None:
    pay(approved)
    tasks.sweep_orders()
    assert reload(approved).state == State.APPROVED

    move_clock(seconds=16)
    tasks.sweep_orders()

    assert reload(approved).state == State.ACTIVE


def test_alipay_is_not_called_inside_a_transaction(approved: Application, pay: Pay) -> None:
    order = pay(approved)
    with transaction.atomic(), pytest.raises(CallInTransaction):
        payments.resolve(order)


# The same rules, past Python -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    ["amount = 1", "out_trade_no = 'x'", "time_expire = now()", "state = 'paid'", "purpose = 'top_up'"],
)
def test_sql_changes_no_order(approved: Application, merchant: User, change: str) -> None:
    order = payments.open_order(approved.pk, actor=merchant)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_paymentorder SET {change} WHERE id = %s", [order.pk])


def test_sql_refuses_a_second_open_order_and_one_that_begins_paid(
    approved: Application, merchant: User
) -> None:
    order = payments.open_order(approved.pk, actor=merchant)
    for state in ("open", "paid", "closed"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO deposits_paymentorder (deposit_id, purpose, out_trade_no, amount, time_expire,"
                " state, created_at, checks, last_error, trade_no, buyer_user_id, buyer_open_id,"
                " buyer_user_type, buyer_name) VALUES (%s, 'initial', 'other', 1, now(), %s, now(), 0, '', '',"
                " '', '', '', '')",
                [order.deposit_id, state],
            )
