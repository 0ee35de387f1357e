"""What each rule is. Every app describes its own from a module that its `ready` imports."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from django.utils.translation import gettext_lazy as _

from tmall_sp.core.rulebook.shapes import Shape, Structure, Words


class Chapter(Enum):
    """The parts of the book, in the order of a membership."""

    ADMISSION = "admission"
    DEPOSIT = "deposit"
    MEMBERSHIP = "membership"
    CASES = "cases"
    RATING = "rating"
    HOUSEKEEPING = "housekeeping"

    @property
    def title(self) -> Words:
        return _TITLES[self]


_TITLES: dict[Chapter, Words] = {
    Chapter.ADMISSION: _("Admission"),
    Chapter.DEPOSIT: _("Deposit"),
    Chapter.MEMBERSHIP: _("Membership and exit"),
    Chapter.CASES: _("Complaints and violations"),
    Chapter.RATING: _("Rating and reviews"),
    Chapter.HOUSEKEEPING: _("Housekeeping"),
}


@dataclass(frozen=True)
class Keeper:
    """Open cases that keep the version that they began under; `count` is asked when somebody decides."""

    title: Words
    count: Callable[[], int]


@dataclass(frozen=True)
class Rule:
    """`code` as in `rules.value(code)`.

    `used_in` says for staff where the number counts, and from which moment a case takes it. `needs_notice`: a
    change is announced before it counts, so it begins on a later day than that of its acceptance. What is not
    `public` is the programme's own business, and stands on no public page.
    """

    code: str
    chapter: Chapter
    title: Words
    meaning: Words
    used_in: Words
    shape: Shape
    keepers: tuple[Keeper, ...] = ()
    needs_notice: bool = False
    public: bool = True

    @property
    def is_long(self) -> bool:
        """Whether its text needs lines of its own."""
        return isinstance(self.shape, Structure)


_rules: dict[str, Rule] = {}


def describe(*rules: Rule) -> None:
    """Enter rules into the book. A code that stands there already is a mistake: ValueError."""
    for rule in rules:
        if rule.code in _rules:
            raise ValueError(f"the rule {rule.code} is described twice")
        _rules[rule.code] = rule


def rule(code: str) -> Rule:
    """KeyError for a code that nobody described."""
    return _rules[code]


def all_rules() -> list[Rule]:
    """By chapter, in the order in which they were described."""
    chapters = list(Chapter)
    return sorted(_rules.values(), key=lambda rule: chapters.index(rule.chapter))
