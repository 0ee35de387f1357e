"""Row locks of this app: always after the application's lock (applications/locks.py)."""

from applications.locks import lock_application
from applications.models import Application
from deposits.models import AccountChange, Deposit, PaymentOrder, Payout


def lock_deposit(application_pk: int) -> tuple[Application, Deposit]:
    """The application, then its deposit, both read under lock. The caller must be in a transaction.

    Deposit.DoesNotExist before the application was approved.
    """
    application = lock_application(application_pk)
    return application, Deposit.objects.select_for_update().get(application_id=application_pk)


def lock_order(pk: int) -> tuple[Application, PaymentOrder]:
    """The application, then one order of its deposit. The caller must be in a transaction."""
    # Whose an order is never changes, so this read needs no lock.
    application = lock_application(
        PaymentOrder.objects.values_list("deposit__application_id", flat=True).get(pk=pk)
    )
    return application, PaymentOrder.objects.select_for_update(of=("self",)).select_related("deposit").get(
        pk=pk
    )


def lock_payout(pk: int) -> tuple[Application, Payout]:
    """The application, then one payout of its deposit. The caller must be in a transaction."""
    application = lock_application(deposit_of(Payout.objects.get(pk=pk)).application_id)
    return application, Payout.objects.select_for_update(of=("self",)).get(pk=pk)


def lock_change(pk: int) -> tuple[Application, AccountChange]:
    """The application, then one change of its bound account. The caller must be in a transaction."""
    application = lock_application(AccountChange.objects.values_list("application_id", flat=True).get(pk=pk))
    change = AccountChange.objects.select_for_update(of=("self",)).get(pk=pk)
    change.application = application
    return application, change


def deposit_of(payout: Payout) -> Deposit:
    """Whose money a payout moves."""
    if payout.refund is not None:
        return payout.refund.deposit
    if payout.compensation is not None:
        return payout.compensation.deposit
    assert payout.returned is not None  # payout_has_one_cause
    return payout.returned.order.deposit
