"""What time does to invitations."""

from compliance.models import ServedShop, ShopState
from compliance.served_shops import invitations
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.sweeps import for_each

SIZE = 200


def expire_invitations() -> None:
    """Each that nobody answered in time, the longest overdue first."""
    due = ServedShop.objects.filter(state=ShopState.INVITED, expires_at__lt=clock.now())
    for_each(due.order_by("expires_at", "pk").values_list("pk", flat=True)[:SIZE], _expire)


def _expire(pk: int) -> bool:
    try:
        invitations.expire(pk)
    except DomainError as error:
        if error.code not in ("wrong_state", "not_due"):  # answered or renewed since it was listed
            raise
    return True
