"""What a complaint or a violation does to its company's deposit (design §4): the verbs that `compliance` calls.

A case has a name of at most 60 characters, `complaint:<number>` or `violation:<pk>`, and has each thing done
once: a verb that is repeated changes nothing and returns the same; with another amount it raises
`ledger.KeyUsed`, a programming error. Every verb locks the application, writes the timeline and tells the
company; `actor` None is the system. DomainError `wrong_state` where no deposit is held: before it was paid,
and once the exit is complete.

An expelled company's deposit pays for its cases all the same. What a case of it sets free pays its open
obligations, in date order, and the rest is forfeited; a penalty then takes only what is there, while the
rest of a compensation stays recorded as an obligation.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.door import wrong_state
from applications.lifecycle import MEMBER, State
from applications.models import Application
from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.books.ledger import frozen_for
from deposits.duties import instructions, obligations, topups
from deposits.locks import lock_deposit
from deposits.models import ZERO, Deposit, InstructionKind, LedgerTransfer, Obligation
from deposits.outgoing import compensations
from deposits.outgoing.payees import Payee
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError

HOLDING = (*MEMBER, State.EXPELLED)


@dataclass(frozen=True)
class Outcome:
    """What a verb came to, in CNY: taken out of the deposit, left as an obligation, set free again."""

    taken: Decimal = ZERO
    owed: Decimal = ZERO
    released: Decimal = ZERO


def freeze(
    application_pk: int, *, case: str, claimed: Decimal, cap: Decimal | None = None, actor: User | None = None
) -> Decimal:
    """Freeze what is claimed, as far as the order's value (`cap`) and what is available allow; how much that was.

    It stays frozen until `settle_case` or `release`. DomainError `decided` after either of them.
    """
    wanted = claimed if cap is None else min(claimed, cap)
    with transaction.atomic():
        application, deposit = _lock(application_pk)
        if instructions.record(deposit, InstructionKind.FREEZE, wanted, case=case, actor=actor):
            if instructions.given(case, InstructionKind.SETTLE):
                raise DomainError("decided", _("This case is decided: nothing is frozen for it any more."))
            _freeze(application, deposit, case, min(wanted, deposit.available), actor)
    return _amount(_key(case, "freeze"))


def settle_case(
    application_pk: int,
    *,
    case: str,
    award: Decimal,
    payee: Payee | None = None,
    reason: str,
    actor: User | None,
) -> Outcome:
    """The final decision: the award is paid out of what the case froze, then out of what is available.

    The rest becomes an obligation; what stays frozen is released. An award of 0 is allowed. Without a `payee`
    the compensation waits until one is named (compensations.py). `reason` is read by the company.
    DomainError where the payee can't be paid.
    """
    if payee is not None:
        payee.check()
    with transaction.atomic():
        application, deposit = _lock(application_pk)
        first = instructions.record(
            deposit, InstructionKind.SETTLE, award, case=case, payee=payee, reason=reason, actor=actor
        )
        if first:
            _compensate(application, deposit, case, award, payee, reason, actor)
            _set_free(application, deposit, case, actor)
            if award:
                topups.demand_if_short(deposit)
        return _outcome(case, Kind.COMPENSATION)


def release(application_pk: int, *, case: str, reason: str = "", actor: User | None = None) -> Decimal:
    """The case came to nothing: what it froze is free again; how much that was. As `settle_case` with no award."""
    return settle_case(application_pk, case=case, award=ZERO, reason=reason, actor=actor).released


def penalise(application_pk: int, *, case: str, amount: Decimal, reason: str, actor: User | None) -> Outcome:
    """A penalty: taken from what is available, the rest becomes an obligation. `reason` is read by the company."""
    return _charge(application_pk, Kind.PENALTY, InstructionKind.PENALTY, case, amount, reason, actor)


def charge_breach(
    application_pk: int, *, case: str, amount: Decimal, reason: str, actor: User | None
) -> Outcome:
    """Damages for breach of the agreement (违约金), as `penalise`."""
    return _charge(application_pk, Kind.BREACH, InstructionKind.BREACH, case, amount, reason, actor)


# Parts ---------------------------------------------------------------------------------------------


def _lock(application_pk: int) -> tuple[Application, Deposit]:
    try:
        application, deposit = lock_deposit(application_pk)
    except Deposit.DoesNotExist:
        raise wrong_state(Application.objects.get(pk=application_pk)) from None
    if application.state not in HOLDING:
        raise wrong_state(application)
    return application, deposit


def _key(case: str, what: str) -> str:
    return f"case:{case}:{what}"


def _freeze(
    application: Application, deposit: Deposit, case: str, amount: Decimal, actor: User | None
) -> None:
    if not amount:
        return
    ledger.post(Kind.FREEZE, amount, key=_key(case, "freeze"), deposit=deposit, case=case, actor=actor)
    announcements.enter_timeline(application, "deposit_frozen", f"¥{amount:,}")
    announcements.tell_merchant(
        application,
        key=_key(case, "freeze"),
        subject=_("Part of your deposit is frozen"),
        body=format_lazy(
            _("{amount} are frozen until the case is decided. Nothing has been deducted."),
            amount=f"¥{amount:,}",
        ),
    )


def _compensate(
    application: Application,
    deposit: Deposit,
    case: str,
    award: Decimal,
    payee: Payee | None,
    reason: str,
    actor: User | None,
) -> None:
    frozen = frozen_for(deposit, case)
    # Beyond what it froze, the case takes what is available: through the frozen account, like all compensation.
    more = min(max(award - frozen, ZERO), deposit.available)
    if more:
        ledger.post(Kind.FREEZE, more, key=_key(case, "freeze-more"), deposit=deposit, case=case, actor=actor)
    taken = min(award, frozen + more)
    if taken:
        row = _take(application, deposit, Kind.COMPENSATION, taken, case, reason, actor)
        compensations.open_compensation(row, payee=payee)
    if award > taken:
        _owe(deposit, Kind.COMPENSATION, award - taken, case, reason)


def _set_free(application: Application, deposit: Deposit, case: str, actor: User | None) -> None:
    rest = frozen_for(deposit, case)
    if not rest:
        return
    ledger.post(Kind.RELEASE, rest, key=_key(case, "release"), deposit=deposit, case=case, actor=actor)
    paid = obligations.settle(deposit)
    if application.state == State.EXPELLED:
        if rest > paid:
            _take(application, deposit, Kind.FORFEITURE, rest - paid, case, "", actor)
        return
    announcements.enter_timeline(application, "deposit_released", f"¥{rest:,}")
    announcements.tell_merchant(
        application,
        key=_key(case, "release"),
        subject=_("What was frozen of your deposit is free again"),
        body=format_lazy(_("{amount} are available again."), amount=f"¥{rest:,}"),
    )


def _charge(
    application_pk: int,
    kind: Kind,
    instruction: InstructionKind,
    case: str,
    amount: Decimal,
    reason: str,
    actor: User | None,
) -> Outcome:
    with transaction.atomic():
        application, deposit = _lock(application_pk)
        if instructions.record(deposit, instruction, amount, case=case, reason=reason, actor=actor):
            taken = min(amount, deposit.available)
            if taken:
                _take(application, deposit, kind, taken, case, reason, actor)
            if amount > taken and application.state != State.EXPELLED:
                _owe(deposit, kind, amount - taken, case, reason)
            if amount:
                topups.demand_if_short(deposit)
        return _outcome(case, kind)


SUBJECTS: dict[Kind, str | Promise] = {
    Kind.COMPENSATION: _("Compensation has been taken from your deposit"),
    Kind.PENALTY: _("A penalty has been taken from your deposit"),
    Kind.BREACH: _("Damages for breach have been taken from your deposit"),
    Kind.FORFEITURE: _("Part of your deposit has been forfeited"),
}


def _take(
    application: Application,
    deposit: Deposit,
    kind: Kind,
    amount: Decimal,
    case: str,
    reason: str,
    actor: User | None,
) -> LedgerTransfer:
    """The row, with its receipt for the company."""
    row = ledger.post(
        kind,
        amount,
        key=_key(case, kind),
        deposit=deposit,
        case=case,
        note=reason[:200],
        actor=actor,
    )
    announcements.enter_timeline(application, f"{kind}_deducted", f"¥{amount:,} {reason}".strip())
    announcements.tell_merchant(
        application,
        key=_key(case, kind),
        subject=SUBJECTS[kind],
        body=format_lazy("{amount}\n{reason}", amount=f"¥{amount:,}", reason=reason),
        receipt=row,
    )
    return row


def _owe(deposit: Deposit, kind: Kind, rest: Decimal, case: str, reason: str) -> None:
    obligations.owe(deposit, kind, rest, case=case, key=_key(case, kind), reason=reason)


def _outcome(case: str, kind: Kind) -> Outcome:
    """From the rows, so that a repeat returns what the first call did."""
    owed = Obligation.objects.filter(key=_key(case, kind)).values_list("amount", flat=True).first()
    return Outcome(
        taken=_amount(_key(case, kind)),
        owed=owed or ZERO,
        released=_amount(_key(case, "release")) if kind == Kind.COMPENSATION else ZERO,
    )


def _amount(key: str) -> Decimal:
    return LedgerTransfer.objects.filter(key=key).values_list("amount", flat=True).first() or ZERO
