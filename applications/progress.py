"""Where a membership stands on the programme's main road, as the stepper on its page shows it."""

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State

S = State
Mark = Literal["done", "current", "trouble", "ahead"]

ROAD: tuple[tuple[str | Promise, tuple[State, ...]], ...] = (
    (_("Apply"), ()),
    (_("Shop check"), (S.CREATED, S.SHOP_UNQUALIFIED)),
    (_("Materials"), (S.SHOP_VERIFIED, S.CHANGES_REQUESTED)),
    (_("Review"), (S.UNDER_REVIEW,)),
    (_("Deposit"), (S.APPROVED, S.DEPOSIT_PAID)),
    (_("In service"), (S.ACTIVE, S.SUSPENDED)),
    (_("Exit"), (S.EXITING, S.EXITED)),
)
# Where the road was left; the timeline tells the rest.
LEFT_ROAD = (S.REJECTED, S.WITHDRAWN, S.LAPSED, S.EXPELLED)
TROUBLE = (S.SHOP_UNQUALIFIED, S.CHANGES_REQUESTED, S.SUSPENDED)

TONES: dict[str, str] = {
    S.CREATED: "primary",
    S.SHOP_UNQUALIFIED: "danger",
    S.SHOP_VERIFIED: "primary",
    S.UNDER_REVIEW: "primary",
    S.CHANGES_REQUESTED: "warning",
    S.APPROVED: "warning",
    S.DEPOSIT_PAID: "primary",
    S.ACTIVE: "success",
    S.SUSPENDED: "warning",
    S.EXITING: "primary",
    S.EXPELLED: "danger",
    S.REJECTED: "danger",
}


@dataclass(frozen=True)
class Milestone:
    title: str | Promise
    mark: Mark


def milestones(state: str) -> list[Milestone]:
    """The road with its current stage marked; empty for a membership that left it."""
    if state in LEFT_ROAD:
        return []
    here = next(index for index, (_title, states) in enumerate(ROAD) if state in states)
    stages = ROAD if here == len(ROAD) - 1 else ROAD[:-1]  # the exit is shown to those who leave
    return [Milestone(title, _mark(index, here, state)) for index, (title, _states) in enumerate(stages)]


def tone(state: str) -> str:
    """Bootstrap's word for the colour of a state's label."""
    return TONES.get(state, "secondary")


def _mark(index: int, here: int, state: str) -> Mark:
    if index < here or (index == here and state == S.EXITED):
        return "done"
    if index > here:
        return "ahead"
    return "trouble" if state in TROUBLE else "current"
