"""What the directory and the roster can be narrowed by; every choice stands in the URL."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.lifecycle import ENDED, MEMBER, State
from applications.models import Application, Category, Province
from compliance.ratings.words import level_name
from tmall_sp.accounts.roles import Role, staff_with

UNRATED = "unrated"
STARS = [
    *((str(stars), f"{stars}★") for stars in (6, 5, 4, 3)),
    ("0", level_name(0)),
    (UNRATED, level_name(None)),
]

MEMBERS, APPLICANTS, FORMER = "members", "applicants", "former"
GROUPS: dict[str, tuple[State, ...]] = {
    MEMBERS: MEMBER,
    APPLICANTS: tuple(state for state in State if state not in (*MEMBER, *ENDED, State.EXPELLED)),
    FORMER: (*ENDED, State.EXPELLED),
}
STATES = [
    (_("Groups"), [(MEMBERS, _("members")), (APPLICANTS, _("applicants")), (FORMER, _("former"))]),
    (_("States"), list(State.choices)),
]

NOBODY = "nobody"

FULL, SHORT, NO_DEPOSIT = "full", "short", "none"
HEALTH = [(FULL, pgettext_lazy("deposit", "complete")), (SHORT, _("too low")), (NO_DEPOSIT, _("none"))]


class CompanyFilter(filters.FilterSet):
    """What both lists share."""

    region = filters.ChoiceFilter(label=_("region"), choices=Province, empty_label=_("all regions"))
    category = filters.ChoiceFilter(
        label=_("category"), choices=Category, empty_label=_("all categories"), method="has_category"
    )

    class Meta:
        model = Application
        fields: list[str] = []

    def has_category(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        return queryset.filter(categories__contains=[value])


class DirectoryFilter(CompanyFilter):
    q = filters.CharFilter(
        label=_("company name"),
        field_name="company_name",
        lookup_expr="icontains",
        widget=forms.SearchInput(),
    )
    stars = filters.ChoiceFilter(
        label=_("stars"), choices=STARS, empty_label=_("any rating"), method="has_stars"
    )

    class Meta(CompanyFilter.Meta):
        fields = ["q", "region", "category", "stars"]

    def has_stars(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        if value == UNRATED:
            return queryset.filter(profile__stars__isnull=True)
        return queryset.filter(profile__stars=int(value))


def _reviewers() -> list[tuple[str, Any]]:
    """Called when a form is made, so that new staff appear."""
    people = staff_with(Role.REVIEWER).order_by("username")
    return [(NOBODY, _("not claimed")), *((str(person.pk), person.display_name) for person in people)]


class RosterFilter(CompanyFilter):
    q = filters.CharFilter(
        label=_("name, number, nick or credit code"), method="named", widget=forms.SearchInput()
    )
    state = filters.ChoiceFilter(
        label=_("state"), choices=STATES, empty_label=_("all states"), method="in_state"
    )
    reviewer = filters.ChoiceFilter(
        label=_("reviewer"), choices=_reviewers, empty_label=_("all reviewers"), method="reviewed_by"
    )
    deposit = filters.ChoiceFilter(
        label=_("deposit"), choices=HEALTH, empty_label=_("any deposit"), method="with_deposit"
    )

    class Meta(CompanyFilter.Meta):
        fields = ["q", "state", "region", "category", "reviewer", "deposit"]

    def named(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        return queryset.filter(
            Q(company_name__icontains=value)
            | Q(taobao_nick__icontains=value)
            | Q(number=value.upper())
            | Q(credit_code=value.upper())
        )

    def in_state(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        return queryset.filter(state__in=GROUPS.get(value, (value,)))

    def reviewed_by(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        if value == NOBODY:
            return queryset.filter(reviewer__isnull=True)
        return queryset.filter(reviewer=int(value))

    def with_deposit(self, queryset: QuerySet[Application], name: str, value: str) -> QuerySet[Application]:
        """Complete or too low is said of members; before, nothing is due, and afterwards nothing is kept."""
        if value == NO_DEPOSIT:
            return queryset.filter(deposit__isnull=True)
        held = F("deposit__available") + F("deposit__frozen")
        complete = Q(deposit__required__lte=held)
        return queryset.filter(complete if value == FULL else Q(deposit__required__gt=held), state__in=MEMBER)
