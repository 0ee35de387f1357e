"""How a level is called."""

from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

NOT_RATED = _("not yet rated")
BELOW = pgettext_lazy("rating", "below the lowest level")


def level_name(level: int | None) -> "StrPromise":
    """3★ to 6★; 0 is 未达标, and None is 未评级: there was no published rating yet."""
    if level is None:
        return NOT_RATED
    return format_lazy("{level}★", level=level) if level else BELOW
