"""The record by which a case has each thing done once with a deposit, and never two different ones."""

from decimal import Decimal

from deposits.books import ledger
from deposits.gateways.alipay import IdentityType
from deposits.models import Compensation, Deposit, Instruction, InstructionKind
from deposits.outgoing.payees import Payee
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def record(
    deposit: Deposit,
    kind: InstructionKind,
    amount: Decimal,
    *,
    case: str,
    payee: Payee | None = None,
    reason: str = "",
    actor: User | None = None,
) -> bool:
    """Whether this is the first time: then do it, in the same transaction. Hold the application's lock.

    ledger.KeyUsed, a programming error, if the case had another amount done, or something with another deposit.
    """
    if not isinstance(amount, Decimal) or amount < 0 or amount != amount.quantize(ledger.CENT):
        raise ValueError("An amount is a Decimal of whole cents, not negative.")
    earlier = Instruction.objects.filter(case=case, kind=kind).first()
    if earlier is not None:
        if (earlier.deposit_id, earlier.amount) != (deposit.pk, amount):
            raise ledger.KeyUsed(f"{case}:{kind}")
        return False
    Instruction.objects.create(
        deposit=deposit,
        case=case,
        kind=kind,
        amount=amount,
        payee_identity=payee.identity if payee else "",
        payee_identity_type=payee.identity_type.value if payee else "",
        payee_name=payee.name if payee else "",
        reason=reason[:200],
        actor=actor,
        at=clock.now(),
    )
    return True


def given(case: str, kind: InstructionKind) -> bool:
    """Whether the case has had this done."""
    return Instruction.objects.filter(case=case, kind=kind).exists()


def payee_of(case: str) -> Payee | None:
    """Whom a case's compensation goes to, as last named; None if nobody is known yet."""
    named = (
        Compensation.objects.filter(case=case).exclude(payee_identity="").order_by("-pk").first()
        or Instruction.objects.filter(case=case).exclude(payee_identity="").first()
    )
    if named is None:
        return None
    return Payee(named.payee_identity, IdentityType(named.payee_identity_type), named.payee_name)
