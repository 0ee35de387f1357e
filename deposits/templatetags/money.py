"""How amounts are written."""

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def cny(amount: Decimal) -> str:
    """¥100,000.00"""
    return f"¥{amount:,.2f}"


@register.filter
def signed(change: Decimal) -> str:
    """+¥100,000.00, −¥5.00, or nothing where nothing changed."""
    if not change:
        return ""
    return f"{'+' if change > 0 else '−'}¥{abs(change):,.2f}"
