"""What rows of the ledger do to an account, for the database to add up."""

from django.db.models import Case, DecimalField, F, QuerySet, Sum, Value, When, Window

from deposits.books.accounts import Account
from deposits.models import ZERO, Deposit, LedgerTransfer

MONEY = DecimalField(max_digits=14, decimal_places=2)


def change(account: Account) -> Case:
    """The amount of a row that credits the account, less the amount of one that debits it."""
    return Case(
        When(credit=account, then=F("amount")),
        When(debit=account, then=-F("amount")),
        default=Value(ZERO),
        output_field=MONEY,
    )


def balanced_rows(deposit: Deposit) -> QuerySet[LedgerTransfer]:
    """The deposit's rows, oldest first, each with what it changed and what stood there after it.

    Adds `change_available`, `change_frozen`, `after_available` and `after_frozen`, in CNY.
    """
    in_order = [F("at").asc(), F("pk").asc()]
    available, frozen = change(Account.DEPOSIT_AVAILABLE), change(Account.DEPOSIT_FROZEN)
    return deposit.transfers.annotate(
        change_available=available,
        change_frozen=frozen,
        after_available=Window(Sum(available), order_by=in_order, output_field=MONEY),
        after_frozen=Window(Sum(frozen), order_by=in_order, output_field=MONEY),
    ).order_by("at", "pk")
