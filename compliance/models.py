"""Violations, exits, and what the public sees of a provider. Who may change what: violations.py, exits.py."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from compliance.lifecycle import OPEN, ViolationLifecycle, ViolationState, edges
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


class Severity(models.TextChoices):
    GENERAL = "general", _("general")
    SEVERE = "severe", _("severe")


class Violation(ViolationLifecycle):
    """One suspected breach of the rules. `state` is changed by `violations._move` alone."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="violations", verbose_name=_("provider")
    )
    severity = models.CharField(_("severity"), max_length=7, choices=Severity)
    title = models.CharField(_("title"), max_length=120)
    facts = models.TextField(_("facts"))
    # None: the system.
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("reported by"),
    )
    reported_at = models.DateTimeField(_("reported"), default=clock.now)
    investigator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="investigations",
        verbose_name=_("investigator"),
    )
    taken_up_at = models.DateTimeField(_("taken up"), null=True, blank=True)
    finding = models.TextField(_("finding"), blank=True)
    proposed_at = models.DateTimeField(_("proposed"), null=True, blank=True)
    verifier = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("verifier"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.TextField(_("reason for the decision"), blank=True)
    # Grows with every change; a form carries the one that it showed.
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("violation")
        verbose_name_plural = _("violations")
        ordering = ["-reported_at", "-pk"]
        permissions = [("handle_violation", "Can investigate and decide violations")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ViolationState.values), name="violation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(severity__in=Severity.values), name="violation_severity_known"
            ),
            models.CheckConstraint(
                condition=Q(state=ViolationState.REPORTED, investigator__isnull=True)
                | (
                    ~Q(state=ViolationState.REPORTED)
                    & Q(investigator__isnull=False, taken_up_at__isnull=False)
                ),
                name="violation_has_investigator",
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, decided_at__isnull=True)
                | (~Q(state__in=OPEN) & Q(decided_at__isnull=False) & ~Q(decision_reason="")),
                name="violation_decision_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=ViolationState.VERIFIED, verifier__isnull=False, proposed_at__isnull=False)
                | (~Q(state=ViolationState.VERIFIED) & Q(verifier__isnull=True)),
                name="violation_verified_by_somebody",
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(verifier__isnull=True) | ~Q(verifier=F("investigator")),
                name="violation_verified_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(reported_by__isnull=True)
                | Q(investigator__isnull=True)
                | ~Q(investigator=F("reported_by")),
                name="violation_not_investigated_by_its_reporter",
            ),
            models.CheckConstraint(
                condition=Q(reported_by__isnull=True)
                | Q(verifier__isnull=True)
                | ~Q(verifier=F("reported_by")),
                name="violation_not_verified_by_its_reporter",
            ),
        ]
        indexes = [
            models.Index(fields=["application"], name="violation_open", condition=Q(state__in=OPEN)),
        ]
        triggers = [
            pgtrigger.FSM(
                name="lawful_edges",
                field="state",
                transitions=sorted({(source, target) for _, source, target in edges() if source != target}),
            ),
            begins_in(ViolationState.REPORTED.value),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class ViolationStep(models.Model):
    """One step of a violation: its history, read by staff."""

    violation = models.ForeignKey(Violation, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(_("step"), max_length=20)
    from_state = models.CharField(_("from"), max_length=13, choices=ViolationState, blank=True)
    to_state = models.CharField(_("to"), max_length=13, choices=ViolationState)
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField(_("time"), default=clock.now)
    severity = models.CharField(_("severity"), max_length=7, choices=Severity)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("violation step")
        verbose_name_plural = _("violation steps")
        ordering = ["at", "pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


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


class ProviderProfile(models.Model):
    """What the directory knows of a member beyond its application; made when it becomes active."""

    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="profile")
    member_since = models.DateTimeField(_("member since"))
    # null: not yet rated.
    stars = models.PositiveSmallIntegerField(_("stars"), null=True, blank=True)

    class Meta:
        verbose_name = _("provider profile")
        verbose_name_plural = _("provider profiles")
        constraints = [
            models.CheckConstraint(
                condition=Q(stars__isnull=True) | Q(stars__range=(3, 6)), name="stars_are_three_to_six"
            ),
        ]
        indexes = [models.Index(fields=["-member_since", "-application"], name="profile_newest")]

    def __str__(self) -> str:
        return str(self.application)
