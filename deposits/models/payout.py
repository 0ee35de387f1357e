"""Money that goes out: why (a refund, a compensation), and each movement at Alipay (the payout)."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deposits.models.columns import fixed, follows_its_legs, lawful, money, new_payout_number, refuses
from deposits.models.deposit import Deposit
from deposits.models.payment import PaymentOrder, ReturnedPayment
from deposits.states import (
    COMPENSATION_EDGES,
    PAYOUT_EDGES,
    REFUND_EDGES,
    CompensationState,
    PayoutState,
    RefundState,
)
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


class Refund(models.Model):
    """Money of a deposit on its way back: already out of the deposit, in as many legs as it takes."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("deposit")
    )
    amount = money(_("amount"))
    # Names the cause, so that one cause refunds once.
    key = models.CharField(max_length=100, unique=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=11, choices=RefundState, default=RefundState.IN_PROGRESS)
    # Why two people release it; blank for what goes by itself.
    hold_reason = models.CharField(_("held because"), max_length=200, blank=True, db_default="")
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(state__in=RefundState.values), name="refund_state_known"),
            models.CheckConstraint(
                condition=~Q(state=RefundState.HELD) | ~Q(hold_reason=""), name="refund_held_with_reason"
            ),
        ]
        triggers = [
            begins_in(RefundState.IN_PROGRESS.value, RefundState.HELD.value),
            lawful(REFUND_EDGES),
            fixed("deposit", "amount", "key"),
            # The last decision counts: one that was released may be held again.
            refuses(
                "held_and_released_by_two",
                pgtrigger.Update,
                """(OLD.state = 'held') <> (NEW.state = 'held') AND (
                    SELECT p.kind FROM deposits_proposal p
                    WHERE p.refund_id = NEW.id AND p.state = 'accepted'
                      AND p.kind IN ('release_refund', 'hold_refund')
                    ORDER BY p.decided_at DESC, p.id DESC LIMIT 1
                ) IS DISTINCT FROM (CASE NEW.state WHEN 'held' THEN 'hold_refund' ELSE 'release_refund' END)""",
                "two people hold a refund, and two release it",
            ),
            *follows_its_legs("refund_id"),
        ]

    def __str__(self) -> str:
        return f"{self.deposit} {self.amount}"


class Compensation(models.Model):
    """Compensation that a deposit has given up for somebody: paid out once its payee is known."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="compensations", verbose_name=_("deposit")
    )
    case = models.CharField(_("case"), max_length=60)
    amount = money(_("amount"))
    # The row that took it out of the deposit: once for each.
    entry = models.OneToOneField(
        "deposits.LedgerTransfer",
        on_delete=models.PROTECT,
        related_name="compensation",
        verbose_name=_("ledger entry"),
    )
    payee_identity = models.CharField(_("payee"), max_length=128, blank=True)
    payee_identity_type = models.CharField(max_length=16, blank=True)
    payee_name = models.CharField(_("name of the payee"), max_length=200, blank=True)
    state = models.CharField(
        _("state"), max_length=11, choices=CompensationState, default=CompensationState.WAITING
    )
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("compensation")
        verbose_name_plural = _("compensations")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="compensation_amount_positive"),
            models.CheckConstraint(
                condition=Q(state=CompensationState.WAITING)
                | (
                    Q(state__in=[CompensationState.IN_PROGRESS, CompensationState.DONE])
                    & ~Q(payee_identity="")
                    & ~Q(payee_identity_type="")
                ),
                name="compensation_sent_to_somebody",
            ),
        ]
        indexes = [models.Index(fields=["deposit", "case"], name="compensation_of_case")]
        triggers = [
            begins_in(CompensationState.WAITING.value),
            lawful(COMPENSATION_EDGES),
            fixed("deposit", "case", "amount", "entry"),
            refuses(
                "payee_is_named_once",
                pgtrigger.Update,
                """OLD.state <> 'waiting' AND (
                    (NEW.payee_identity, NEW.payee_identity_type, NEW.payee_name)
                    IS DISTINCT FROM (OLD.payee_identity, OLD.payee_identity_type, OLD.payee_name)
                )""",
                "the payee of a compensation under way stays",
            ),
            *follows_its_legs("compensation_id"),
        ]

    def __str__(self) -> str:
        return f"{self.case} {self.amount}"


class Method(models.TextChoices):
    TRADE_REFUND = "trade_refund", _("back the way it was paid")
    TRANSFER = "transfer", _("transfer")


class Payout(models.Model):
    """One movement of money out of our Alipay account: a leg of a refund, a refused payment or a compensation.

    `number` is the out_request_no of a refund or the out_biz_no of a transfer; every repetition uses it again.
    """

    refund = models.ForeignKey(
        Refund,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payouts",
        verbose_name=_("refund"),
    )
    returned = models.ForeignKey(
        ReturnedPayment,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payouts",
        verbose_name=_("refused payment"),
    )
    compensation = models.ForeignKey(
        Compensation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payouts",
        verbose_name=_("compensation"),
    )
    # The payment that is given back; none where the money came in before these books began.
    order = models.ForeignKey(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payouts",
        verbose_name=_("payment"),
    )
    method = models.CharField(_("way"), max_length=12, choices=Method)
    number = models.CharField(
        _("our number"), max_length=64, unique=True, default=new_payout_number, editable=False
    )
    amount = money(_("amount"))
    payee_identity = models.CharField(_("payee"), max_length=128, blank=True)
    payee_identity_type = models.CharField(max_length=16, blank=True)
    # Alipay refuses the transfer if the account belongs to somebody else (protocols B8).
    payee_name = models.CharField(_("name of the payee"), max_length=200, blank=True, db_default="")
    state = models.CharField(_("state"), max_length=9, choices=PayoutState, default=PayoutState.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    last_code = models.CharField(_("Alipay's last answer"), max_length=64, blank=True)
    # The same in Alipay's words: for staff alone, as nobody promises what stands there.
    last_answer = models.CharField(_("in Alipay's words"), max_length=200, blank=True, db_default="")
    # When a person last had Alipay asked about the number.
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True)
    # Since when it is sure that this number moved no money and never will. A new attempt makes it null.
    unpaid_at = models.DateTimeField(_("surely not executed since"), null=True, blank=True)
    alipay_number = models.CharField(_("Alipay's number"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("time of payout"), null=True, blank=True)
    # When a transfer that is done is asked about again: the bank may still return it. Null: no more.
    watch_at = models.DateTimeField(null=True, blank=True)
    # The leg that could not go its way, and surely did not.
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", editable=False
    )

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=PayoutState.values), name="payout_state_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_amount_positive"),
            models.CheckConstraint(
                condition=Q(refund__isnull=False, returned__isnull=True, compensation__isnull=True)
                | Q(refund__isnull=True, returned__isnull=False, compensation__isnull=True)
                | Q(refund__isnull=True, returned__isnull=True, compensation__isnull=False),
                name="payout_has_one_cause",
            ),
            models.CheckConstraint(
                condition=Q(method=Method.TRADE_REFUND, order__isnull=False)
                | (Q(method=Method.TRANSFER) & ~Q(payee_identity="") & ~Q(payee_identity_type="")),
                name="payout_knows_where_to",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[PayoutState.DONE, PayoutState.RETURNED]) | Q(done_at__isnull=False),
                name="payout_done_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="payout_waiting",
                condition=Q(state__in=["queued", "calling", "dealing"]),
            ),
            models.Index(fields=["watch_at"], name="payout_watched", condition=Q(watch_at__isnull=False)),
        ]
        triggers = [
            begins_in(PayoutState.QUEUED.value, PayoutState.HELD.value),
            lawful(PAYOUT_EDGES),
            fixed(
                "refund",
                "returned",
                "compensation",
                "order",
                "method",
                "number",
                "amount",
                "payee_identity",
                "payee_identity_type",
                "payee_name",
                "replaces",
            ),
            refuses(
                "held_with_its_refund",
                pgtrigger.Insert | pgtrigger.Update,
                """NEW.state <> 'held' AND EXISTS (
                    SELECT 1 FROM deposits_refund r WHERE r.id = NEW.refund_id AND r.state = 'held'
                )""",
                "a leg of a refund that is held stays held",
            ),
            refuses(
                "held_before_the_first_attempt",
                pgtrigger.Update,
                "NEW.state = 'held' AND OLD.state <> 'held' AND NEW.attempts > 0",
                "what a worker has claimed is held no more",
            ),
            refuses(
                "decided_by_two",
                pgtrigger.Update,
                """OLD.state IN ('attention', 'returned') AND NEW.state IN ('done', 'replaced') AND NOT EXISTS (
                    SELECT 1 FROM deposits_proposal p
                    WHERE p.payout_id = NEW.id AND p.state = 'accepted'
                      AND p.kind IN ('settle_payout', 'redirect_payout')
                )""",
                "two people decide what becomes of a payout that did not go",
            ),
            refuses(
                "replaced_when_surely_unpaid",
                pgtrigger.Update,
                "OLD.state = 'attention' AND NEW.state = 'replaced' AND NEW.unpaid_at IS NULL",
                "Alipay may still execute this payout",
            ),
            refuses(
                "replaced_by_its_amount",
                pgtrigger.Insert | pgtrigger.Update,
                """EXISTS (
                    SELECT 1 FROM deposits_payout p
                    WHERE p.id IN (NEW.id, NEW.replaces_id)
                      AND COALESCE((SELECT SUM(r.amount) FROM deposits_payout r WHERE r.replaces_id = p.id), 0)
                          <> CASE p.state WHEN 'replaced' THEN p.amount ELSE 0 END
                )""",
                "what replaces a payout is of the same amount",
                deferred=True,
            ),
            refuses(
                "done_is_booked",
                pgtrigger.Insert | pgtrigger.Update,
                """NEW.state = 'done' AND NOT EXISTS (
                    SELECT 1 FROM deposits_ledgertransfer t
                    WHERE t.payout_id = NEW.id AND t.credit = 'alipay_cash' AND t.amount = NEW.amount
                )""",
                "a payout that is done stands in the ledger",
                deferred=True,
            ),
            refuses(
                "return_is_booked",
                pgtrigger.Update,
                """NEW.state = 'returned' AND OLD.state <> 'returned' AND NOT EXISTS (
                    SELECT 1 FROM deposits_ledgertransfer t
                    WHERE t.payout_id = NEW.id AND t.kind = 'bank_return' AND t.amount = NEW.amount
                )""",
                "a payout that came back stands in the ledger",
            ),
        ]

    def __str__(self) -> str:
        return self.number
