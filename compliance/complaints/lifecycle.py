"""The life of a complaint, from filing to the final decision: the one screen on which it is read.

Bodies are empty: who may do it, and what must hold, stands with the verbs (services.py). The database holds the same
edges (`pgtrigger.FSM` in models/complaint.py). `complaint.due_at` is the end of the present state, where it has one.
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, transition


class ComplaintState(models.TextChoices):
    AWAITING_RESPONSE = "awaiting_response", _("waiting for the provider's response")
    EVIDENCE = "evidence", _("both sides hand in evidence")
    AWAITING_DECISION = "awaiting_decision", _("waiting for the decision")
    DECIDED = "decided", _("decided, may be appealed")
    APPEALED = "appealed", _("under appeal")
    FINAL = "final", pgettext_lazy("complaint", "final")
    WITHDRAWN = "withdrawn", pgettext_lazy("complaint", "withdrawn")


S = ComplaintState

# The claimed sum stays frozen as long as one of these holds.
OPEN = (S.AWAITING_RESPONSE, S.EVIDENCE, S.AWAITING_DECISION, S.DECIDED, S.APPEALED)
UNDECIDED = (S.AWAITING_RESPONSE, S.EVIDENCE, S.AWAITING_DECISION)
# Somebody of operations may take it: it has a decision to come.
CLAIMABLE = (*UNDECIDED, S.APPEALED)


class ComplaintLifecycle(models.Model):
    state = FSMField(
        _("state"), choices=ComplaintState, default=S.AWAITING_RESPONSE, protected=True, db_index=True
    )

    class Meta:
        abstract = True

    @transition(state, source=S.AWAITING_RESPONSE, target=S.DECIDED)
    def admit(self) -> None: ...

    @transition(state, source=S.AWAITING_RESPONSE, target=S.EVIDENCE)
    def contest(self) -> None: ...

    # Silence ends in a decision against the provider.
    @transition(state, source=S.AWAITING_RESPONSE, target=S.DECIDED)
    def default(self) -> None: ...

    @transition(state, source=S.EVIDENCE, target=S.AWAITING_DECISION)
    def close_evidence(self) -> None: ...

    @transition(state, source=S.AWAITING_DECISION, target=S.DECIDED)
    def decide(self) -> None: ...

    @transition(state, source=S.DECIDED, target=S.APPEALED)
    def appeal(self) -> None: ...

    @transition(state, source=S.APPEALED, target=S.FINAL)
    def decide_appeal(self) -> None: ...

    # The appeal period is over, or neither side has anything to gain by an appeal.
    @transition(state, source=S.DECIDED, target=S.FINAL)
    def finalise(self) -> None: ...

    @transition(state, source=[*UNDECIDED], target=S.WITHDRAWN)
    def withdraw(self) -> None: ...


def edges() -> Iterator[tuple[str, str, str]]:
    """Every lawful edge as (transition, from, to), read from the transitions above."""
    for name, method in vars(ComplaintLifecycle).items():
        meta = getattr(method, "_django_fsm", None)
        for source, edge in meta.transitions.items() if meta else ():
            yield name, str(source), str(edge.target)
