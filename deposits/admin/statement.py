"""The statement of one deposit: a page to print, and the same as a file."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deposits.models import Deposit
from deposits.statements import statement_files
from deposits.statements.statements import Statement, statement
from deposits.statements.table_files import download
from tmall_sp.core import clock


class PeriodForm(forms.Form):
    first = forms.DateField(
        label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("This lies before the first day."))
        return cleaned


def page(request: HttpRequest, deposit: Deposit) -> HttpResponse:
    """To print; a period that is none is shown again with its error, and the whole statement below it."""
    refuse_others(request)
    form, shown = _asked_for(request, deposit)
    context = {
        "deposit": deposit,
        "application": deposit.application,
        "statement": shown,
        "form": form,
        "query": request.GET.urlencode() if form.is_bound and form.is_valid() else "",
        "made_at": clock.now(),
    }
    status = 400 if form.errors else 200
    return TemplateResponse(request, "admin/deposits/statement.html", context, status=status)


def file(request: HttpRequest, deposit: Deposit, extension: str) -> HttpResponse:
    """As CSV or XLSX."""
    refuse_others(request)
    form, shown = _asked_for(request, deposit)
    if form.errors:
        return page(request, deposit)
    name = f"{deposit.application.number}-{shown.first:%Y%m%d}-{shown.last:%Y%m%d}"
    return download(statement_files.table(shown), name=name, extension=extension)


def refuse_others(request: HttpRequest) -> None:
    """A statement is rows of the ledger, which not everybody reads who sees a deposit."""
    if not request.user.has_perm("deposits.view_ledgertransfer"):
        raise PermissionDenied


def _asked_for(request: HttpRequest, deposit: Deposit) -> tuple[PeriodForm, Statement]:
    whole = statement(deposit)
    if not request.GET:
        return PeriodForm(initial={"first": whole.first, "last": whole.last}), whole
    form = PeriodForm(request.GET)
    if not form.is_valid():
        return form, whole
    return form, statement(deposit, form.cleaned_data["first"], form.cleaned_data["last"])
