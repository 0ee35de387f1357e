"""What a merchant, and then the provider, type about a review."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from compliance.models import DIMENSIONS, Review

MARKS = [(5, _("5 · very good")), (4, "4"), (3, "3"), (2, "2"), (1, _("1 · very bad"))]


class ReviewForm(forms.Form):
    use_required_attribute = False
    text = forms.CharField(
        label=_("What you want to say (optional)"),
        required=False,
        max_length=500,
        help_text=_("Everybody can read it. Name no person, telephone number or order."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        marks = {name: _mark(name) for name in DIMENSIONS}
        self.fields = {**marks, **self.fields}

    def marks(self) -> dict[str, int]:
        return {name: self.cleaned_data[name] for name in DIMENSIONS}


def _mark(name: str) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=capfirst(Review._meta.get_field(name).verbose_name),  # type: ignore[union-attr]
        choices=[("", _("Choose a mark")), *MARKS],
        coerce=int,
    )


class ReplyForm(forms.Form):
    use_required_attribute = False
    reply = forms.CharField(
        label=_("Your reply"),
        max_length=500,
        help_text=_("Everybody can read it. It can't be changed afterwards."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReportForm(forms.Form):
    use_required_attribute = False
    reason = forms.CharField(
        label=_("What is wrong with the review"),
        max_length=300,
        help_text=_("Operations read it. The review stays until they decide."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
