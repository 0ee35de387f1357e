"""Celery's entry points; the work stands in the modules that they call."""

from celery import shared_task

from applications.lifecycle import State
from applications.models import Application
from deposits import services
from deposits.bound_account import changes as account_changes
from deposits.duties import overdue, requirement, topups
from deposits.incoming import payment_reminders, payments
from deposits.models import Deposit, PaymentOrder
from deposits.outgoing import bank_returns, payouts
from deposits.reconciliation import days as reconciliation
from tmall_sp.core import clock
from tmall_sp.core.sweeps import for_each

SWEEP_SIZE = 200
# Each takes two calls and two downloads, and no sweep may hold up the others; the rest is due in a minute.
DAYS_AT_ONCE = 10


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
def reconcile(run_id: int) -> None:
    reconciliation.reconcile(run_id)


@shared_task
def sweep_reconciliation() -> None:
    """Compare the days whose bills are due, missed days too, and match what was booked meanwhile."""
    reconciliation.add_missing_days()
    due = reconciliation.due(clock.now()).order_by("date")
    for_each(due.values_list("pk", flat=True)[:DAYS_AT_ONCE], reconciliation.reconcile, give_up_after=1)
    reconciliation.match_again()


@shared_task
def sweep_unpaid() -> None:
    """Let approved applications lapse whose deadline has passed, once Alipay says that nothing was paid."""
    overdue = Application.objects.filter(state=State.APPROVED, deadline_at__lt=clock.now()).order_by(
        "deadline_at"
    )
    for_each(overdue.values_list("pk", flat=True)[:SWEEP_SIZE], services.lapse_if_due)


@shared_task
def sweep_payment_reminders() -> None:
    """Remind approved companies of the deposit that is due."""
    due = payment_reminders.to_remind(clock.now()).order_by("application__deadline_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], payment_reminders.remind)


@shared_task
def sweep_required() -> None:
    """Give members the required amount that is in force now."""
    for_each(
        requirement.outdated().order_by("pk").values_list("pk", flat=True)[:SWEEP_SIZE], requirement.adopt
    )


@shared_task
def sweep_demands() -> None:
    """Demand what no verb has demanded, and remind of what was demanded."""
    astray = topups.astray(Deposit.objects.all()).order_by("pk")
    for_each(astray.values_list("pk", flat=True)[:SWEEP_SIZE], topups.put_right)
    due = topups.to_remind(clock.now()).order_by("due_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], topups.remind)


@shared_task
def sweep_overdue_demands() -> None:
    """Suspend members whose demand has passed, once Alipay says that nothing was paid."""
    passed = overdue.passed().order_by("due_at")
    for_each(passed.values_list("pk", flat=True)[:SWEEP_SIZE], overdue.suspend_if_unpaid)


@shared_task
def sweep_account_changes() -> None:
    """Bind the accounts whose cooling-off is over."""
    due = account_changes.due(clock.now()).order_by("effective_at")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], account_changes.take_effect)
