"""Wishes to leave: opened and closed with the application's own steps, in receivers.py."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application


class ExitOutcome(models.TextChoices):
    CANCELLED = "cancelled", _("cancelled")
    COMPLETED = "completed", _("completed")
    EXPELLED = "expelled", _("ended by expulsion")


class ExitRequest(models.Model):
    """One wish to leave: opened and closed with the application's own steps, in receivers.py."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="exit_requests", verbose_name=_("provider")
    )
    # None: the exit was demanded by the system.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("requested by"),
    )
    requested_at = models.DateTimeField(_("requested"))
    notice_ends_at = models.DateTimeField(_("end of the notice period"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=9, choices=ExitOutcome, blank=True)

    class Meta:
        verbose_name = _("exit request")
        verbose_name_plural = _("exit requests")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(closed_at__isnull=True),
                name="one_open_exit_per_application",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="")
                | Q(closed_at__isnull=False, outcome__in=ExitOutcome.values),
                name="exit_closed_with_outcome",
            ),
            models.CheckConstraint(
                condition=Q(notice_ends_at__gte=F("requested_at")), name="exit_notice_after_request"
            ),
        ]
        indexes = [
            models.Index(fields=["notice_ends_at"], name="exit_waiting", condition=Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} {self.requested_at:%Y-%m-%d}"
