"""Decisions about a membership that two people of operations take."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


class DecisionKind(models.TextChoices):
    REQUIRE_EXIT = "require_exit", _("require the exit")
    REVOKE_APPROVAL = "revoke_approval", _("revoke the approval")


class DecisionState(models.TextChoices):
    OPEN = "open", _("waiting for a second person")
    ACCEPTED = "accepted", _("carried out")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


S = DecisionState


class Decision(models.Model):
    """What one person of operations proposes and another decides. Written by decisions.py alone."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="decisions", verbose_name=_("application")
    )
    kind = models.CharField(_("kind"), max_length=15, choices=DecisionKind)
    # What the company reads once it is carried out.
    reason = models.TextField(_("reason for the company"))
    # For the second person.
    note = models.TextField(_("internal note"), blank=True)
    state = models.CharField(_("state"), max_length=9, choices=DecisionState, default=S.OPEN)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed"), default=clock.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    # Read by staff only.
    decision_reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("decision about a membership")
        verbose_name_plural = _("decisions about memberships")
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_known"),
            models.CheckConstraint(condition=Q(state__in=S.values), name="decision_state_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
            models.CheckConstraint(
                condition=Q(state=S.OPEN, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=S.OPEN) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="decision_decided_by_somebody",
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(state=S.WITHDRAWN, decided_by=F("proposed_by"))
                | (~Q(state=S.WITHDRAWN) & ~Q(decided_by=F("proposed_by"))),
                name="decision_decided_by_another",
            ),
            models.UniqueConstraint(
                fields=["application", "kind"], condition=Q(state=S.OPEN), name="one_open_decision_per_kind"
            ),
        ]
        indexes = [
            models.Index(fields=["proposed_at"], name="decision_open", condition=Q(state=S.OPEN)),
        ]
        triggers = [
            begins_in(S.OPEN.value),
            pgtrigger.ReadOnly(
                name="fixed",
                fields=["application", "kind", "reason", "note", "proposed_by", "proposed_at"],
            ),
            pgtrigger.Protect(
                name="decided_for_good",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state=S.OPEN),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.application.number}"
