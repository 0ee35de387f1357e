"""The life of a membership, from the first click to the exit: the one screen on which it is read.

Bodies are empty: whoever may do it, and what must hold, stands in the callers of `door.move`.
The database holds the same edges (`pgtrigger.FSM` in models/application.py), and README's diagram is made from here.
"""

from collections.abc import Iterator

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import GET_STATE, FSMField, transition


class State(models.TextChoices):
    CREATED = "created", pgettext_lazy("state", "created")
    SHOP_UNQUALIFIED = "shop_unqualified", _("shop check not passed")
    SHOP_VERIFIED = "shop_verified", _("shop verified")
    UNDER_REVIEW = "under_review", _("under review")
    CHANGES_REQUESTED = "changes_requested", _("changes requested")
    APPROVED = "approved", _("approved, deposit due")
    DEPOSIT_PAID = "deposit_paid", _("deposit paid")
    ACTIVE = "active", pgettext_lazy("state", "active")
    SUSPENDED = "suspended", _("suspended")
    EXITING = "exiting", _("exiting")
    EXPELLED = "expelled", _("expelled")
    EXITED = "exited", _("exited")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("lapsed")


S = State

ENDED = (S.EXITED, S.REJECTED, S.WITHDRAWN, S.LAPSED)
MEMBER = (S.DEPOSIT_PAID, S.ACTIVE, S.SUSPENDED, S.EXITING)
DRAFT = (S.CREATED, S.SHOP_UNQUALIFIED, S.SHOP_VERIFIED)
# While a reviewer's word for the company stands.
ADMITTED = (S.APPROVED, *MEMBER)
# Open for the rule 'one at a time'; an expelled company is kept out by its ban instead.
OPEN_PER_USER = (*DRAFT, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.APPROVED, *MEMBER)
OPEN_PER_COMPANY = (S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.APPROVED, *MEMBER)

UNPAID = [*DRAFT, S.UNDER_REVIEW, S.CHANGES_REQUESTED, S.APPROVED]


class Lifecycle(models.Model):
    state = FSMField(_("state"), choices=State, default=State.CREATED, protected=True, db_index=True)
    # Where `exiting` came from, so that cancelling goes back there.
    exit_origin = models.CharField(max_length=20, choices=State, blank=True, editable=False)
    # The programme required the exit: nobody cancels it.
    exit_required = models.BooleanField(db_default=False, default=False, editable=False)

    class Meta:
        abstract = True

    @transition(state, source=[S.CREATED, S.SHOP_UNQUALIFIED], target=S.SHOP_VERIFIED)
    def pass_shop_check(self) -> None: ...

    @transition(state, source=[S.CREATED, S.SHOP_UNQUALIFIED], target=S.SHOP_UNQUALIFIED)
    def fail_shop_check(self) -> None: ...

    @transition(state, source=S.SHOP_VERIFIED, target=S.UNDER_REVIEW)
    def submit(self) -> None: ...

    @transition(state, source=S.UNDER_REVIEW, target=S.APPROVED)
    def approve(self) -> None: ...

    @transition(state, source=S.UNDER_REVIEW, target=S.CHANGES_REQUESTED)
    def request_changes(self) -> None: ...

    @transition(state, source=S.CHANGES_REQUESTED, target=S.UNDER_REVIEW)
    def resubmit(self) -> None: ...

    @transition(state, source=S.UNDER_REVIEW, target=S.REJECTED)
    def reject(self) -> None: ...

    @transition(state, source=S.APPROVED, target=S.REJECTED)
    def revoke_approval(self) -> None: ...

    @transition(state, source=UNPAID, target=S.WITHDRAWN)
    def withdraw(self) -> None: ...

    @transition(state, source=[*DRAFT, S.CHANGES_REQUESTED, S.APPROVED], target=S.LAPSED)
    def lapse(self) -> None: ...

    @transition(state, source=S.APPROVED, target=S.DEPOSIT_PAID)
    def record_deposit(self) -> None: ...

    @transition(state, source=S.DEPOSIT_PAID, target=S.ACTIVE)
    def activate(self) -> None: ...

    @transition(state, source=S.ACTIVE, target=S.SUSPENDED)
    def suspend(self) -> None: ...

    @transition(state, source=S.SUSPENDED, target=S.ACTIVE)
    def reinstate(self) -> None: ...

    @transition(state, source=[S.DEPOSIT_PAID, S.ACTIVE, S.SUSPENDED], target=S.EXITING)
    def request_exit(self) -> None: ...

    @transition(state, source=[S.ACTIVE, S.SUSPENDED], target=S.EXITING)
    def require_exit(self) -> None: ...

    @transition(
        state,
        source=S.EXITING,
        target=GET_STATE(lambda self: self.exit_origin, states=[S.DEPOSIT_PAID, S.ACTIVE, S.SUSPENDED]),
    )
    def cancel_exit(self) -> None: ...

    @transition(state, source=S.EXITING, target=S.EXITED)
    def complete_exit(self) -> None: ...

    @transition(state, source=[*MEMBER], target=S.EXPELLED)
    def expel(self) -> None: ...

    @transition(state, source=S.EXPELLED, target=S.SUSPENDED)
    def overturn_expulsion(self) -> None: ...


def edges() -> Iterator[tuple[str, str, str]]:
    """Every lawful edge as (transition, from, to), read from the transitions above."""
    for name, method in vars(Lifecycle).items():
        meta = getattr(method, "_django_fsm", None)
        for source, edge in meta.transitions.items() if meta else ():
            targets = getattr(edge.target, "allowed_states", [edge.target])
            for target in targets:
                yield name, str(source), str(target)
