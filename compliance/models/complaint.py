"""Complaints against a provider, their evidence and their history. Who may change what: complaints/permissions.py."""

import secrets

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from compliance.complaints.lifecycle import (
    UNDECIDED,
    ComplaintLifecycle,
    ComplaintState,
    edges,
)
from compliance.models.served_shop import ServedShop
from compliance.models.stored_file import StoredFile
from deposits.models.columns import ZERO, fixed, money, refuses
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in

_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread on paper


def new_complaint_number() -> str:
    """A public number that can't be guessed from another."""
    return "TS" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(10))


class QuestionCode(models.Model):
    """What a complaint is about: the catalogue (programme.md §6.1)."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    title = models.CharField(_("title"), max_length=60)
    help_text = models.CharField(_("explanation"), max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("question code")
        verbose_name_plural = _("question codes")
        ordering = ["position", "code"]

    def __str__(self) -> str:
        return self.title


class Channel(models.TextChoices):
    ONLINE = "online", _("online order")
    OFFLINE = "offline", _("offline order")


class Relation(models.TextChoices):
    """Who complains: what the complaint rests on."""

    SERVED_MERCHANT = "served_merchant", _("a merchant that the provider served")
    CUSTOMER = "customer", _("a customer")
    OPERATIONS = "operations", _("entered by operations")


class Side(models.TextChoices):
    COMPLAINANT = "complainant", _("complainant")
    PROVIDER = "provider", _("provider")
    OPERATIONS = "operations", _("operations")


class Liability(models.TextChoices):
    LIABLE = "liable", _("the provider is liable")
    SHARED = "shared", _("liability is shared")
    NOT_LIABLE = "not_liable", _("the provider is not liable")


def _is_none_of(field: str, *others: str) -> Q:
    """A comparison with NULL is neither true nor false, which a CHECK lets pass."""
    found = Q()
    for other in others:
        found &= Q(**{f"{field}__isnull": True}) | Q(**{f"{other}__isnull": True}) | ~Q(**{field: F(other)})
    return found


def _columns(row: str) -> str:
    """What a closed complaint was closed with."""
    names = ("liability", "award", "decided_by_id", "appealed_side", "appeal_decided_by_id", "closed_at")
    return ", ".join(f"{row}.{name}" for name in names)


class Complaint(ComplaintLifecycle):
    """One claim about one order. `state` is changed by `complaints.door.move` alone."""

    # Before the number, its name in the ledger.
    CASE = "complaint:"

    number = models.CharField(
        _("number"), max_length=12, unique=True, default=new_complaint_number, editable=False
    )
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="complaints", verbose_name=_("provider")
    )
    relation = models.CharField(_("who complains"), max_length=15, choices=Relation)
    # None: entered by operations for somebody without an account.
    complainant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="complaints",
        verbose_name=_("complainant"),
    )
    complainant_name = models.CharField(_("name of the complainant"), max_length=100)
    complainant_contact = models.CharField(_("contact of the complainant"), max_length=100, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("entered by"),
    )
    served_shop = models.ForeignKey(
        ServedShop,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="complaints",
        verbose_name=_("served shop"),
    )
    channel = models.CharField(_("kind of order"), max_length=7, choices=Channel)
    order_number = models.CharField(_("order number"), max_length=40)
    order_value = money(_("value of the order"))
    question = models.ForeignKey(
        QuestionCode, on_delete=models.PROTECT, related_name="+", verbose_name=_("question")
    )
    text = models.TextField(_("what happened"))
    claimed = money(_("claimed"))
    # Where compensation goes; it may be named later (deposits/outgoing/compensations.py).
    payee_identity = models.CharField(_("payee"), max_length=128, blank=True)
    payee_identity_type = models.CharField(max_length=16, blank=True)
    payee_name = models.CharField(_("name of the payee"), max_length=200, blank=True)

    # The moment whose rules count for this case.
    filed_at = models.DateTimeField(_("filed"), default=clock.now)
    state_since = models.DateTimeField(_("since"), default=clock.now)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    # When the sweep looks at it next: a reminder, or the end of the state. None: nothing left to do by itself.
    alarm_at = models.DateTimeField(null=True, blank=True, editable=False)
    responded_at = models.DateTimeField(_("responded"), null=True, blank=True)
    # Both may close the evidence early.
    complainant_done_at = models.DateTimeField(null=True, blank=True)
    provider_done_at = models.DateTimeField(null=True, blank=True)

    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="claimed_complaints",
        verbose_name=_("handled by"),
    )
    liability = models.CharField(_("finding"), max_length=10, choices=Liability, blank=True)
    award = money(_("award"), default=ZERO)
    # None with a finding: admitted, or decided by silence.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.TextField(_("reason for the decision"), blank=True)
    appealed_side = models.CharField(_("appealed by"), max_length=11, choices=Side, blank=True)
    appealed_at = models.DateTimeField(_("appealed"), null=True, blank=True)
    appeal_text = models.TextField(_("appeal"), blank=True)
    appeal_decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("appeal decided by"),
    )
    appeal_decided_at = models.DateTimeField(_("appeal decided"), null=True, blank=True)
    appeal_reason = models.TextField(_("reason for the decision on the appeal"), blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # Grows with every change; a form carries the one that it showed.
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("complaint")
        verbose_name_plural = _("complaints")
        ordering = ["-filed_at", "-pk"]
        permissions = [("handle_complaint", "Can enter, claim and decide complaints")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ComplaintState.values), name="complaint_state_known"
            ),
            models.CheckConstraint(
                condition=Q(claimed__gt=0, order_value__gt=0, claimed__lte=F("order_value")),
                name="complaint_claims_at_most_the_order",
            ),
            models.CheckConstraint(
                condition=Q(award__gte=0, award__lte=F("claimed")), name="complaint_awards_at_most_the_claim"
            ),
            models.CheckConstraint(
                condition=Q(complainant__isnull=False) | Q(entered_by__isnull=False),
                name="complaint_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(relation=Relation.SERVED_MERCHANT, served_shop__isnull=False)
                | ~Q(relation=Relation.SERVED_MERCHANT),
                name="complaint_of_a_served_shop",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*UNDECIDED, ComplaintState.WITHDRAWN], liability="")
                | (
                    Q(
                        state__in=[ComplaintState.DECIDED, ComplaintState.APPEALED, ComplaintState.FINAL],
                        decided_at__isnull=False,
                    )
                    & ~Q(liability="")
                    & ~Q(decision_reason="")
                ),
                name="complaint_decision_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(liability=Liability.NOT_LIABLE) | Q(award=ZERO),
                name="complaint_not_liable_awards_nothing",
            ),
            models.CheckConstraint(
                condition=Q(appeal_decided_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(appeal_decided_by=F("decided_by")),
                name="complaint_appeal_decided_by_another",
            ),
            models.CheckConstraint(
                condition=_is_none_of("decided_by", "complainant", "entered_by")
                & _is_none_of("appeal_decided_by", "complainant", "entered_by"),
                name="complaint_decided_by_nobody_of_it",
            ),
            models.CheckConstraint(
                condition=Q(appealed_side="", appealed_at__isnull=True, appeal_decided_by__isnull=True)
                | (
                    Q(state__in=[ComplaintState.APPEALED], appeal_decided_by__isnull=True)
                    | Q(state=ComplaintState.FINAL, appeal_decided_by__isnull=False)
                )
                & Q(appealed_side__in=[Side.COMPLAINANT, Side.PROVIDER], appealed_at__isnull=False)
                & ~Q(appeal_text=""),
                name="complaint_appeal_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state=ComplaintState.APPEALED) | ~Q(appealed_side=""),
                name="complaint_appealed_by_a_side",
            ),
            models.CheckConstraint(
                condition=Q(appeal_decided_by__isnull=True)
                | (Q(appeal_decided_at__isnull=False) & ~Q(appeal_reason="")),
                name="complaint_appeal_decision_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[ComplaintState.FINAL, ComplaintState.WITHDRAWN], closed_at__isnull=False
                )
                | (
                    ~Q(state__in=[ComplaintState.FINAL, ComplaintState.WITHDRAWN]) & Q(closed_at__isnull=True)
                ),
                name="complaint_closed_at_its_end",
            ),
            models.UniqueConstraint(
                fields=["application", "channel", "order_number"],
                condition=~Q(state=ComplaintState.WITHDRAWN),
                name="one_claim_per_order",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="complaint_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["alarm_at"], name="complaint_alarm", condition=Q(alarm_at__isnull=False)),
            models.Index(fields=["complainant", "filed_at"], name="complaint_of_complainant"),
        ]
        triggers = [
            pgtrigger.FSM(
                name="lawful_edges",
                field="state",
                transitions=sorted({(source, target) for _, source, target in edges() if source != target}),
            ),
            begins_in(ComplaintState.AWAITING_RESPONSE.value),
            fixed(
                "number",
                "application",
                "relation",
                "complainant",
                "complainant_name",
                "entered_by",
                "served_shop",
                "channel",
                "order_number",
                "order_value",
                "question",
                "text",
                "claimed",
                "filed_at",
            ),
            refuses(
                "not_by_who_admitted",
                pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM applications_application a WHERE a.id = NEW.application_id
                      AND a.approved_by_id IN (NEW.decided_by_id, NEW.appeal_decided_by_id)
                )""",
                "who admitted the company decides none of its complaints",
            ),
            refuses(
                "closed_for_good",
                pgtrigger.Update,
                f"OLD.closed_at IS NOT NULL AND ({_columns('NEW')}) IS DISTINCT FROM ({_columns('OLD')})",
                "money has moved on this finding: it stays",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def case(self) -> str:
        """Its name in the ledger."""
        return f"{self.CASE}{self.number}"

    @property
    def is_admitted(self) -> bool:
        """Whether the finding is the provider's own word."""
        return bool(self.liability) and self.decided_by_id is None and self.responded_at is not None


class ComplaintStatement(models.Model):
    """What a side said in a step, never changed: the claim's answer, evidence, an appeal's reason."""

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="statements")
    side = models.CharField(_("side"), max_length=11, choices=Side)
    text = models.TextField(_("text"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["at", "pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.get_side_display()} {self.at:%Y-%m-%d}"


class ComplaintFile(StoredFile):
    """A picture or PDF of a side, seen by both sides and by staff."""

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="files")
    side = models.CharField(_("side"), max_length=11, choices=Side)

    class Meta:
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        ordering = ["uploaded_at", "pk"]
        triggers = [protect()]


class ComplaintStep(models.Model):
    """One step of a complaint: the history that both sides and staff read; `internal_note` is staff's."""

    complaint = models.ForeignKey(Complaint, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(_("step"), max_length=20)
    from_state = models.CharField(_("from"), max_length=17, choices=ComplaintState, blank=True)
    to_state = models.CharField(_("to"), max_length=17, choices=ComplaintState)
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    side = models.CharField(_("side"), max_length=11, choices=Side, blank=True)
    at = models.DateTimeField(_("time"), default=clock.now)
    # What was found in this step, if it found anything.
    liability = models.CharField(_("finding"), max_length=10, choices=Liability, blank=True)
    award = money(_("award"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    internal_note = models.TextField(_("internal note"), blank=True)

    class Meta:
        verbose_name = _("complaint step")
        verbose_name_plural = _("complaint steps")
        ordering = ["at", "pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"
