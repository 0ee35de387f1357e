"""What stands of a score: the newest correction, or else the score as it was published."""

from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from compliance.models import Score, ScoreCorrection
from compliance.models.rating import Figures
from compliance.ratings import scoring
from compliance.ratings.rule import Rule
from compliance.ratings.scoring import Rated


def columns(inputs: dict[str, Any], rated: Rated) -> dict[str, Any]:
    """The columns of a score or of a correction."""
    return {
        "inputs": inputs,
        "parts": rated.parts,
        "deductions": rated.scored.deducted,
        "score": rated.scored.score,
        "average": rated.average,
        "gmv": rated.gmv,
        "level": rated.level,
    }


def standing(score: Score) -> Figures:
    """What counts now."""
    newest: ScoreCorrection | None = max(score.corrections.all(), key=lambda row: row.pk, default=None)
    return newest or score


def recompute(row: Score | ScoreCorrection) -> Rated:
    """The same figures from the snapshot alone: its inputs, its run's rule, and the quarter before."""
    score = row if isinstance(row, Score) else row.original
    previous = row.parts["previous"]
    return scoring.rate(
        row.inputs, Rule.parse(score.run.rule), None if previous is None else Decimal(previous)
    )


def with_standing(scores: QuerySet[Score], *names: str) -> QuerySet[Any]:
    """Each row with `standing_<name>`: the figure of the newest correction, or else its own."""
    corrections = ScoreCorrection.objects.filter(original=OuterRef("pk")).order_by("-pk")
    return scores.annotate(
        **{f"standing_{name}": Coalesce(Subquery(corrections.values(name)[:1]), F(name)) for name in names}
    )
