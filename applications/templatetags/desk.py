"""Words of the staff's pages."""

from django import template

from applications import dossier, step_names

register = template.Library()


@register.filter
def step_name(name: str) -> str:
    """What a step of the timeline is called."""
    return str(step_names.step_name(name))


@register.filter
def subject_name(subject: str) -> str:
    """What a requested change concerns."""
    return dossier.subject_name(subject)
