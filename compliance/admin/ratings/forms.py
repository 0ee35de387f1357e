"""Forms of the desk for ratings."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from compliance.models import RatingRun, RunState, ScoreDispute
from compliance.quarters import Quarter
from compliance.ratings import rule, runs
from compliance.ratings.figures import standing
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import SeenStateForm

QUARTERS_OFFERED = 8


def _quarter(label: Any, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, help_text=help_text, widget=UnfoldAdminSelectWidget)


def _reason(help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=help_text,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


def ended() -> list[Quarter]:
    """The last quarters that have ended, the latest first."""
    found = [Quarter.current().previous]
    while len(found) < QUARTERS_OFFERED:
        found.append(found[-1].previous)
    return found


class BeginForm(forms.Form):
    """A quarter that has closed and has no rating."""

    period = _quarter(gettext_lazy("Quarter"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = set(
            RatingRun.objects.filter(is_preview=False)
            .exclude(state=RunState.CANCELLED)
            .values_list("period", flat=True)
        )
        self.fields["period"].choices = [  # type: ignore[attr-defined]
            (str(quarter), str(quarter))
            for quarter in ended()
            if str(quarter) not in taken and clock.now() >= runs.closes_at(quarter)
        ]


class PreviewForm(forms.Form):
    """A rule that somebody wants to see at work. Any shape but a rule's is refused, and the place named."""

    period = _quarter(gettext_lazy("Quarter"), gettext_lazy("Its providers are scored by the rule below."))
    value = forms.CharField(
        label=gettext_lazy("Rule"),
        help_text=gettext_lazy(
            'JSON, begun from the rule in force. A number with a fraction is a text, such as "1.5".'
        ),
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 28, "spellcheck": "false", "class": "rating-rule"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].choices = [(str(quarter), str(quarter)) for quarter in ended()]  # type: ignore[attr-defined]
        self.fields["value"].initial = readable(rules.value(rule.NAME))

    def clean_value(self) -> Any:
        try:
            value = json.loads(self.cleaned_data["value"])
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                _("Line %(line)s, column %(column)s: this is no JSON.")
                % {"line": error.lineno, "column": error.colno}
            ) from error
        try:
            rule.check(value)
        except DomainError as error:
            raise forms.ValidationError(str(error.message)) from error
        return value


def readable(value: Any) -> str:
    """A rule as a person edits it: an input or a level a line."""
    lines = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return _one_line_each(lines)


def _one_line_each(text: str) -> str:
    """Whatever lies three levels deep stands on one line."""
    shown: list[str] = []
    for line in text.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        closes = line.lstrip()[:1] in "]}"
        if depth > 2 or (depth == 2 and closes and shown and not _is_whole(shown[-1])):
            gap = "" if closes or shown[-1][-1:] in "[{" else " "
            shown[-1] += gap + line.strip()
        else:
            shown.append(line)
    return "\n".join(shown)


def _is_whole(line: str) -> bool:
    return line.count("{") + line.count("[") == line.count("}") + line.count("]")


class UpholdForm(SeenStateForm):
    corrected = forms.DecimalField(
        label=gettext_lazy("Right value"),
        help_text=gettext_lazy("The value that should have counted, in the unit of the input."),
        max_digits=14,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    reason = _reason(gettext_lazy("The provider reads it."))

    def suggested(self, obj: ScoreDispute) -> dict[str, Any]:
        return {"corrected": standing(obj.score).inputs[obj.input]["value"]}


class RejectForm(SeenStateForm):
    reason = _reason(gettext_lazy("The provider reads it."))
