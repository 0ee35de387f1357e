"""Business licences that members hand in anew."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models.application import Application
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


class RenewalState(models.TextChoices):
    WAITING = "waiting", _("being looked at")
    VERIFIED = "verified", pgettext_lazy("licence", "verified")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("licence", "taken back")


R = RenewalState


class LicenceRenewal(models.Model):
    """One renewed licence: a file and its last day, looked at by staff. Written by licence_renewals.py alone."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="licence_renewals", verbose_name=_("application")
    )
    file = models.FileField(_("file"), upload_to="licences/%Y/%m/", max_length=200)
    original_name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField(max_length=64)
    # null: the licence has no expiry.
    valid_until = models.DateField(_("licence valid until"), null=True, blank=True)
    # What was in force when it was handed in.
    old_valid_until = models.DateField(_("valid until then"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=RenewalState, default=R.WAITING)
    handed_in_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("handed in by"),
    )
    handed_in_at = models.DateTimeField(_("handed in"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # What the company reads.
    decision_reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("renewed licence")
        verbose_name_plural = _("renewed licences")
        ordering = ["-handed_in_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=R.values), name="licence_renewal_state_known"),
            models.CheckConstraint(
                condition=Q(state=R.WAITING, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=R.WAITING) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="licence_renewal_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state=R.REFUSED) | ~Q(decision_reason=""), name="licence_refused_for_a_reason"
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=~Q(state=R.VERIFIED) | ~Q(decided_by=models.F("handed_in_by")),
                name="licence_verified_by_another",
            ),
            models.UniqueConstraint(
                fields=["application"], condition=Q(state=R.WAITING), name="one_waiting_licence"
            ),
        ]
        indexes = [
            models.Index(fields=["handed_in_at"], name="licence_waiting", condition=Q(state=R.WAITING)),
        ]
        triggers = [
            begins_in(R.WAITING.value),
            pgtrigger.ReadOnly(
                name="fixed",
                fields=[
                    "application",
                    "file",
                    "original_name",
                    "content_type",
                    "size",
                    "sha256",
                    "valid_until",
                    "old_valid_until",
                    "handed_in_by",
                    "handed_in_at",
                ],
            ),
            pgtrigger.Protect(
                name="decided_for_good",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state=R.WAITING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application.number} {self.valid_until or '∞'}"
