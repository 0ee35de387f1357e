"""The timeline of an application."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State
from applications.models.application import Application
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


class Transition(models.Model):
    """One step of an application: the timeline that merchant and reviewer see."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="transitions")
    name = models.CharField(_("step"), max_length=30)
    from_state = models.CharField(_("from"), max_length=20, choices=State, blank=True)
    to_state = models.CharField(_("to"), max_length=20, choices=State)
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Of a step that two people decide: the first of them; `actor` is the second.
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    # Who reported what the step follows from.
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("time"), default=clock.now)
    reason = models.TextField(_("reason"), blank=True)
    internal_note = models.TextField(_("internal note"), blank=True)
    # False: staff only, such as who claimed the review.
    public = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["at", "pk"]
        constraints = [
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(proposed_by__isnull=True) | (Q(actor__isnull=False) & ~Q(actor=F("proposed_by"))),
                name="transition_decided_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(reported_by__isnull=True)
                | Q(proposed_by__isnull=True)
                | (~Q(reported_by=F("actor")) & ~Q(reported_by=F("proposed_by"))),
                name="transition_not_decided_by_its_reporter",
            ),
        ]
        indexes = [models.Index(fields=["application", "at"], name="transition_timeline")]
        triggers = [
            protect(),
            # No CHECK, as rows from before a roll-back have lost the first person.
            pgtrigger.Trigger(
                name="decided_by_two",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.proposed_by_id IS NULL AND (
                        NEW.name IN ('overturn_expulsion', 'lift_ban', 'revoke_approval')
                        OR (NEW.name = 'require_exit' AND NEW.actor_id IS NOT NULL)
                    ) THEN
                        RAISE EXCEPTION 'two people decide on %', NEW.name USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
