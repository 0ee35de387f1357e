"""What the public sees of a provider beyond its application."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application


class ProviderProfile(models.Model):
    """What the directory knows of a member beyond its application; made when it becomes active."""

    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="profile")
    member_since = models.DateTimeField(_("member since"))
    # null: not yet rated.
    stars = models.PositiveSmallIntegerField(_("stars"), null=True, blank=True)
    # The published rating that the stars come from; 0 stars there are 未达标.
    rated_period = models.CharField(_("rated in"), max_length=6, blank=True, db_default="")
    # Of the reviews that are shown, kept with each of them.
    reviews = models.PositiveIntegerField(_("reviews"), default=0, db_default=0)
    review_mean = models.DecimalField(_("mean mark"), max_digits=3, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("provider profile")
        verbose_name_plural = _("provider profiles")
        constraints = [
            models.CheckConstraint(
                condition=Q(stars__isnull=True) | Q(stars__in=[0, 3, 4, 5, 6]), name="stars_are_three_to_six"
            ),
        ]
        indexes = [models.Index(fields=["-member_since", "-application"], name="profile_newest")]

    def __str__(self) -> str:
        return str(self.application)
