"""What people fill in to leave."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ExitForm(forms.Form):
    """The confirmation of an exit; `seen` is the version of the page that was read."""

    reason = forms.CharField(
        label=_("Reason (optional)"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    understood = forms.BooleanField(
        label=_("I have read what leaving means for my company."),
        error_messages={"required": _("Confirm that you have read what leaving means.")},
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)
