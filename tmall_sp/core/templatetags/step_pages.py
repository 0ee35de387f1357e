"""What a button of an object's page needs of its step (`step_pages.Step`, whose module loads too late to be named)."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def seen(step: Any, obj: Any) -> int | str:
    """What the person who presses the button saw."""
    value: int | str = step.form.seen_of(obj)
    return value


@register.filter
def told(step: Any, obj: Any) -> str:
    """What happens when the button is pressed."""
    return " ".join(str(line) for line in step.consequences(obj))
