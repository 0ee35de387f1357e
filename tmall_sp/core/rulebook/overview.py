"""Reads: each rule with what counts now, what is coming, and what waits for a second person."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tmall_sp.core import clock, rules
from tmall_sp.core.models import RuleChange, RuleChangeState, RuleVersion
from tmall_sp.core.rulebook.catalogue import Chapter, Rule, all_rules


@dataclass(frozen=True)
class Coming:
    """A value that counts from a later instant."""

    text: str
    since: dt.datetime


@dataclass(frozen=True)
class Entry:
    """One rule as the book shows it now. `text` is empty for a rule that has no version yet."""

    rule: Rule
    text: str
    since: dt.datetime | None
    version: int
    coming: list[Coming]
    proposal: RuleChange | None = None


@dataclass
class Section:
    chapter: Chapter
    entries: list[Entry] = field(default_factory=list)


def book(*, public: bool = False) -> list[Section]:
    """All rules (or those that are public) by chapter, in two queries."""
    versions = defaultdict(list)
    for version in RuleVersion.objects.all():
        versions[version.name].append(version)
    proposals = {}
    if not public:
        waiting = RuleChange.objects.filter(state=RuleChangeState.OPEN).select_related("proposed_by")
        proposals = {change.rule: change for change in waiting}
    sections: dict[Chapter, Section] = {}
    for rule in all_rules():
        if rule.public or not public:
            section = sections.setdefault(rule.chapter, Section(rule.chapter))
            section.entries.append(_entry(rule, versions[rule.code], proposals.get(rule.code)))
    return list(sections.values())


def entry(rule: Rule) -> Entry:
    """One rule as the book shows it now."""
    proposal = (
        RuleChange.objects.filter(rule=rule.code, state=RuleChangeState.OPEN)
        .select_related("proposed_by")
        .first()
    )
    return _entry(rule, RuleVersion.objects.filter(name=rule.code), proposal)


@dataclass(frozen=True)
class Chronicled:
    """A version in the history of its rule. `period` None: replaced before its day."""

    version: RuleVersion
    text: str
    period: rules.Period | None
    is_in_force: bool
    is_coming: bool


def history(rule: Rule) -> list[Chronicled]:
    """Every version of a rule, the newest first."""
    versions = list(
        RuleVersion.objects.filter(name=rule.code)
        .select_related("change__proposed_by", "change__decided_by")
        .order_by("-version")
    )
    periods = {period.version.pk: period for period in rules.periods_of(versions)}
    now = clock.now()
    return [_chronicled(rule, version, periods.get(version.pk), now) for version in versions]


def _chronicled(
    rule: Rule, version: RuleVersion, period: rules.Period | None, now: dt.datetime
) -> Chronicled:
    return Chronicled(
        version,
        rule.shape.text(version.value),
        period,
        is_in_force=period is not None
        and period.since <= now
        and (period.until is None or now < period.until),
        is_coming=period is not None and period.since > now,
    )


def _entry(rule: Rule, versions: Iterable[RuleVersion], proposal: RuleChange | None) -> Entry:
    now = clock.now()
    current = None
    coming = []
    for period in rules.periods_of(versions):
        if period.since <= now:
            current = period
        else:
            coming.append(Coming(rule.shape.text(period.version.value), period.since))
    return Entry(
        rule,
        rule.shape.text(current.version.value) if current else "",
        current.since if current else None,
        current.version.version if current else 0,
        coming,
        proposal,
    )
