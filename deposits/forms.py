"""What a merchant types on the deposit's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from applications import formats
from applications.forms import TidiedField, UploadForm


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason (optional)"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AccountForm(forms.Form):
    """Another account to be bound."""

    use_required_attribute = False
    account_id = TidiedField(
        formats.alipay_id,
        label=_("New enterprise Alipay account (2088 id)"),
        max_length=200,
        help_text=_("16 digits that begin with 2088, of an enterprise account in your company's name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Why the account changes, for example: the old one is being closed."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    file = forms.FileField(
        label=_("Evidence"),
        widget=UploadForm.base_fields["file"].widget,
        help_text=_(
            "A picture of the new account's page at Alipay that shows company name and number, or a sealed"
            " letter: JPEG, PNG, WebP or PDF, at most 10 MB."
        ),
    )
    own_name = forms.BooleanField(
        label=_("The account is in our company's own name, as on the business licence."),
        error_messages={"required": _("Only an account in the company's own name can be bound.")},
    )
