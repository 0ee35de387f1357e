"""Refunds on which two people decide: release, hold, by hand. Registered in proposals.py, which locks and asks.

`Proposal.details`, all texts:
- release: nothing;
- hold: `company_reason`, what the company reads (optional);
- by hand: `amount` with two places; a payee (payees.py) if the money is not to go back as it was paid;
  `company_reason` (optional).
"""

from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from applications.lifecycle import State
from deposits.models import ZERO, Deposit, Proposal, Refund
from deposits.outgoing import refunds
from deposits.outgoing.payees import Payee
from deposits.states import PayoutState, RefundState
from tmall_sp.core.errors import DomainError

# Who is no member any more has nothing that its deposit must cover.
ENDED = (State.EXITED, State.EXPELLED)
CENT = Decimal("0.01")


def check_release(proposal: Proposal) -> None:
    if _refund(proposal).state != RefundState.HELD:
        raise DomainError("not_held", _("This refund is not held."))


def release(proposal: Proposal) -> None:
    refunds.release(_refund(proposal))


def check_hold(proposal: Proposal) -> None:
    refund = _refund(proposal)
    if refund.state != RefundState.IN_PROGRESS:
        raise DomainError("not_under_way", _("This refund is not under way."))
    if refund.payouts.exclude(state=PayoutState.QUEUED, attempts=0).exists():
        raise DomainError("claimed", _("This refund is already being sent and can't be held any more."))


def hold(proposal: Proposal) -> None:
    reason = _company_reason(proposal) or _("two people of finance look at it")
    refunds.hold(_refund(proposal), reason)


def check_by_hand(proposal: Proposal) -> None:
    deposit, amount = _deposit(proposal), _amount(proposal)
    if deposit.owed:
        raise DomainError("owed", _("First the obligations of this deposit have to be paid or waived."))
    if amount > refundable(deposit):
        raise DomainError(
            "too_much",
            _("At most CNY %(amount)s can go back.") % {"amount": f"{refundable(deposit):,}"},
            field="amount",
        )
    payee = _payee(proposal)
    if payee is not None:
        payee.check()
        if not payee.name.strip():
            raise DomainError(
                "no_name", _("Give the name of the account's owner: Alipay checks it."), field="payee_name"
            )


def by_hand(proposal: Proposal) -> None:
    reason = _company_reason(proposal) or _("Refund decided by two people of finance")
    refunds.refund_by_hand(
        _deposit(proposal),
        _amount(proposal),
        key=f"by-hand:{proposal.pk}",
        reason=reason,
        payee=_payee(proposal),
    )


def refundable(deposit: Deposit) -> Decimal:
    """What can go back by hand: everything available once the membership is over, before that what is too much."""
    surplus: Decimal = deposit.available
    if deposit.application.state not in ENDED:
        surplus += min(ZERO, deposit.frozen - deposit.required - deposit.owed)
    return max(ZERO, surplus)


def _refund(proposal: Proposal) -> Refund:
    """As it is now: the proposal may have been read before the lock."""
    assert proposal.refund_id is not None  # proposal_names_its_target
    return (
        Refund.objects.select_for_update(of=("self",))
        .select_related("deposit__application")
        .get(pk=proposal.refund_id)
    )


def _deposit(proposal: Proposal) -> Deposit:
    assert proposal.deposit_id is not None  # proposal_names_its_target
    return (
        Deposit.objects.select_for_update(of=("self",))
        .select_related("application")
        .get(pk=proposal.deposit_id)
    )


def _amount(proposal: Proposal) -> Decimal:
    try:
        amount = Decimal(proposal.details["amount"])
        if amount.is_finite() and amount > 0 and amount == amount.quantize(CENT):
            return amount.quantize(CENT)
    except (KeyError, TypeError, InvalidOperation):
        pass
    raise DomainError("no_amount", _("An amount has at most two places and is above zero."), field="amount")


def _payee(proposal: Proposal) -> Payee | None:
    return Payee.from_details(proposal.details) if proposal.details.get("payee_identity") else None


def _company_reason(proposal: Proposal) -> str:
    return str(proposal.details.get("company_reason", "")).strip()
