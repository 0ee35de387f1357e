"""Star ratings: a run over a quarter, each provider's score with all its inputs, and disputes about one."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits.models.columns import fixed, lawful, money
from tmall_sp.core import clock
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
        ]
        triggers = [
            begins_in(RunState.QUEUED.value),
            lawful(RUN_EDGES),
            fixed("period", "is_preview", "rule_version", "rule"),
        ]

    def __str__(self) -> str:
        return self.period


class Score(models.Model):
    """One provider in one run: every input, each part, and the level that follows. Fixed once published."""

    run = models.ForeignKey(RatingRun, on_delete=models.PROTECT, related_name="scores")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="scores")
    inputs = models.JSONField(_("inputs"))
    parts = models.JSONField(_("parts"))
    deductions = models.DecimalField(_("deductions"), max_digits=5, decimal_places=2)
    score = models.DecimalField(_("score"), max_digits=5, decimal_places=2)
    # The mean of this and the published quarter before, of what there is.
    average = models.DecimalField(_("half-year average"), max_digits=5, decimal_places=2)
    gmv = money(_("GMV of the served shops"))
    # 0: below the gate of the lowest level.
    level = models.PositiveSmallIntegerField(_("stars"))

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        constraints = [
            models.UniqueConstraint(fields=["run", "application"], name="one_score_per_run"),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=100, average__gte=0, average__lte=100),
                name="score_within_a_hundred",
            ),
            models.CheckConstraint(condition=Q(level__in=[0, 3, 4, 5, 6]), name="score_level_known"),
        ]
        indexes = [models.Index(fields=["application", "-run"], name="scores_of_provider")]

    def __str__(self) -> str:
        return f"{self.score}"


class DisputeState(models.TextChoices):
    OPEN = "open", _("waiting for operations")
    UPHELD = "upheld", _("upheld")
    REJECTED = "rejected", _("rejected")


class ScoreDispute(models.Model):
    """A provider says that an input of its score is wrong. Upheld: the next run, or this one before publication, uses the right one."""

    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="disputes")
    input = models.CharField(_("input"), max_length=40)
    text = models.TextField(_("what is wrong"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)
    state = models.CharField(_("state"), max_length=8, choices=DisputeState, default=DisputeState.OPEN)
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
        ]
        triggers = [
            begins_in(DisputeState.OPEN.value),
            lawful([(DisputeState.OPEN, DisputeState.UPHELD), (DisputeState.OPEN, DisputeState.REJECTED)]),
        ]

    def __str__(self) -> str:
        return self.input
