"""Whose money is taken: that of the account that was bound when it was paid (design §4).

The moment of the payment decides, not that of the news: what came from the old account before a change took
effect counts, and from that instant on only the new account's money does.
"""

import datetime as dt
import unicodedata
from dataclasses import dataclass

from applications.models import Application
from deposits.models import PaymentOrder
from deposits.states import ChangeState


@dataclass(frozen=True)
class BoundAccount:
    """`open_id` is empty until Alipay has named an accepted payer by it."""

    account_id: str
    open_id: str


def is_bound_payer(application: Application, order: PaymentOrder) -> bool:
    """Whether the account that was bound paid the order: by its 2088 id, or where Alipay gives only an open id
    by that, and at first by the company's name.

    The order knows its buyer and `paid_at`. Hold the application's lock.
    """
    assert order.paid_at is not None
    bound = bound_at(application, order.paid_at)
    if order.buyer_user_id:
        return order.buyer_user_id == bound.account_id
    if not order.buyer_open_id:
        return False
    if bound.open_id:
        return order.buyer_open_id == bound.open_id
    return _plain(order.buyer_name) == _plain(application.company_name) != "" and not _is_of_another(
        application, order.buyer_open_id, bound
    )


def open_id_to_bind(application: Application, order: PaymentOrder) -> str:
    """The open id by which the payer of an accepted order is known from now on; empty where the 2088 id does,
    or where the account that paid has ceased to be bound since. Hold the application's lock.
    """
    assert order.paid_at is not None
    if (
        order.buyer_user_id
        or bound_at(application, order.paid_at).account_id != application.alipay_account_id
    ):
        return ""
    return order.buyer_open_id


def bound_at(application: Application, moment: dt.datetime) -> BoundAccount:
    """The account that was bound at an instant; at that of a change it is the new one already."""
    next_change = (
        application.account_changes.filter(state=ChangeState.DONE, closed_at__gt=moment)
        .order_by("closed_at")
        .first()
    )
    if next_change is None:
        return BoundAccount(application.alipay_account_id, application.alipay_open_id)
    return BoundAccount(next_change.old_account_id, next_change.old_open_id)


def _is_of_another(application: Application, open_id: str, bound: BoundAccount) -> bool:
    """An account of the company's that was bound once bears its name as well."""
    changes = application.account_changes.filter(state=ChangeState.DONE, old_open_id=open_id)
    return changes.exclude(old_account_id=bound.account_id).exists()


def _plain(name: str) -> str:
    """A company's name without what differs only in typing: full width, blanks, case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
