"""What a provider reads of its rating: one score in all its parts, and the quarters before it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from applications.models import Application
from compliance.models import Declaration, Score, ScoreDispute, Violation
from compliance.models.rating import Figures
from compliance.quarters import Quarter
from compliance.ratings import disputes, permissions, runs
from compliance.ratings.figures import standing
from compliance.ratings.inputs import DEDUCTED, GMV, INPUTS, Dimension, Input, Kind
from compliance.ratings.outlook import Outlook, outlook
from compliance.ratings.plot import Plot, plot
from compliance.ratings.rule import Gate, Rule
from compliance.ratings.scoring import rounded, value_of
from compliance.ratings.words import level_name
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


@dataclass(frozen=True)
class Source:
    """Where a value comes from; `url` leads to the case, if there is one."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class InputLine:
    """One input of a score. `points` are 0 to 100, or what is deducted; `share` is its part of the score, in percent."""

    item: Input
    value: Decimal | None
    is_corrected: bool
    # What was published.
    published: Decimal | None
    points: Decimal
    share: Decimal
    sources: list[Source]
    dispute: ScoreDispute | None


@dataclass(frozen=True)
class Block:
    dimension: Dimension
    points: Decimal
    share: Decimal
    lines: list[InputLine]


@dataclass(frozen=True)
class GateLine:
    """A level's gate, and which half of it is reached."""

    gate: Gate
    by_score: bool
    by_gmv: bool


@dataclass(frozen=True)
class Quarterly:
    """A line of the history: what stands of one published quarter."""

    score: Score
    figures: Figures
    level: str | Promise
    is_corrected: bool


@dataclass(frozen=True)
class Page:
    score: Score
    figures: Figures
    level: str | Promise
    is_corrected: bool
    is_newest: bool
    previous: Decimal | None
    base: Decimal
    blocks: list[Block]
    deducted: list[InputLine]
    gates: list[GateLine]
    outlook: Outlook
    history: list[Quarterly]
    plot: Plot
    disputes_until: dt.datetime
    may_dispute: bool
    next_quarter: Quarter
    next_closes_at: dt.datetime


def page(person: User, application: Application, scores: list[Score], shown: Score) -> Page:
    """`scores` are all published ones of the provider, the latest first; `shown` is one of them."""
    figures = standing(shown)
    rule = Rule.parse(shown.run.rule)
    filed = {row.input: row for row in shown.disputes.all()}
    sources = _Sources(application, figures)
    history = [_quarterly(score) for score in scores]
    until = disputes.until(shown.run)
    following = Quarter.named(scores[0].run.period).next
    return Page(
        score=shown,
        figures=figures,
        level=level_name(figures.level),
        is_corrected=figures is not shown,
        is_newest=shown == scores[0],
        previous=None if figures.parts["previous"] is None else Decimal(figures.parts["previous"]),
        base=Decimal(figures.parts["base"]),
        blocks=[_block(dimension, shown, figures, rule, sources, filed) for dimension in Dimension],
        deducted=[
            _line(
                INPUTS[code],
                shown,
                figures,
                Decimal(figures.parts["deductions"][code]),
                Decimal(0),
                sources,
                filed,
            )
            for code in DEDUCTED
        ],
        gates=[GateLine(gate, figures.average >= gate.score, figures.gmv >= gate.gmv) for gate in rule.gates],
        outlook=outlook(figures, rule),
        history=history,
        plot=plot(
            [(row.score.run.period, row.figures.score, row.figures.average) for row in reversed(history)]
        ),
        disputes_until=until,
        may_dispute=clock.now() <= until and permissions.may_dispute(person, application),
        next_quarter=following,
        next_closes_at=runs.closes_at(following),
    )


def _quarterly(score: Score) -> Quarterly:
    figures = standing(score)
    return Quarterly(score, figures, level_name(figures.level), figures is not score)


def _block(
    dimension: Dimension,
    shown: Score,
    figures: Figures,
    rule: Rule,
    sources: "_Sources",
    filed: Mapping[str, ScoreDispute],
) -> Block:
    total = sum(rule.weights.values(), Decimal(0))
    part = 100 * rule.weights[dimension] / total
    inside = sum((scale.weight for _code, scale in rule.of(dimension)), Decimal(0)) or Decimal(1)
    lines = [
        _line(
            INPUTS[code],
            shown,
            figures,
            Decimal(figures.parts["points"][code]),
            rounded(part * scale.weight / inside),
            sources,
            filed,
        )
        for code, scale in rule.of(dimension)
    ]
    return Block(dimension, Decimal(figures.parts["dimensions"][dimension]), rounded(part), lines)


def _line(
    item: Input,
    shown: Score,
    figures: Figures,
    points: Decimal,
    share: Decimal,
    sources: "_Sources",
    filed: Mapping[str, ScoreDispute],
) -> InputLine:
    return InputLine(
        item=item,
        value=value_of(figures.inputs, item.code),
        is_corrected="dispute" in figures.inputs[item.code],
        published=value_of(shown.inputs, item.code),
        points=points,
        share=share,
        sources=sources.of(item),
        dispute=filed.get(item.code),
    )


class _Sources:
    """What the values of one score were counted from; two queries for all of them."""

    def __init__(self, application: Application, figures: Figures) -> None:
        self.application = application
        self.inputs: dict[str, dict[str, Any]] = figures.inputs
        declared = [
            pk for code, item in INPUTS.items() if item.kind is Kind.DECLARED for pk in self._refs(code)
        ]
        self.declarations = {row.pk: row for row in Declaration.objects.filter(pk__in=declared)}
        self.violations = {
            row.pk: row for row in Violation.objects.filter(pk__in=self._refs("violation_points"))
        }

    def of(self, item: Input) -> list[Source]:
        if item.kind is Kind.DECLARED:
            return [self._declared(pk) for pk in self._refs(item.code) if pk in self.declarations]
        if item.code == GMV:
            return [Source(_("%(count)s verified figures") % {"count": len(self._refs(GMV))})]
        if item.code == "violation_points":
            return [self._violation(pk) for pk in self._refs(item.code) if pk in self.violations]
        if item.code == "upheld_complaints":
            return [self._complaint(number) for number in self._refs(item.code)]
        return []

    def _refs(self, code: str) -> list[Any]:
        found: list[Any] = self.inputs[code].get("of", [])
        return found

    def _declared(self, pk: int) -> Source:
        row = self.declarations[pk]
        return Source(
            _("declared %(day)s") % {"day": f"{row.uploaded_at.astimezone(clock.SHANGHAI):%Y-%m-%d}"},
            reverse("served_shops:figures", args=[self.application.number]),
        )

    def _violation(self, pk: int) -> Source:
        return Source(
            self.violations[pk].title, reverse("cases:violation", args=[self.application.number, pk])
        )

    def _complaint(self, number: str) -> Source:
        return Source(number, reverse("cases:complaint", args=[self.application.number, number]))
