"""Payments as Alipay's query tells of them, for tests that are about what happens afterwards."""

import itertools
from typing import Any

from applications.models import Application
from deposits.gateways.alipay import Trade, TradeStatus
from deposits.incoming import payments
from deposits.models import PaymentOrder
from tmall_sp.core import clock

_numbers = itertools.count(1)


def trade_of(order: PaymentOrder, **changes: Any) -> Trade:
    """The order paid now by the account that is bound, in full; `changes` say what is otherwise."""
    application = order.deposit.application
    values: dict[str, Any] = {
        "trade_no": f"20261124220014{next(_numbers):014d}",
        "out_trade_no": order.out_trade_no,
        "status": TradeStatus.TRADE_SUCCESS,
        "total_amount": order.amount,
        "buyer_user_id": application.alipay_account_id,
        "buyer_open_id": None,
        "buyer_user_type": "CORPORATE",
        "buyer_user_name": application.company_name,
        "paid_at": clock.now().replace(microsecond=0),
    }
    return Trade(**(values | changes))


def pay_what_is_due(application: Application, **changes: Any) -> PaymentOrder:
    """Through order and settlement, at once."""
    order = payments.open_order(application.pk, actor=application.applicant)
    return payments.settle(order.pk, trade_of(order, **changes))
