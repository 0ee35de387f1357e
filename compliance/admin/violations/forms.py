"""Forms of the violation desk. None has a field for the state; each carries the version that it showed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from applications.models import Application
from compliance.models import Ground, Severity, Violation, ViolationAppeal
from compliance.violations.services import REPORTABLE
from deposits.models import ZERO
from tmall_sp.core.step_pages import StepForm

LONG = 4000


def _text(label: str | Any, help_text: str | Any = "", rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONG,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}),
    )


def _severity() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Severity"), choices=Severity, widget=UnfoldAdminSelectWidget)


class ReportForm(forms.Form):
    number = forms.CharField(
        label=_("Number of the provider"),
        help_text=_("It begins with SP and stands on the roster."),
        max_length=12,
        widget=UnfoldAdminTextInputWidget,
    )
    severity = _severity()
    title = forms.CharField(
        label=_("Title"),
        help_text=_("The company reads it once the violation is verified."),
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
    )
    facts = _text(_("Facts"), _("Who, what, when, and where the evidence is. Read by staff only."), rows=6)

    def clean_number(self) -> Application:
        """The provider behind the number."""
        number = self.cleaned_data["number"].strip().upper()
        application = Application.objects.filter(number=number).first()
        if application is None or application.state not in REPORTABLE:
            raise forms.ValidationError(_("No provider has this number."))
        return application


class ProposeForm(StepForm):
    """What is possible beside a severity, and how much, the service says."""

    severity = _severity()
    ground = forms.ChoiceField(
        label=_("What was broken"),
        choices=Ground.choices,
        help_text=_("An amount for a broken agreement is taken as damages, any other as a penalty."),
        widget=UnfoldAdminSelectWidget,
    )
    finding = _text(_("Finding"), _("What was found, and on what evidence. Read by staff only."), rows=6)
    penalty = forms.DecimalField(
        label=_("Penalty or damages"),
        help_text=_("In CNY, beside the points of a general violation. Optional."),
        required=False,
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    suspension_days = forms.IntegerField(
        label=_("Days of suspension, to put right what was wrong"),
        help_text=_("Beside the points of a general violation. Optional."),
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def suggested(self, obj: Violation) -> dict[str, Any]:
        return {
            "severity": obj.severity,
            "ground": obj.ground,
            "finding": obj.finding,
            "penalty": obj.proposed_penalty or None,
            "suspension_days": obj.proposed_suspension_days or None,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        return data | {
            "penalty": data.get("penalty") or ZERO,
            "suspension_days": data.get("suspension_days") or 0,
        }


class ReasonForm(StepForm):
    """Of a decision that the company reads."""

    reason = _text(_("Reason"), _("The company reads it."))


class InternalReasonForm(StepForm):
    reason = _text(_("Reason"), _("Read by staff only."))


class AppealForm(ReasonForm):
    """Of the second person, who begins from what the first one wrote."""

    def suggested(self, obj: Violation) -> dict[str, Any]:
        appeal: ViolationAppeal | None = getattr(obj, "appeal_case", None)
        return {"reason": appeal.proposal if appeal else ""}
