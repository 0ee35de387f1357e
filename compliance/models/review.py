"""What merchants with a proven relation say of a provider, once per quarter."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models import Application
from compliance.models.served_shop import ServedShop
from deposits.models.columns import fixed
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


def _mark(name: object) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        name,  # type: ignore[arg-type]
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )


class ReviewState(models.TextChoices):
    """Derived from the columns, for people and for pages that may be out of date."""

    SHOWN = "shown", pgettext_lazy("review", "shown")
    REPORTED = "reported", _("reported, waiting for operations")
    HIDDEN = "hidden", pgettext_lazy("review", "hidden")


DIMENSIONS = ("attitude", "professionalism", "speed", "results")


class Review(models.Model):
    """Marks by dimension, 1 to 5, and a text; shown in the directory unless operations hid it."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="merchant_reviews", verbose_name=_("provider")
    )
    served_shop = models.ForeignKey(ServedShop, on_delete=models.PROTECT, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    quarter = models.CharField(_("quarter"), max_length=6)
    attitude = _mark(_("attitude"))
    professionalism = _mark(_("professionalism"))
    speed = _mark(_("speed"))
    results = _mark(_("results"))
    text = models.CharField(_("text"), max_length=500, blank=True)
    written_at = models.DateTimeField(_("written"), default=clock.now)
    reply = models.CharField(_("reply"), max_length=500, blank=True)
    replied_at = models.DateTimeField(_("replied"), null=True, blank=True)
    # By the provider: operations look at it.
    reported_at = models.DateTimeField(pgettext_lazy("review", "reported"), null=True, blank=True)
    report_reason = models.CharField(_("reason of the report"), max_length=300, blank=True)
    report_decided_at = models.DateTimeField(_("report decided"), null=True, blank=True)
    hidden_at = models.DateTimeField(_("hidden"), null=True, blank=True)
    hidden_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    hidden_reason = models.CharField(_("reason for hiding"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("review by a merchant")
        verbose_name_plural = _("reviews by merchants")
        ordering = ["-written_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["served_shop", "quarter"], name="one_review_per_shop_and_quarter"
            ),
            models.CheckConstraint(
                condition=Q(hidden_at__isnull=True) | (Q(hidden_by__isnull=False) & ~Q(hidden_reason="")),
                name="review_hidden_by_somebody_for_a_reason",
            ),
            *[
                models.CheckConstraint(
                    condition=Q(**{f"{name}__range": (1, 5)}), name=f"review_{name}_in_range"
                )
                for name in DIMENSIONS
            ],
        ]
        indexes = [
            models.Index(
                fields=["application", "-written_at"],
                name="reviews_shown",
                condition=Q(hidden_at__isnull=True),
            ),
        ]
        triggers = [
            fixed("application", "served_shop", "author", "quarter", *DIMENSIONS, "text", "written_at"),
        ]

    def __str__(self) -> str:
        return f"{self.quarter} {self.served_shop}"

    @property
    def state(self) -> ReviewState:
        if self.hidden_at:
            return ReviewState.HIDDEN
        waits = self.reported_at and not self.report_decided_at
        return ReviewState.REPORTED if waits else ReviewState.SHOWN


class ReviewStep(models.Model):
    """One step of a review after it was written: a reply, a report, what operations decided."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(_("step"), max_length=10)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("step of a review")
        verbose_name_plural = _("steps of reviews")
        ordering = ["at", "pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return self.name
