"""Why a member may not serve."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock


class SuspensionCause(models.TextChoices):
    SHORTFALL = "shortfall", _("deposit not filled up")
    SANCTION = "sanction", _("sanction")
    LICENCE_EXPIRED = "licence_expired", _("business licence expired")
    OPS = "ops", _("decision of operations")


# What the company can end by itself. Left as it is for long, it ends the membership.
CURABLE = (SuspensionCause.SHORTFALL, SuspensionCause.LICENCE_EXPIRED)


# What only a person lifts.
LIFTED_BY_A_PERSON = (SuspensionCause.SANCTION, SuspensionCause.OPS)


class Suspension(models.Model):
    """One reason why a member may not serve. Written by suspensions.py alone; open until it is lifted."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="suspensions", verbose_name=_("application")
    )
    cause = models.CharField(_("cause"), max_length=15, choices=SuspensionCause)
    # Tells two of one cause apart, such as two sanctions.
    case = models.CharField(_("case"), max_length=60, blank=True)
    # What the company reads.
    reason = models.TextField(_("reason"))
    opened_at = models.DateTimeField(_("since"), default=clock.now)
    # None: the system.
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("opened by"),
    )
    # The instant after which the exit is required; null: the company has no cure in its hands.
    exit_due_at = models.DateTimeField(_("to be cured by"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("lifted by"),
    )
    lift_reason = models.TextField(_("reason for lifting it"), blank=True)

    class Meta:
        verbose_name = _("suspension")
        verbose_name_plural = _("suspensions")
        ordering = ["opened_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(cause__in=SuspensionCause.values), name="suspension_cause_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="suspension_has_reason"),
            models.CheckConstraint(
                condition=~Q(cause=SuspensionCause.OPS) | Q(opened_by__isnull=False),
                name="suspension_by_operations_has_a_person",
            ),
            models.CheckConstraint(
                condition=Q(exit_due_at__isnull=True) | Q(cause__in=CURABLE, exit_due_at__gte=F("opened_at")),
                name="suspension_exit_only_with_a_cure",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (
                    Q(lifted_at__isnull=False, lifted_at__gte=F("opened_at"))
                    & (~Q(cause__in=LIFTED_BY_A_PERSON) | Q(lifted_by__isnull=False))
                ),
                name="suspension_lifted_by_whoever_may",
            ),
            models.UniqueConstraint(
                fields=["application", "cause", "case"],
                condition=Q(lifted_at__isnull=True),
                name="one_open_suspension_per_cause_and_case",
            ),
        ]
        indexes = [
            models.Index(
                fields=["exit_due_at"],
                name="suspension_exit_due",
                condition=Q(lifted_at__isnull=True, exit_due_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="fixed",
                fields=["application", "cause", "case", "reason", "opened_at", "opened_by", "exit_due_at"],
            ),
            pgtrigger.Protect(
                name="lifted_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__lifted_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_cause_display()} {self.case}".rstrip()
