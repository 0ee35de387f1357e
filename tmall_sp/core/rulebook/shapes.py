"""What the value of a rule looks like: how a form asks for it, what is lawful, and how a page says it.

A shape is a rule's only way from a form to its stored value, so that no rule is ever free text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Protocol

from django import forms
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from tmall_sp.core.errors import DomainError

Words = str | Promise
# What a form field takes for its label: words, of a type that the stubs keep to themselves.
Label = Any
VALUE = "value"
NEW_VALUE = gettext_lazy("New value")


class Shape(Protocol):
    """`check` raises DomainError on the form's field for what can't be stored; `text` is for people."""

    def fields(self) -> dict[str, forms.Field]: ...

    def initial(self, value: Any) -> dict[str, Any]: ...

    def stored(self, cleaned: Mapping[str, Any]) -> Any: ...

    def check(self, value: Any) -> None: ...

    def text(self, value: Any) -> str: ...


def _refuse(message: str, name: str = VALUE) -> DomainError:
    return DomainError("not_lawful", message, field=name)


class Unit(Enum):
    HOURS = "hours"
    DAYS = "days"
    WORKING_DAYS = "working days"
    MONTHS = "months"
    TIMES = "times"
    POINTS = "points"

    def text(self, number: int) -> str:
        match self:
            case Unit.HOURS:
                words = ngettext("%(number)s hour", "%(number)s hours", number)
            case Unit.DAYS:
                words = ngettext("%(number)s day", "%(number)s days", number)
            case Unit.WORKING_DAYS:
                words = ngettext("%(number)s working day", "%(number)s working days", number)
            case Unit.MONTHS:
                words = ngettext("%(number)s month", "%(number)s months", number)
            case Unit.TIMES:
                words = ngettext("%(number)s time", "%(number)s times", number)
            case Unit.POINTS:
                words = ngettext("%(number)s point", "%(number)s points", number)
        return words % {"number": number}

    @property
    def title(self) -> Label:
        return _UNIT_TITLES[self]


_UNIT_TITLES: dict[Unit, Words] = {
    Unit.HOURS: gettext_lazy("natural hours"),
    Unit.DAYS: gettext_lazy("natural days"),
    Unit.WORKING_DAYS: gettext_lazy("working days"),
    Unit.MONTHS: gettext_lazy("calendar months"),
    Unit.TIMES: gettext_lazy("times"),
    Unit.POINTS: pgettext_lazy("unit", "points"),
}


@dataclass(frozen=True)
class Whole:
    """A whole number of a unit, both ends included."""

    unit: Unit
    least: int = 1
    most: int = 3650
    name: str = VALUE
    label: Label = NEW_VALUE

    def fields(self) -> dict[str, forms.Field]:
        return {
            self.name: forms.IntegerField(
                label=self.label,
                help_text=self.unit.title,
                min_value=self.least,
                max_value=self.most,
                widget=UnfoldAdminIntegerFieldWidget,
            )
        }

    def initial(self, value: Any) -> dict[str, Any]:
        return {self.name: value}

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        return cleaned[self.name]

    def check(self, value: Any) -> None:
        if type(value) is not int or not self.least <= value <= self.most:
            message = _("A whole number from %(least)s to %(most)s.")
            raise _refuse(message % {"least": self.least, "most": self.most}, self.name)

    def text(self, value: Any) -> str:
        return self.unit.text(value)


@dataclass(frozen=True)
class Figure:
    """A decimal number, stored as text so that it stays exact."""

    places: int
    least: Decimal
    most: Decimal
    name: str = VALUE
    label: Label = NEW_VALUE
    help_text: Label = ""
    before: str = ""

    def fields(self) -> dict[str, forms.Field]:
        return {
            self.name: forms.DecimalField(
                label=self.label,
                help_text=self.help_text,
                min_value=self.least,
                max_value=self.most,
                decimal_places=self.places,
                widget=UnfoldAdminDecimalFieldWidget,
            )
        }

    def initial(self, value: Any) -> dict[str, Any]:
        return {self.name: value}

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        return f"{cleaned[self.name]:.{self.places}f}"

    def check(self, value: Any) -> None:
        try:
            number = Decimal(value) if isinstance(value, str) else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or value != f"{number:.{self.places}f}":
            raise _refuse(_("A number with %(places)s places.") % {"places": self.places}, self.name)
        if not self.least <= number <= self.most:
            message = _("A number from %(least)s to %(most)s.")
            raise _refuse(message % {"least": self.least, "most": self.most}, self.name)

    def text(self, value: Any) -> str:
        return f"{self.before}{Decimal(value):,.{self.places}f}"


def amount(least: str = "0.01", most: str = "99999999.99") -> Figure:
    """CNY with two places."""
    help_text = gettext_lazy("In CNY, with two places at most.")
    return Figure(2, Decimal(least), Decimal(most), help_text=help_text, before="¥")


@dataclass(frozen=True)
class Moments:
    """Several whole numbers of hours or days before a date, each once, the earliest moment first."""

    unit: Unit = Unit.DAYS
    most: int = 365
    longest: int = 10

    def fields(self) -> dict[str, forms.Field]:
        return {
            VALUE: forms.CharField(
                label=NEW_VALUE,
                help_text=format_lazy(
                    gettext_lazy("In {unit} before the date, separated by commas: 7, 3, 1."),
                    unit=self.unit.title,
                ),
                max_length=60,
                widget=UnfoldAdminTextInputWidget,
            )
        }

    def initial(self, value: Any) -> dict[str, Any]:
        return {VALUE: ", ".join(str(number) for number in value)}

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        words = cleaned[VALUE].replace("\N{FULLWIDTH COMMA}", ",").replace("、", ",").split(",")
        if not all(word.strip().isdecimal() for word in words):
            raise _refuse(self._wanted())
        return sorted({int(word) for word in words}, reverse=True)

    def check(self, value: Any) -> None:
        lawful = (
            isinstance(value, list)
            and 0 < len(value) <= self.longest
            and all(type(number) is int and 0 < number <= self.most for number in value)
            and value == sorted(set(value), reverse=True)
        )
        if not lawful:
            raise _refuse(self._wanted())

    def text(self, value: Any) -> str:
        return _("%(moments)s before") % {"moments": _(", ").join(self.unit.text(number) for number in value)}

    def _wanted(self) -> str:
        return _("Whole numbers from 1 to %(most)s, at most %(longest)s of them.") % {
            "most": self.most,
            "longest": self.longest,
        }


@dataclass(frozen=True)
class Choices:
    """Some of the known options, by code."""

    options: Sequence[tuple[str, Words]]

    def fields(self) -> dict[str, forms.Field]:
        return {
            VALUE: forms.MultipleChoiceField(
                label=NEW_VALUE,
                choices=self.options,
                required=False,
                widget=UnfoldAdminCheckboxSelectMultipleWidget,
            )
        }

    def initial(self, value: Any) -> dict[str, Any]:
        return {VALUE: value}

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        return [code for code, _title in self.options if code in cleaned[VALUE]]

    def check(self, value: Any) -> None:
        known = [code for code, _title in self.options]
        if not isinstance(value, list) or [code for code in known if code in value] != value:
            raise _refuse(_("Choose from the list."))

    def text(self, value: Any) -> str:
        return _(", ").join(str(title) for code, title in self.options if code in value) or "—"


@dataclass(frozen=True)
class Table:
    """Named numbers. Each column is a Whole or a Figure whose `name` is its key."""

    columns: Sequence[Whole | Figure]

    def fields(self) -> dict[str, forms.Field]:
        return {name: column for shape in self.columns for name, column in shape.fields().items()}

    def initial(self, value: Any) -> dict[str, Any]:
        return dict(value)

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        return {shape.name: shape.stored(cleaned) for shape in self.columns}

    def check(self, value: Any) -> None:
        if not isinstance(value, dict) or set(value) != {shape.name for shape in self.columns}:
            raise _refuse(_("Exactly the numbers of the table."), "")
        for shape in self.columns:
            shape.check(value[shape.name])

    def text(self, value: Any) -> str:
        # A number that a first version did not have yet is left out.
        return _("; ").join(
            f"{shape.label} {shape.text(value[shape.name])}" for shape in self.columns if shape.name in value
        )


@dataclass(frozen=True)
class Structure:
    """A document of its own kind, such as a formula with its weights: its owner checks it.

    `verify` raises DomainError for what its owner could not work with.
    """

    verify: Callable[[Any], object]

    def fields(self) -> dict[str, forms.Field]:
        return {
            VALUE: forms.JSONField(
                label=NEW_VALUE,
                help_text=gettext_lazy("JSON. It is checked as a whole before it is proposed."),
                widget=UnfoldAdminTextareaWidget(attrs={"rows": 20, "spellcheck": "false"}),
                encoder=_Readable,
            )
        }

    def initial(self, value: Any) -> dict[str, Any]:
        return {VALUE: value}

    def stored(self, cleaned: Mapping[str, Any]) -> Any:
        return cleaned[VALUE]

    def check(self, value: Any) -> None:
        try:
            self.verify(value)
        except DomainError as error:
            raise _refuse(str(error.message)) from error

    def text(self, value: Any) -> str:
        return json.dumps(value, cls=_Readable)


class _Readable(json.JSONEncoder):
    """Over several lines, but a list of plain values on one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**(options | {"indent": 2, "ensure_ascii": False}))

    def encode(self, o: Any) -> str:
        # No string of JSON holds a line break, so what is matched lies between strings.
        return _PLAIN_LIST.sub(lambda found: _BREAK.sub(" ", f"[{found[1]}]"), super().encode(o))


_PLAIN_LIST = re.compile(r"\[\n\s*([^\[\]{}]*?)\n\s*\]")
_BREAK = re.compile(r"\n\s*")
