"""The only place that writes a LedgerTransfer, or what of a deposit is available or frozen (design §4).

One row moves one amount from one account to another, once per cause, and a deposit's balances change in
the same step, under lock. The database checks both again: CHECKs, and the sums at commit.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from deposits.books.accounts import (
    BALANCES,
    ENTRIES,
    GROWS_BY_DEBIT,
    OF_A_DEPOSIT,
    REVERSING,
    Account,
    Kind,
)
from deposits.books.growth import change
from deposits.models import ZERO, Deposit, LedgerTransfer, Obligation, PaymentOrder, Payout, Proposal
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

CENT = Decimal("0.01")


class KeyUsed(RuntimeError):
    """A programming error: one cause was about to move another amount, or by another kind."""


def post(
    kind: Kind,
    amount: Decimal,
    *,
    key: str,
    deposit: Deposit | None = None,
    order: PaymentOrder | None = None,
    payout: Payout | None = None,
    obligation: Obligation | None = None,
    proposal: Proposal | None = None,
    case: str = "",
    note: str = "",
    actor: User | None = None,
    at: dt.datetime | None = None,
) -> LedgerTransfer:
    """Move `amount` (CNY, whole cents, > 0) between the two accounts of `kind`, once per `key`.

    Called again with the same key it moves nothing and returns the first row; KeyUsed if that says something
    else. DomainError `insufficient` when the deposit has not that much, or the case has not frozen that much.
    `obligation` is the debt that it settles, `proposal` what two people decided, where the kind asks for that.
    The caller is in a transaction and holds the application's lock if a deposit is concerned.
    """
    if kind in REVERSING:
        raise ValueError("A reversal is posted by `reverse`.")
    debit, credit = ENTRIES[kind]
    return _write(
        LedgerTransfer(
            kind=kind,
            debit=debit,
            credit=credit,
            amount=_cents(amount),
            key=key,
            deposit=deposit,
            order=order,
            payout=payout,
            obligation=obligation,
            proposal=proposal,
            case=case,
            note=note,
            actor=actor,
            at=at or clock.now(),
        )
    )


def reverse(
    row: LedgerTransfer,
    kind: Kind,
    *,
    note: str,
    payout: Payout | None = None,
    proposal: Proposal | None = None,
    actor: User | None = None,
) -> LedgerTransfer:
    """Undo one row by its mirror image, once. `kind` is CORRECTION or BANK_RETURN; the row itself stays.

    A correction needs the `proposal` that two people decided, unless it overturns an expulsion. The caller is
    in a transaction and holds the application's lock if a deposit is concerned.
    """
    if kind not in REVERSING:
        raise ValueError("A reversal is a correction or a bank return.")
    return _write(
        LedgerTransfer(
            kind=kind,
            debit=row.credit,
            credit=row.debit,
            amount=row.amount,
            key=f"reversal:{row.pk}",
            deposit=row.deposit,
            order=row.order,
            payout=payout or row.payout,
            obligation=row.obligation,
            proposal=proposal,
            case=row.case,
            note=note,
            reverses=row,
            actor=actor,
            at=clock.now(),
        )
    )


def _write(row: LedgerTransfer) -> LedgerTransfer:
    if not connection.in_atomic_block:
        raise RuntimeError("The ledger is written inside a transaction.")
    # Before the look for an earlier row: two who post the same cause wait here for one another.
    deposit = Deposit.objects.select_for_update().get(pk=row.deposit_id) if row.deposit_id else None
    if deposit is None and {row.debit, row.credit} & set(OF_A_DEPOSIT):
        raise ValueError("Money of a deposit moves in its name.")
    earlier = LedgerTransfer.objects.filter(key=row.key).first()
    if earlier is not None:
        if (earlier.kind, earlier.amount, earlier.deposit_id) != (row.kind, row.amount, row.deposit_id):
            raise KeyUsed(row.key)
        return earlier
    if deposit is not None:
        _refuse_what_others_froze(deposit, row)
        _change_balances(deposit, row)
    row.save(force_insert=True)
    return row


def _refuse_what_others_froze(deposit: Deposit, row: LedgerTransfer) -> None:
    """What one case froze can't pay for another."""
    given_up = row.debit == Account.DEPOSIT_FROZEN and row.kind != Kind.CORRECTION
    if given_up and frozen_for(deposit, row.case) < row.amount:
        raise DomainError("insufficient", _("The case has not frozen that much."))


def _change_balances(deposit: Deposit, row: LedgerTransfer) -> None:
    changed = {}
    for account, field in BALANCES.items():
        growth = (row.amount if row.credit == account else ZERO) - (
            row.amount if row.debit == account else ZERO
        )
        if growth:
            changed[field] = getattr(deposit, field) + growth
    if any(balance < 0 for balance in changed.values()):
        raise DomainError("insufficient", _("The deposit has not that much."))
    if changed:
        Deposit.objects.filter(pk=deposit.pk).update(**changed)


def _cents(amount: Decimal) -> Decimal:
    if not isinstance(amount, Decimal) or amount <= 0 or amount != amount.quantize(CENT):
        raise ValueError("An amount is a positive Decimal of whole cents.")
    return amount.quantize(CENT)


def frozen_for(deposit: Deposit, case: str) -> Decimal:
    """What a case has frozen of a deposit now, in CNY."""
    rows = deposit.transfers.filter(case=case)
    total: Decimal | None = rows.aggregate(total=Sum(change(Account.DEPOSIT_FROZEN)))["total"]
    return total or ZERO


def totals(*, before: dt.datetime | None = None) -> Mapping[Account, Decimal]:
    """Every account's balance: what it grew by, less what it shrank by; of the rows before an instant, if one is named."""
    rows = LedgerTransfer.objects.order_by()
    if before is not None:
        rows = rows.filter(at__lt=before)
    debits = dict(rows.values_list("debit").annotate(Sum("amount")))
    credits = dict(rows.values_list("credit").annotate(Sum("amount")))
    balances = {}
    for account in Account:
        balance = credits.get(account, ZERO) - debits.get(account, ZERO)
        balances[account] = -balance if account in GROWS_BY_DEBIT else balance
    return balances
