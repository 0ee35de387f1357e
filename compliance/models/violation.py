"""Violations and their history. Who may change what: violations/services.py."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models import Application
from compliance.models.stored_file import StoredFile
from compliance.violations.lifecycle import (
    OPEN,
    STANDS,
    UNRESOLVED,
    ViolationLifecycle,
    ViolationState,
    edges,
)
from deposits.models.columns import ZERO, fixed, lawful, money, refuses
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


class Severity(models.TextChoices):
    GENERAL = "general", _("general")
    SEVERE = "severe", _("severe")


class Ground(models.TextChoices):
    """What was broken: it decides what an amount beside the points is, a penalty or damages."""

    RULES = "rules", _("the programme's rules")
    AGREEMENT = "agreement", _("the agreement with a customer or the platform")


class Measure(models.TextChoices):
    WARNING = "warning", _("warning")
    POINTS = "points", _("points")
    PENALTY = "penalty", pgettext_lazy("sanction", "penalty")
    BREACH = "breach", _("damages for breach")
    SUSPENSION = "suspension", _("suspension")
    EXPULSION = "expulsion", _("expulsion")
    # Of a company that had left before.
    BAN = "ban", _("ban")


# Taken out of the deposit; each is a kind of the ledger by the same name (deposits/books/accounts.py).
CHARGES = (Measure.PENALTY, Measure.BREACH)


class Violation(ViolationLifecycle):
    """One suspected breach of the rules. `state` is changed by `violations._move` alone."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="violations", verbose_name=_("provider")
    )
    severity = models.CharField(_("severity"), max_length=7, choices=Severity)
    ground = models.CharField(
        _("what was broken"), max_length=9, choices=Ground, default=Ground.RULES, db_default=Ground.RULES
    )
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
    # The moment whose rules count for this case.
    reported_at = models.DateTimeField(_("reported"), default=clock.now)
    # What made the system report it, once; empty where a person did.
    trigger = models.CharField(_("trigger"), max_length=60, blank=True, db_default="", editable=False)
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
    # What the investigator proposes besides the points that follow from the rule.
    proposed_penalty = money(_("proposed penalty"), default=ZERO, db_default=ZERO)
    proposed_suspension_days = models.PositiveSmallIntegerField(
        _("proposed days of suspension"), default=0, db_default=0
    )
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
    # A general one that fills the year's points counts as severe (rule `violation.points`).
    counts_as_severe = models.BooleanField(_("counts as severe"), default=False, db_default=False)
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
            models.CheckConstraint(condition=Q(ground__in=Ground.values), name="violation_ground_known"),
            models.UniqueConstraint(
                fields=["trigger"], condition=~Q(trigger=""), name="violation_reported_once_per_trigger"
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
                condition=Q(
                    state__in=[*STANDS, ViolationState.OVERTURNED],
                    verifier__isnull=False,
                    proposed_at__isnull=False,
                )
                | (~Q(state__in=[*STANDS, ViolationState.OVERTURNED]) & Q(verifier__isnull=True)),
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
            models.Index(
                fields=["application"], name="violation_unresolved", condition=Q(state__in=UNRESOLVED)
            ),
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

    @property
    def case(self) -> str:
        """Its name in the ledger and among the suspensions."""
        return f"violation:{self.pk}"

    @property
    def charge(self) -> Measure:
        """What its amount is taken as."""
        return Measure.BREACH if self.ground == Ground.AGREEMENT else Measure.PENALTY


class ViolationFile(StoredFile):
    """Evidence that came with a report, read by staff."""

    violation = models.ForeignKey(Violation, on_delete=models.PROTECT, related_name="files")

    class Meta:
        verbose_name = _("evidence of a report")
        verbose_name_plural = _("evidence of reports")
        ordering = ["uploaded_at", "pk"]
        triggers = [protect()]


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


class Sanction(models.Model):
    """One consequence of a verified violation. Taken back only by an appeal that was upheld."""

    violation = models.ForeignKey(
        Violation, on_delete=models.PROTECT, related_name="sanctions", verbose_name=_("violation")
    )
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="sanctions")
    measure = models.CharField(_("measure"), max_length=10, choices=Measure)
    points = models.PositiveSmallIntegerField(_("points"), default=0)
    amount = money(_("amount"), default=ZERO)
    # Until when a suspended provider has to have put right what was wrong.
    rectify_by = models.DateTimeField(_("to be put right by"), null=True, blank=True)
    imposed_at = models.DateTimeField(_("imposed"), default=clock.now)
    taken_back_at = models.DateTimeField(_("taken back"), null=True, blank=True)

    class Meta:
        verbose_name = _("sanction")
        verbose_name_plural = _("sanctions")
        ordering = ["imposed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["violation", "measure"], name="one_sanction_of_a_kind"),
            models.CheckConstraint(
                condition=Q(measure=Measure.POINTS, points__gt=0)
                | (~Q(measure=Measure.POINTS) & Q(points=0)),
                name="sanction_points",
            ),
            models.CheckConstraint(
                condition=Q(measure__in=CHARGES, amount__gt=0) | (~Q(measure__in=CHARGES) & Q(amount=ZERO)),
                name="sanction_amount",
            ),
            models.CheckConstraint(
                condition=Q(measure=Measure.SUSPENSION, rectify_by__isnull=False)
                | (~Q(measure=Measure.SUSPENSION) & Q(rectify_by__isnull=True)),
                name="sanction_to_be_put_right",
            ),
        ]
        indexes = [
            models.Index(
                fields=["application", "imposed_at"],
                name="points_of_provider",
                condition=Q(measure=Measure.POINTS, taken_back_at__isnull=True),
            ),
        ]
        triggers = [
            fixed("violation", "application", "measure", "points", "amount", "rectify_by", "imposed_at"),
            refuses(
                "taken_back_for_good",
                pgtrigger.Update,
                "OLD.taken_back_at IS NOT NULL AND NEW.taken_back_at IS DISTINCT FROM OLD.taken_back_at",
                "a sanction is taken back once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_measure_display()}"


class AppealState(models.TextChoices):
    OPEN = "open", _("waiting for operations")
    PROPOSED = "proposed", _("waiting for a second person")
    UPHELD = "upheld", _("upheld")
    REJECTED = "rejected", _("rejected")


class ViolationAppeal(models.Model):
    """The company's one appeal. Two people decide where it expelled, one otherwise; none from the first decision."""

    violation = models.OneToOneField(
        Violation, on_delete=models.PROTECT, related_name="appeal_case", verbose_name=_("violation")
    )
    text = models.TextField(_("reasons"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("appealed"), default=clock.now)
    state = models.CharField(_("state"), max_length=8, choices=AppealState, default=AppealState.OPEN)
    # The first person's word: whether to uphold it, and why.
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_uphold = models.BooleanField(null=True, blank=True)
    proposal = models.TextField(_("proposal"), blank=True)
    decider = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("appeal against a violation")
        verbose_name_plural = _("appeals against violations")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=AppealState.values), name="appeal_state_known"),
            models.CheckConstraint(
                condition=Q(decider__isnull=True) | Q(proposer__isnull=True) | ~Q(decider=F("proposer")),
                name="appeal_decided_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[AppealState.UPHELD, AppealState.REJECTED])
                | (Q(decider__isnull=False, decided_at__isnull=False) & ~Q(reason="")),
                name="appeal_decision_has_reason",
            ),
        ]
        triggers = [
            begins_in(AppealState.OPEN.value),
            lawful(
                [
                    (AppealState.OPEN, AppealState.PROPOSED),
                    *[
                        (source, target)
                        for source in (AppealState.OPEN, AppealState.PROPOSED)
                        for target in (AppealState.UPHELD, AppealState.REJECTED)
                    ],
                    (AppealState.PROPOSED, AppealState.OPEN),
                ]
            ),
            fixed("violation", "text", "by", "at"),
            refuses(
                "not_by_the_involved",
                pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM compliance_violation v
                    JOIN applications_application a ON a.id = v.application_id
                    WHERE v.id = NEW.violation_id
                      AND ARRAY[v.investigator_id, v.verifier_id, v.reported_by_id, a.approved_by_id]
                          && array_remove(ARRAY[NEW.decider_id, NEW.proposer_id], NULL)
                )""",
                "nobody who had a part in the violation decides the appeal",
            ),
            refuses(
                "two_where_it_expelled",
                pgtrigger.Update,
                """NEW.state IN ('upheld', 'rejected') AND NEW.proposer_id IS NULL AND EXISTS (
                    SELECT 1 FROM compliance_sanction s WHERE s.violation_id = NEW.violation_id
                      AND s.measure IN ('expulsion', 'ban') AND s.taken_back_at IS NULL
                )""",
                "two people decide the appeal against an expulsion",
            ),
        ]

    def __str__(self) -> str:
        return str(self.violation)


class AppealFile(StoredFile):
    """Evidence of an appeal."""

    appeal = models.ForeignKey(ViolationAppeal, on_delete=models.PROTECT, related_name="files")

    class Meta:
        verbose_name = _("evidence of an appeal")
        verbose_name_plural = _("evidence of appeals")
        ordering = ["uploaded_at", "pk"]
        triggers = [protect()]
