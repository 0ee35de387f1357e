"""Numbers that the programme may change, each dated and versioned.

A case keeps the moment it was opened, and asks for the rule of that moment. The first versions are
loaded by migrations (core.0004 and those of each app); most are assumptions, as no source gives the figure.
What each rule means, and how two people change it: `tmall_sp.core.rulebook`.

Of the versions that have begun, the highest number counts: what was decided last. No version begins before
it was decided, so the answer for a past instant never changes.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tmall_sp.core import clock
from tmall_sp.core.models import RuleVersion


def value(name: str, at: dt.datetime | None = None) -> Any:
    """The rule's value at an instant (now by default). KeyError for a rule nobody ever set."""
    return in_force(name, at).value


def days(name: str, at: dt.datetime | None = None) -> dt.timedelta:
    """A rule that is a number of natural days (24 hours each)."""
    return dt.timedelta(days=value(name, at))


def amount(name: str, at: dt.datetime | None = None) -> Decimal:
    """A rule that is an amount in CNY, with two places."""
    return Decimal(value(name, at)).quantize(Decimal("0.01"))


def in_force(name: str, at: dt.datetime | None = None) -> RuleVersion:
    """The version that counts at an instant (now by default). KeyError for a rule nobody ever set."""
    begun = RuleVersion.objects.filter(name=name, valid_from__lte=at or clock.now())
    version = begun.order_by("-version").first()
    if version is None:
        raise KeyError(name)
    return version


@dataclass(frozen=True)
class Period:
    """A version from the instant `since` until before `until`; None: until another is decided."""

    version: RuleVersion
    since: dt.datetime
    until: dt.datetime | None


def periods(name: str) -> list[Period]:
    """When each version of a rule counted, or will, oldest first."""
    return periods_of(RuleVersion.objects.filter(name=name))


def periods_of(versions: Iterable[RuleVersion]) -> list[Period]:
    """The same for the versions of one rule. One that a later decision replaced before its day has no period."""
    known = sorted(versions, key=lambda version: version.version)
    found: list[Period] = []
    for begins in sorted({version.valid_from for version in known}):
        counts = [version for version in known if version.valid_from <= begins][-1]
        if found and found[-1].version is counts:
            continue
        if found:
            found[-1] = Period(found[-1].version, found[-1].since, begins)
        found.append(Period(counts, begins, None))
    return found
