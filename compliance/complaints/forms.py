"""What the two sides of a complaint type. A form keeps what was typed; a browser doesn't keep files."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.formats import narrow
from applications.uploads import CheckedFile
from compliance.complaints import files
from compliance.complaints.services import Claim
from compliance.models import Channel, QuestionCode
from deposits.gateways.alipay import IdentityType
from deposits.outgoing.payees import USER_ID, Payee
from tmall_sp.core.errors import DomainError

LONGEST_TEXT = 4000
HIGHEST = Decimal("9999999.99")


class AmountField(forms.DecimalField):
    """CNY, as people write it: ¥1,234.5, １２３元."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", Decimal("0.01"))
        options.setdefault("max_value", HIGHEST)
        super().__init__(
            decimal_places=2,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 20}),
            error_messages={
                "invalid": gettext_lazy("Give an amount in yuan, for example 1280.50."),
                "min_value": gettext_lazy("Give an amount above zero."),
                "max_value": gettext_lazy("This amount is too high."),
                "max_decimal_places": gettext_lazy("An amount has at most two decimal places."),
            },
            **options,
        )

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]
        if isinstance(value, str):
            value = narrow(value).strip("¥元").replace(",", "").replace(" ", "")
        return super().to_python(value)

    def clean(self, value: Any) -> Decimal | None:
        amount = super().clean(value)
        return None if amount is None else amount.quantize(Decimal("0.01"))


class _ManyFiles(forms.FileInput):
    allow_multiple_selected = True


class EvidenceField(forms.Field):
    """Several files, each judged by its content: a list of CheckedFile. Each bad one is named."""

    widget = _ManyFiles(attrs={"accept": ".jpg,.jpeg,.png,.webp,.pdf"})

    def __init__(self, **options: Any) -> None:
        options.setdefault("label", gettext_lazy("Pictures or PDFs"))
        options.setdefault(
            "help_text", gettext_lazy("Several at once; JPEG, PNG, WebP or PDF, at most 10 MB each.")
        )
        super().__init__(required=False, **options)

    def clean(self, value: list[UploadedFile] | None) -> list[CheckedFile]:
        uploads = value or []
        if len(uploads) > files.MAX_FILES_PER_SIDE:
            raise forms.ValidationError(
                _("At most %(count)s files for each side.") % {"count": files.MAX_FILES_PER_SIDE}
            )
        found, errors = [], []
        for upload in uploads:
            try:
                found += files.checked([upload])
            except DomainError as error:
                errors.append(f"{upload.name}: {error.message}")
        if errors:
            raise forms.ValidationError(errors)
        return found


class CaseForm(forms.Form):
    """A form of which several may stand on one page: ids begin with its name."""

    use_required_attribute = False
    name = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"auto_id": f"{self.name}_%s", "label_suffix": ""})

    def refuse(self, error: DomainError) -> None:
        """Put a service's refusal beside its field."""
        self.add_error(error.field if error.field in self.fields else None, str(error.message))


def _text(label: Any, help_text: Any = "", rows: int = 5, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
        **options,
    )


class StatementForm(CaseForm):
    """What a side says, and its files."""

    text = _text(gettext_lazy("What you have to say"))
    files = EvidenceField()  # type: ignore[assignment]


class ContestForm(StatementForm):
    name = "contest"
    text = _text(
        gettext_lazy("Why you contest it"),
        gettext_lazy(
            "What was agreed, what you did, and what your evidence shows. Both sides and staff read it."
        ),
    )


class EvidenceForm(StatementForm):
    name = "add_evidence"
    text = _text(gettext_lazy("What your evidence shows"), gettext_lazy("Both sides and staff read it."))


class AppealForm(StatementForm):
    name = "appeal"
    text = _text(
        gettext_lazy("Why the decision should be another"),
        gettext_lazy("What was overlooked or is new. Another person decides the case anew, for good."),
    )


class AdmitForm(StatementForm):
    """`claimed`: what is claimed (CNY), the most that can be admitted."""

    name = "admit"
    field_order = ["amount", "text", "files"]
    amount = AmountField(label=gettext_lazy("Amount that you admit (yuan)"))
    text = _text(
        gettext_lazy("What you say to it"),
        gettext_lazy("What happened, and why this amount is right. The complainant and staff read it."),
    )

    def __init__(self, claimed: Decimal, *args: Any, **options: Any) -> None:
        self.claimed = claimed
        super().__init__(*args, initial={"amount": claimed}, **options)

    def clean_amount(self) -> Decimal:
        amount: Decimal = self.cleaned_data["amount"]
        if amount > self.claimed:
            raise forms.ValidationError(_("Admit an amount above zero, and at most what is claimed."))
        return amount

    def amount_in_view(self) -> Decimal | None:
        """Whose cost stands beside it; None for one that can't be admitted."""
        return self.cleaned_data.get("amount") if self.is_bound else self.claimed


class WithdrawForm(CaseForm):
    name = "withdraw"
    reason = forms.CharField(
        label=gettext_lazy("Reason (optional)"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    certain = forms.BooleanField(
        label=gettext_lazy("I take the complaint back. I know that this ends the case."),
        error_messages={"required": gettext_lazy("Confirm that you take it back.")},
    )


class FinishForm(CaseForm):
    """Nothing to type: only the button."""

    name = "finish_evidence"


class PayeeFields(forms.Form):
    """Where compensation goes: an account number, or a login name together with the real name."""

    payee_identity = forms.CharField(
        label=gettext_lazy("Alipay account"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "The account number (16 digits that begin with 2088), or the login name: an e-mail address or a"
            " mobile number."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    payee_name = forms.CharField(
        label=gettext_lazy("Real name of its holder"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Needed with a login name. Alipay refuses an account that is somebody else's."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_payee_identity(self) -> str:
        return narrow(self.cleaned_data["payee_identity"]).replace(" ", "")

    def clean_payee_name(self) -> str:
        return str(self.cleaned_data["payee_name"]).strip()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["payee"] = None
        identity, name = data.get("payee_identity", ""), data.get("payee_name", "")
        if not identity:
            if name and "payee_identity" not in self.errors:
                self.add_error("payee_identity", _("Give the account that belongs to this name."))
            return data
        # What looks like a user's number is one; everything else is a login name.
        is_number = bool(USER_ID.fullmatch(identity)) or (identity.startswith("2088") and len(identity) > 11)
        payee = Payee(identity, IdentityType.USER_ID if is_number else IdentityType.LOGON_ID, name)
        try:
            payee.check()
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error.message))
        else:
            data["payee"] = payee
        return data


class PayeeForm(PayeeFields, CaseForm):
    name = "name_payee"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["payee_identity"].required = True


class ClaimForm(PayeeFields, CaseForm):
    name = "claim"
    field_order = ["channel", "order_number", "order_value", "question", "text", "files", "claimed"]
    channel = forms.ChoiceField(
        label=gettext_lazy("Kind of order"),
        choices=Channel,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose where the order was placed.")},
    )
    order_number = forms.CharField(
        label=gettext_lazy("Order number"),
        max_length=40,
        help_text=gettext_lazy("As on the order, or, for an offline order, on the contract or receipt."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    order_value = AmountField(label=gettext_lazy("Value of the order (yuan)"))
    question = forms.ModelChoiceField(
        label=gettext_lazy("What it is about"),
        queryset=QuestionCode.objects.none(),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what it is about."),
            "invalid_choice": gettext_lazy("Choose another question."),
        },
    )
    text = _text(
        gettext_lazy("What happened"),
        gettext_lazy("What was agreed, what happened and when. The provider and staff read it."),
        rows=7,
    )
    files = EvidenceField(label=gettext_lazy("Evidence: pictures or PDFs"))  # type: ignore[assignment]
    claimed = AmountField(
        label=gettext_lazy("Amount that you claim (yuan)"),
        help_text=gettext_lazy("At most the value of the order."),
    )
    truthful = forms.BooleanField(
        label=gettext_lazy("Everything that I have stated is true, as far as I know."),
        error_messages={"required": gettext_lazy("This has to be confirmed to file the complaint.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["question"].queryset = QuestionCode.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["question"].empty_label = None  # type: ignore[attr-defined]

    def clean_order_number(self) -> str:
        number = narrow(self.cleaned_data["order_number"])
        if not number:
            raise forms.ValidationError(_("Give the order's number."))
        return number

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        claimed, value = data.get("claimed"), data.get("order_value")
        if claimed and value and claimed > value:
            self.add_error("claimed", _("A claim can't be higher than the value of its order."))
        return data

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
