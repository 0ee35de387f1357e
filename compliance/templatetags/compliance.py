"""What the directory and the roster are built from."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import MEMBER, State
from applications.models import Application, Category
from applications.step_names import step_name as _step_name

register = template.Library()

COLOURS: dict[str, str] = {
    State.UNDER_REVIEW: "primary",
    State.CHANGES_REQUESTED: "warning",
    State.SHOP_UNQUALIFIED: "warning",
    State.SUSPENDED: "warning",
    State.EXITING: "warning",
    State.APPROVED: "info",
    State.DEPOSIT_PAID: "info",
    State.ACTIVE: "success",
    State.REJECTED: "danger",
    State.EXPELLED: "danger",
}

VIOLATION_STEPS: dict[str, str | Promise] = {
    "report": _("Reported"),
    "take_up": _("Taken up"),
    "propose": _("Finding proposed"),
    "verify": _("Verified"),
    "dismiss": _("Dismissed"),
    "confirm_rectified": _("Put right, suspension lifted"),
    "not_rectified": _("Not put right in time"),
    "appeal": _("Appealed by the company"),
    "propose_appeal": _("Decision on the appeal proposed"),
    "return_appeal": _("Proposal given back"),
    "uphold_appeal": _("Appeal upheld"),
    "reject_appeal": _("Appeal rejected"),
    "no_longer_severe": _("Doesn't count as severe any more"),
}


@register.filter
def category_names(values: Iterable[str]) -> list[str | Promise]:
    return [Category(value).label for value in values]


@register.filter
def state_colour(state: str) -> str:
    """Bootstrap's colour of an application's state."""
    return COLOURS.get(state, "secondary")


@register.filter
def is_member(application: Application) -> bool:
    return application.state in MEMBER


@register.filter
def step_name(name: str) -> str | Promise:
    """What a step of the timeline is called."""
    return _step_name(name)


@register.filter
def violation_step_name(name: str) -> str | Promise:
    """What a step of a violation is called."""
    return VIOLATION_STEPS.get(name, name)


@register.simple_tag(takes_context=True)
def sort_head(context: dict[str, Any], text: str, up: str, sort: str) -> SafeString:
    """The head of a column that can be sorted: a link that turns the order round, from the first page on."""
    down = f"-{up}"
    query = context["request"].GET.copy()
    query.pop("cursor", None)
    query["sort"] = up if sort == down else down
    if sort not in (up, down):
        return format_html('<th scope="col"><a href="?{}">{}</a></th>', query.urlencode(), text)
    rising = sort == up
    return format_html(
        '<th scope="col" aria-sort="{}"><a href="?{}">{}</a> {}</th>',
        "ascending" if rising else "descending",
        query.urlencode(),
        text,
        "↑" if rising else "↓",
    )
