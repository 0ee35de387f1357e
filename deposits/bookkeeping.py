"""Whether the books are right: every balance against its rows, and the whole against Alipay's cash.

The left side of each comparison is read from the ledger, the right side from the rows of orders, refunds,
obligations and payouts, which are written in other places. The database adds up: what comes back are the
totals, and the rows that differ. Read it in one snapshot, as `ledger_check` does, while payments go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Exists, F, Model, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from deposits import ledger
from deposits.accounts import BALANCES, Account
from deposits.growth import MONEY, change
from deposits.models import (
    ZERO,
    Compensation,
    Deposit,
    Instruction,
    InstructionKind,
    LedgerTransfer,
    Obligation,
    PaymentOrder,
    Payout,
    Refund,
    ReturnedPayment,
)
from deposits.states import ORDER_SETTLED, BackState, CompensationState, ObligationState, PayoutState


@dataclass(frozen=True)
class Comparison:
    """Two figures that must be the same."""

    name: str
    ledger: Decimal
    rows: Decimal

    @property
    def agrees(self) -> bool:
        return self.ledger == self.rows


def comparisons() -> Iterator[Comparison]:
    """First the whole, then one for each deposit, case, obligation or cause of payouts whose figures differ."""
    totals = ledger.totals()
    yield Comparison("alipay_cash", totals[Account.ALIPAY_CASH], _cash_by_rows())
    yield Comparison("suspense", totals[Account.SUSPENSE], _still_here(ReturnedPayment, "returned"))
    yield Comparison("refund_in_transit", totals[Account.REFUND_IN_TRANSIT], _still_here(Refund, "refund"))
    yield Comparison(
        "compensation_payable",
        totals[Account.COMPENSATION_PAYABLE],
        _still_here(Compensation, "compensation"),
    )
    for account, field in BALANCES.items():
        yield Comparison(account.value, totals[account], _sum(Deposit.objects.all(), field))
    yield Comparison("settled", _settled_by_ledger(), _sum(Obligation.objects.all(), "settled"))
    yield Comparison("owed", _sum(_open_obligations(), _OUTSTANDING), _sum(Deposit.objects.all(), "owed"))
    yield from _deposits_that_differ()
    yield from _debts_that_differ()
    yield from _obligations_that_differ()
    yield from _cases_that_differ()
    yield from _causes_that_differ()


# The whole -----------------------------------------------------------------------------------------


def _cash_by_rows() -> Decimal:
    received = _sum(PaymentOrder.objects.filter(state__in=ORDER_SETTLED), "paid_amount")
    sent = _sum(Payout.objects.filter(state=PayoutState.DONE), "amount")
    return received - sent + _moved_by_hand()


def _moved_by_hand() -> Decimal:
    """What no order or payout tells of: opening balance, own money put in or out, fees, and their corrections."""
    rows = LedgerTransfer.objects.filter(order__isnull=True, payout__isnull=True)
    # What credits the account makes it smaller.
    return -_sum(rows, change(Account.ALIPAY_CASH))


def _still_here(cause: type[Model], name: str) -> Decimal:
    """What refunds, refused payments or compensations come to, less what of it has left us and not come back."""
    sent = Payout.objects.filter(state=PayoutState.DONE, **{f"{name}__isnull": False})
    return _sum(cause._default_manager.all(), "amount") - _sum(sent, "amount")


def _settled_by_ledger() -> Decimal:
    """The reversal of a row that settled a debt names the debt as well, and leaves it settled."""
    rows = LedgerTransfer.objects.filter(obligation__isnull=False, kind=F("obligation__kind"))
    return _sum(rows, "amount")


# One by one ----------------------------------------------------------------------------------------


def _deposits_that_differ() -> Iterator[Comparison]:
    """In one pass over the ledger, grouped by deposit."""
    sums = {f"rows_{field}": _summed(_of_transfers(account)) for account, field in BALANCES.items()}
    agree = {field: F(f"rows_{field}") for field in BALANCES.values()}
    deposits = Deposit.objects.order_by("pk").values("application__number", *BALANCES.values())
    for deposit in deposits.annotate(**sums).exclude(**agree):
        for account, field in BALANCES.items():
            if deposit[f"rows_{field}"] != deposit[field]:
                yield Comparison(
                    f"{deposit['application__number']} {account.value}",
                    deposit[f"rows_{field}"],
                    deposit[field],
                )


def _of_transfers(account: Account) -> Case:
    """`growth.change`, seen from the deposit."""
    amount = F("transfers__amount")
    return Case(
        When(transfers__credit=account, then=amount),
        When(transfers__debit=account, then=-amount),
        default=Value(ZERO),
        output_field=MONEY,
    )


def _debts_that_differ() -> Iterator[Comparison]:
    still_open = Q(obligations__state=ObligationState.OPEN)
    outstanding = Sum(
        F("obligations__amount") - F("obligations__settled"), filter=still_open, output_field=MONEY
    )
    deposits = Deposit.objects.order_by("pk").values("application__number", "owed")
    for deposit in deposits.annotate(debts=Coalesce(outstanding, Value(ZERO), output_field=MONEY)).exclude(
        owed=F("debts")
    ):
        yield Comparison(f"{deposit['application__number']} owed", deposit["debts"], deposit["owed"])


def _obligations_that_differ() -> Iterator[Comparison]:
    settled = Sum("transfers__amount", filter=Q(transfers__kind=F("kind")), output_field=MONEY)
    obligations = Obligation.objects.order_by("pk").values("pk", "settled")
    for row in obligations.annotate(by_rows=Coalesce(settled, Value(ZERO), output_field=MONEY)).exclude(
        settled=F("by_rows")
    ):
        yield Comparison(f"obligation {row['pk']} settled", row["by_rows"], row["settled"])


def _cases_that_differ() -> Iterator[Comparison]:
    """A case gives up no more than it froze, and nothing of it is frozen once it is decided."""
    frozen = Account.DEPOSIT_FROZEN
    decided = Instruction.objects.filter(case=OuterRef("case"), kind=InstructionKind.SETTLE)
    cases = (
        LedgerTransfer.objects.filter(Q(debit=frozen) | Q(credit=frozen))
        .order_by("deposit", "case")
        .values("deposit__application__number", "case")
        .annotate(left=_summed(change(frozen)), decided=Exists(decided))
    )
    for row in cases.filter(Q(left__lt=0) | (Q(decided=True) & ~Q(left=0))):
        yield Comparison(f"{row['deposit__application__number']} {row['case']} frozen", row["left"], ZERO)


def _causes_that_differ() -> Iterator[Comparison]:
    """Each refund, refused payment and compensation is the sum of its legs, and done only when they are."""
    live = ~Q(payouts__state=PayoutState.REPLACED)
    for model in (Refund, ReturnedPayment, Compensation):
        whole = model._default_manager.annotate(
            legs=Sum("payouts__amount", filter=live, default=Value(ZERO)),
            sent=Sum("payouts__amount", filter=Q(payouts__state=PayoutState.DONE), default=Value(ZERO)),
        )
        waits = Q(state=CompensationState.WAITING, legs=0)
        wrong = (~Q(legs=F("amount")) & ~waits) | (Q(state=BackState.DONE) & ~Q(sent=F("amount")))
        for row in whole.filter(wrong).order_by("pk"):
            yield Comparison(f"{model._meta.model_name} {row.pk}", row.amount, row.legs)


# Sums ----------------------------------------------------------------------------------------------

_OUTSTANDING = F("amount") - F("settled")


def _open_obligations() -> QuerySet[Obligation]:
    return Obligation.objects.filter(state=ObligationState.OPEN)


def _summed(expression: Case) -> Sum:
    return Sum(expression, default=Value(ZERO), output_field=MONEY)


def _sum(rows: QuerySet, expression: str | Combinable) -> Decimal:
    return rows.aggregate(total=Sum(expression))["total"] or ZERO
