"""What merchants type about violations: an appeal against their own, a report of another's."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from compliance.complaints.forms import LONGEST_TEXT, CaseForm, EvidenceField


class FilesField(EvidenceField):
    """Several files as they came: the service judges them, and refuses on this field."""

    def clean(self, value: list[UploadedFile] | None) -> list[UploadedFile]:  # type: ignore[override]
        return list(value or [])


class AppealForm(CaseForm):
    """`seen` is the version of the page that was read."""

    name = "appeal"
    text = forms.CharField(
        label=_("Why the decision is wrong"),
        help_text=_("Point by point. Other people than those who decided read it, and decide anew."),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    files = FilesField(label=_("Evidence: pictures or PDFs"))  # type: ignore[assignment]
    seen = forms.IntegerField(widget=forms.HiddenInput)


class ReportProviderForm(CaseForm):
    name = "report"
    title = forms.CharField(
        label=pgettext_lazy("report", "What it is about"),
        help_text=_(
            "In one line, for example: leaked buyers' data. If it turns out true, the provider reads this line,"
            " and nothing else of your report."
        ),
        max_length=120,
    )
    facts = forms.CharField(
        label=_("Facts"),
        help_text=_("Who, what, when, and how you know. Only our staff reads this, never the provider."),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 7}),
    )
    files = FilesField(label=_("Evidence: pictures or PDFs"))  # type: ignore[assignment]
