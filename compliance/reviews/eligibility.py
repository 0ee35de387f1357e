"""Whether the owner of a shop may review its provider now, and for which quarter."""

import datetime as dt

from compliance.models import ServedShop, ShopState
from compliance.quarters import Quarter
from compliance.served_shops.permissions import SERVES
from tmall_sp.core import clock, rules


def quarter_to_review(shop: ServedShop) -> str | None:
    """The running one while the shop is served; the one in which its end was written down for some days after.

    The day of writing counts, not the day that was written: nobody escapes a review by an earlier date.
    None where there is nothing to review, as with a company that is no member any more.
    """
    if shop.application.state not in SERVES:
        return None
    if shop.state == ShopState.SERVING:
        return str(Quarter.current())
    until = open_until(shop)
    if until is None or shop.closed_at is None or clock.now() > until:
        return None
    return str(Quarter.of(shop.closed_at.astimezone(clock.SHANGHAI).date()))


def open_until(shop: ServedShop) -> dt.datetime | None:
    """The last instant in which a relation that has ended can be reviewed."""
    if shop.state != ShopState.ENDED or shop.closed_at is None:
        return None
    return shop.closed_at + rules.days("review.days_after_end", shop.closed_at)
