"""What the pages of served shops, declared figures and reviews are built from."""

from decimal import Decimal

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, pgettext_lazy

from compliance.models import DIMENSIONS, Declaration, DeclarationState, Review, ReviewState, ShopState
from compliance.reviews.selectors import masked
from compliance.served_shops.words import amount

register = template.Library()

TONES: dict[str, str] = {
    ShopState.INVITED: "primary",
    ShopState.SERVING: "success",
    DeclarationState.DECLARED: "warning",
    DeclarationState.VERIFIED: "success",
    DeclarationState.REFUSED: "danger",
    ReviewState.REPORTED: "warning",
    ReviewState.HIDDEN: "danger",
}

STEP_NAMES: dict[str, str | Promise] = {
    "declare": gettext_lazy("Declared"),
    "verify": pgettext_lazy("declaration", "Verified"),
    "refuse": pgettext_lazy("declaration", "Refused"),
    "reply": gettext_lazy("Replied"),
    "report": pgettext_lazy("review", "Reported"),
    "keep": gettext_lazy("Kept"),
    "hide": gettext_lazy("Hidden"),
    "show": gettext_lazy("Shown again"),
}


@register.simple_tag
def tone_badge(state: str, name: str | Promise) -> SafeString:
    """A state in its colour."""
    tone = TONES.get(state, "secondary")
    return format_html('<span class="badge state-badge tone-{}">{}</span>', tone, name)


@register.filter
def amount_of(declaration: Declaration) -> str:
    """The figure with its unit."""
    return amount(declaration.input, declaration.value)


@register.filter
def case_step_name(name: str) -> str | Promise:
    """What a step of a declaration or a review is called."""
    return STEP_NAMES.get(name, name)


@register.filter
def masked_shop(review: Review) -> str:
    """The author as the public reads it."""
    return masked(review.served_shop.shop_name)


@register.filter
def marks_of(review: Review) -> list[tuple[str, int]]:
    """Each dimension with the mark that was given."""
    return [(dimension_name(name), getattr(review, name)) for name in DIMENSIONS]


@register.filter
def dimension_name(name: str) -> str:
    return str(capfirst(Review._meta.get_field(name).verbose_name))  # type: ignore[union-attr]


@register.filter
def mean_of(review: Review) -> str:
    """The mean of one review's marks, with one place."""
    marks = [mark for _name, mark in marks_of(review)]
    return f"{Decimal(sum(marks)) / len(marks):.1f}"
