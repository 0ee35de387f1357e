"""Words and colours of the pages of reconciliation."""

from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from deposits.locks import deposit_of
from deposits.models import BillLine, Deposit, Difference
from deposits.reconciliation.figures import Tally
from deposits.reconciliation.words import DIFFERENCE_COLOURS, DIFFERENCE_STATES, ours_of

register = template.Library()


@register.inclusion_tag("unfold/helpers/label.html")
def difference_label(difference: Difference) -> dict[str, Any]:
    """Open, explained or settled, in its colour."""
    return {"text": DIFFERENCE_STATES[difference.state], "type": DIFFERENCE_COLOURS[difference.state]}


@register.filter
def gained(amount: Decimal | None) -> str:
    """+¥100.00, −¥100.00, or a dash where a side knows of nothing."""
    if amount is None:
        return "—"
    return f"{'−' if amount < 0 else '+'}¥{abs(amount):,.2f}"


@register.filter
def tally(found: Tally) -> str:
    """How many, and how much together."""
    if not found.count:
        return "—"
    many = ngettext("%(count)s movement", "%(count)s movements", found.count) % {"count": found.count}
    return f"{many} {gained(found.amount)}"


@register.filter
def deposit(difference: Difference) -> Deposit | None:
    """Whose money it is, if it is somebody's."""
    if difference.payout is not None:
        return deposit_of(difference.payout)
    if difference.order is not None:
        return difference.order.deposit
    return difference.entry.deposit if difference.entry is not None else None


@register.simple_tag
def our_row(line: BillLine) -> SafeString | str:
    """The row of ours that a line belongs to, as a link."""
    for name in ("entry", "order", "payout"):
        row = getattr(line, name)
        if row is not None:
            url = reverse(f"admin:deposits_{row._meta.model_name}_change", args=[row.pk])
            return format_html('<a href="{}">{}</a>', url, ours_of(line))
    return ours_of(line)
