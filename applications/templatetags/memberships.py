"""How an application's state, road and dates are shown."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from applications import progress, shop_rules, step_names
from applications.formats import phone_as_written
from applications.models import Application, Category, Transition

register = template.Library()


@register.simple_tag
def state_badge(application: Application) -> SafeString:
    return format_html(
        '<span class="badge state-badge tone-{}">{}</span>',
        progress.tone(application.state),
        application.get_state_display(),
    )


@register.inclusion_tag("applications/_steps.html")
def steps(application: Application) -> dict[str, Any]:
    milestones = progress.milestones(application.state)
    here = next((number for number, stage in enumerate(milestones, 1) if stage.mark != "done"), 0)
    return {"milestones": milestones, "here": here}


@register.filter
def category_names(categories: Iterable[str]) -> str:
    return _(", ").join(str(Category(category).label) for category in categories)


@register.filter
def step_name(row: Transition) -> str:
    return str(step_names.step_name(row.name))


@register.filter
def actor_name(row: Transition) -> str:
    """Who took a step, as a merchant sees it: staff are not named."""
    if row.actor is None:
        return _("System")
    return _("Programme staff (淘宝小二)") if row.actor.is_staff else row.actor.display_name


@register.filter
def rule_title(verdict: Mapping[str, str]) -> str:
    return shop_rules.title(verdict["rule"])


@register.filter
def rule_explained(verdict: Mapping[str, str]) -> str:
    return shop_rules.explain(verdict)


@register.filter
def phone(e164: str) -> str:
    return phone_as_written(e164) if e164 else ""
