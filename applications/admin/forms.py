"""Forms of a reviewer's steps. None has a field for the state; each carries the version that it showed."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from applications import dossier
from applications.models import Application
from applications.services import Change
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core.step_pages import StepForm

ROWS = 3
MAX_ROWS = 20
LOOKED = "looked_"


def _note() -> forms.CharField:
    return forms.CharField(
        label=_("Internal note"),
        help_text=_("Read by staff only."),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class ReassignForm(StepForm):
    reviewer = forms.ModelChoiceField(
        queryset=staff_with(Role.REVIEWER).order_by("username"),
        label=_("Reviewer"),
        widget=UnfoldAdminSelectWidget,
    )


class ApproveForm(StepForm):
    """One box for each thing that no machine has checked: it must be ticked, and the note keeps it."""

    boxes_title = _("I have looked at what was not checked automatically:")
    internal_note = _note()

    def __init__(self, application: Application, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(application, data)
        self.to_look_at = dossier.to_look_at(application)
        for code, words in self.to_look_at:
            self.fields[LOOKED + code] = forms.BooleanField(
                label=words,
                error_messages={"required": _("Tick that you have looked at this.")},
                widget=UnfoldBooleanWidget,
            )

    def boxes(self) -> list[forms.BoundField]:
        return [self[LOOKED + code] for code, _words in self.to_look_at]

    def note(self) -> str:
        """What was written, and what was looked at."""
        looked = [f"✓ {words}" for _code, words in self.to_look_at]
        return "\n".join(filter(None, [self.cleaned_data["internal_note"], *looked]))


class RejectForm(StepForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The merchant reads it: say what was not met."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    internal_note = _note()


class ChangeForm(forms.Form):
    """One named change; a row left empty is none."""

    subject = forms.ChoiceField(
        label=_("Concerns"), choices=dossier.subjects, required=False, widget=UnfoldAdminSelectWidget
    )
    text = forms.CharField(
        label=_("What to change"), max_length=500, required=False, widget=UnfoldAdminTextInputWidget
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("subject") and not cleaned.get("text"):
            self.add_error("text", _("Say what to change."))
        return cleaned


ChangeFormSet = forms.formset_factory(ChangeForm, extra=ROWS, max_num=MAX_ROWS, absolute_max=MAX_ROWS)


class RequestChangesForm(StepForm):
    """Several named changes; `add_row` in the data asks for one more row instead of sending."""

    message = forms.CharField(
        label=_("Message to the merchant"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    internal_note = _note()

    def __init__(self, application: Application, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(application, data)
        self.rows = ChangeFormSet(data, prefix="changes")

    @classmethod
    def with_more(cls, data: QueryDict) -> QueryDict | None:
        if "add_row" not in data:
            return None
        longer = data.copy()
        total = longer.get("changes-TOTAL_FORMS", "")
        if total.isdecimal():
            longer["changes-TOTAL_FORMS"] = str(min(int(total) + 1, MAX_ROWS))
        return longer

    def is_valid(self) -> bool:
        valid, rows_valid = super().is_valid(), self.rows.is_valid()
        if rows_valid and not self.changes():
            self.add_error(None, _("Name at least one change."))
            return False
        return valid and rows_valid

    def changes(self) -> list[Change]:
        return [
            Change(row.cleaned_data["subject"], row.cleaned_data["text"])
            for row in self.rows
            if row.cleaned_data.get("text")
        ]
