"""The end of a membership ends an open change of its bound account, in the step's own transaction (design §3)."""

from typing import Any

from django.dispatch import receiver

from applications.lifecycle import State
from applications.models import Application
from applications.signals import moved
from deposits.bound_account import changes as account_changes

ENDS = (State.WITHDRAWN, State.LAPSED, State.REJECTED, State.EXPELLED, State.EXITED)


@receiver(moved, dispatch_uid="deposits.end_account_change")
def end_account_change(application: Application, **kwargs: Any) -> None:
    if application.state in ENDS:
        account_changes.cancel_with_membership(application)
