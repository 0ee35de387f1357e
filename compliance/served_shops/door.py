"""The one door through which a served shop's state changes: nothing else saves `state`."""

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application
from compliance.locks import lock_served_shop
from compliance.models import ServedShop, ShopState
from compliance.models.served_shop import SHOP_EDGES
from tmall_sp.core.errors import DomainError, NotPermitted

Guard = Callable[[Application, ServedShop], None]


def move(
    pk: int,
    to: ShopState,
    *,
    may: Callable[[Application, ServedShop], bool] = lambda application, shop: True,
    guard: Guard,
    follow: Guard,
) -> ServedShop:
    """Lock application, then shop → permission → lawful edge → guard → save → follow.

    `guard` sets fields, or raises DomainError to refuse; `follow` tells people.
    """
    with transaction.atomic():
        application, shop = lock_served_shop(pk)
        if not may(application, shop):
            raise not_permitted()
        if (shop.state, to) not in SHOP_EDGES:
            raise wrong_state(shop)
        guard(application, shop)
        shop.state = to
        shop.save()
        follow(application, shop)
    return shop


def not_permitted() -> NotPermitted:
    return NotPermitted("not_permitted", _("You may not do this."))


def wrong_state(shop: ServedShop) -> DomainError:
    return DomainError(
        "wrong_state",
        _("This can't be done any more: the relation is in state “%(state)s”.")
        % {"state": shop.get_state_display()},
    )
