"""The life of a violation, from the report to the decision: the one screen on which it is read.

Bodies are empty: who may do it, and what must hold, stands in violations.py. The database holds the same
edges (`pgtrigger.FSM` in models.py).
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, transition


class ViolationState(models.TextChoices):
    REPORTED = "reported", pgettext_lazy("state", "reported")
    INVESTIGATING = "investigating", _("under investigation")
    VERIFIED = "verified", pgettext_lazy("violation", "verified")
    DISMISSED = "dismissed", _("dismissed")
    APPEALED = "appealed", _("under appeal")
    OVERTURNED = "overturned", _("overturned on appeal")


S = ViolationState

OPEN = (S.REPORTED, S.INVESTIGATING)
# Somebody has yet to decide: an exit waits for it.
UNRESOLVED = (*OPEN, S.APPEALED)
# Its sanctions stand.
STANDS = (S.VERIFIED, S.APPEALED)


class ViolationLifecycle(models.Model):
    state = FSMField(_("state"), choices=ViolationState, default=S.REPORTED, protected=True, db_index=True)

    class Meta:
        abstract = True

    @transition(state, source=S.REPORTED, target=S.INVESTIGATING)
    def take_up(self) -> None: ...

    @transition(state, source=S.INVESTIGATING, target=S.INVESTIGATING)
    def propose(self) -> None: ...

    @transition(state, source=S.INVESTIGATING, target=S.VERIFIED)
    def verify(self) -> None: ...

    @transition(state, source=S.INVESTIGATING, target=S.DISMISSED)
    def dismiss(self) -> None: ...

    # Once, by the company.
    @transition(state, source=S.VERIFIED, target=S.APPEALED)
    def appeal(self) -> None: ...

    @transition(state, source=S.APPEALED, target=S.VERIFIED)
    def reject_appeal(self) -> None: ...

    @transition(state, source=S.APPEALED, target=S.OVERTURNED)
    def uphold_appeal(self) -> None: ...


def edges() -> Iterator[tuple[str, str, str]]:
    """Every lawful edge as (transition, from, to), read from the transitions above."""
    for name, method in vars(ViolationLifecycle).items():
        meta = getattr(method, "_django_fsm", None)
        for source, edge in meta.transitions.items() if meta else ():
            yield name, str(source), str(edge.target)
