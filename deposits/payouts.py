"""Money on its way out: claim → call → record, exactly once, whatever dies when (design §4, protocols B6–B8).

1. Claim: a short transaction marks the row `calling` and counts the attempt.
2. Call, without a transaction. From the second attempt on the outcome of the earlier call may be unknown, so
   Alipay is first asked what became of the number; only a number of which it knows nothing is sent again,
   the very same request.
3. Record: under the application's lock, if the attempt is still this worker's own. Another worker that took
   over meanwhile finds the same outcome by asking.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy

from applications.models import Application
from deposits import announcements, ledger
from deposits.accounts import Kind
from deposits.gateways.alipay import Alipay, IdentityType, Transfer, TransferStatus
from deposits.locks import deposit_of, lock_payout
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
from deposits.payees import Payee
from deposits.states import BackState, CompensationState, OrderState, PayoutState, RefundState
from tmall_sp.core import clock, rules
from tmall_sp.core.gateway import GatewayError
from tmall_sp.core.jobs import enqueue

logger = logging.getLogger(__name__)

# A payout claimed longer ago than this belongs to a worker that died; three calls take 30 s at most.
CLAIM_EXPIRES = dt.timedelta(minutes=2)
FIRST_PAUSE = dt.timedelta(seconds=10)
LONGEST_PAUSE = dt.timedelta(hours=1)
DEALING_PAUSE = dt.timedelta(minutes=1)
# Finance hears of a payout that has failed this often; it goes on trying.
WORRY_AFTER = 6

WINDOW_PASSED = "ACQ.TRADE_HAS_FINISHED"
DAY_LIMIT = "_DM_"
# Executed with other values: whether the money left, only a person can find out.
DISCORDANT = {"ACQ.DISCORDANT_REPEAT_REQUEST", "PAYMENT_INFO_INCONSISTENCY"}
NO_FUNDS = {"ACQ.SELLER_BALANCE_NOT_ENOUGH", "PAYER_BALANCE_NOT_ENOUGH", "BALANCE_IS_NOT_ENOUGH"}


@dataclass(frozen=True)
class Outcome:
    """What one attempt brought. `code` is Alipay's or one of ours, for finance to read."""

    state: PayoutState
    code: str = ""
    alipay_number: str = ""
    at: dt.datetime | None = None


Cause = Refund | ReturnedPayment | Compensation


# Making them ---------------------------------------------------------------------------------------


def give_back_refused(returned: ReturnedPayment) -> None:
    """Queue the way back of a refused payment. Hold the application's lock."""
    _queue(returned, order=returned.order, method=Method.TRADE_REFUND, amount=returned.amount)


def pay_compensation(compensation: Compensation, payee: Payee) -> None:
    """Queue the transfers of a compensation. Hold the application's lock."""
    _queue_transfers(compensation, payee, amount=compensation.amount)


def give_back_deposit(refund: Refund) -> None:
    """Queue the legs of a refund, newest payment first; what no payment covers goes by transfer.

    Hold the application's lock.
    """
    rest = refund.amount
    for order in refund.deposit.orders.filter(state=OrderState.PAID).order_by("-paid_at", "-pk"):
        leg = min(rest, left_of(order))
        if leg > 0:
            _queue(refund, order=order, method=Method.TRADE_REFUND, amount=leg)
            rest -= leg
    if rest > 0:
        _queue_transfers(refund, _bound_account(refund.deposit), amount=rest)


def left_of(order: PaymentOrder) -> Decimal:
    """What of a payment was not given back yet, nor is on its way."""
    given = order.payouts.exclude(state=PayoutState.REPLACED).aggregate(total=Sum("amount"))["total"]
    return (order.paid_amount or ZERO) - (given or ZERO)


def _queue_transfers(
    cause: Cause,
    payee: Payee,
    *,
    amount: Decimal,
    order: PaymentOrder | None = None,
    replaces: Payout | None = None,
) -> None:
    """As many transfers as the limit of one asks for."""
    limit = rules.amount("payout.transfer_limit")
    rest = amount
    while rest > 0:
        part = min(rest, limit)
        _queue(cause, method=Method.TRANSFER, amount=part, payee=payee, order=order, replaces=replaces)
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
        replaces=replaces,
        created_at=now,
        due_at=now,
    )
    _tell_worker(payout)


def _bound_account(deposit: Deposit) -> Payee:
    application = deposit.application
    if application.alipay_open_id:
        return Payee(application.alipay_open_id, IdentityType.OPEN_ID, application.company_name)
    return Payee(application.alipay_account_id, IdentityType.USER_ID, application.company_name)


def _payer_of(order: PaymentOrder, name: str) -> Payee:
    if order.buyer_user_id:
        return Payee(order.buyer_user_id, IdentityType.USER_ID, name)
    return Payee(order.buyer_open_id, IdentityType.OPEN_ID, name)


# Sending them --------------------------------------------------------------------------------------


def due(now: dt.datetime) -> QuerySet[Payout]:
    """Payouts that a worker may take: due, or left behind by one that died."""
    return Payout.objects.filter(
        Q(state__in=[PayoutState.QUEUED, PayoutState.DEALING], due_at__lte=now)
        | Q(state=PayoutState.CALLING, claimed_at__lt=now - CLAIM_EXPIRES)
    )


def send(pk: int) -> bool:
    """Bring one payout forward if it is due and nobody else has it. False: Alipay couldn't be asked."""
    payout = _claim(pk)
    if payout is None:
        return True
    try:
        outcome = _ask_then_call(payout)
    except GatewayError as error:
        logger.warning("Payout %s, attempt %s: %s", payout.number, payout.attempts, error)
        _record(payout, _meaning(error))
        return not error.retryable
    _record(payout, outcome)
    return True


@transaction.atomic
def _claim(pk: int) -> Payout | None:
    now = clock.now()
    payout = due(now).select_for_update(of=("self",), skip_locked=True).filter(pk=pk).first()
    if payout is None:
        return None
    payout.state = PayoutState.CALLING
    payout.claimed_at = now
    payout.attempts += 1
    payout.save(update_fields=["state", "claimed_at", "attempts"])
    return payout


def _ask_then_call(payout: Payout) -> Outcome:
    """One attempt; GatewayError where it brought no certainty, or a refusal."""
    alipay = Alipay.from_settings()
    if payout.attempts > 1:
        known = _ask(alipay, payout)
        if known is not None:
            return known
    if payout.method == Method.TRANSFER:
        return _of_transfer(
            alipay.transfer(
                payout.number,
                payout.amount,
                payout.payee_identity,
                IdentityType(payout.payee_identity_type),
                payout.payee_name or None,
                _title(payout),
                _remark(payout),
            )
        )
    return _refund_trade(alipay, payout)


def _ask(alipay: Alipay, payout: Payout) -> Outcome | None:
    """What Alipay knows of the number; None: nothing, so the same request may be sent (again)."""
    if payout.method == Method.TRANSFER:
        transfer = alipay.query_transfer(payout.number)
        return _of_transfer(transfer) if transfer is not None else None
    assert payout.order is not None  # payout_knows_where_to
    refund = alipay.query_refund(payout.order.out_trade_no, payout.number)
    if refund is None:
        return None
    if refund.amount != payout.amount:
        return Outcome(PayoutState.ATTENTION, "amount_differs")
    return Outcome(PayoutState.DONE, at=refund.refunded_at)


def _refund_trade(alipay: Alipay, payout: Payout) -> Outcome:
    assert payout.order is not None
    try:
        answer = alipay.refund(payout.order.out_trade_no, payout.amount, payout.number, _remark(payout))
    except GatewayError as error:
        if error.code != WINDOW_PASSED:
            raise
        # An earlier attempt may have come through just before the window closed.
        return _ask(alipay, payout) or Outcome(PayoutState.REPLACED, error.code)
    if answer.fund_change:
        return Outcome(PayoutState.DONE)
    # A repeat moves nothing, and its sum is that of the whole trade: what became of this number, the query says.
    return _ask(alipay, payout) or Outcome(PayoutState.QUEUED, "not_confirmed")


def _of_transfer(transfer: Transfer) -> Outcome:
    number = transfer.pay_fund_order_id or transfer.order_id or ""
    match transfer.status:
        case TransferStatus.SUCCESS:
            return Outcome(PayoutState.DONE, alipay_number=number, at=transfer.transferred_at)
        case TransferStatus.DEALING | TransferStatus.WAIT_PAY:
            return Outcome(PayoutState.DEALING, transfer.status.value, number)
    return Outcome(PayoutState.ATTENTION, transfer.error_code or transfer.status.value, number)


def _meaning(error: GatewayError) -> Outcome:
    """What to do about a failed attempt. Unknown outcomes are queued: the next attempt begins by asking."""
    if error.code in DISCORDANT:
        return Outcome(PayoutState.ATTENTION, error.code)
    if error.retryable or DAY_LIMIT in error.code:
        return Outcome(PayoutState.QUEUED, error.code)
    return Outcome(PayoutState.ATTENTION, error.code)


def _title(payout: Payout) -> str:
    return "天猫服务商保证金赔付" if payout.compensation_id else "天猫服务商保证金退款"


def _remark(payout: Payout) -> str:
    """What the payee reads. Of the row alone, so that every repetition says the same."""
    if payout.compensation_id:
        return "保证金赔付"
    return "保证金退款" if payout.refund_id else "付款不符,原路退回"


# Recording -----------------------------------------------------------------------------------------


def _record(claimed: Payout, outcome: Outcome) -> None:
    with transaction.atomic():
        application, payout = lock_payout(claimed.pk)
        if payout.state != PayoutState.CALLING or payout.attempts != claimed.attempts:
            return  # another worker took over; it finds the same outcome
        payout.state = outcome.state
        payout.last_code = outcome.code[:64]
        payout.alipay_number = outcome.alipay_number or payout.alipay_number
        if outcome.state == PayoutState.DONE:
            payout.done_at = outcome.at or clock.now()
        payout.due_at = clock.now() + _pause(payout)
        payout.save()
        match outcome.state:
            case PayoutState.DONE:
                _book(application, payout)
            case PayoutState.REPLACED:
                _transfer_instead(payout)
            case PayoutState.ATTENTION:
                _tell_finance(payout, f"attention:{payout.pk}:{payout.attempts}")
            case PayoutState.QUEUED:
                if payout.last_code in NO_FUNDS or payout.attempts == WORRY_AFTER:
                    _tell_finance(payout, f"waiting:{payout.pk}")


def _pause(payout: Payout) -> dt.timedelta:
    if payout.state == PayoutState.DEALING:
        return DEALING_PAUSE
    if DAY_LIMIT in payout.last_code:
        tomorrow = clock.day_start(clock.today() + dt.timedelta(days=1))
        return tomorrow + dt.timedelta(minutes=5) - clock.now()
    doublings = min(payout.attempts - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _book(application: Application, payout: Payout) -> None:
    """The money has left: the ledger's row, and the whole is done once all its legs are."""
    ledger.post(
        _kind(payout),
        payout.amount,
        key=f"payout:{payout.pk}:paid",
        deposit=None if payout.returned_id else deposit_of(payout),
        order=payout.order,
        payout=payout,
        case=payout.compensation.case if payout.compensation else "",
        note=payout.number,
    )
    match payout.refund or payout.returned or payout.compensation:
        case Refund() as refund if _is_complete(refund):
            _finish_refund(application, refund)
        case ReturnedPayment() as returned if _is_complete(returned):
            _finish_returned(application, returned)
        case Compensation() as compensation if _is_complete(compensation):
            _finish_compensation(application, compensation)


def _kind(payout: Payout) -> Kind:
    if payout.compensation_id:
        return Kind.COMPENSATION_PAID
    return Kind.REFUND_PAID if payout.refund_id else Kind.REFUSED_RETURN


def _is_complete(cause: Cause) -> bool:
    return not cause.payouts.exclude(state__in=[PayoutState.DONE, PayoutState.REPLACED]).exists()


def _finish_refund(application: Application, refund: Refund) -> None:
    refund.state = RefundState.DONE
    refund.done_at = clock.now()
    refund.save(update_fields=["state", "done_at"])
    announcements.enter_timeline(application, "refund_paid", f"¥{refund.amount:,}")
    announcements.tell_merchant(
        application,
        key=f"refund-done:{refund.pk}",
        subject=gettext_lazy("Your deposit has been paid back"),
        body=gettext_lazy("The money is in your Alipay account. The page of your deposit shows each step."),
    )


def _finish_returned(application: Application, returned: ReturnedPayment) -> None:
    returned.state = BackState.DONE
    returned.done_at = clock.now()
    returned.save(update_fields=["state", "done_at"])
    announcements.enter_timeline(application, "refused_payment_returned", f"¥{returned.amount:,}")
    announcements.tell_merchant(
        application,
        key=f"refused-done:{returned.pk}",
        subject=gettext_lazy("The payment that was not accepted has been sent back"),
        body=gettext_lazy("It is in the Alipay account that it came from."),
    )


def _finish_compensation(application: Application, compensation: Compensation) -> None:
    compensation.state = CompensationState.DONE
    compensation.done_at = clock.now()
    compensation.save(update_fields=["state", "done_at"])
    announcements.enter_timeline(application, "compensation_paid", f"¥{compensation.amount:,}")


def _transfer_instead(payout: Payout) -> None:
    """The trade is past its refund window: the same money, to the account that paid it, by transfer."""
    order, cause = payout.order, payout.refund or payout.returned
    assert order is not None and cause is not None  # payout_knows_where_to
    name = order.buyer_name if payout.returned_id else deposit_of(payout).application.company_name
    _queue_transfers(cause, _payer_of(order, name), amount=payout.amount, order=order, replaces=payout)


def _tell_finance(payout: Payout, key: str) -> None:
    announcements.tell_finance(
        key=key,
        subject=gettext_lazy("A payout needs you"),
        body=f"{deposit_of(payout)} · ¥{payout.amount:,} · {payout.number} · {payout.last_code}",
        link=reverse("admin:deposits_payout_change", args=[payout.pk]),
    )


def _tell_worker(payout: Payout) -> None:
    from deposits import tasks

    enqueue(tasks.send_payout, payout.pk)
