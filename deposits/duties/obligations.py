"""What a deposit owes: the rest of a deduction that was larger than what was there (design §4).

Whatever becomes available pays it first, in date order, so that a deposit that owes anything has nothing
available; the database refuses the opposite at commit, whatever state the membership is in. Money that
another case froze is never touched. Every verb wants its caller in a transaction that holds the
application's lock; `deposit` may be out of date.
"""

from decimal import Decimal

from django.db.models import F
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import instructions, topups
from deposits.models import ZERO, Deposit, Obligation, Proposal
from deposits.outgoing import compensations
from deposits.states import ObligationState
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

# The detail of a proposal to waive that names the case which an appeal took back: it was no debt after all.
OVERTURNED = "overturned"


def owe(
    deposit: Deposit, kind: Kind, amount: Decimal, *, case: str, key: str, reason: str = ""
) -> Obligation:
    """Record, once per `key`, that the deposit owes `amount` (CNY, whole cents, > 0) for a deduction of `kind`.

    `kind` is COMPENSATION, PENALTY or BREACH. ledger.KeyUsed if the key says something else already.
    """
    deposit = _lock(deposit)
    earlier = Obligation.objects.filter(key=key).first()
    if earlier is not None:
        if (earlier.deposit_id, earlier.kind, earlier.amount) != (deposit.pk, kind, amount):
            raise ledger.KeyUsed(key)
        return earlier
    obligation = Obligation.objects.create(
        deposit=deposit,
        kind=kind,
        amount=amount,
        case=case,
        key=key,
        reason=reason[:200],
        created_at=clock.now(),
    )
    _change_owed(deposit, amount)
    announcements.enter_timeline(deposit.application, "obligation_recorded", f"¥{amount:,}")
    settle(deposit)
    return obligation


def settle(deposit: Deposit) -> Decimal:
    """Pay what is owed, the oldest first, as far as it is available; how much was paid, in CNY.

    Call it after whatever made something available. Again, or with nothing owed, it does nothing.
    """
    deposit = _lock(deposit)
    left = available = Decimal(deposit.available)
    for obligation in _open(deposit):
        part = min(left, obligation.outstanding)
        if not part:
            break
        _pay(deposit, obligation, part)
        left -= part
    return available - left


def check_waive(proposal: Proposal) -> None:
    """Registered in proposals.py; the only detail that the kind may have is OVERTURNED."""
    if _obligation(proposal).state != ObligationState.OPEN:
        raise DomainError("not_open", _("This obligation is not open any more."))


def waive(proposal: Proposal) -> None:
    """What is still outstanding is owed no more. Two people have decided it."""
    obligation = _obligation(proposal)
    deposit = _lock(obligation.deposit)
    _close(obligation, ObligationState.WAIVED)
    _change_owed(deposit, -obligation.outstanding)
    announcements.enter_timeline(deposit.application, "obligation_waived", f"¥{obligation.outstanding:,}")
    announcements.tell_merchant(
        deposit.application,
        key=f"obligation-waived:{obligation.pk}",
        subject=gettext_lazy("An obligation of your deposit has been waived"),
        body=format_lazy(
            gettext_lazy("{amount} of it are owed no more."), amount=f"¥{obligation.outstanding:,}"
        ),
    )
    topups.close_if_met(deposit)


def _pay(deposit: Deposit, obligation: Obligation, part: Decimal) -> None:
    # What was settled before names the part: each of them is taken once.
    key = f"obligation:{obligation.pk}:{obligation.settled}"
    if obligation.kind == Kind.COMPENSATION:
        ledger.post(Kind.FREEZE, part, key=f"{key}:freeze", deposit=deposit, case=obligation.case)
    row = ledger.post(
        Kind(obligation.kind),
        part,
        key=key,
        deposit=deposit,
        obligation=obligation,
        case=obligation.case,
        note=obligation.reason,
    )
    obligation.settled += part
    if obligation.outstanding:
        obligation.save(update_fields=["settled"])
    else:
        _close(obligation, ObligationState.SETTLED)
    _change_owed(deposit, -part)
    if obligation.kind == Kind.COMPENSATION:
        compensations.open_compensation(row, payee=instructions.payee_of(obligation.case))
    announcements.enter_timeline(deposit.application, "obligation_paid", f"¥{part:,}")
    announcements.tell_merchant(
        deposit.application,
        key=f"obligation-paid:{row.pk}",
        subject=gettext_lazy("What was owed has been taken from your deposit"),
        body=format_lazy(
            gettext_lazy("{kind}: {amount} paid; {rest} still owed."),
            kind=Kind(obligation.kind).label,
            amount=f"¥{part:,}",
            rest=f"¥{obligation.outstanding:,}",
        ),
        receipt=row,
    )


def _close(obligation: Obligation, state: ObligationState) -> None:
    obligation.state = state
    obligation.closed_at = clock.now()
    obligation.save(update_fields=["settled", "state", "closed_at"])


def _open(deposit: Deposit) -> list[Obligation]:
    """The oldest first."""
    return list(
        Obligation.objects.select_for_update()
        .filter(deposit=deposit, state=ObligationState.OPEN)
        .order_by("created_at", "pk")
    )


def _obligation(proposal: Proposal) -> Obligation:
    """As it is now: the proposal may have been read before the lock."""
    assert proposal.obligation_id is not None  # proposal_names_its_target
    return Obligation.objects.select_for_update().get(pk=proposal.obligation_id)


def _lock(deposit: Deposit) -> Deposit:
    return Deposit.objects.select_for_update(of=("self",)).select_related("application").get(pk=deposit.pk)


def _change_owed(deposit: Deposit, change: Decimal) -> None:
    if change != ZERO:
        Deposit.objects.filter(pk=deposit.pk).update(owed=F("owed") + change)
