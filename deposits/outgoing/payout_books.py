"""What a payout brings about in the books: the ledger's row, the state of its cause, and who is told.

The caller holds the application's lock and has read the payout under it.
"""

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext_lazy

from applications.models import Application
from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.locks import deposit_of
from deposits.models import Compensation, LedgerTransfer, Method, Payout, Refund, ReturnedPayment
from deposits.outgoing.payout_legs import cause_of
from deposits.states import BackState, PayoutState
from tmall_sp.core import clock

# A transfer that has arrived is asked about again so soon at first (bank_returns.py).
FIRST_WATCH = dt.timedelta(hours=1)


def book(application: Application, payout: Payout, at: dt.datetime | None) -> None:
    """The money has left: ledger and state, once; the whole is done once all its legs are."""
    book_without_news(payout, at)
    if not cause_of(payout).payouts.exclude(state__in=[PayoutState.DONE, PayoutState.REPLACED]).exists():
        _finish(application, payout)


def book_without_news(payout: Payout, at: dt.datetime | None) -> None:
    """The payout alone: its row and its state; nobody hears of it."""
    now = clock.now()
    payout.state = PayoutState.DONE
    payout.done_at = at or now
    payout.watch_at = now + FIRST_WATCH if payout.method == Method.TRANSFER else None
    ledger.post(
        _kind(payout),
        payout.amount,
        key=_key(payout),
        deposit=None if payout.returned_id else deposit_of(payout),
        order=payout.order,
        payout=payout,
        case=payout.compensation.case if payout.compensation else "",
        note=payout.number,
    )
    payout.save()


def bring_back(application: Application, payout: Payout) -> None:
    """The bank has returned what had arrived: the row is reversed and finance says where the money goes."""
    row = LedgerTransfer.objects.get(key=_key(payout))
    ledger.reverse(row, Kind.BANK_RETURN, note=payout.number, payout=payout)
    payout.state = PayoutState.RETURNED
    payout.watch_at = None
    payout.save()
    cause = cause_of(payout)
    if cause.state == BackState.DONE:  # a refund's and a compensation's words for it are the same
        cause.state = BackState.IN_PROGRESS
        cause.done_at = None
        cause.save(update_fields=["state", "done_at"])
    _tell_of_return(application, payout)


def _kind(payout: Payout) -> Kind:
    if payout.compensation_id:
        return Kind.COMPENSATION_PAID
    return Kind.REFUND_PAID if payout.refund_id else Kind.REFUSED_RETURN


def _key(payout: Payout) -> str:
    return f"payout:{payout.pk}:paid"


def _finish(application: Application, payout: Payout) -> None:
    """The last leg is done; it may be so a second time, after a bank's return."""
    cause = cause_of(payout)
    cause.state = BackState.DONE
    cause.done_at = clock.now()
    cause.save(update_fields=["state", "done_at"])
    match cause:
        case Refund():
            announcements.enter_timeline(application, "refund_paid", f"¥{cause.amount:,}")
            announcements.tell_merchant(
                application,
                key=f"refund-done:{cause.pk}:{payout.pk}",
                subject=gettext_lazy("Your deposit has been paid back"),
                body=gettext_lazy("The page of your deposit shows each step, and where the money went."),
            )
        case ReturnedPayment():
            announcements.enter_timeline(application, "refused_payment_returned", f"¥{cause.amount:,}")
            announcements.tell_merchant(
                application,
                key=f"refused-done:{cause.pk}:{payout.pk}",
                subject=gettext_lazy("The payment that was not accepted has been sent back"),
                body=gettext_lazy("The page of your deposit shows each step, and where the money went."),
            )
        case Compensation():
            announcements.enter_timeline(application, "compensation_paid", f"¥{cause.amount:,}")


def _tell_of_return(application: Application, payout: Payout) -> None:
    announcements.tell_finance(
        key=f"returned:{payout.pk}",
        subject=gettext_lazy("A bank has returned a transfer: say where the money goes"),
        body=f"{application.number} · ¥{payout.amount:,} · {payout.number} · {payout.last_code}",
        link=reverse("admin:deposits_payout_change", args=[payout.pk]),
    )
    announcements.enter_timeline(application, "transfer_returned", f"¥{payout.amount:,}")
    if payout.compensation_id:
        return  # the company has nothing to do about it
    announcements.tell_merchant(
        application,
        key=f"returned:{payout.pk}",
        subject=gettext_lazy("The bank has returned the money that was sent to you"),
        body=gettext_lazy(
            "Your account could not be credited. Finance will send it again; please write to us if your account has changed."
        ),
    )
