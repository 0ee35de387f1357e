"""Reads of deposits. An object reaches a merchant's page only by its own application."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404

from applications import selectors as applications
from applications.lifecycle import MEMBER, State
from applications.models import Application
from deposits.accounts import BALANCES, RECEIPTS
from deposits.models import ZERO, Deposit, LedgerTransfer, PaymentOrder, Payout, Refund, ReturnedPayment
from deposits.states import OrderState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def deposit_for(user: User, number: str) -> Deposit:
    """The deposit of one of the person's own applications; Http404 for a stranger's, or before the approval."""
    application = applications.application_for(user, number)
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None:
        raise Http404
    deposit.application = application
    return deposit


@dataclass(frozen=True)
class Due:
    """What is to be paid now, and until when (None: no deadline of its own)."""

    amount: Decimal
    until: dt.datetime | None
    is_late: bool


def due(deposit: Deposit) -> Due | None:
    application = deposit.application
    if application.state == State.APPROVED:
        until = application.deadline_at
        return Due(deposit.required, until, until is not None and clock.now() > until)
    if application.state in MEMBER and application.state != State.EXITING and deposit.shortfall:
        return Due(deposit.shortfall, None, False)
    return None


@dataclass(frozen=True)
class Line:
    """One line of a statement: what it did to the deposit, and what stood there after it."""

    row: LedgerTransfer
    change: Decimal
    balance: Decimal
    has_receipt: bool


def statement(deposit: Deposit) -> list[Line]:
    """Every movement of the deposit, oldest first. `balance` is available and frozen together."""
    lines = []
    balance = ZERO
    for row in deposit.transfers.order_by("at", "pk"):
        change = (row.amount if row.credit in BALANCES else ZERO) - (
            row.amount if row.debit in BALANCES else ZERO
        )
        balance += change
        lines.append(Line(row, change, balance, row.kind in RECEIPTS))
    return lines


def receipt_for(deposit: Deposit, pk: int) -> LedgerTransfer:
    """Http404 for a row of another deposit, or one that has no receipt."""
    row = deposit.transfers.filter(pk=pk, kind__in=RECEIPTS).select_related("order", "payout").first()
    if row is None:
        raise Http404
    return row


def order_for(deposit: Deposit, out_trade_no: str) -> PaymentOrder | None:
    """The named order of this deposit; the newest where none is named."""
    orders = deposit.orders.select_related("returned")
    out_trade_no = out_trade_no.replace("\0", "?")
    return (orders.filter(out_trade_no=out_trade_no) if out_trade_no else orders).first()


def open_order(deposit: Deposit) -> PaymentOrder | None:
    return deposit.orders.filter(state=OrderState.OPEN, time_expire__gt=clock.now()).first()


def refunds_of(deposit: Deposit) -> QuerySet[Refund]:
    return deposit.refunds.order_by("created_at", "pk").prefetch_related(_legs())


def refused_payments_of(deposit: Deposit) -> QuerySet[ReturnedPayment]:
    return (
        ReturnedPayment.objects.filter(order__deposit=deposit)
        .select_related("order")
        .prefetch_related(_legs())
    )


def _legs() -> Prefetch:
    return Prefetch("payouts", Payout.objects.order_by("pk"))


def payouts_of(deposit: Deposit) -> QuerySet[Payout]:
    return Payout.objects.filter(Q(refund__deposit=deposit) | Q(returned__order__deposit=deposit))


def receipt_number(row: LedgerTransfer, application: Application) -> str:
    return f"{application.number}-{row.pk:06d}"
