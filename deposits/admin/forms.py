"""Forms by which a decision about money is proposed. Each carries the mark of what its page showed."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from deposits.admin.seen import MarkedForm
from deposits.books.corrections import BY_HAND
from deposits.gateways.alipay import IdentityType
from deposits.outgoing.payees import USER_ID, Payee
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import StepForm


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


def _company_reason() -> forms.CharField:
    return _short(
        gettext_lazy("Reason for the company"),
        gettext_lazy("The company reads it. Optional."),
        required=False,
        max_length=200,
    )


def amount_field() -> forms.DecimalField:
    """CNY, two places, above zero."""
    return forms.DecimalField(
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("In CNY, with two places at most."),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The second person decides by it. Read by staff only."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class ProposeForm(MarkedForm):
    """`details` is what the proposal keeps besides its reason: texts only (proposals.py)."""

    reason = reason_field()
    field_order: list[str] = []

    def details(self) -> dict[str, str]:
        return {}


class HoldForm(ProposeForm):
    company_reason = _company_reason()

    def details(self) -> dict[str, str]:
        return {"company_reason": self.cleaned_data["company_reason"]}


class PayeeMixin(forms.Form):
    """An account at Alipay and its owner's name."""

    payee_identity = _short(
        gettext_lazy("Payee's account at Alipay"),
        gettext_lazy(
            "The account number (16 digits, 2088 first), or the login: an e-mail address or mobile number."
        ),
    )
    payee_name = _short(
        gettext_lazy("Payee's name"),
        gettext_lazy("As it stands at Alipay, which refuses the transfer if the account is somebody else's."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("payee_identity") and "payee_name" in cleaned:
            try:
                self.payee().check()
            except DomainError as error:
                self.add_error(error.field, str(error.message))
        return cleaned

    def payee(self) -> Payee:
        identity = self.cleaned_data["payee_identity"].strip()
        kind = IdentityType.USER_ID if USER_ID.fullmatch(identity) else IdentityType.LOGON_ID
        return Payee(identity, kind, self.cleaned_data["payee_name"].strip())


class RedirectForm(PayeeMixin, ProposeForm):
    field_order = ["payee_identity", "payee_name", "reason"]

    def details(self) -> dict[str, str]:
        return self.payee().as_details()


class RefundByHandForm(PayeeMixin, ProposeForm):
    amount = amount_field()
    payee_identity = _short(
        gettext_lazy("Payee's account at Alipay"),
        gettext_lazy(
            "Left empty, it goes back the way it was paid. Otherwise the account number, or the login."
        ),
        required=False,
    )
    payee_name = _short(
        gettext_lazy("Payee's name"),
        gettext_lazy("As it stands at Alipay, which refuses the transfer if the account is somebody else's."),
        required=False,
    )
    company_reason = _company_reason()
    field_order = ["amount", "payee_identity", "payee_name", "company_reason", "reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("payee_name") and not cleaned.get("payee_identity") and not self.errors:
            self.add_error("payee_identity", _("Name the account."))
        return cleaned

    def details(self) -> dict[str, str]:
        payee = self.payee().as_details() if self.cleaned_data["payee_identity"] else {}
        return {
            "amount": f"{self.cleaned_data['amount']:.2f}",
            "company_reason": self.cleaned_data["company_reason"],
            **payee,
        }


class SettleForm(ProposeForm):
    alipay_number = _short(
        gettext_lazy("Alipay's number"),
        gettext_lazy("Of the movement, as Alipay's bill has it: the evidence that the money has left."),
        max_length=64,
    )
    field_order = ["alipay_number", "reason"]

    def details(self) -> dict[str, str]:
        return {"alipay_number": self.cleaned_data["alipay_number"].strip()}


class BookMovementForm(forms.Form):
    """A movement at Alipay that no order and no payout of ours tells of."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What"),
        choices=[(kind.value, kind.label) for kind in BY_HAND],
        widget=UnfoldAdminSelectWidget,
    )
    amount = amount_field()
    serial = _short(
        gettext_lazy("Alipay's number"),
        gettext_lazy("Of the movement, as Alipay's bill has it. Each is booked once."),
        max_length=64,
    )
    at = forms.DateTimeField(
        label=gettext_lazy("Time"),
        help_text=gettext_lazy("When it happened, by Shanghai's clock: 2026-11-24 09:30:00."),
        widget=UnfoldAdminTextInputWidget,
    )
    reason = reason_field()

    def details(self) -> dict[str, str]:
        data = self.cleaned_data
        return {
            "kind": data["kind"],
            "amount": f"{data['amount']:.2f}",
            "serial": data["serial"].strip(),
            "at": data["at"].isoformat(),
        }


class AttemptForm(StepForm):
    """For what one person of finance does with a payout: `seen` is the number of attempts."""

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        attempts: int = obj.attempts
        return attempts


class NamePayeeForm(PayeeMixin, MarkedForm):
    pass
