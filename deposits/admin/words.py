"""What a decision about money will do, in words and amounts: said before it is proposed, and before it is accepted."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _

from applications.door import clock_text
from applications.lifecycle import State
from deposits.books.accounts import BALANCES, ENTRIES, Account, Kind
from deposits.duties.case_names import case_words
from deposits.models import (
    Deposit,
    LedgerTransfer,
    Method,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
)
from deposits.models.proposal import TARGETS
from deposits.outgoing.refund_decisions import refundable
from deposits.states import PayoutState

K = ProposalKind


def consequences(proposal: Proposal) -> list[str]:
    """One line for each thing that accepting the proposal brings about. A draft may lack details yet to be typed."""
    return list(_SAID[ProposalKind(proposal.kind)](proposal))


def target_of(proposal: Proposal) -> models.Model | None:
    """The row that the proposal is about; None where it is about no row."""
    kind = ProposalKind(proposal.kind)
    return getattr(proposal, TARGETS[kind]) if kind in TARGETS else None


def target_name(proposal: Proposal) -> str:
    target = target_of(proposal)
    return str(target._meta.verbose_name) if target else ""


def target_url(proposal: Proposal) -> str:
    target = target_of(proposal)
    return reverse(f"admin:deposits_{target._meta.model_name}_change", args=[target.pk]) if target else ""


def cny(amount: Decimal) -> str:
    return f"¥{amount:,.2f}"


def becomes(name: str, before: Decimal, after: Decimal) -> str:
    """How a balance changes; an unchanged one says so, too."""
    return _("%(name)s: from %(before)s to %(after)s.") % {
        "name": name,
        "before": cny(before),
        "after": cny(after),
    }


def balances(deposit: Deposit, **changes: Decimal) -> Iterator[str]:
    """Of a deposit's available, frozen and owed sums those that change."""
    names = {"available": _("Available"), "frozen": _("Frozen"), "owed": _("Owed")}
    for field, change in changes.items():
        if change:
            before = getattr(deposit, field)
            yield becomes(names[field], before, before + change)


def where_to(payout: Payout) -> str:
    """The way of one payout, and its end."""
    if payout.method == Method.TRANSFER:
        return _("%(amount)s by transfer to %(account)s %(name)s.") % {
            "amount": cny(payout.amount),
            "account": payout.payee_identity,
            "name": payout.payee_name,
        }
    order = payout.order
    assert order is not None  # payout_knows_where_to
    return _("%(amount)s back the way it was paid: payment %(number)s of %(payer)s.") % {
        "amount": cny(payout.amount),
        "number": order.out_trade_no,
        "payer": order.buyer_name or order.buyer_user_id or order.buyer_open_id,
    }


def _company(deposit: Deposit | None) -> str:
    return deposit.application.company_name if deposit else ""


def _payee(proposal: Proposal) -> str:
    details = proposal.details
    if "payee_identity" not in details:
        return _("the account named below")
    return " ".join(filter(None, [details["payee_identity"], details.get("payee_name", "")]))


def _waive(proposal: Proposal) -> Iterator[str]:
    obligation: Obligation = proposal.obligation  # type: ignore[assignment]
    amount = obligation.outstanding
    yield _("%(company)s no longer owes %(amount)s (%(kind)s, %(case)s).") % {
        "company": _company(proposal.deposit),
        "amount": cny(amount),
        "kind": obligation.get_kind_display(),
        "case": case_words(obligation.case),
    }
    yield from balances(obligation.deposit, owed=-amount)
    if obligation.kind == Kind.COMPENSATION:
        yield _("Whoever was to be compensated gets nothing more from this deposit.")
    yield _("The company is told.")


def _release(proposal: Proposal) -> Iterator[str]:
    refund: Refund = proposal.refund  # type: ignore[assignment]
    yield _("The refund of %(amount)s to %(company)s is sent at once:") % {
        "amount": cny(refund.amount),
        "company": _company(refund.deposit),
    }
    for payout in refund.payouts.select_related("order").order_by("pk"):
        if payout.state == PayoutState.HELD:
            yield where_to(payout)
    yield _("The company is told.")


def _hold(proposal: Proposal) -> Iterator[str]:
    refund: Refund = proposal.refund  # type: ignore[assignment]
    yield _("The refund of %(amount)s stays here until two people release it.") % {
        "amount": cny(refund.amount)
    }
    yield _("The company is told, and reads the reason for the company.")


def _refund_by_hand(proposal: Proposal) -> Iterator[str]:
    deposit: Deposit = proposal.deposit  # type: ignore[assignment]
    if "amount" in proposal.details:
        amount = Decimal(proposal.details["amount"])
        yield from balances(deposit, available=-amount)
        if "payee_identity" in proposal.details:
            yield _("%(amount)s goes by transfer to %(payee)s.") % {
                "amount": cny(amount),
                "payee": _payee(proposal),
            }
        else:
            yield _("%(amount)s goes back the way it was paid, the newest payment first.") % {
                "amount": cny(amount)
            }
    else:
        yield _(
            "The amount below leaves what is available (%(available)s); at most %(most)s can go back."
        ) % {
            "available": cny(deposit.available),
            "most": cny(refundable(deposit)),
        }
        yield _("It goes to the account named below, or, if none is, back the way it was paid.")
    yield _("The company is told.")


def _redirect(proposal: Proposal) -> Iterator[str]:
    payout: Payout = proposal.payout  # type: ignore[assignment]
    yield _("The payout %(number)s is never tried again.") % {"number": payout.number}
    yield _("%(amount)s goes by transfer to %(payee)s.") % {
        "amount": cny(payout.amount),
        "payee": _payee(proposal),
    }


def _settle(proposal: Proposal) -> Iterator[str]:
    payout: Payout = proposal.payout  # type: ignore[assignment]
    yield _("No money is sent: %(amount)s counts as paid out already.") % {"amount": cny(payout.amount)}
    yield _("The payout %(number)s is never tried again.") % {"number": payout.number}


def _correct(proposal: Proposal) -> Iterator[str]:
    entry: LedgerTransfer = proposal.entry  # type: ignore[assignment]
    yield booked(entry.amount, debit=entry.credit, credit=entry.debit)
    yield _("The row itself stays.")
    if entry.deposit is None or entry.debit not in BALANCES:
        return
    yield from balances(entry.deposit, **{BALANCES[Account(entry.debit)]: entry.amount})
    if entry.deposit.owed:
        yield _("What the deposit owes is paid from it first.")
    if entry.deposit.application.state == State.EXITED:
        yield _("The company has left: the rest goes back to it.")
    yield _("The company is told.")


def _book(proposal: Proposal) -> Iterator[str]:
    if "kind" in proposal.details:
        debit, credit = ENTRIES[Kind(proposal.details["kind"])]
        yield booked(Decimal(proposal.details["amount"]), debit=debit, credit=credit)
    yield _("The ledger follows what has happened at Alipay; no money moves.")


def booked(amount: Decimal, *, debit: str, credit: str) -> str:
    """A row of the ledger in words."""
    return _("In the ledger %(debit)s is debited and %(credit)s is credited with %(amount)s.") % {
        "amount": cny(amount),
        "debit": f"“{Account(debit).label}”",
        "credit": f"“{Account(credit).label}”",
    }


def details(proposal: Proposal) -> list[tuple[str, str]]:
    """What was typed with the proposal, each with its name."""
    names = {
        "kind": _("What"),
        "amount": _("Amount"),
        "payee_identity": _("Payee's account at Alipay"),
        "payee_name": _("Payee's name"),
        "company_reason": _("Reason for the company"),
        "alipay_number": _("Alipay's number"),
        "serial": _("Alipay's number"),
        "at": _("Time"),
    }
    shown = {name: str(value) for name, value in proposal.details.items() if value and name in names}
    if "kind" in shown:
        shown["kind"] = str(Kind(shown["kind"]).label)
    if "amount" in shown:
        shown["amount"] = cny(Decimal(shown["amount"]))
    if "at" in shown:
        shown["at"] = clock_text(dt.datetime.fromisoformat(shown["at"]))
    return [(name, shown[key]) for key, name in names.items() if key in shown]


_SAID: dict[ProposalKind, Callable[[Proposal], Iterator[str]]] = {
    K.WAIVE_OBLIGATION: _waive,
    K.RELEASE_REFUND: _release,
    K.HOLD_REFUND: _hold,
    K.REFUND_BY_HAND: _refund_by_hand,
    K.REDIRECT_PAYOUT: _redirect,
    K.SETTLE_PAYOUT: _settle,
    K.CORRECT_ENTRY: _correct,
    K.BOOK_MOVEMENT: _book,
}
