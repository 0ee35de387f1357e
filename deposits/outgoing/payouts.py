"""Money on its way out: claim → call → record, exactly once, whatever dies when (design §4, protocols B6–B8).

1. Claim: a short transaction marks the row `calling` and counts the attempt.
2. Call, without a transaction. From the second attempt on the outcome of the earlier call may be unknown, so
   Alipay is first asked what became of the number; only a number of which it knows nothing is sent again,
   the very same request.
3. Record: under the application's lock, if the attempt is still this worker's own. Another worker that took
   over meanwhile finds the same outcome by asking.

payout_legs.py makes the rows, payout_answers.py reads the answers, payout_books.py books what they bring.
"""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from deposits import announcements
from deposits.gateways.alipay import Alipay, IdentityType
from deposits.locks import deposit_of, lock_payout
from deposits.models import ZERO, Method, Payout
from deposits.outgoing import payout_books, payout_legs
from deposits.outgoing.alipay_codes import explain
from deposits.outgoing.payout_answers import (
    DAY_LIMIT,
    NO_FUNDS,
    WINDOW_PASSED,
    Outcome,
    ask,
    of_error,
    of_transfer,
)
from deposits.states import PayoutState
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError

logger = logging.getLogger(__name__)

# A payout claimed longer ago than this belongs to a worker that died; three calls take 30 s at most.
CLAIM_EXPIRES = dt.timedelta(minutes=2)
# A worker that was held up this long sends nothing any more: another takes over soon, and its answer counts.
CLAIM_FRESH = dt.timedelta(minutes=1)
FIRST_PAUSE = dt.timedelta(seconds=10)
LONGEST_PAUSE = dt.timedelta(hours=1)
DEALING_PAUSE = dt.timedelta(minutes=1)
# Finance hears of a payout that has failed this often, once a day; it goes on trying.
WORRY_AFTER = 6
# And of a transfer that Alipay has been processing for this long.
TOO_LONG = dt.timedelta(days=1)


def due(now: dt.datetime) -> QuerySet[Payout]:
    """Payouts that a worker may take: due, or left behind by one that died."""
    return Payout.objects.filter(
        Q(state__in=[PayoutState.QUEUED, PayoutState.DEALING], due_at__lte=now)
        | Q(state=PayoutState.CALLING, claimed_at__lt=now - CLAIM_EXPIRES)
    )


def send(pk: int) -> bool:
    """Bring one payout forward if it is due and nobody else has it. False: Alipay couldn't be asked.

    Call it outside a transaction.
    """
    payout = _claim(pk)
    if payout is None:
        return True
    try:
        outcome = _ask_then_call(payout)
    except GatewayError as error:
        logger.warning("Payout %s, attempt %s: %s", payout.number, payout.attempts, error)
        _record(payout, of_error(error, payout))
        return not error.retryable
    if outcome is not None:
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
    payout.unpaid_at = None
    payout.save(update_fields=["state", "claimed_at", "attempts", "unpaid_at"])
    return payout


def _ask_then_call(payout: Payout) -> Outcome | None:
    """One attempt; GatewayError where it brought no certainty, or a refusal. None: the claim is too old."""
    alipay = Alipay.from_settings()
    if payout.attempts > 1:
        known = ask(alipay, payout)
        if known is not None:
            return known
    if not _is_fresh(payout):
        return None
    if payout.method == Method.TRADE_REFUND:
        return _refund_trade(alipay, payout)
    return of_transfer(
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


def _is_fresh(payout: Payout) -> bool:
    """Nothing is sent late: finance may have sent the money otherwise, once Alipay knew nothing of the number."""
    assert payout.claimed_at is not None
    return clock.now() - payout.claimed_at < CLAIM_FRESH


def _refund_trade(alipay: Alipay, payout: Payout) -> Outcome:
    assert payout.order is not None  # payout_knows_where_to
    try:
        answer = alipay.refund(payout.order.out_trade_no, payout.amount, payout.number, _remark(payout))
    except GatewayError as error:
        if error.code != WINDOW_PASSED:
            raise
        # An earlier attempt may have come through just before the window closed; none will any more.
        return ask(alipay, payout) or Outcome(PayoutState.REPLACED, error.code, words=error.prose)
    if answer.fund_change:
        return Outcome(PayoutState.DONE)
    # A repeat moves nothing, and its sum is that of the whole trade: what became of this number, the query says.
    return ask(alipay, payout) or Outcome(PayoutState.QUEUED, "not_confirmed")


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
        note_answer(payout, outcome)
        payout.due_at = clock.now() + _pause(payout, outcome.state)
        match outcome.state:
            case PayoutState.DONE:
                payout_books.book(application, payout, outcome.at)
            case PayoutState.RETURNED:
                # Both happened while nobody asked, and Alipay's bill has both.
                payout_books.book_without_news(payout, outcome.at)
                payout_books.bring_back(application, payout)
            case PayoutState.REPLACED:
                payout.state = PayoutState.REPLACED
                payout.save()
                # The trade is past its refund window: to the account that paid it.
                payout_legs.send_otherwise(payout, payout_legs.payer_of(payout))
            case _:
                payout.state = outcome.state
                payout.save()
                _worry(payout)


def note_answer(payout: Payout, outcome: Outcome) -> None:
    """Keep what Alipay said. Saves nothing; hold the application's lock."""
    payout.last_code = outcome.code[:64]
    payout.last_answer = outcome.words[:200]
    payout.alipay_number = outcome.alipay_number or payout.alipay_number
    if outcome.surely_unpaid:
        payout.unpaid_at = clock.now()


def _pause(payout: Payout, state: PayoutState) -> dt.timedelta:
    if state == PayoutState.DEALING:
        age = clock.now() - payout.created_at
        return max(DEALING_PAUSE, min(age / 10, LONGEST_PAUSE))
    if DAY_LIMIT in payout.last_code:
        tomorrow = clock.day_start(clock.today() + dt.timedelta(days=1))
        return tomorrow + dt.timedelta(minutes=5) - clock.now()
    doublings = min(payout.attempts - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def _worry(payout: Payout) -> None:
    """Tell finance what a person has to know: at once what waits for one, else once a day."""
    if payout.state == PayoutState.ATTENTION:
        _tell_finance(payout, f"attention:{payout.pk}:{payout.attempts}")
    elif payout.last_code in NO_FUNDS:
        _tell_no_funds()
    elif payout.attempts >= WORRY_AFTER and (
        payout.state == PayoutState.QUEUED or clock.now() - payout.created_at > TOO_LONG
    ):
        _tell_finance(payout, f"waiting:{payout.pk}:{clock.today()}")


def _tell_finance(payout: Payout, key: str) -> None:
    """Alipay's own words stay on the page: a notice goes out by mail as well."""
    known = explain(payout.last_code)
    announcements.tell_finance(
        key=key,
        subject=gettext_lazy("A payout needs you"),
        body=format_lazy(
            "{deposit} · ¥{amount} · {number}\n{code} {meaning}",
            deposit=str(deposit_of(payout)),
            amount=f"{payout.amount:,}",
            number=payout.number,
            code=payout.last_code,
            meaning=known.meaning if known else "",
        ),
        link=reverse("admin:deposits_payout_change", args=[payout.pk]),
    )


def _tell_no_funds() -> None:
    """One notice a day, for whatever number of payouts: they all wait for the same."""
    waiting = Payout.objects.filter(state=PayoutState.QUEUED, last_code__in=NO_FUNDS)
    total = waiting.aggregate(total=Sum("amount"))["total"] or ZERO
    announcements.tell_finance(
        key=f"no-funds:{clock.today()}",
        subject=gettext_lazy("Our Alipay account lacks money for payouts"),
        body=f"¥{total:,}",
        link=reverse("admin:deposits_payout_changelist") + f"?state__exact={PayoutState.QUEUED.value}",
    )
