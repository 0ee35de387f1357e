"""Reads of deposits. An object reaches a merchant's page only by its own application."""

from django.db.models import Case, Prefetch, QuerySet, When
from django.http import Http404

from applications import selectors as applications
from applications.models import Application
from deposits.books.accounts import DECIDED, RECEIPTS
from deposits.models import (
    Deposit,
    LedgerTransfer,
    Obligation,
    PaymentOrder,
    Payout,
    Refund,
    ReturnedPayment,
)
from deposits.states import ObligationState, OrderState
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


def obligations_of(deposit: Deposit) -> QuerySet[Obligation]:
    """What is still owed first, the oldest first, as it is settled."""
    is_open = Case(When(state=ObligationState.OPEN, then=0), default=1)
    return deposit.obligations.order_by(is_open, "created_at", "pk")


def reason_of(row: LedgerTransfer) -> str:
    """What the company was told of a deduction; notes of other rows are none of its business."""
    return row.note if row.kind in DECIDED else ""


def receipt_for(deposit: Deposit, pk: int) -> LedgerTransfer:
    """Http404 for a row of another deposit, or one that has no receipt."""
    rows = deposit.transfers.filter(kind__in=RECEIPTS).select_related("order", "payout", "reversed_by")
    row = rows.filter(pk=pk).first()
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


def receipt_number(row: LedgerTransfer, application: Application) -> str:
    return f"{application.number}-{row.pk:06d}"
