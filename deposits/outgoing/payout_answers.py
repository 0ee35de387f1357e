"""What Alipay's answers about a payout mean (protocols B6–B8): what to do next, and what is sure."""

import datetime as dt
from dataclasses import dataclass

from deposits.gateways.alipay import Alipay, Transfer, TransferStatus
from deposits.models import Method, Payout
from deposits.states import PayoutState
from tmall_sp.core.gateway import GatewayError, Kind

WINDOW_PASSED = "ACQ.TRADE_HAS_FINISHED"
OTHER_AMOUNT = "amount_differs"
DAY_LIMIT = "_DM_"
# Executed with other values: whether the money left, only a person can find out.
DISCORDANT = {"ACQ.DISCORDANT_REPEAT_REQUEST", "PAYMENT_INFO_INCONSISTENCY"}
NO_FUNDS = {"ACQ.SELLER_BALANCE_NOT_ENOUGH", "PAYER_BALANCE_NOT_ENOUGH", "BALANCE_IS_NOT_ENOUGH"}


@dataclass(frozen=True)
class Outcome:
    """What one attempt, or one question, brought. `code` is Alipay's or one of ours, for finance to read."""

    state: PayoutState
    code: str = ""
    alipay_number: str = ""
    at: dt.datetime | None = None
    words: str = ""
    """Alipay's own, for finance."""
    surely_unpaid: bool = False
    """This number moved no money and never will."""


def ask(alipay: Alipay, payout: Payout) -> Outcome | None:
    """What Alipay knows of the payout's number; None: nothing, so the same request may be sent (again).

    GatewayError if it can't be asked. No transaction may be open.
    """
    if payout.method == Method.TRANSFER:
        transfer = alipay.query_transfer(payout.number)
        return of_transfer(transfer) if transfer is not None else None
    assert payout.order is not None  # payout_knows_where_to
    refund = alipay.query_refund(payout.order.out_trade_no, payout.number)
    if refund is None:
        return None
    if refund.amount != payout.amount:
        return Outcome(PayoutState.ATTENTION, OTHER_AMOUNT, words=f"{refund.amount:,}")
    return Outcome(PayoutState.DONE, at=refund.refunded_at)


def of_transfer(transfer: Transfer) -> Outcome:
    """RETURNED: it had arrived, and the bank has sent it back since."""
    number = transfer.pay_fund_order_id or transfer.order_id or ""
    code = transfer.error_code or transfer.status.value
    match transfer.status:
        case TransferStatus.SUCCESS:
            return Outcome(PayoutState.DONE, "", number, transfer.transferred_at)
        case TransferStatus.DEALING | TransferStatus.WAIT_PAY:
            return Outcome(PayoutState.DEALING, transfer.status.value, number)
        case TransferStatus.REFUND:
            return Outcome(
                PayoutState.RETURNED, code, number, transfer.transferred_at, words=transfer.fail_reason
            )
    return Outcome(
        PayoutState.ATTENTION, code, number, words=transfer.fail_reason, surely_unpaid=True
    )  # FAIL, CLOSED: the end of this number


def of_error(error: GatewayError, payout: Payout) -> Outcome:
    """What to do about a failed attempt. Unknown outcomes are queued: the next attempt begins by asking."""
    if error.code in DISCORDANT:
        return Outcome(PayoutState.ATTENTION, error.code, words=error.prose)
    if error.retryable or DAY_LIMIT in error.code:
        return Outcome(PayoutState.QUEUED, error.code, words=error.prose)
    # An earlier attempt whose outcome stayed unknown may still be under way.
    only_attempt = payout.attempts == 1
    return Outcome(
        PayoutState.ATTENTION,
        error.code,
        words=error.prose,
        surely_unpaid=only_attempt and error.kind is Kind.REFUSED,
    )
