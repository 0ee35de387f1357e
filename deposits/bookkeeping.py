"""Whether the books are right: every balance against its rows, and the whole against Alipay's cash.

The left side of each comparison is read from the ledger, the right side from the rows of orders, refunds and
payouts, which are written in other places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, DecimalField, F, Q, QuerySet, Sum, Value, When

from deposits import ledger
from deposits.accounts import BALANCES, Account
from deposits.models import ZERO, Deposit, LedgerTransfer, PaymentOrder, Payout, Refund, ReturnedPayment
from deposits.states import ORDER_SETTLED, BackState, PayoutState


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
    """First the whole, then one for each deposit or refund whose figures differ."""
    totals = ledger.totals()
    yield Comparison("alipay_cash", totals[Account.ALIPAY_CASH], _cash_by_rows())
    yield Comparison("suspense", totals[Account.SUSPENSE], _suspense_by_rows())
    yield Comparison("refund_in_transit", totals[Account.REFUND_IN_TRANSIT], _in_transit_by_rows())
    for account, field in BALANCES.items():
        yield Comparison(account.value, totals[account], _sum(Deposit.objects.all(), field))
    yield from _deposits_that_differ()
    yield from _refunds_that_differ()


def _cash_by_rows() -> Decimal:
    received = _sum(PaymentOrder.objects.filter(state__in=ORDER_SETTLED), "paid_amount")
    sent = _sum(Payout.objects.filter(state=PayoutState.DONE), "amount")
    return received - sent + _moved_by_hand()


def _moved_by_hand() -> Decimal:
    """What no order or payout tells of: opening balance, own money put in or out, fees, and their corrections."""
    rows = LedgerTransfer.objects.filter(order__isnull=True, payout__isnull=True)
    return _sum(rows.filter(debit=Account.ALIPAY_CASH), "amount") - _sum(
        rows.filter(credit=Account.ALIPAY_CASH), "amount"
    )


def _suspense_by_rows() -> Decimal:
    sent = Payout.objects.filter(returned__isnull=False, state=PayoutState.DONE)
    return _sum(ReturnedPayment.objects.all(), "amount") - _sum(sent, "amount")


def _in_transit_by_rows() -> Decimal:
    sent = Payout.objects.filter(refund__isnull=False, state=PayoutState.DONE)
    return _sum(Refund.objects.all(), "amount") - _sum(sent, "amount")


def _deposits_that_differ() -> Iterator[Comparison]:
    deposits = Deposit.objects.select_related("application").order_by("pk")
    for account, field in BALANCES.items():
        summed = deposits.annotate(by_rows=_growth(account))
        for deposit in summed.exclude(**{field: F("by_rows")}):
            yield Comparison(f"{deposit} {account.value}", deposit.by_rows, getattr(deposit, field))


def _growth(account: Account) -> Sum:
    amount = F("transfers__amount")
    return Sum(
        Case(
            When(transfers__credit=account, then=amount),
            When(transfers__debit=account, then=-amount),
            default=Value(ZERO),
            output_field=DecimalField(max_digits=14, decimal_places=2),
        ),
        default=Value(ZERO),
    )


def _refunds_that_differ() -> Iterator[Comparison]:
    """Each refund and refused payment is the sum of its legs, and done only when they are."""
    live = ~Q(payouts__state=PayoutState.REPLACED)
    for model in (Refund, ReturnedPayment):
        whole = model._default_manager.annotate(
            legs=Sum("payouts__amount", filter=live, default=Value(ZERO)),
            sent=Sum("payouts__amount", filter=Q(payouts__state=PayoutState.DONE), default=Value(ZERO)),
        )
        wrong = ~Q(legs=F("amount")) | (Q(state=BackState.DONE) & ~Q(sent=F("amount")))
        for row in whole.filter(wrong):
            yield Comparison(f"{model._meta.model_name} {row.pk}", row.amount, row.legs)


def _sum(rows: QuerySet, column: str) -> Decimal:
    return rows.aggregate(total=Sum(column))["total"] or ZERO
