"""Numbers that the programme may change, each dated and versioned.

A case keeps the moment it was opened, and asks for the rule of that moment. The first versions are
loaded by the migration core.0004; most are assumptions, as no source gives the figure.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from tmall_sp.core import clock
from tmall_sp.core.models import RuleVersion


def value(name: str, at: dt.datetime | None = None) -> Any:
    """The rule's value at an instant (now by default). KeyError for a rule nobody ever set."""
    version = (
        RuleVersion.objects.filter(name=name, valid_from__lte=at or clock.now())
        .order_by("-valid_from", "-version")
        .values_list("value", flat=True)
        .first()
    )
    if version is None:
        raise KeyError(name)
    return version


def days(name: str, at: dt.datetime | None = None) -> dt.timedelta:
    """A rule that is a number of natural days (24 hours each)."""
    return dt.timedelta(days=value(name, at))


def amount(name: str, at: dt.datetime | None = None) -> Decimal:
    """A rule that is an amount in CNY, with two places."""
    return Decimal(value(name, at)).quantize(Decimal("0.01"))
