"""A change of the bound account as a road with dates, for the company's page and for the desk."""

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from deposits.models import AccountChange
from deposits.states import ChangeState


@dataclass(frozen=True)
class Stage:
    """`at` is when it was reached, `until` when it ends by itself; `current`: what is waited for now."""

    title: str | Promise
    at: dt.datetime | None
    until: dt.datetime | None = None
    current: bool = False


def stages(change: AccountChange) -> list[Stage]:
    """From the request to the effect; of a change that ended otherwise, what it reached and how it ended."""
    reached = [
        Stage(_("Asked for"), change.requested_at),
        Stage(_("Evidence checked"), change.checked_at, current=change.state == ChangeState.REQUESTED),
        Stage(
            _("Confirmed by a second person"),
            change.confirmed_at,
            current=change.state == ChangeState.CHECKED,
        ),
    ]
    if change.state in (ChangeState.REFUSED, ChangeState.CANCELLED):
        return [
            *(stage for stage in reached if stage.at),
            Stage(ChangeState(change.state).label, change.closed_at),
        ]
    effect = Stage(
        _("The new account is bound"),
        change.closed_at,
        until=change.effective_at,
        current=change.state == ChangeState.COOLING,
    )
    return [*reached, effect]
