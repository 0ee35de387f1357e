"""What merchants type. Each step of the wizard is one form; a step may be saved unfinished."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import formats
from applications.models import Application, Category, CompanyData, DocumentKind, Province, ReviewRequest
from tmall_sp.core import clock


class TidiedField(forms.CharField):
    """Text that one of `formats` reads and brings into its stored form."""

    def __init__(self, tidy: Callable[[str], str], **options: Any) -> None:
        self.tidy = tidy
        super().__init__(**options)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return self.tidy(text) if text else ""


def _label(name: str) -> Any:
    """The name of a field of CompanyData, as it begins a line."""
    return lazy(capfirst, str)(CompanyData._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _tidied(name: str, tidy: Callable[[str], str], *, help_text: Any = "", **attrs: str) -> TidiedField:
    """A field for `CompanyData.name`; room for the spaces and dashes that people copy along."""
    return TidiedField(
        tidy,
        label=_label(name),
        max_length=200,
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )


def _two(left: str, right: str) -> Row:
    return Row(Column(left, css_class="col-md-6"), Column(right, css_class="col-md-6"))


class StepForm(forms.ModelForm):
    """One step. With `whole`, everything in `needed` must be there; without, gaps may wait."""

    use_required_attribute = False
    needed: tuple[str, ...] = ()
    layout: Layout

    def __init__(self, *args: Any, whole: bool = True, **options: Any) -> None:
        self.whole = whole
        super().__init__(*args, **options)
        for name in self.needed:
            self.fields[name].required = True
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = self.layout

    def full_clean(self) -> None:
        for name in self.needed:
            self.fields[name].required = self.whole
        super().full_clean()
        for name in self.needed:  # the page still marks what an application needs
            self.fields[name].required = True


class CompanyForm(StepForm):
    needed = ("company_name", "credit_code", "legal_representative", "region")
    layout = Layout(
        "company_name",
        _two("credit_code", "legal_representative"),
        _two("licence_valid_until", "region"),
        "licence_permanent",
        "address",
    )

    company_name = _tidied(
        "company_name",
        formats.company_name,
        help_text=gettext_lazy("The whole name, as on the business licence."),
        autocomplete="organization",
    )
    credit_code = _tidied(
        "credit_code",
        formats.credit_code,
        help_text=gettext_lazy("18 characters, as on the business licence; begins with 91."),
        autocapitalize="characters",
        spellcheck="false",
    )
    legal_representative = _tidied("legal_representative", formats.person_name)
    region = forms.ChoiceField(
        label=_label("region"),
        choices=[("", gettext_lazy("Please choose")), *Province.choices],
    )

    class Meta:
        model = Application
        fields = (
            "company_name",
            "credit_code",
            "legal_representative",
            "region",
            "licence_valid_until",
            "licence_permanent",
            "address",
        )
        widgets = {"licence_valid_until": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}
        help_texts = {"licence_valid_until": gettext_lazy("The last day of the business period (营业期限).")}

    def clean_licence_valid_until(self) -> dt.date | None:
        until: dt.date | None = self.cleaned_data["licence_valid_until"]
        if until is not None and until < clock.today():
            raise forms.ValidationError(
                _("The licence expired on %(date)s. Renew it before you apply.")
                % {"date": until.isoformat()},
                code="expired",
            )
        return until

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("licence_permanent"):
            data["licence_valid_until"] = None
            self.errors.pop("licence_valid_until", None)
        elif self.whole and not data.get("licence_valid_until") and "licence_valid_until" not in self.errors:
            self.add_error(
                "licence_valid_until", _("Give the last day, or say that the licence has no expiry.")
            )
        return data


class ContactForm(StepForm):
    needed = ("contact_name", "contact_phone", "contact_email")
    layout = Layout(_two("contact_name", "contact_phone"), "contact_email")

    contact_name = _tidied("contact_name", formats.person_name, autocomplete="name")
    contact_phone = _tidied(
        "contact_phone",
        formats.phone,
        help_text=gettext_lazy("Mobile, or landline with area code, without an extension."),
        autocomplete="tel",
        inputmode="tel",
    )

    class Meta:
        model = Application
        fields = ("contact_name", "contact_phone", "contact_email")
        help_texts = {
            "contact_email": gettext_lazy("Decisions and deadlines are sent here. It is verified by a code.")
        }
        widgets = {"contact_email": forms.EmailInput(attrs={"autocomplete": "email"})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.initial.get("contact_phone"):
            self.initial["contact_phone"] = formats.phone_as_written(self.initial["contact_phone"])


class AccountForm(StepForm):
    needed = ("onboarding_link", "alipay_account_id")
    layout = Layout("onboarding_link", "alipay_account_id", "service_scope", "categories")

    onboarding_link = _tidied(
        "onboarding_link",
        formats.onboarding_link,
        help_text=gettext_lazy(
            "The address of your page on Taobao, Tmall, 1688 or Aliyun, beginning with https://."
        ),
        inputmode="url",
        spellcheck="false",
    )
    alipay_account_id = _tidied(
        "alipay_account_id",
        formats.alipay_id,
        help_text=gettext_lazy(
            "16 digits that begin with 2088, of an enterprise account in your company's name. "
            "The deposit is accepted from this account only, and goes back to it."
        ),
        inputmode="numeric",
    )
    categories = forms.MultipleChoiceField(
        label=gettext_lazy("Categories"),
        choices=Category,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("One or both; the deposit is the same."),
    )

    class Meta:
        model = Application
        fields = ("onboarding_link", "alipay_account_id", "service_scope", "categories")
        widgets = {"service_scope": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "service_scope": gettext_lazy(
                "What you do for shops, for example: customer service, warehousing."
            )
        }


class CodeForm(forms.Form):
    use_required_attribute = False
    code = forms.CharField(
        label=gettext_lazy("Code from the mail"),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        return formats.narrow(self.cleaned_data["code"])


class UploadForm(forms.Form):
    use_required_attribute = False
    kind = forms.ChoiceField(label=gettext_lazy("Kind of file"), choices=DocumentKind)
    file = forms.FileField(
        label=gettext_lazy("File"),
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf"}),
        help_text=gettext_lazy("JPEG, PNG, WebP or PDF, at most 10 MB."),
    )


class LicenceForm(forms.Form):
    """A renewed business licence: the file, and its last day or that it has none."""

    use_required_attribute = False
    file = forms.FileField(
        label=gettext_lazy("Renewed business licence"),
        widget=forms.FileInput(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf"}),
        help_text=gettext_lazy("JPEG, PNG, WebP or PDF, at most 10 MB."),
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Licence valid until"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=gettext_lazy("The last day of the business period (营业期限)."),
    )
    permanent = forms.BooleanField(label=_label("licence_permanent"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("permanent"):
            data["valid_until"] = None
            self.errors.pop("valid_until", None)
        elif not data.get("valid_until") and "valid_until" not in self.errors:
            self.add_error("valid_until", _("Give the last day, or say that the licence has no expiry."))
        return data


# The ways of the open platform's console; only the marked one leads to this programme.
APP_TYPES = {"ecommerce_backend": "电商后台"}
IDENTITIES = {"merchant": "我是天猫/集市商家"}


class NewApplicationForm(forms.Form):
    """创建应用: the choices that lead to this programme, and the categories."""

    use_required_attribute = False
    app_type = forms.ChoiceField(label=gettext_lazy("Type of application"), choices=list(APP_TYPES.items()))
    identity = forms.ChoiceField(label=gettext_lazy("Who you are"), choices=list(IDENTITIES.items()))
    categories = forms.MultipleChoiceField(
        label=gettext_lazy("Category"),
        choices=Category,
        error_messages={"required": gettext_lazy("Choose at least one category.")},
    )


class SubmitForm(forms.Form):
    """The declarations that come with handing in."""

    use_required_attribute = False
    agreement_version = forms.IntegerField(widget=forms.HiddenInput)
    accept_rules = forms.BooleanField(
        label=gettext_lazy("We have read these rules and accept them."),
        error_messages={"required": gettext_lazy("Accept the rules to hand in.")},
    )
    truthful = forms.BooleanField(
        label=gettext_lazy("Everything stated and uploaded is true and complete."),
        error_messages={"required": gettext_lazy("This has to be confirmed to hand in.")},
    )


class AcceptForm(forms.Form):
    """A newer version of the rules, accepted during a membership."""

    use_required_attribute = False
    agreement_version = forms.IntegerField(widget=forms.HiddenInput)
    accept_rules = SubmitForm.base_fields["accept_rules"]


class AnswersForm(forms.Form):
    """One answer for each change that the reviewer named."""

    use_required_attribute = False

    def __init__(self, review_request: ReviewRequest, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.items = list(review_request.items.all())
        for item in self.items:
            self.fields[f"answer_{item.pk}"] = forms.CharField(
                label=gettext_lazy("What you did"),
                max_length=500,
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": gettext_lazy("Say what you did.")},
            )

    def answers(self) -> dict[int, str]:
        return {item.pk: self.cleaned_data[f"answer_{item.pk}"] for item in self.items}


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason (optional)"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
