"""What one person of finance does about a day or a difference: compare again, ask Alipay, explain."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from deposits import permissions
from deposits.books.accounts import Kind
from deposits.gateways.alipay import Alipay
from deposits.incoming import payments
from deposits.models import (
    Answer,
    BillKind,
    BillLine,
    Cause,
    Difference,
    Explanation,
    Mismatch,
    PaymentOrder,
    Payout,
    Proposal,
    ProposalKind,
    ReconciliationRun,
)
from deposits.outgoing import bank_returns, payouts
from deposits.outgoing.payout_answers import OTHER_AMOUNT, ask
from deposits.reconciliation import days as reconciliation
from deposits.reconciliation import matching
from deposits.states import PayoutState, ProposalState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.gateway import GatewayError
from tmall_sp.core.jobs import enqueue

# Alipay has it, we don't: what it answers is booked, and the difference settles by itself.
TO_BE_BOOKED = (Cause.UNSETTLED_ORDER, Cause.OPEN_PAYOUT, Cause.UNBOOKED_RETURN)
# We have it, the bill doesn't: the answer is kept for whoever decides.
TO_BE_LOOKED_UP = (Cause.MISSING_PAYMENT, Cause.MISSING_PAYOUT, Cause.MISSING_RETURN)


def again(pk: int, *, actor: User, seen: int | None = None) -> ReconciliationRun:
    """Ask for a day's bills anew and compare again, now. NotPermitted; StaleVersion.

    `seen` is the number of attempts on the page that the person acted on.
    """
    from deposits import tasks

    _refuse_others(actor)
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update().get(pk=pk)
        if seen is not None and seen != run.attempts:
            raise StaleVersion(
                "stale", _("This page is out of date: the bills were asked for again meanwhile.")
            )
        run.due_at = clock.now()
        run.save(update_fields=["due_at"])
        enqueue(tasks.reconcile, run.pk)
    return run


# Explaining ----------------------------------------------------------------------------------------


def explain(pk: int, *, actor: User, note: str, seen: str | None = None) -> Difference:
    """Say what a difference is: it is no longer open, as long as its figures stay what they are.

    The row of the other bill about the same number and amount gets the same note. `seen` is `mark_of` what the
    page showed. NotPermitted; StaleVersion; DomainError `empty`, `settled`.
    """
    _refuse_others(actor)
    if not note.strip():
        raise DomainError("empty", _("Say what you found out."), field="note")
    with transaction.atomic():
        matching.lock_matching()
        difference = Difference.objects.select_for_update(of=("self",)).get(pk=pk)
        if difference.settled_at is not None:
            raise DomainError("settled", _("This has been settled meanwhile: both sides agree."))
        _refuse_stale(difference, seen)
        for row in (difference, *twins_of(difference)):
            _explain(row, actor, note.strip())
    return difference


def mark_of(difference: Difference) -> str:
    """The same as long as a decision about the difference rests on the same."""
    figures = (difference.mismatch, difference.their_amount, difference.our_amount, difference.explanation_id)
    return ":".join(str(figure) for figure in figures)


def twins_of(difference: Difference) -> QuerySet[Difference]:
    """The same movement as the day's other bill has it, still unexplained."""
    if not difference.number:
        return Difference.objects.none()
    return (
        difference.run.differences.filter(
            settled_at__isnull=True,
            explanation__isnull=True,
            mismatch=difference.mismatch,
            their_amount=difference.their_amount,
            our_amount=difference.our_amount,
        )
        .filter(_same_number(difference))
        .exclude(bill=difference.bill)
    )


def _same_number(difference: Difference) -> Q:
    same = Q(number=difference.number)
    if difference.line is not None and difference.line.trade_no:
        same |= Q(line__trade_no=difference.line.trade_no)
    return same


def _explain(difference: Difference, actor: User, note: str) -> None:
    difference.explanation = Explanation.objects.create(
        difference=difference,
        note=note,
        mismatch=difference.mismatch,
        their_amount=difference.their_amount,
        our_amount=difference.our_amount,
        actor=actor,
        at=clock.now(),
    )
    difference.save(update_fields=["explanation"])


# Asking Alipay -------------------------------------------------------------------------------------


def can_be_asked_about(difference: Difference) -> bool:
    return difference.settled_at is None and difference.cause in (*TO_BE_BOOKED, *TO_BE_LOOKED_UP)


def ask_alipay(pk: int, *, actor: User, seen: str | None = None) -> Difference:
    """Ask Alipay about the payment or payout of a difference, now. Call it outside a transaction.

    What turns out to have happened is booked, and the difference settles; about what our books have and the
    bill lacks, the answer is kept. NotPermitted; StaleVersion; DomainError `nothing_to_ask`,
    `alipay_unavailable`.
    """
    _refuse_others(actor)
    difference = Difference.objects.select_related("order", "payout__order").get(pk=pk)
    _refuse_stale(difference, seen)
    if not can_be_asked_about(difference):
        raise DomainError("nothing_to_ask", _("There is nothing to ask Alipay about."))
    asked_at = clock.now()
    try:
        answer = _ask(Alipay.from_settings(), difference)
    except GatewayError as error:
        raise _unavailable(error.code) from error
    Difference.objects.filter(pk=pk).update(asked_at=asked_at, answer=answer)
    reconciliation.match_again()
    return Difference.objects.get(pk=pk)


def _ask(alipay: Alipay, difference: Difference) -> str:
    """One of Answer; blank where the answer is booked instead of kept."""
    if difference.payout is not None:
        if difference.cause in TO_BE_LOOKED_UP:
            return _about_payout(alipay, difference.payout)
        _bring_forward(difference.payout)
        return ""
    assert difference.order is not None  # a cause of these has one or the other
    if difference.cause == Cause.UNSETTLED_ORDER:
        payments.resolve(difference.order)
        return ""
    return _about_payment(alipay, difference.order)


def _about_payment(alipay: Alipay, order: PaymentOrder) -> Answer:
    trade = alipay.query_trade(order.out_trade_no)
    if trade is None or not (trade.is_paid or trade.paid_at):
        return Answer.NOTHING
    return Answer.KNOWN if trade.total_amount == order.paid_amount else Answer.OTHER_AMOUNT


def _about_payout(alipay: Alipay, payout: Payout) -> Answer:
    outcome = ask(alipay, payout)
    if outcome is None or outcome.surely_unpaid:
        return Answer.NOTHING
    if outcome.code == OTHER_AMOUNT:
        return Answer.OTHER_AMOUNT
    answers = {PayoutState.DONE: Answer.KNOWN, PayoutState.RETURNED: Answer.RETURNED}
    return answers.get(outcome.state, Answer.UNDER_WAY)


def _bring_forward(payout: Payout) -> None:
    """As the sweeps do when its time comes. One that needs attention waits for its own page."""
    now = clock.now()
    rows = Payout.objects.filter(pk=payout.pk)
    if rows.filter(state=PayoutState.DONE).update(watch_at=now):
        answered = bank_returns.watch(payout.pk)
    else:
        rows.filter(state__in=[PayoutState.QUEUED, PayoutState.DEALING]).update(due_at=now)
        answered = payouts.send(payout.pk)
    if not answered:
        raise _unavailable(Payout.objects.values_list("last_code", flat=True).get(pk=payout.pk))


# Booking -------------------------------------------------------------------------------------------


def can_be_booked(difference: Difference) -> bool:
    """A movement of the fund bill that no order or payout of ours accounts for, and nobody proposed yet."""
    return (
        difference.settled_at is None
        and difference.bill == BillKind.FUND
        and difference.mismatch == Mismatch.THEIRS_ONLY
        and difference.cause not in TO_BE_BOOKED
        and not bookings_of(difference).filter(state=ProposalState.OPEN).exists()
    )


def bookings_of(difference: Difference) -> QuerySet[Proposal]:
    """What was proposed to book for this line of the bill."""
    serial = difference.line.key if difference.line is not None else None
    return Proposal.objects.filter(kind=ProposalKind.BOOK_MOVEMENT, details__serial=serial)


def booking_of(line: BillLine) -> dict[str, str]:
    """What two people book for it, as the bill has it: own money put in or taken out (corrections.py)."""
    return {
        "kind": (Kind.FUNDING if line.amount > 0 else Kind.WITHDRAWAL).value,
        "amount": f"{abs(line.amount):.2f}",
        "serial": line.key,
        "at": f"{line.at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}",
    }


# Refusals ------------------------------------------------------------------------------------------


def _refuse_others(actor: User) -> None:
    if not permissions.may_handle_money(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))


def _refuse_stale(difference: Difference, seen: str | None) -> None:
    if seen is not None and seen != mark_of(difference):
        raise StaleVersion("stale", _("This page is out of date: look at the difference as it is now."))


def _unavailable(code: str) -> DomainError:
    return DomainError(
        "alipay_unavailable",
        _("Alipay can't be asked at present: %(code)s. Nothing was changed; please try again later.")
        % {"code": code},
    )
