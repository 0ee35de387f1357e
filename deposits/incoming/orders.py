"""Ending an order at Alipay's cashier: begun here, carried out by whoever asks Alipay next (payments.py)."""

from deposits.models import PaymentOrder
from deposits.states import OrderState
from tmall_sp.core import clock
from tmall_sp.core.jobs import enqueue


def begin_closing(order: PaymentOrder) -> None:
    """Have the order closed at Alipay by a worker. Hold the application's lock."""
    from deposits import tasks

    order.state = OrderState.CLOSING
    order.next_check_at = clock.now()
    order.save(update_fields=["state", "next_check_at"])
    enqueue(tasks.check_order, order.pk)
