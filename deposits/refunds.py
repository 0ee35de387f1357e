"""What of a deposit goes back to its company: out of the deposit at once, then leg by leg (payout_legs.py)."""

from decimal import Decimal

from django.utils.translation import gettext_lazy

from deposits import announcements, ledger, payout_legs
from deposits.accounts import Kind
from deposits.models import Deposit, Refund
from tmall_sp.core import clock


def queue_refund(deposit: Deposit, amount: Decimal, *, key: str, reason: str) -> Refund:
    """Take the amount out of the deposit and queue its way back, once per `key`.

    DomainError `insufficient` when it isn't available. Hold the application's lock.
    """
    earlier = Refund.objects.filter(key=key).first()
    if earlier is not None:
        return earlier
    refund = Refund.objects.create(
        deposit=deposit, amount=amount, key=key, reason=reason, created_at=clock.now()
    )
    ledger.post(Kind.REFUND, amount, key=f"refund:{key}", deposit=deposit, case=f"refund:{refund.pk}")
    payout_legs.give_back_deposit(refund)
    announcements.tell_merchant(
        deposit.application,
        key=f"refund:{refund.pk}",
        subject=gettext_lazy("Your deposit is on its way back"),
        body=gettext_lazy("It goes to the account that paid it. The page of your deposit shows each step."),
    )
    return refund
