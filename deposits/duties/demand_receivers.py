"""What a membership's steps do to its top-up demand: rows only, in the step's own transaction (design §3)."""

from typing import Any

from django.dispatch import receiver

from applications.lifecycle import State
from applications.models import Application, Transition
from applications.signals import moved
from deposits.duties import topups
from deposits.models import Deposit


@receiver(moved, dispatch_uid="deposits.follow_with_demand")
def follow_with_demand(application: Application, transition: Transition, **kwargs: Any) -> None:
    leaves = transition.to_state == State.EXITING
    stays = transition.from_state == State.EXITING and transition.to_state in topups.FILLING_UP
    ends = transition.to_state in (State.EXITED, State.EXPELLED)
    if not (leaves or stays or ends):
        return
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None:
        return
    if leaves:
        topups.pause(deposit)
    elif stays:
        # An entry of the timeline that moves no state names the same state twice.
        leaving = application.transitions.filter(to_state=State.EXITING).exclude(from_state=State.EXITING)
        left = leaving.latest("at", "pk")
        topups.resume(deposit, paused_since=left.at)
    else:
        topups.end(deposit)
