"""All that is known of one deposit, for the desk: each part only for whoever may read its rows."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db.models import Min, Model, Q, QuerySet, Sum

from deposits import selectors
from deposits.books.accounts import Account
from deposits.books.growth import balanced_rows, change
from deposits.models import (
    AccountChange,
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    PaymentOrder,
    Proposal,
    Refund,
    ReturnedPayment,
    TopUpDemand,
)
from tmall_sp.accounts.models import User

# How many of its newest movements the page of a deposit shows; its statement has all.
LATEST = 10

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Frozen:
    """What one case has frozen and not given up yet, in CNY, and since when."""

    case: str
    amount: Decimal
    since: dt.datetime


@dataclass(frozen=True)
class Dossier:
    """Everything about one deposit. A part that the person may not read is None."""

    deposit: Deposit
    demands: QuerySet[TopUpDemand] | None
    frozen: list[Frozen]
    obligations: QuerySet[Obligation] | None
    proposals: QuerySet[Proposal] | None
    account_changes: QuerySet[AccountChange] | None
    orders: QuerySet[PaymentOrder] | None
    refunds: QuerySet[Refund] | None
    returned: QuerySet[ReturnedPayment] | None
    compensations: QuerySet[Compensation] | None
    latest: QuerySet[LedgerTransfer] | None

    @property
    def demand(self) -> TopUpDemand | None:
        """The open one."""
        return next((demand for demand in self.demands or () if demand.closed_at is None), None)


def dossier(deposit: Deposit, user: User) -> Dossier:
    """`deposit` comes with its application."""

    def seen(rows: QuerySet[Row]) -> QuerySet[Row] | None:
        return rows if user.has_perm(f"deposits.view_{rows.model._meta.model_name}") else None

    return Dossier(
        deposit=deposit,
        demands=seen(deposit.demands.all()),
        frozen=frozen_by_case(deposit),
        obligations=seen(deposit.obligations.order_by("created_at", "pk")),
        proposals=seen(deposit.proposals.select_related("proposed_by", "decided_by")),
        account_changes=seen(AccountChange.objects.filter(application=deposit.application_id)),
        orders=seen(deposit.orders.all()),
        refunds=seen(selectors.refunds_of(deposit)),
        returned=seen(selectors.refused_payments_of(deposit)),
        compensations=seen(deposit.compensations.prefetch_related("payouts")),
        latest=seen(balanced_rows(deposit).order_by("-at", "-pk")[:LATEST]),
    )


def frozen_by_case(deposit: Deposit) -> list[Frozen]:
    """Which case has frozen how much, the oldest first."""
    rows = (
        deposit.transfers.filter(Q(debit=Account.DEPOSIT_FROZEN) | Q(credit=Account.DEPOSIT_FROZEN))
        .order_by()
        .values("case")
        .annotate(amount=Sum(change(Account.DEPOSIT_FROZEN)), since=Min("at"))
        .filter(amount__gt=0)
        .order_by("since")
    )
    return [Frozen(row["case"], row["amount"], row["since"]) for row in rows]
