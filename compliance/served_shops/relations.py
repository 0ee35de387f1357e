"""The end of a relation: by either side, or by the system when the provider has left. What is ended stays as proof."""

import datetime as dt

from django.utils.translation import gettext as _

from applications.models import Application
from compliance.models import ServedShop, ShopState
from compliance.served_shops import announcements, door, permissions
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


def end(pk: int, *, actor: User, ends_on: dt.date) -> ServedShop:
    """Write down the last day on which the shop was served, as either side says.

    DomainError on field `ends_on` for a day before the relation began, or in the future.
    """

    def guard(application: Application, shop: ServedShop) -> None:
        assert shop.begins_on is not None
        if ends_on < shop.begins_on:
            raise DomainError(
                "before_it_began",
                _("The relation began on %(day)s.") % {"day": shop.begins_on.isoformat()},
                field="ends_on",
            )
        if ends_on > clock.today():
            raise DomainError(
                "in_the_future", _("A relation ends today, or has ended before."), field="ends_on"
            )
        shop.ends_on = ends_on
        shop.closed_at = clock.now()
        shop.ended_by = actor

    return door.move(
        pk,
        ShopState.ENDED,
        may=lambda application, shop: may_end(actor, application, shop),
        guard=guard,
        follow=announcements.tell_ended,
    )


def may_end(user: User, application: Application, shop: ServedShop) -> bool:
    return permissions.is_owner(user, shop) or permissions.may_act_for(user, application)


def end_all(application: Application) -> None:
    """A provider that has left serves nobody. Hold the application's lock."""

    def guard(application: Application, shop: ServedShop) -> None:
        shop.ends_on = clock.today()
        shop.closed_at = clock.now()

    serving = application.served_shops.filter(state=ShopState.SERVING).order_by("pk")
    for pk in list(serving.values_list("pk", flat=True)):
        door.move(pk, ShopState.ENDED, guard=guard, follow=announcements.tell_ended)
