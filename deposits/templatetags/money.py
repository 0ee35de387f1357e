"""How amounts are written."""

from decimal import Decimal

from django import template

from deposits.books.accounts import RECEIPTS
from deposits.duties.case_names import case_name
from deposits.models import LedgerTransfer
from deposits.selectors import reason_of

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


@register.filter
def case(name: str) -> str:
    """The case that a row names, in words."""
    return case_name(name)


@register.filter
def reason(row: LedgerTransfer) -> str:
    """Why something was deducted."""
    return reason_of(row)


@register.filter
def has_receipt(row: LedgerTransfer) -> bool:
    return row.kind in RECEIPTS
