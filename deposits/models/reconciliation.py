"""Reconciliation with Alipay's bills: a run for each day, Alipay's lines, and what differs from our rows."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from deposits.models.columns import ZERO, fixed, lawful, money, refuses
from deposits.models.ledger import LedgerTransfer
from deposits.models.payment import PaymentOrder
from deposits.models.payout import Payout
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


class RunState(models.TextChoices):
    WAITING = "waiting", _("waiting for the bill")
    BALANCED = "balanced", _("agrees")
    DIFFERENT = "different", _("has differences")


RUN_EDGES = [
    (RunState.WAITING, RunState.BALANCED),
    (RunState.WAITING, RunState.DIFFERENT),
    (RunState.BALANCED, RunState.DIFFERENT),
    (RunState.DIFFERENT, RunState.BALANCED),
]


class ReconciliationRun(models.Model):
    """One day (Asia/Shanghai) of Alipay's bills against ours. Written by reconciliation.py alone."""

    date = models.DateField(_("day"), unique=True)
    state = models.CharField(_("state"), max_length=9, choices=RunState, default=RunState.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    # When the bills are asked for next; null: they have been read, and nobody wants them again.
    due_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=64, blank=True)
    # When the bills were last read and compared.
    done_at = models.DateTimeField(_("compared"), null=True, blank=True)
    # False: Alipay has no such bill, and no row of ours asks for one. Null: not known yet.
    has_trade_bill = models.BooleanField(_("trade bill"), null=True, blank=True)
    has_fund_bill = models.BooleanField(_("fund bill"), null=True, blank=True)
    # As the fund bill has them; on an empty day, the balance of the day before.
    opening = money(_("opening balance at Alipay"), null=True, blank=True)
    closing = money(_("closing balance at Alipay"), null=True, blank=True)
    # Of the ledger, at the end of the day.
    our_cash = money(_("closing balance by the ledger"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliation")
        ordering = ["-date"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(state=RunState.WAITING)
                | Q(done_at__isnull=False, has_trade_bill__isnull=False, has_fund_bill__isnull=False),
                name="run_compared_both_bills",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="run_due", condition=Q(due_at__isnull=False))]
        triggers = [
            begins_in(RunState.WAITING.value),
            lawful(RUN_EDGES),
            fixed("date", "created_at"),
            refuses(
                "balanced_without_differences",
                pgtrigger.Insert | pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM deposits_reconciliationrun r JOIN deposits_difference d ON d.run_id = r.id
                    WHERE r.id = NEW.id AND r.state = 'balanced' AND d.settled_at IS NULL
                )""",
                "a day with a difference does not agree",
                deferred=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d}"


class BillKind(models.TextChoices):
    """Alipay's word for each bill is the value (protocols B9)."""

    TRADE = "trade", _("trade bill")
    FUND = "signcustomer", _("fund bill")


class Sort(models.TextChoices):
    """What kind of movement a line of a bill is, as far as Alipay's words for it tell."""

    PAYMENT = "payment", _("payment")
    REFUND = "refund", pgettext_lazy("bill", "refund")
    TRANSFER = "transfer", _("transfer")
    RETURN = "return", _("transfer that came back")
    FEE = "fee", _("Alipay's fee")
    FUNDING = "funding", _("money put in")
    WITHDRAWAL = "withdrawal", _("withdrawal")
    OTHER = "other", _("other movement")


class BillLine(models.Model):
    """One line of a bill as it was read, and the row of ours that it belongs to, once that is known."""

    run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="lines", verbose_name=_("day")
    )
    bill = models.CharField(_("bill"), max_length=12, choices=BillKind)
    # Alipay's number of the line; made of its numbers where the bill has none.
    key = models.CharField(_("number of the line"), max_length=140)
    sort = models.CharField(_("kind"), max_length=10, choices=Sort)
    at = models.DateTimeField(_("time"))
    # What our account gained.
    amount = money(_("amount"))
    fee = money(_("fee"), default=ZERO)
    balance = money(_("balance"), null=True, blank=True)
    business = models.CharField(_("Alipay's word for it"), max_length=200, blank=True)
    number = models.CharField(_("our number"), max_length=64, blank=True)
    numbers = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    trade_no = models.CharField(_("Alipay's number"), max_length=64, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    other_side = models.CharField(_("other side"), max_length=200, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    # Ours: a row of the ledger for the fund bill, a payment or a payout for the trade bill.
    entry = models.OneToOneField(
        LedgerTransfer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bill_line",
        verbose_name=_("ledger entry"),
    )
    order = models.OneToOneField(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bill_line",
        verbose_name=_("payment"),
    )
    payout = models.OneToOneField(
        Payout,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="bill_line",
        verbose_name=_("payout"),
    )
    # A transfer that failed stands there twice, out and back, and nowhere with us.
    offset_by = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="offsets", editable=False
    )

    class Meta:
        verbose_name = _("line of a bill")
        verbose_name_plural = _("lines of bills")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(bill__in=BillKind.values), name="line_bill_known"),
            models.UniqueConstraint(fields=["bill", "key"], name="line_once"),
            models.CheckConstraint(
                condition=Q(bill=BillKind.FUND, order__isnull=True, payout__isnull=True)
                | Q(bill=BillKind.TRADE, entry__isnull=True, offset_by__isnull=True),
                name="line_matched_by_its_bill",
            ),
        ]
        indexes = [
            models.Index(
                fields=["bill"],
                name="line_unmatched",
                condition=Q(
                    entry__isnull=True, order__isnull=True, payout__isnull=True, offset_by__isnull=True
                ),
            ),
        ]
        triggers = [
            fixed(
                *("run", "bill", "key", "sort", "at", "amount", "fee", "balance", "business"),
                *("number", "numbers", "trade_no", "title", "other_side", "note"),
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.key


class Mismatch(models.TextChoices):
    THEIRS_ONLY = "theirs_only", _("at Alipay only")
    OURS_ONLY = "ours_only", _("with us only")
    AMOUNT = "amount", _("another amount")
    BALANCE = "balance", _("balances don't follow")


class Cause(models.TextChoices):
    """What a difference is about: what is to be done follows from it (reconciliation/advice.py)."""

    UNSETTLED_ORDER = "unsettled_order", _("payment of an order of ours, not booked yet")
    FOREIGN_PAYMENT = "foreign_payment", _("payment that no order of ours asked for")
    OPEN_PAYOUT = "open_payout", _("payout of ours, not booked yet")
    FOREIGN_REFUND = "foreign_refund", _("refund that is not ours")
    FOREIGN_TRANSFER = "foreign_transfer", _("transfer that is not ours")
    UNBOOKED_RETURN = "unbooked_return", _("transfer of ours that came back, not booked yet")
    FEE_RETURNED = "fee_returned", _("fee that Alipay gave back")
    MONEY_IN = "money_in", _("money that came in")
    MONEY_OUT = "money_out", _("money that went out")
    MISSING_PAYMENT = "missing_payment", _("payment that the bill lacks")
    MISSING_PAYOUT = "missing_payout", _("payout that the bill lacks")
    MISSING_RETURN = "missing_return", _("bank's return that the bill lacks")
    MISSING_BOOKING = "missing_booking", _("booking that the bill lacks")
    OTHER_AMOUNT = "other_amount", _("the amounts differ")
    BALANCE_GAP = "balance_gap", _("Alipay's balances don't follow one another")


class Answer(models.TextChoices):
    """What Alipay said when it was asked about a row of ours that its bill lacks."""

    KNOWN = "known", _("Alipay has it, with our amount")
    OTHER_AMOUNT = "other_amount", _("Alipay has it, with another amount")
    UNDER_WAY = "under_way", _("Alipay is still working on it")
    RETURNED = "returned", _("Alipay has it, and a bank has sent it back")
    NOTHING = "nothing", _("Alipay knows nothing of it")


class Difference(models.Model):
    """What a day's bills and our rows do not agree on, until they do or a person has explained it."""

    run = models.ForeignKey(
        ReconciliationRun, on_delete=models.PROTECT, related_name="differences", verbose_name=_("day")
    )
    bill = models.CharField(_("bill"), max_length=12, choices=BillKind)
    # Names the row that has no match, so that a day that is compared again finds the same difference.
    key = models.CharField(max_length=40, unique=True, editable=False)
    mismatch = models.CharField(_("what differs"), max_length=11, choices=Mismatch)
    cause = models.CharField(_("what it is about"), max_length=16, choices=Cause)
    number = models.CharField(_("number"), max_length=140, blank=True)
    # What our account gained, by either side; null: that side knows nothing of it.
    their_amount = money(_("at Alipay"), null=True, blank=True)
    our_amount = money(_("with us"), null=True, blank=True)
    at = models.DateTimeField(_("time"))
    line = models.ForeignKey(
        BillLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="differences",
        verbose_name=_("line of a bill"),
    )
    entry = models.ForeignKey(
        LedgerTransfer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="differences",
        verbose_name=_("ledger entry"),
    )
    order = models.ForeignKey(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="differences",
        verbose_name=_("payment"),
    )
    payout = models.ForeignKey(
        Payout,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="differences",
        verbose_name=_("payout"),
    )
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    answer = models.CharField(_("Alipay's answer"), max_length=12, choices=Answer, blank=True)
    found_at = models.DateTimeField(_("found"), default=clock.now)
    # Since when both sides agree after all.
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    # The one that holds for the difference as it is now.
    explanation = models.OneToOneField(
        "Explanation",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("explanation"),
    )

    class Meta:
        verbose_name = _("difference")
        verbose_name_plural = _("differences")
        ordering = ["-run__date", "at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mismatch__in=Mismatch.values), name="difference_mismatch_known"
            ),
            models.CheckConstraint(condition=Q(cause__in=Cause.values), name="difference_cause_known"),
            models.CheckConstraint(
                condition=Q(
                    mismatch=Mismatch.THEIRS_ONLY, their_amount__isnull=False, our_amount__isnull=True
                )
                | Q(mismatch=Mismatch.OURS_ONLY, their_amount__isnull=True, our_amount__isnull=False)
                | Q(
                    mismatch__in=[Mismatch.AMOUNT, Mismatch.BALANCE],
                    their_amount__isnull=False,
                    our_amount__isnull=False,
                ),
                name="difference_of_two_sides",
            ),
        ]
        indexes = [
            models.Index(
                fields=["run"],
                name="difference_open",
                condition=Q(settled_at__isnull=True, explanation__isnull=True),
            ),
        ]
        triggers = [
            fixed("run", "bill", "key", "line"),
            refuses(
                "explained_by_its_own",
                pgtrigger.Insert | pgtrigger.Update,
                """NEW.explanation_id IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM deposits_explanation e
                    WHERE e.id = NEW.explanation_id AND e.difference_id = NEW.id AND e.mismatch = NEW.mismatch
                      AND (e.their_amount, e.our_amount) IS NOT DISTINCT FROM (NEW.their_amount, NEW.our_amount)
                )""",
                "an explanation holds for the difference that it was given for, as it was",
            ),
            refuses(
                "told_by_its_day",
                pgtrigger.Insert | pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM deposits_difference d JOIN deposits_reconciliationrun r ON r.id = d.run_id
                    WHERE d.id = NEW.id AND d.settled_at IS NULL AND r.state = 'balanced'
                )""",
                "a day with a difference does not agree",
                deferred=True,
            ),
        ]

    def __str__(self) -> str:
        return self.number or self.get_cause_display()

    @property
    def state(self) -> str:
        """open, explained or settled."""
        if self.settled_at is not None:
            return "settled"
        return "open" if self.explanation_id is None else "explained"


OPEN_DIFFERENCES = Q(settled_at__isnull=True, explanation__isnull=True)


class Explanation(models.Model):
    """What one person of finance found out about a difference. Append-only; the last one holds."""

    difference = models.ForeignKey(
        Difference, on_delete=models.PROTECT, related_name="explanations", verbose_name=_("difference")
    )
    note = models.TextField(_("note"))
    # The difference as it was: of another one this explains nothing.
    mismatch = models.CharField(_("what differs"), max_length=11, choices=Mismatch)
    their_amount = money(_("at Alipay"), null=True, blank=True)
    our_amount = money(_("with us"), null=True, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("time"), default=clock.now)

    class Meta:
        verbose_name = _("explanation")
        verbose_name_plural = _("explanations")
        ordering = ["at", "pk"]
        constraints = [models.CheckConstraint(condition=~Q(note=""), name="explanation_says_something")]
        triggers = [protect()]

    def __str__(self) -> str:
        return self.note
