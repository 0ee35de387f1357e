"""The deposit of one membership, what it owes, and the demand to fill it up again."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits.books.accounts import Kind
from deposits.models.columns import ZERO, fixed, lawful, money, refuses
from deposits.states import DEMAND_OPEN, OBLIGATION_EDGES, DemandOutcome, ObligationState
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in

_SUMS_DIFFER = """
    EXISTS (
        SELECT 1
        FROM deposits_deposit d
        CROSS JOIN LATERAL (
            SELECT
                COALESCE(SUM(CASE WHEN t.credit = 'deposit_available' THEN t.amount
                                  WHEN t.debit = 'deposit_available' THEN -t.amount ELSE 0 END), 0) AS available,
                COALESCE(SUM(CASE WHEN t.credit = 'deposit_frozen' THEN t.amount
                                  WHEN t.debit = 'deposit_frozen' THEN -t.amount ELSE 0 END), 0) AS frozen
            FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id
        ) rows
        CROSS JOIN LATERAL (
            SELECT COALESCE(SUM(o.amount - o.settled), 0) AS owed
            FROM deposits_obligation o WHERE o.deposit_id = d.id AND o.state = 'open'
        ) debts
        WHERE d.id = {deposit}
          AND (d.available <> rows.available OR d.frozen <> rows.frozen OR d.owed <> debts.owed)
    )
"""


def balances_equal_rows(operation: pgtrigger.Operation, deposit: str) -> pgtrigger.Trigger:
    """Refuses, at commit, a balance without its rows or rows without their balance."""
    return refuses(
        "balances_equal_rows",
        operation,
        _SUMS_DIFFER.format(deposit=deposit),
        "the balances of a deposit are not the sum of its rows",
        deferred=True,
    )


class Deposit(models.Model):
    """One membership's deposit. Its balances are written under lock: `owed` by obligations.py, the others by ledger.py."""

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="deposit", verbose_name=_("application")
    )
    required = money(_("required"))
    available = money(_("available"), default=ZERO)
    frozen = money(_("frozen"), default=ZERO)
    # The unpaid obligations together.
    owed = money(_("owed"), default=ZERO, db_default=ZERO)
    opened_at = models.DateTimeField(_("opened"), default=clock.now)
    # How many of the rule's moments to remind of the first payment (`deposit.payment_reminder_days`) are dealt with.
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0, db_default=0)

    class Meta:
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        ordering = ["-opened_at", "-pk"]
        permissions = [("handle_money", "Can decide on money")]
        constraints = [
            models.CheckConstraint(condition=Q(required__gt=0), name="deposit_required_positive"),
            models.CheckConstraint(condition=Q(available__gte=0), name="deposit_available_not_negative"),
            models.CheckConstraint(condition=Q(frozen__gte=0), name="deposit_frozen_not_negative"),
            models.CheckConstraint(condition=Q(owed__gte=0), name="deposit_owed_not_negative"),
        ]
        triggers = [
            fixed("application"),
            balances_equal_rows(pgtrigger.Insert | pgtrigger.Update, "NEW.id"),
            refuses(
                "debts_first",
                pgtrigger.Insert | pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM deposits_deposit d WHERE d.id = NEW.id AND d.owed > 0 AND d.available > 0
                )""",
                "what is available pays what is owed first",
                deferred=True,
            ),
        ]

    def __str__(self) -> str:
        return self.application.number

    @property
    def shortfall(self) -> Decimal:
        """What is missing: to the required amount, and what is owed. A freeze is no shortfall (design §4)."""
        missing: Decimal = self.required - self.available - self.frozen + self.owed
        return max(ZERO, missing)


class Obligation(models.Model):
    """What a deduction could not take: settled first, in date order, from whatever becomes available."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="obligations", verbose_name=_("deposit")
    )
    case = models.CharField(_("case"), max_length=60)
    # The deduction that it is the rest of: compensation, penalty or breach.
    kind = models.CharField(_("kind"), max_length=17, choices=Kind)
    amount = money(_("amount"))
    settled = money(_("settled"), default=ZERO)
    state = models.CharField(_("state"), max_length=8, choices=ObligationState, default=ObligationState.OPEN)
    # Names the cause: one deduction leaves one rest.
    key = models.CharField(max_length=100, unique=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("obligation")
        verbose_name_plural = _("obligations")
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[Kind.COMPENSATION, Kind.PENALTY, Kind.BREACH]),
                name="obligation_of_a_deduction",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, settled__gte=0, settled__lte=F("amount")),
                name="obligation_settled_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(state=ObligationState.OPEN, settled__lt=F("amount"), closed_at__isnull=True)
                | Q(state=ObligationState.SETTLED, settled=F("amount"), closed_at__isnull=False)
                | Q(state=ObligationState.WAIVED, settled__lt=F("amount"), closed_at__isnull=False),
                name="obligation_state_fits",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deposit", "created_at"],
                name="obligation_open",
                condition=Q(state=ObligationState.OPEN),
            ),
        ]
        triggers = [
            begins_in(ObligationState.OPEN.value),
            lawful(OBLIGATION_EDGES),
            fixed("deposit", "case", "kind", "amount", "key", "created_at"),
            refuses(
                "never_unsettled",
                pgtrigger.Update,
                "NEW.settled < OLD.settled",
                "what was settled stays settled",
            ),
            refuses(
                "waived_by_two",
                pgtrigger.Update,
                """NEW.state = 'waived' AND OLD.state <> 'waived' AND NOT EXISTS (
                    SELECT 1 FROM deposits_proposal p
                    WHERE p.obligation_id = NEW.id AND p.kind = 'waive_obligation' AND p.state = 'accepted'
                )""",
                "two people waive an obligation",
            ),
            balances_equal_rows(pgtrigger.Insert | pgtrigger.Update, "NEW.deposit_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.outstanding}"

    @property
    def outstanding(self) -> Decimal:
        """What is still to be paid, while it is open."""
        outstanding: Decimal = self.amount - self.settled
        return outstanding


class DemandCause(models.TextChoices):
    DEDUCTION = "deduction", _("something was deducted")
    RAISED = "raised", _("the required amount was raised")


class TopUpDemand(models.Model):
    """The demand to fill up a deposit by a date. How much: the deposit's shortfall, whenever it is read."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="demands", verbose_name=_("deposit")
    )
    cause = models.CharField(_("cause"), max_length=9, choices=DemandCause)
    opened_at = models.DateTimeField(_("opened"), default=clock.now)
    due_at = models.DateTimeField(_("due"))
    # How many of the moments to remind of it (rule `deposit.reminder_days`) are dealt with.
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0)
    # When its passing was acted upon: the member is suspended until the shortfall is gone.
    lapsed_at = models.DateTimeField(_("passed unpaid"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=5, choices=DemandOutcome, blank=True)

    class Meta:
        verbose_name = _("top-up demand")
        verbose_name_plural = _("top-up demands")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["deposit"], condition=DEMAND_OPEN, name="one_open_demand_per_deposit"
            ),
            models.CheckConstraint(condition=Q(due_at__gte=F("opened_at")), name="demand_due_after_opened"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, outcome="")
                | Q(closed_at__isnull=False, outcome__in=DemandOutcome.values),
                name="demand_closed_with_outcome",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="demand_due", condition=DEMAND_OPEN)]
        triggers = [fixed("deposit", "opened_at")]

    def __str__(self) -> str:
        return f"{self.deposit} {self.due_at:%Y-%m-%d}"
