"""Payouts that wait for a person: ask Alipay again, try again (one of finance); redirect, settle (two).

Exactly once holds here as well. A payout that needs attention goes another way only while it is sure that
its own number moved no money and never will (`Payout.unpaid_at`, which every new attempt makes null):
- Alipay refused the only attempt, or the transfer ended in FAIL or CLOSED (payout_answers.py); or
- Alipay, asked later than any request of ours can still be under way, knows nothing of the number.
One that a bank returned was paid and came back; it may go another way at once.

redirect and settle are registered in proposals.py, which locks and asks. `Proposal.details`, all texts:
- redirect: the payee (payees.py), with a name;
- settle: `alipay_number`, Alipay's own number of the movement, as evidence.
"""

import datetime as dt
import re

from django.db import transaction
from django.utils.translation import gettext as _

from applications.services import clock_text
from deposits import announcements, permissions
from deposits.gateways.alipay import Alipay
from deposits.locks import deposit_of, lock_payout
from deposits.models import Payout, Proposal
from deposits.outgoing import payout_books, payout_legs, payouts
from deposits.outgoing.payees import Payee
from deposits.outgoing.payout_answers import Outcome, ask
from deposits.states import PayoutState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.gateway import GatewayError

# Alipay refuses a request whose time is a quarter of an hour off; a worker sends nothing after CLAIM_FRESH.
UNDER_WAY = dt.timedelta(minutes=20)
# Alipay's numbers of trades and transfers.
ALIPAY_NUMBER = re.compile(r"[0-9]{16,64}")
EXECUTED = "executed"


# One person of finance -----------------------------------------------------------------------------


def retry(pk: int, *, actor: User, seen: int | None = None) -> Payout:
    """Have a worker try again now, with the same number; it asks Alipay first what became of that.

    `seen` is the number of attempts on the page that the person acted on. NotPermitted; StaleVersion;
    DomainError `wrong_state` unless it needs attention, or waits for its next attempt.
    """
    with transaction.atomic():
        application, payout = lock_payout(pk)
        _refuse_others(actor)
        _refuse_stale(payout, seen)
        if payout.state not in (PayoutState.ATTENTION, PayoutState.QUEUED):
            raise _wrong_state(payout)
        payout.state = PayoutState.QUEUED
        payout.due_at = clock.now()
        payout.save(update_fields=["state", "due_at"])
        payout_legs.tell_worker(payout)
        announcements.enter_internally(application, "payout_retried", actor=actor, note=payout.number)
    return payout


def ask_again(pk: int, *, actor: User, seen: int | None = None) -> Payout:
    """Ask Alipay what it knows of the number of a payout that needs attention, and keep the answer for the page.

    Changes no state: what turns out paid is booked by `retry`. Call it outside a transaction. NotPermitted;
    StaleVersion; DomainError `wrong_state`, `alipay_unavailable`.
    """
    _refuse_others(actor)
    payout = Payout.objects.select_related("order").get(pk=pk)
    _refuse_stale(payout, seen)
    if payout.state != PayoutState.ATTENTION:
        raise _wrong_state(payout)
    asked_at = clock.now()
    try:
        outcome = ask(Alipay.from_settings(), payout)
    except GatewayError as error:
        raise DomainError(
            "alipay_unavailable",
            _("Alipay can't be asked at present: %(code)s. Nothing was changed; please try again later.")
            % {"code": error.code},
        ) from error
    with transaction.atomic():
        _application, locked = lock_payout(pk)
        if (locked.state, locked.attempts) != (payout.state, payout.attempts):
            raise _stale()
        _note(locked, outcome, asked_at)
        locked.save(update_fields=["last_code", "last_answer", "alipay_number", "unpaid_at", "asked_at"])
    return locked


def sure_after(payout: Payout) -> dt.datetime | None:
    """From when on Alipay's “not known” is an answer that counts; None: it need not be asked."""
    return payout.claimed_at + UNDER_WAY if payout.claimed_at and payout.unpaid_at is None else None


def _note(payout: Payout, outcome: Outcome | None, asked_at: dt.datetime) -> None:
    payout.asked_at = asked_at
    if outcome is not None:
        payouts.note_answer(payout, outcome)
        payout.last_code = payout.last_code or EXECUTED
        if not outcome.surely_unpaid:
            payout.unpaid_at = None
        return
    # The code stays: why it was refused is worth more to a person than that nothing is known.
    sure = sure_after(payout)
    if sure is not None and asked_at >= sure:
        payout.unpaid_at = asked_at


# Two people ----------------------------------------------------------------------------------------


def check_redirect(proposal: Proposal) -> None:
    payout = _payout(proposal)
    if payout.state not in (PayoutState.ATTENTION, PayoutState.RETURNED):
        raise _wrong_state(payout)
    if payout.state == PayoutState.ATTENTION and payout.unpaid_at is None:
        raise _not_sure(payout)
    payee = Payee.from_details(proposal.details)
    payee.check()
    if not payee.name.strip():
        raise DomainError(
            "no_name", _("Give the name of the account's owner: Alipay checks it."), field="payee_name"
        )


def redirect(proposal: Proposal) -> None:
    payout = _payout(proposal)
    payout.state = PayoutState.REPLACED
    payout.save(update_fields=["state"])
    payout_legs.send_otherwise(payout, Payee.from_details(proposal.details))


def check_settle(proposal: Proposal) -> None:
    payout = _payout(proposal)
    if payout.state != PayoutState.ATTENTION:
        raise _wrong_state(payout)
    number = _number(proposal)
    if not ALIPAY_NUMBER.fullmatch(number):
        raise DomainError(
            "no_number", _("Give Alipay's number of the movement, as its bill has it."), field="alipay_number"
        )
    if Payout.objects.filter(alipay_number=number).exclude(pk=payout.pk).exists():
        raise DomainError(
            "number_used", _("Another payout has this number of Alipay's."), field="alipay_number"
        )


def settle(proposal: Proposal) -> None:
    payout = _payout(proposal)
    application = deposit_of(payout).application
    payout.alipay_number = _number(proposal)
    payout_books.book(application, payout, at=None)


def _payout(proposal: Proposal) -> Payout:
    """As it is now: the proposal may have been read before the lock."""
    assert proposal.payout_id is not None  # proposal_names_its_target
    return Payout.objects.select_for_update(of=("self",)).get(pk=proposal.payout_id)


def _number(proposal: Proposal) -> str:
    return str(proposal.details.get("alipay_number", "")).strip()


# Refusals ------------------------------------------------------------------------------------------


def _refuse_others(actor: User) -> None:
    if not permissions.may_handle_money(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))


def _refuse_stale(payout: Payout, seen: int | None) -> None:
    if seen is not None and seen != payout.attempts:
        raise _stale()


def _stale() -> StaleVersion:
    return StaleVersion("stale", _("This page is out of date: the payout was tried again meanwhile."))


def _wrong_state(payout: Payout) -> DomainError:
    return DomainError(
        "wrong_state",
        _("This can't be done while the payout is “%(state)s”.") % {"state": payout.get_state_display()},
    )


def _not_sure(payout: Payout) -> DomainError:
    sure = sure_after(payout)
    assert sure is not None  # it needs attention because of an attempt
    return DomainError(
        "not_sure",
        _(
            "Alipay may still execute this payout. Ask Alipay again after %(at)s: only if it then knows nothing"
            " of it can the money go another way."
        )
        % {"at": clock_text(sure)},
    )
