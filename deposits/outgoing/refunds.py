"""What of a deposit goes back to its company: out of the deposit at once, then leg by leg (payout_legs.py).

With a clean record it goes by itself; else it is held until two people release it (clean_record.py,
refund_decisions.py). Everything here wants its caller to hold the application's lock.
"""

from decimal import Decimal

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.models import Deposit, Refund
from deposits.outgoing import clean_record, payout_legs
from deposits.outgoing.payees import Payee
from deposits.states import PayoutState, RefundState
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


def queue_refund(deposit: Deposit, amount: Decimal, *, key: str, reason: str) -> Refund:
    """Take the amount out of the deposit and queue its way back, once per `key`; held where there is a blemish.

    DomainError `insufficient` when it isn't available.
    """
    earlier = Refund.objects.filter(key=key).first()
    if earlier is not None:
        return earlier
    hold_reason = _("; ").join(clean_record.blemishes(deposit.application))
    refund = _begin(deposit, amount, key=key, reason=reason, hold_reason=hold_reason)
    if refund.state == RefundState.HELD:
        _tell_of_hold(refund)
    else:
        _tell_on_its_way(refund)
    return refund


def refund_by_hand(
    deposit: Deposit, amount: Decimal, *, key: str, reason: str, payee: Payee | None
) -> Refund:
    """What two people have decided goes at once, whatever the record: to this payee, or back as it was paid.

    DomainError `insufficient` when it isn't available.
    """
    refund = _begin(deposit, amount, key=key, reason=reason, payee=payee)
    _tell_on_its_way(refund)
    return refund


def hold(refund: Refund, reason: str) -> None:
    """Stop a refund of which no worker has claimed anything yet; `reason` is what the company reads.

    DomainError `claimed` once one has. Two people have decided it.
    """
    # Waits for a worker that is claiming right now; one that comes later finds the row locked, then held.
    legs = list(refund.payouts.select_for_update(of=("self",)).order_by("pk"))
    if any(leg.state != PayoutState.QUEUED or leg.attempts for leg in legs):
        raise DomainError("claimed", _("This refund is already being sent and can't be held any more."))
    for leg in legs:
        leg.state = PayoutState.HELD
        leg.save(update_fields=["state"])
    refund.state = RefundState.HELD
    refund.hold_reason = reason[:200]
    refund.save(update_fields=["state", "hold_reason"])
    _tell_of_hold(refund)


def release(refund: Refund) -> None:
    """Send a refund that was held. Two people have decided it."""
    refund.state = RefundState.IN_PROGRESS
    refund.save(update_fields=["state"])
    now = clock.now()
    for leg in refund.payouts.select_for_update(of=("self",)).filter(state=PayoutState.HELD).order_by("pk"):
        leg.state = PayoutState.QUEUED
        leg.due_at = now
        leg.save(update_fields=["state", "due_at"])
        payout_legs.tell_worker(leg)
    announcements.enter_timeline(refund.deposit.application, "refund_released", f"¥{refund.amount:,}")
    _tell_on_its_way(refund)


def _begin(
    deposit: Deposit,
    amount: Decimal,
    *,
    key: str,
    reason: str,
    hold_reason: str = "",
    payee: Payee | None = None,
) -> Refund:
    refund = Refund.objects.create(
        deposit=deposit,
        amount=amount,
        key=key,
        reason=reason[:200],
        state=RefundState.HELD if hold_reason else RefundState.IN_PROGRESS,
        hold_reason=hold_reason[:200],
        created_at=clock.now(),
    )
    ledger.post(Kind.REFUND, amount, key=f"refund:{key}", deposit=deposit, case=f"refund:{refund.pk}")
    payout_legs.give_back_deposit(refund, payee)
    return refund


def _tell_on_its_way(refund: Refund) -> None:
    announcements.tell_merchant(
        refund.deposit.application,
        key=f"refund:{refund.pk}:{refund.proposals.count()}",
        subject=gettext_lazy("Your deposit is on its way back"),
        body=gettext_lazy("The page of your deposit shows each step, and where the money goes."),
    )


def _tell_of_hold(refund: Refund) -> None:
    application = refund.deposit.application
    announcements.enter_timeline(application, "refund_held", refund.hold_reason)
    announcements.tell_merchant(
        application,
        key=f"refund-held:{refund.pk}:{refund.proposals.count()}",
        subject=gettext_lazy("Your deposit goes back after a check"),
        body=format_lazy(
            "{text} {reason}",
            text=gettext_lazy("Two people of finance release it, because:"),
            reason=refund.hold_reason,
        ),
    )
    announcements.tell_finance(
        key=f"refund-held:{refund.pk}:{refund.proposals.count()}",
        subject=gettext_lazy("A refund waits to be released by two people"),
        body=f"{application.number} · ¥{refund.amount:,} · {refund.hold_reason}",
        link=reverse("admin:deposits_refund_change", args=[refund.pk]),
    )
