"""Celery's entry points; the work stands in the modules that they call.

A sweep goes on with the next row whatever one row does, and stops when Alipay doesn't answer: each call may
take its whole time-out, and the rows are due again at the next sweep.
"""

import logging
from collections.abc import Callable, Iterable

from celery import shared_task

from applications.lifecycle import State
from applications.models import Application
from deposits import payments, payouts, services
from deposits.models import PaymentOrder
from tmall_sp.core import clock

logger = logging.getLogger(__name__)

SWEEP_SIZE = 200
# So many rows in a row that Alipay did not answer, and the sweep ends.
GIVE_UP_AFTER = 3


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
    _for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], payments.check_order)


@shared_task
def sweep_payouts() -> None:
    """Send what no worker was told of, what is to be tried again, and what a dead worker left behind."""
    due = payouts.due(clock.now()).order_by("due_at")
    _for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], payouts.send)


@shared_task
def sweep_unpaid() -> None:
    """Let approved applications lapse whose deadline has passed, once Alipay says that nothing was paid."""
    overdue = Application.objects.filter(state=State.APPROVED, deadline_at__lt=clock.now()).order_by(
        "deadline_at"
    )
    _for_each(overdue.values_list("pk", flat=True)[:SWEEP_SIZE], services.lapse_if_due)


def _for_each(pks: Iterable[int], work: Callable[[int], bool]) -> None:
    unanswered = 0
    for pk in list(pks):
        try:
            answered = work(pk)
        except Exception:
            logger.exception("%s failed for row %s", work.__qualname__, pk)
            continue
        unanswered = 0 if answered else unanswered + 1
        if unanswered >= GIVE_UP_AFTER:
            return
