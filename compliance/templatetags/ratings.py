"""How ratings are written."""

from decimal import Decimal

from django import template
from django.utils.functional import Promise

from compliance.ratings import words
from compliance.ratings.inputs import INPUTS

register = template.Library()


@register.filter
def level_name(level: int | None) -> str | Promise:
    """3★ to 6★, 未达标 or 未评级."""
    return words.level_name(level)


@register.filter
def figure(value: Decimal | None) -> str:
    """1,234.5: without the zeros that say nothing."""
    if value is None:
        return "—"
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


@register.filter
def input_title(code: str) -> str | Promise:
    return INPUTS[code].title
