"""How a declared figure is written."""

from decimal import Decimal

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from compliance.ratings.inputs import GMV, INPUTS


def amount(figure: str, value: Decimal) -> str:
    """With its unit: ¥1,200,000.00, or 3 warehouses."""
    if figure == GMV:
        return f"¥{value:,.2f}"
    number = f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"
    return f"{number} {INPUTS[figure].unit}"


def declared(figure: str, value: Decimal) -> str:
    """What was declared, in one line."""
    title = _("GMV") if figure == GMV else capfirst(INPUTS[figure].title)
    return f"{title} {amount(figure, value)}"
