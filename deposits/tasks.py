"""Celery's entry points; the work stands in the modules that they call."""

from celery import shared_task

from applications.lifecycle import State
from applications.models import Application
from deposits import bank_returns, payments, payouts, services
from deposits.models import PaymentOrder
from tmall_sp.core import clock
from tmall_sp.core.sweeps import for_each

SWEEP_SIZE = 200


@shared_task
def check_order(order_id: int) -> None:
    payments.check_order(order_id)


@shared_task
def send_payout(payout_id: int) -> None:
    payouts.send(payout_id)


@shared_task
def sweep_orders() -> None:
    """Ask about the orders that may have been paid though no news came, and close those that expired."""
    due = PaymentOrder.objects.filter(next_check_at__lte=clock.now()).order_by("next_check_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], payments.check_order)


@shared_task
def sweep_payouts() -> None:
    """Send what no worker was told of, what is to be tried again, and what a dead worker left behind."""
    due = payouts.due(clock.now()).order_by("due_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], payouts.send)


@shared_task
def sweep_transfers() -> None:
    """Ask about transfers that have arrived: a bank may have returned them."""
    due = bank_returns.due(clock.now()).order_by("watch_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], bank_returns.watch)


@shared_task
def sweep_unpaid() -> None:
    """Let approved applications lapse whose deadline has passed, once Alipay says that nothing was paid."""
    overdue = Application.objects.filter(state=State.APPROVED, deadline_at__lt=clock.now()).order_by(
        "deadline_at"
    )
    for_each(overdue.values_list("pk", flat=True)[:SWEEP_SIZE], services.lapse_if_due)
