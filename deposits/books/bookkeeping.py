"""Whether the books are right: every balance against its rows, and the whole against Alipay's cash.

The left side of each comparison is read from the ledger, the right side from the rows of orders, refunds,
obligations and payouts, which are written in other places. The database adds up: what comes back are the
totals, and the rows that differ. Read it in one snapshot, as `ledger_check` does, while payments go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Exists, F, Model, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from deposits.books import ledger
from deposits.books.accounts import BALANCES, Account
from deposits.books.growth import MONEY, change
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
    yield from _the_whole()
    yield from _deposits_that_differ()
    yield from _debts_that_differ()
    yield from _obligations_that_differ()
    yield from _cases_that_differ()
    yield from _causes_that_differ()


# The whole -----------------------------------------------------------------------------------------


def _the_whole() -> Iterator[Comparison]:
    totals = ledger.totals()
    rows = _sums(
        LedgerTransfer,
        # What no order or payout tells of: opening balance, own money put in or out, fees, and their corrections.
        by_hand=Sum(change(Account.ALIPAY_CASH), filter=Q(order__isnull=True, payout__isnull=True)),
        # The reversal of a row that settled a debt names the debt as well, and leaves it settled.
        settled=Sum("amount", filter=Q(kind=F("obligation__kind"))),
    )
    received = _sums(PaymentOrder, paid=Sum("paid_amount", filter=Q(state__in=ORDER_SETTLED)))
    # What a bank returned has come back: RETURNED is not DONE.
    sent = _sums(
        Payout,
        all=Sum("amount", filter=_DONE),
        **{cause: Sum("amount", filter=_DONE & Q(**{f"{cause}__isnull": False})) for cause in _CAUSES},
    )
    # What credits cash makes it smaller.
    cash = received["paid"] - sent["all"] - rows["by_hand"]
    yield Comparison("alipay_cash", totals[Account.ALIPAY_CASH], cash)
    for cause, (account, model) in _CAUSES.items():
        whole = _sums(model, amount=Sum("amount"))
        yield Comparison(account.value, totals[account], whole["amount"] - sent[cause])
    kept = _sums(Deposit, **{field: Sum(field) for field in ("available", "frozen", "owed")})
    for account, field in BALANCES.items():
        yield Comparison(account.value, totals[account], kept[field])
    debts = _sums(
        Obligation,
        paid=Sum("settled"),
        open=Sum(F("amount") - F("settled"), filter=Q(state=ObligationState.OPEN)),
    )
    yield Comparison("settled", rows["settled"], debts["paid"])
    yield Comparison("owed", debts["open"], kept["owed"])


_DONE = Q(state=PayoutState.DONE)
# Why payouts are made: where their money stands until they are done, and the rows that say how much.
_CAUSES: dict[str, tuple[Account, type[Refund | ReturnedPayment | Compensation]]] = {
    "returned": (Account.SUSPENSE, ReturnedPayment),
    "refund": (Account.REFUND_IN_TRANSIT, Refund),
    "compensation": (Account.COMPENSATION_PAYABLE, Compensation),
}


def _sums(model: type[Model], **sums: Sum) -> dict[str, Decimal]:
    """Of a whole table, in one pass; nothing is zero."""
    found = model._default_manager.aggregate(**sums)
    return {name: total or ZERO for name, total in found.items()}


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
    for _account, model in _CAUSES.values():
        whole = model._default_manager.annotate(
            legs=Sum("payouts__amount", filter=live, default=Value(ZERO)),
            sent=Sum("payouts__amount", filter=Q(payouts__state=PayoutState.DONE), default=Value(ZERO)),
        )
        waits = Q(state=CompensationState.WAITING, legs=0)
        wrong = (~Q(legs=F("amount")) & ~waits) | (Q(state=BackState.DONE) & ~Q(sent=F("amount")))
        for row in whole.filter(wrong).order_by("pk"):
            yield Comparison(f"{model._meta.model_name} {row.pk}", row.amount, row.legs)


def _summed(expression: Case) -> Sum:
    return Sum(expression, default=Value(ZERO), output_field=MONEY)
