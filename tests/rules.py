"""A rule with another value, as a migration would load it: two people's decision is tests/core's own subject."""

import datetime as dt
from typing import Any

from django.db.models import Max

from tests.database import owner_role
from tmall_sp.core import clock
from tmall_sp.core.models import RuleVersion


def set_rule(name: str, value: Any, at: dt.datetime | None = None) -> RuleVersion:
    """The rule's next version, in force from an instant on (now by default)."""
    last = RuleVersion.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
    with owner_role():
        return RuleVersion.objects.create(
            name=name, version=last + 1, value=value, valid_from=at or clock.now()
        )
