"""What a provider types about its rating."""

from django import forms
from django.utils.translation import gettext_lazy as _


class DisputeForm(forms.Form):
    text = forms.CharField(
        label=_("What is wrong"),
        help_text=_(
            "Name the value that you think is right, and what shows it: a declaration, a case, a contract."
        ),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
