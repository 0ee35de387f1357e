"""Star ratings: a run over a quarter, each provider's score with all its inputs, and disputes about one."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits.models.columns import fixed, lawful, refuses
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


class RunState(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    SCORED = "scored", _("scored, not published")
    PUBLISHED = "published", _("published")
    CANCELLED = "cancelled", _("cancelled")


RUN_EDGES = [
    (RunState.QUEUED, RunState.RUNNING),
    (RunState.RUNNING, RunState.SCORED),
    (RunState.SCORED, RunState.PUBLISHED),
    *[(source, RunState.CANCELLED) for source in (RunState.QUEUED, RunState.RUNNING, RunState.SCORED)],
]


class RatingRun(models.Model):
    """The rating of one quarter by one rule. A preview is scored by a rule that is not in force, and never published."""

    period = models.CharField(_("quarter"), max_length=6)  # 2026Q3
    is_preview = models.BooleanField(_("preview"), default=False)
    # The rule's whole value, so that it can be computed again whatever becomes of the rule.
    rule_version = models.PositiveIntegerField(_("rule version"))
    rule = models.JSONField(_("rule"))
    state = models.CharField(_("state"), max_length=9, choices=RunState, default=RunState.QUEUED)
    total = models.PositiveIntegerField(_("providers"), default=0)
    done = models.PositiveIntegerField(_("scored"), default=0)
    # The last application that is scored: where a worker that took over goes on.
    cursor = models.BigIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(_("begun"), default=clock.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    scored_at = models.DateTimeField(_("scored at"), null=True, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # The published quarter before, with which the half-year average was made; none: there was none then.
    previous = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("quarter before"),
    )
    # After publication the providers are told by and by: up to this application, and when the last was.
    told_cursor = models.BigIntegerField(default=0, db_default=0)
    told_at = models.DateTimeField(_("providers told"), null=True, blank=True)

    class Meta:
        verbose_name = _("rating run")
        verbose_name_plural = _("rating runs")
        ordering = ["-period", "-pk"]
        permissions = [("publish_ratingrun", "Can run and publish ratings")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="rating_run_state_known"),
            models.CheckConstraint(
                condition=Q(period__regex=r"^20[0-9]{2}Q[1-4]$"), name="rating_run_names_a_quarter"
            ),
            models.CheckConstraint(
                condition=~Q(is_preview=True, state=RunState.PUBLISHED), name="preview_is_never_published"
            ),
            models.UniqueConstraint(
                fields=["period"],
                condition=Q(is_preview=False) & ~Q(state=RunState.CANCELLED),
                name="one_rating_per_quarter",
            ),
            models.CheckConstraint(
                condition=~Q(state=RunState.PUBLISHED)
                | Q(published_at__isnull=False, published_by__isnull=False, scored_at__isnull=False),
                name="rating_published_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[RunState.SCORED, RunState.PUBLISHED]) | Q(done=F("total")),
                name="rating_scored_when_all_are",
            ),
        ]
        indexes = [
            models.Index(fields=["state"], name="rating_to_do", condition=Q(state__in=["queued", "running"])),
            models.Index(
                fields=["published_at"],
                name="rating_to_tell",
                condition=Q(published_at__isnull=False, told_at__isnull=True),
            ),
        ]
        triggers = [
            begins_in(RunState.QUEUED.value),
            lawful(RUN_EDGES),
            fixed("period", "is_preview", "rule_version", "rule", "previous", "created_at", "created_by"),
            refuses(
                "published_stays",
                pgtrigger.Update,
                """OLD.state = 'published' AND (
                    NEW.total <> OLD.total OR NEW.done <> OLD.done OR NEW.cursor <> OLD.cursor
                    OR NEW.scored_at <> OLD.scored_at OR NEW.published_at <> OLD.published_at
                    OR NEW.published_by_id <> OLD.published_by_id
                )""",
                "what was published stays",
            ),
        ]

    def __str__(self) -> str:
        return self.period


class Figures(models.Model):
    """What the rule makes of a provider's inputs, with these inputs."""

    # Code → {"value": text of a decimal or null, "of": what it was counted from} (ratings/facts.py).
    inputs = models.JSONField(_("inputs"))
    # Each input's points, each dimension, each deduction, and the quarter before (ratings/scoring.py).
    parts = models.JSONField(_("parts"))
    deductions = models.DecimalField(_("deductions"), max_digits=5, decimal_places=2)
    score = models.DecimalField(_("score"), max_digits=5, decimal_places=2)
    # The mean of this and the published quarter before, of what there is.
    average = models.DecimalField(_("half-year average"), max_digits=5, decimal_places=2)
    gmv = models.DecimalField(_("GMV of the served shops"), max_digits=16, decimal_places=2)
    # 0: below the gate of the lowest level.
    level = models.PositiveSmallIntegerField(_("stars"))

    class Meta:
        abstract = True


def _within_bounds(name: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(
            condition=Q(score__gte=0, score__lte=100, average__gte=0, average__lte=100),
            name=f"{name}_within_a_hundred",
        ),
        models.CheckConstraint(condition=Q(level__in=[0, 3, 4, 5, 6]), name=f"{name}_level_known"),
    ]


class Score(Figures):
    """One provider in one run. Written once, while the run is scored; a correction is a row of its own."""

    run = models.ForeignKey(RatingRun, on_delete=models.PROTECT, related_name="scores")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="scores")

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(fields=["run", "application"], name="one_score_per_run"),
            *_within_bounds("score"),
        ]
        indexes = [models.Index(fields=["application", "-run"], name="scores_of_provider")]
        triggers = [
            protect(),
            refuses(
                "while_its_run_is_scored",
                pgtrigger.Insert,
                """NOT EXISTS (
                    SELECT 1 FROM compliance_ratingrun r WHERE r.id = NEW.run_id AND r.state = 'running'
                )""",
                "a score is written while its run is scored",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.application}"


class DisputeState(models.TextChoices):
    OPEN = "open", _("waiting for operations")
    UPHELD = "upheld", _("upheld")
    REJECTED = "rejected", _("rejected")


class ScoreDispute(models.Model):
    """A provider says that an input of its published score is wrong.

    Upheld: `corrected` is the right value, and corrections say what follows from it; the score stays as it was
    published, for everybody to compare.
    """

    score = models.ForeignKey(
        Score, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("score")
    )
    input = models.CharField(_("input"), max_length=40)
    text = models.TextField(_("what is wrong"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)
    state = models.CharField(_("state"), max_length=8, choices=DisputeState, default=DisputeState.OPEN)
    corrected = models.DecimalField(_("right value"), max_digits=14, decimal_places=2, null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.CharField(_("reason for the decision"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("score dispute")
        verbose_name_plural = _("score disputes")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DisputeState.values), name="dispute_state_known"),
            models.UniqueConstraint(fields=["score", "input"], name="one_dispute_per_input"),
            models.CheckConstraint(
                condition=Q(state=DisputeState.OPEN)
                | (Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision_reason="")),
                name="dispute_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state=DisputeState.UPHELD, corrected__isnull=False, corrected__gte=0)
                | (~Q(state=DisputeState.UPHELD) & Q(corrected__isnull=True)),
                name="dispute_upheld_with_the_right_value",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("by")),
                name="dispute_not_decided_by_its_author",
            ),
        ]
        indexes = [models.Index(fields=["at"], name="dispute_waiting", condition=Q(state="open"))]
        triggers = [
            begins_in(DisputeState.OPEN.value),
            lawful([(DisputeState.OPEN, DisputeState.UPHELD), (DisputeState.OPEN, DisputeState.REJECTED)]),
            fixed("score", "input", "text", "by", "at"),
            refuses(
                "decided_once",
                pgtrigger.Update,
                """OLD.state <> 'open' AND (
                    NEW.corrected IS DISTINCT FROM OLD.corrected
                    OR NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id
                    OR NEW.decided_at IS DISTINCT FROM OLD.decided_at
                    OR NEW.decision_reason <> OLD.decision_reason
                )""",
                "a decision on a dispute stays",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.score} {self.input}"


class ScoreCorrection(Figures):
    """What stands instead of a score since a dispute was upheld: of the disputed one, and of the quarter after.

    The newest of a score stands; the score itself is never changed.
    """

    original = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="corrections")
    dispute = models.ForeignKey(ScoreDispute, on_delete=models.PROTECT, related_name="corrections")
    at = models.DateTimeField(_("time"), default=clock.now)

    class Meta:
        verbose_name = _("correction of a score")
        verbose_name_plural = _("corrections of scores")
        ordering = ["original", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["original", "dispute"], name="one_correction_per_dispute"),
            *_within_bounds("correction"),
        ]
        triggers = [
            protect(),
            refuses(
                "after_an_upheld_dispute",
                pgtrigger.Insert,
                """NOT EXISTS (
                    SELECT 1 FROM compliance_scoredispute d WHERE d.id = NEW.dispute_id AND d.state = 'upheld'
                )""",
                "a score is corrected by an upheld dispute",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.original} → {self.score}"
