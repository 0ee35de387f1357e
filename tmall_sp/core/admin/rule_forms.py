"""Forms of rules: one that proposes, made from the rule's shape; and those of the decision."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError
from tmall_sp.core.rulebook import changes
from tmall_sp.core.rulebook.catalogue import Rule
from tmall_sp.core.step_pages import StepForm


def _reason(help_text: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=help_text,
        required=required,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class ProposeForm(forms.Form):
    """The fields of the rule's shape, the day, and the reason."""

    def __init__(self, rule: Rule, data: Mapping[str, Any] | None = None) -> None:
        # What the next version would replace: a value that is coming, if there is one.
        newest = rules.periods(rule.code)[-1].version
        super().__init__(data, initial=rule.shape.initial(newest.value))
        self.rule = rule
        self.fields |= rule.shape.fields()
        self.fields["valid_from"] = _day_field(rule)
        self.fields["reason"] = _reason(gettext_lazy("The second person decides by it."), required=True)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                cleaned["stored"] = self.rule.shape.stored(cleaned)
                self.rule.shape.check(cleaned["stored"])
            except DomainError as error:
                self.refuse(error)
        return cleaned

    def clean_valid_from(self) -> Any:
        """The beginning of the day, or None: with the acceptance."""
        day = self.cleaned_data["valid_from"]
        if day is None:
            return None
        if day < (earliest := changes.earliest_day(self.rule.code)):
            raise forms.ValidationError(
                _("%(day)s at the earliest.") % {"day": earliest.isoformat()}, code="past"
            )
        return clock.day_start(day)

    def refuse(self, error: DomainError) -> None:
        """Say what the service said beside its field."""
        self.add_error(error.field if error.field in self.fields else None, str(error.message))


def _day_field(rule: Rule) -> forms.DateField:
    help_text = (
        gettext_lazy("It counts from 00:00 of that day. Members have to be told before: a day after today.")
        if rule.needs_notice
        else gettext_lazy("It counts from 00:00 of that day. Left empty: from the moment it is accepted.")
    )
    return forms.DateField(
        label=gettext_lazy("From which day"),
        help_text=help_text,
        required=rule.needs_notice,
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "date", "min": changes.earliest_day(rule.code).isoformat()}
        ),
    )


class MarkedForm(StepForm):
    """`seen` is the proposal's state with what counted while the page was open."""

    seen = forms.CharField(widget=forms.HiddenInput)

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        return changes.mark(obj)


class AcceptForm(MarkedForm):
    reason = _reason(gettext_lazy("What you looked at. Read by staff only."), required=False)


class RefuseForm(MarkedForm):
    reason = _reason(gettext_lazy("The person who proposed it reads it."), required=True)
