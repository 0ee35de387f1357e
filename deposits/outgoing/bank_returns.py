"""A transfer that has arrived may come back: the bank returns it, and Alipay says so only when asked (B8).

Transfers are asked about for rule `payout.watch_days` after they were done, ever more rarely: an hour after,
then after twice that, and so on, and at the end once more.
"""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import QuerySet

from deposits.gateways.alipay import Alipay
from deposits.locks import lock_payout
from deposits.models import Payout
from deposits.outgoing import payout_books, payouts
from deposits.outgoing.payout_answers import Outcome, ask
from deposits.states import PayoutState
from tmall_sp.core import clock, rules
from tmall_sp.core.gateway import GatewayError

logger = logging.getLogger(__name__)

# Who asks has this long; after that another asks. Also the pause after a question without an answer.
CLAIM = dt.timedelta(minutes=10)


def due(now: dt.datetime) -> QuerySet[Payout]:
    """Transfers that are to be asked about now."""
    return Payout.objects.filter(watch_at__lte=now)


def watch(pk: int) -> bool:
    """Ask about one transfer that is due for it. False: Alipay couldn't be asked. No transaction may be open.

    1. Claim it by moving the next question on, so that of several workers one asks.
    2. Query.
    3. Under the application's lock: bring it back if the bank has, else set the next question.
    """
    now = clock.now()
    if not due(now).filter(pk=pk).update(watch_at=now + CLAIM):
        return True
    payout = Payout.objects.get(pk=pk)
    try:
        outcome = ask(Alipay.from_settings(), payout)
    except GatewayError as error:
        logger.warning("Alipay could not be asked about transfer %s: %s", payout.number, error)
        return False
    _record(pk, outcome)
    return True


def _record(pk: int, outcome: Outcome | None) -> None:
    with transaction.atomic():
        application, payout = lock_payout(pk)
        if payout.state != PayoutState.DONE:
            return  # another was faster
        if outcome is not None and outcome.state == PayoutState.RETURNED:
            payouts.note_answer(payout, outcome)
            payout_books.bring_back(application, payout)
            return
        if outcome is None or outcome.state != PayoutState.DONE:
            logger.warning("Transfer %s is done here, and not at Alipay: %s", payout.number, outcome)
        payout.watch_at = _next(payout)
        payout.save(update_fields=["watch_at"])


def _next(payout: Payout) -> dt.datetime | None:
    """Twice as long after it was done as now; the end of the watch is the last time."""
    assert payout.done_at is not None  # payout_done_has_time
    now = clock.now()
    end = payout.done_at + rules.days("payout.watch_days", payout.done_at)
    if now >= end:
        return None
    return min(now + max(now - payout.done_at, payout_books.FIRST_WATCH), end)
