"""What a provider and a shop's owner type about their relation."""

import datetime as dt
from decimal import Decimal
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Layout, Row
from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.forms import UploadForm
from compliance.models import ServedShop
from compliance.ratings.inputs import DECLARED, INPUTS
from tmall_sp.core import clock


class InviteForm(forms.Form):
    use_required_attribute = False
    shop_name = forms.CharField(
        label=_("Name of the shop"),
        max_length=100,
        help_text=_("As it stands on Tmall or Taobao; its owner sees it when answering."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AnswerForm(forms.Form):
    """What the owner confirms; asked for when accepting, not when declining."""

    use_required_attribute = False
    is_mine = forms.BooleanField(
        label=_("This is my shop, and the company serves it."),
        error_messages={"required": _("Confirm that the shop is yours and that the company serves it.")},
    )


class EndForm(forms.Form):
    use_required_attribute = False
    ends_on = forms.DateField(
        label=_("Last day of the service"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Today or earlier. It can't be changed afterwards."),
    )

    def __init__(self, shop: ServedShop, data: Any = None) -> None:
        today = clock.today()
        super().__init__(data, initial={"ends_on": today})
        begun: dt.date | None = shop.begins_on
        self.fields["ends_on"].widget.attrs |= {"max": today.isoformat(), "min": begun and begun.isoformat()}


def _evidence(help_text: Any) -> forms.FileField:
    return forms.FileField(
        label=_("Evidence"), widget=UploadForm.base_fields["file"].widget, help_text=help_text
    )


def _value(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class GmvForm(forms.Form):
    """GMV of one shop and one quarter."""

    use_required_attribute = False
    quarter = forms.ChoiceField(label=_("Quarter"))
    value = _value(_("GMV (CNY)"))
    file = _evidence(
        _("The page of the shop's own figures for the quarter: JPEG, PNG, WebP or PDF, at most 10 MB.")
    )

    def __init__(self, quarters: list[str], data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self.fields["quarter"] = forms.ChoiceField(
            label=_("Quarter"), choices=[(quarter, quarter) for quarter in quarters]
        )
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            Row(Column("quarter", css_class="col-md-6"), Column("value", css_class="col-md-6")), "file"
        )


def _figures() -> list[tuple[str, Any]]:
    return [(code, f"{capfirst(INPUTS[code].title)} ({INPUTS[code].unit})") for code in DECLARED]


class FigureForm(forms.Form):
    """A figure of the company as a whole."""

    use_required_attribute = False
    figure = forms.ChoiceField(label=_("Figure"), choices=_figures)
    value = _value(pgettext_lazy("figure", "Value"))
    file = _evidence(
        _("What proves it: lease, payroll, licence, a photo. JPEG, PNG, WebP or PDF, at most 10 MB.")
    )

    def __init__(self, data: Any = None, files: Any = None, initial: Any = None) -> None:
        super().__init__(data, files, initial=initial)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = Layout(
            Row(Column("figure", css_class="col-md-6"), Column("value", css_class="col-md-6")), "file"
        )
