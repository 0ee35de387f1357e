"""The legs of what goes out: which payments a refund gives back, and where transfers go (design §4).

Every function makes rows and wants its caller to hold the application's lock; payouts.py sends them.
"""

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Sum

from deposits.gateways.alipay import IdentityType
from deposits.locks import deposit_of
from deposits.models import (
    ZERO,
    Compensation,
    Deposit,
    Method,
    PaymentOrder,
    Payout,
    Refund,
    ReturnedPayment,
)
from deposits.outgoing.payees import Payee
from deposits.states import OrderState, PayoutState, RefundState
from tmall_sp.core import clock, rules
from tmall_sp.core.jobs import enqueue

Cause = Refund | ReturnedPayment | Compensation

# Alipay transfers no less (protocols B8).
SMALLEST_TRANSFER = Decimal("0.10")


def give_back_refused(returned: ReturnedPayment) -> None:
    """The way back of a refused payment."""
    _queue(returned, order=returned.order, method=Method.TRADE_REFUND, amount=returned.amount)


def give_back_deposit(refund: Refund, payee: Payee | None = None) -> None:
    """The legs of a refund, newest payment first; what no payment covers goes by transfer.

    `payee`: everything to this account instead. Legs of a refund that is held are held with it.
    """
    if payee is not None:
        _queue_transfers(refund, payee, amount=refund.amount)
        return
    rest = refund.amount
    for order in refund.deposit.orders.filter(state=OrderState.PAID).order_by("-paid_at", "-pk"):
        leg = min(rest, left_of(order))
        if leg > 0:
            _queue(refund, order=order, method=Method.TRADE_REFUND, amount=leg)
            rest -= leg
    if rest > 0:
        _queue_transfers(refund, _bound_account(refund.deposit), amount=rest)


def pay_compensation(compensation: Compensation, payee: Payee) -> None:
    """The transfers of a compensation."""
    _queue_transfers(compensation, payee, amount=compensation.amount)


def send_otherwise(payout: Payout, payee: Payee) -> None:
    """The same money by transfer, for the same cause. The payout is `replaced` already."""
    _queue_transfers(cause_of(payout), payee, amount=payout.amount, order=payout.order, replaces=payout)


def payer_of(payout: Payout) -> Payee:
    """The account that paid what a trade refund could not give back, and whose Alipay must find it to be."""
    order = payout.order
    assert order is not None  # payout_knows_where_to
    name = order.buyer_name if payout.returned_id else deposit_of(payout).application.company_name
    if order.buyer_user_id:
        return Payee(order.buyer_user_id, IdentityType.USER_ID, name)
    return Payee(order.buyer_open_id, IdentityType.OPEN_ID, name)


def left_of(order: PaymentOrder) -> Decimal:
    """What of a payment was not given back yet, nor is on its way."""
    given = order.payouts.exclude(state=PayoutState.REPLACED).aggregate(total=Sum("amount"))["total"]
    return (order.paid_amount or ZERO) - (given or ZERO)


def cause_of(payout: Payout) -> Cause:
    cause = payout.refund or payout.returned or payout.compensation
    assert cause is not None  # payout_has_one_cause
    return cause


def tell_worker(payout: Payout) -> None:
    """Have it sent soon; the sweep would find it as well."""
    from deposits import tasks

    enqueue(tasks.send_payout, payout.pk)


def _queue_transfers(
    cause: Cause,
    payee: Payee,
    *,
    amount: Decimal,
    order: PaymentOrder | None = None,
    replaces: Payout | None = None,
) -> None:
    for part in _parts(amount, rules.amount("payout.transfer_limit")):
        _queue(cause, method=Method.TRANSFER, amount=part, payee=payee, order=order, replaces=replaces)


def _parts(amount: Decimal, limit: Decimal) -> Iterator[Decimal]:
    """As many transfers as the limit of one asks for, none of them too small to be one."""
    rest = amount
    while rest > 0:
        part = min(rest, limit)
        if 0 < rest - part < SMALLEST_TRANSFER:
            part -= SMALLEST_TRANSFER
        yield part
        rest -= part


def _queue(
    cause: Cause,
    *,
    method: Method,
    amount: Decimal,
    payee: Payee | None = None,
    order: PaymentOrder | None = None,
    replaces: Payout | None = None,
) -> None:
    now = clock.now()
    held = isinstance(cause, Refund) and cause.state == RefundState.HELD
    payout = Payout.objects.create(
        refund=cause if isinstance(cause, Refund) else None,
        returned=cause if isinstance(cause, ReturnedPayment) else None,
        compensation=cause if isinstance(cause, Compensation) else None,
        order=order,
        method=method,
        amount=amount,
        payee_identity=payee.identity if payee else "",
        payee_identity_type=payee.identity_type.value if payee else "",
        payee_name=payee.name if payee else "",
        state=PayoutState.HELD if held else PayoutState.QUEUED,
        replaces=replaces,
        created_at=now,
        due_at=now,
    )
    if not held:
        tell_worker(payout)


def _bound_account(deposit: Deposit) -> Payee:
    application = deposit.application
    if application.alipay_open_id:
        return Payee(application.alipay_open_id, IdentityType.OPEN_ID, application.company_name)
    return Payee(application.alipay_account_id, IdentityType.USER_ID, application.company_name)
