"""The Alipay account that a company is bound to once its application has been handed in.

Only `deposits` calls these: at the end of the procedure for another account, and when a payment shows an open id.
"""

from django.db import transaction

from applications.door import enter
from applications.locks import lock_application
from applications.models import Application


def rebind_account(pk: int, *, account_id: str, reason: str) -> Application:
    """Bind another account, with a timeline entry. The open id of the one until now is bound no more.

    Call it in the transaction that ends the procedure: the database looks for the procedure's row.
    """
    with transaction.atomic():
        application = lock_application(pk)
        application.alipay_account_id = account_id
        application.alipay_open_id = ""
        application.save(update_fields=["alipay_account_id", "alipay_open_id"])
        enter(application, "rebind_account", actor=None, reason=reason)
    return application


def bind_open_id(pk: int, *, open_id: str) -> None:
    """Bind the open id by which Alipay named the accepted payer of a top-up, if none is bound yet."""
    with transaction.atomic():
        application = lock_application(pk)
        if not application.alipay_open_id:
            application.alipay_open_id = open_id
            application.save(update_fields=["alipay_open_id"])
