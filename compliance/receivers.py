"""What compliance keeps of the application's steps: rows only, in the step's own transaction."""

import datetime as dt
from typing import Any

from django.dispatch import receiver

from applications.lifecycle import State
from applications.models import Application, Transition
from applications.signals import moved
from compliance.models import ExitOutcome, ExitRequest, ProviderProfile
from tmall_sp.core import rules

OUTCOMES = {
    "cancel_exit": ExitOutcome.CANCELLED,
    "complete_exit": ExitOutcome.COMPLETED,
    "expel": ExitOutcome.EXPELLED,
}


@receiver(moved, dispatch_uid="compliance.open_profile")
def open_profile(application: Application, transition: Transition, **kwargs: Any) -> None:
    """A provider that becomes active for the first time enters the directory."""
    if transition.name == "activate":
        ProviderProfile.objects.get_or_create(
            application=application, defaults={"member_since": transition.at}
        )


@receiver(moved, dispatch_uid="compliance.record_exit")
def record_exit(application: Application, transition: Transition, **kwargs: Any) -> None:
    """Whoever asked for the exit, or required it: its row opens and closes with the state."""
    if transition.to_state == State.EXITING:
        ExitRequest.objects.create(
            application=application,
            requested_by=transition.actor,
            requested_at=transition.at,
            notice_ends_at=transition.at + _notice(transition),
        )
    elif transition.from_state == State.EXITING:
        application.exit_requests.filter(closed_at__isnull=True).update(
            closed_at=transition.at, outcome=OUTCOMES[transition.name]
        )


def _notice(transition: Transition) -> dt.timedelta:
    """The same for an exit that was required: its customers have to find somebody else as well.

    Who never was in the pool owes nobody notice.
    """
    if transition.from_state == State.DEPOSIT_PAID:
        return dt.timedelta()
    return rules.days("exit.notice_days", transition.at)
