"""What becomes of the relations of a provider that leaves: rows only, in the step's own transaction."""

from typing import Any

from django.dispatch import receiver

from applications.models import Application, Transition
from applications.signals import moved
from compliance.served_shops import relations


@receiver(moved, dispatch_uid="compliance.end_relations")
def end_relations(application: Application, transition: Transition, **kwargs: Any) -> None:
    """An expulsion may be overturned, so its relations stay as they are: the shop's owner can end them."""
    if transition.name == "complete_exit":
        relations.end_all(application)
