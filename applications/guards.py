"""Refusals that several verbs share."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from applications import permissions
from applications.models import Application
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError


def refuse_empty(reason: str) -> None:
    if not reason.strip():
        raise DomainError("no_reason", _("Give a reason that the merchant can act on."), field="reason")


def refuse_one_sided(
    application: Application, first: User, second: User, *, involved: Iterable[int | None] = ()
) -> None:
    """Two different people decide; neither belongs to the company, nor is among `involved` (ids; None is nobody)."""
    if first.pk == second.pk:
        raise DomainError("same_person", _("A second person must verify this."))
    people = (first, second)
    if {person.pk for person in people} & set(involved) or any(
        permissions.belongs_to(person, application) for person in people
    ):
        raise DomainError(
            "not_impartial",
            _(
                "Who admitted the company, belongs to it or had a part in the matter before can't decide on it."
            ),
        )
