"""Forms of the complaint desk. None has a field for the state; each step's carries the version that it showed."""

from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from applications.lifecycle import MEMBER
from applications.models import Application
from compliance.complaints import findings
from compliance.complaints.forms import LONGEST_TEXT, AmountField, EvidenceField, PayeeFields
from compliance.complaints.services import Claim
from compliance.models import Channel, Complaint, Liability, QuestionCode
from deposits.admin.forms import PayeeMixin
from deposits.models import ZERO
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import StepForm


def _text(label: Any, help_text: Any = "", *, required: bool = True, rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=LONGEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}),
    )


def _short(
    label: Any, help_text: Any = "", *, required: bool = True, max_length: int = 100
) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=max_length,
        widget=UnfoldAdminTextInputWidget,
    )


def _amount(label: Any, help_text: Any = "", **options: Any) -> AmountField:
    """CNY, as people write it."""
    field = AmountField(label=label, help_text=help_text, **options)
    field.widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return field


def _choice(label: Any, choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget)


# Steps ---------------------------------------------------------------------------------------------


class DecisionForm(StepForm):
    """Who is liable, and for how much. `figures` is the mark of what the preview showed (decisions.py)."""

    figures = forms.CharField(required=False, widget=forms.HiddenInput)
    liability = _choice(pgettext_lazy("complaint", "Finding"), [("", "—"), *Liability.choices])
    award = _amount(
        gettext_lazy("Award"),
        gettext_lazy("In CNY, at most what is claimed. Empty where the provider is not liable."),
        required=False,
        min_value=ZERO,
    )
    reason = _text(gettext_lazy("Reason"), gettext_lazy("Both sides read it."), rows=6)
    internal_note = _text(
        gettext_lazy("Internal note"), gettext_lazy("Read by staff only. Optional."), required=False, rows=3
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if "award" in data:
            data["award"] = data["award"] or ZERO
        if {"liability", "award", "reason"} <= set(data):
            try:
                findings.refuse_finding(self.obj, Liability(data["liability"]), data["award"], data["reason"])
            except DomainError as error:
                self.add_error(error.field, str(error.message))
        return data

    @classmethod
    def typed(cls, obj: Complaint, data: QueryDict) -> Self:
        """With every word that was sent, to be gone over once more: nothing is wrong with it yet."""
        form = cls(obj)
        form.initial = {name: data.get(name, "") for name in form.fields if name != "figures"}
        return form

    def hidden(self) -> list[str]:
        """Everything typed, for a page that shows it as text; the figures are the page's own."""
        return [field.as_hidden() for field in self if field.name != "figures"]


class AppealDecisionForm(DecisionForm):
    def suggested(self, obj: Complaint) -> dict[str, Any]:
        """The decision that is appealed."""
        return {"liability": obj.liability, "award": obj.award or None}


class WithdrawForm(StepForm):
    reason = _text(
        gettext_lazy("Reason"), gettext_lazy("Who asked for it, when and how. The provider reads it.")
    )


class PayeeForm(PayeeMixin, StepForm):
    """Where the compensation goes, as the complainant told operations."""


class SpeakForm(StepForm):
    """What operations say for a complainant without an account."""

    text = _text(
        gettext_lazy("What the complainant says"), gettext_lazy("Both sides and staff read it."), rows=6
    )


# A complaint for somebody without an account -------------------------------------------------------


class EnterForm(PayeeFields, forms.Form):
    """Fields are named as in the refusals of services.enter."""

    provider = _short(
        gettext_lazy("Number of the provider"),
        gettext_lazy("It begins with SP and stands on the roster."),
        max_length=12,
    )
    complainant_name = _short(gettext_lazy("Name of the complainant"))
    complainant_contact = _short(
        gettext_lazy("Contact of the complainant"),
        gettext_lazy("Telephone or mail: operations tell the complainant what becomes of it."),
    )
    channel = _choice(gettext_lazy("Kind of order"), Channel.choices)
    order_number = _short(
        gettext_lazy("Number of the order"),
        gettext_lazy("Each order can be claimed for once."),
        max_length=40,
    )
    order_value = _amount(gettext_lazy("Value of the order"), gettext_lazy("In CNY."))
    claimed = _amount(gettext_lazy("Claimed"), gettext_lazy("In CNY, at most the value of the order."))
    question = forms.ModelChoiceField(
        label=gettext_lazy("Question"),
        queryset=QuestionCode.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
    )
    text = _text(gettext_lazy("What happened"), gettext_lazy("The provider and staff read it."), rows=8)
    files = EvidenceField(  # type: ignore[assignment]
        label=gettext_lazy("Evidence: pictures or PDFs"),
        help_text=gettext_lazy(
            "Several at once; at most 10 MB each. If this page is shown again, choose them again."
        ),
    )
    payee_identity = _short(
        gettext_lazy("Payee's account at Alipay"),
        gettext_lazy("It can be named later. The account number (16 digits, 2088 first), or the login."),
        required=False,
    )
    payee_name = _short(
        gettext_lazy("Payee's name"),
        gettext_lazy("As it stands at Alipay, which refuses the transfer if the account is somebody else's."),
        required=False,
    )
    field_order = [
        "provider",
        "complainant_name",
        "complainant_contact",
        "channel",
        "order_number",
        "order_value",
        "claimed",
        "question",
        "text",
        "files",
        "payee_identity",
        "payee_name",
    ]

    def clean_provider(self) -> Application:
        """The member behind the number."""
        number = self.cleaned_data["provider"].strip().upper()
        application = Application.objects.filter(number=number, state__in=MEMBER).first()
        if application is None:
            raise forms.ValidationError(_("No provider has this number."))
        return application

    def claim(self) -> Claim:
        data = self.cleaned_data
        return Claim(
            channel=Channel(data["channel"]),
            order_number=data["order_number"],
            order_value=data["order_value"],
            question=data["question"],
            text=data["text"],
            claimed=data["claimed"],
            payee=data["payee"],
        )
