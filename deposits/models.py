"""The deposit and everything that moves its money. Who may write what: ledger.py, payments.py, payouts.py.

Amounts are CNY with two places. Numbers that Alipay sees are made and stored before it hears of them, and
never change; the database refuses what Python should have refused.
"""

import secrets
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits.accounts import ENTRIES, OF_A_DEPOSIT, REVERSING, Account, Kind
from deposits.states import (
    BACK_EDGES,
    ORDER_EDGES,
    ORDER_SETTLED,
    PAYOUT_EDGES,
    BackState,
    OrderState,
    PayoutState,
)
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in

ZERO = Decimal("0.00")


def money(name: Any, **options: Any) -> models.DecimalField:
    """A column of CNY."""
    return models.DecimalField(name, max_digits=12, decimal_places=2, **options)


def new_number(prefix: str) -> str:
    """A number for Alipay: letters and digits, unique and not to be guessed."""
    return f"{prefix}{clock.now():%Y%m%d%H%M%S}{secrets.token_hex(6).upper()}"


def new_order_number() -> str:
    return new_number("D")


def new_payout_number() -> str:
    return new_number("R")


def _lawful(edges: Sequence[tuple[str, str]]) -> pgtrigger.FSM:
    return pgtrigger.FSM(
        name="lawful_edges", field="state", transitions=sorted((str(a), str(b)) for a, b in edges)
    )


def _fixed(*fields: str) -> pgtrigger.ReadOnly:
    """What never changes once it is written."""
    return pgtrigger.ReadOnly(name="fixed", fields=list(fields))


_SUMS_DIFFER = """
    IF EXISTS (
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
        WHERE d.id = {deposit} AND (d.available <> rows.available OR d.frozen <> rows.frozen)
    ) THEN
        RAISE EXCEPTION 'the balances of deposit % are not the sum of its rows', {deposit}
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
"""


def _balances_equal_rows(name: str, operation: pgtrigger.Operation, deposit: str) -> pgtrigger.Trigger:
    """Refuses, at commit, a balance without its row or a row without its balance."""
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func=_SUMS_DIFFER.format(deposit=deposit),
    )


class Deposit(models.Model):
    """One membership's deposit. Balances are written by ledger.py alone, under lock."""

    application = models.OneToOneField(
        Application, on_delete=models.PROTECT, related_name="deposit", verbose_name=_("application")
    )
    required = money(_("required"))
    available = money(_("available"), default=ZERO)
    frozen = money(_("frozen"), default=ZERO)
    opened_at = models.DateTimeField(_("opened"), default=clock.now)

    class Meta:
        verbose_name = _("deposit")
        verbose_name_plural = _("deposits")
        ordering = ["-opened_at", "-pk"]
        permissions = [("handle_money", "Can decide on refunds and payouts")]
        constraints = [
            models.CheckConstraint(condition=Q(required__gt=0), name="deposit_required_positive"),
            models.CheckConstraint(condition=Q(available__gte=0), name="deposit_available_not_negative"),
            models.CheckConstraint(condition=Q(frozen__gte=0), name="deposit_frozen_not_negative"),
        ]
        triggers = [
            _fixed("application"),
            _balances_equal_rows("balances_equal_rows", pgtrigger.Insert | pgtrigger.Update, "NEW.id"),
        ]

    def __str__(self) -> str:
        return self.application.number

    @property
    def shortfall(self) -> Decimal:
        """What is missing to the required amount. A freeze is no shortfall (design §4)."""
        missing: Decimal = self.required - self.available - self.frozen
        return max(ZERO, missing)


class Purpose(models.TextChoices):
    INITIAL = "initial", _("deposit")
    TOP_UP = "top_up", _("top-up")


class PaymentOrder(models.Model):
    """One order at Alipay's cashier. Its number is stored before the cashier opens."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="orders", verbose_name=_("deposit")
    )
    purpose = models.CharField(_("purpose"), max_length=7, choices=Purpose)
    out_trade_no = models.CharField(
        _("our number"), max_length=64, unique=True, default=new_order_number, editable=False
    )
    amount = money(_("amount"))
    # Absolute, of whole seconds, and the application's deadline at most.
    time_expire = models.DateTimeField(_("payable until"))
    state = models.CharField(_("state"), max_length=7, choices=OrderState, default=OrderState.OPEN)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("begun by"),
    )
    created_at = models.DateTimeField(_("created"), default=clock.now)

    # When Alipay is asked next; null: nothing is to be learned there any more.
    next_check_at = models.DateTimeField(_("next query"), null=True, blank=True)
    checks = models.PositiveIntegerField(_("times asked"), default=0)
    last_error = models.CharField(_("last error"), max_length=64, blank=True)

    # As `alipay.trade.query` gave them, once it said that the order is paid.
    trade_no = models.CharField(_("Alipay's number"), max_length=64, blank=True)
    paid_amount = money(_("paid amount"), null=True, blank=True)
    paid_at = models.DateTimeField(_("time of payment"), null=True, blank=True)
    buyer_user_id = models.CharField(_("payer's user id"), max_length=32, blank=True)
    buyer_open_id = models.CharField(_("payer's open id"), max_length=128, blank=True)
    buyer_user_type = models.CharField(_("payer's type"), max_length=16, blank=True)
    buyer_name = models.CharField(_("payer"), max_length=200, blank=True)
    closed_at = models.DateTimeField(_("settled or closed"), null=True, blank=True)

    class Meta:
        verbose_name = _("payment order")
        verbose_name_plural = _("payment orders")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OrderState.values), name="order_state_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_amount_positive"),
            models.CheckConstraint(
                condition=~Q(state__in=ORDER_SETTLED)
                | (Q(paid_amount__gt=0, paid_at__isnull=False) & ~Q(trade_no="")),
                name="settled_order_names_its_payment",
            ),
            models.UniqueConstraint(
                fields=["deposit"], condition=Q(state=OrderState.OPEN), name="one_open_order_per_deposit"
            ),
            # So that one payment can't stand under two orders.
            models.UniqueConstraint(
                fields=["trade_no"], condition=~Q(trade_no=""), name="trade_settled_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], name="order_to_check", condition=Q(next_check_at__isnull=False)
            ),
        ]
        triggers = [
            begins_in(OrderState.OPEN.value),
            _lawful(ORDER_EDGES),
            _fixed("deposit", "purpose", "out_trade_no", "amount", "time_expire", "created_at"),
        ]

    def __str__(self) -> str:
        return self.out_trade_no


class Verdict(models.TextChoices):
    """What a notification was worth. It moves no money: the query decides."""

    BELIEVED = "believed", _("genuine: Alipay was asked")
    BAD_SIGNATURE = "bad_signature", _("not signed by Alipay")
    OTHER_APP = "other_app", _("for another app")
    OTHER_SELLER = "other_seller", _("for another seller")
    UNKNOWN_ORDER = "unknown_order", _("for an order that is not ours")
    OTHER_AMOUNT = "other_amount", _("names another amount: Alipay was asked")


class AlipayNotification(models.Model):
    """A notification as it arrived. Stored before anything is decided; its content never changes."""

    notify_id = models.CharField(_("Alipay's notification id"), max_length=128, blank=True)
    # Of the whole content: the same one twice is one row.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    params = models.JSONField(_("content"))
    received_at = models.DateTimeField(_("received"), default=clock.now)
    verdict = models.CharField(_("verdict"), max_length=13, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    order = models.ForeignKey(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="notifications",
        verbose_name=_("order"),
    )
    deliveries = models.PositiveIntegerField(_("deliveries"), default=1)

    class Meta:
        verbose_name = _("Alipay notification")
        verbose_name_plural = _("Alipay notifications")
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="notification_verdict_known"
            ),
            # A forged one must not take the place of a genuine one.
            models.UniqueConstraint(
                fields=["notify_id"],
                condition=~Q(verdict=Verdict.BAD_SIGNATURE),
                name="notification_once",
            ),
        ]
        indexes = [
            models.Index(fields=["verdict", "-received_at"], name="notification_by_verdict"),
        ]
        triggers = [_fixed("notify_id", "digest", "params", "received_at", "verdict", "reason", "order")]

    def __str__(self) -> str:
        return self.notify_id or self.digest[:12]


class ReturnReason(models.TextChoices):
    WRONG_AMOUNT = "wrong_amount", _("the amount is not the one that is due")
    NOT_CORPORATE = "not_corporate", _("it was not paid from an enterprise account")
    WRONG_PAYER = "wrong_payer", _("it was not paid from the bound account")
    LATE = "late", _("it was paid after the deadline")
    NOT_EXPECTED = "not_expected", _("no payment was due any more")


class ReturnedPayment(models.Model):
    """Money that was received and not accepted: it goes back to its payer by itself."""

    order = models.OneToOneField(
        PaymentOrder, on_delete=models.PROTECT, related_name="returned", verbose_name=_("order")
    )
    amount = money(_("amount"))
    reason = models.CharField(_("reason"), max_length=13, choices=ReturnReason)
    state = models.CharField(_("state"), max_length=11, choices=BackState, default=BackState.IN_PROGRESS)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("refused payment")
        verbose_name_plural = _("refused payments")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="returned_amount_positive"),
            models.CheckConstraint(condition=Q(state__in=BackState.values), name="returned_state_known"),
        ]
        triggers = [
            begins_in(BackState.IN_PROGRESS.value),
            _lawful(BACK_EDGES),
            _fixed("order", "amount", "reason"),
        ]

    def __str__(self) -> str:
        return self.order.out_trade_no


class Refund(models.Model):
    """Money of a deposit on its way back: already out of the deposit, in as many legs as it takes."""

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="refunds", verbose_name=_("deposit")
    )
    amount = money(_("amount"))
    # Names the cause, so that one cause refunds once.
    key = models.CharField(max_length=100, unique=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=11, choices=BackState, default=BackState.IN_PROGRESS)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.CheckConstraint(condition=Q(state__in=BackState.values), name="refund_state_known"),
        ]
        triggers = [
            begins_in(BackState.IN_PROGRESS.value),
            _lawful(BACK_EDGES),
            _fixed("deposit", "amount", "key"),
        ]

    def __str__(self) -> str:
        return f"{self.deposit} {self.amount}"


class Method(models.TextChoices):
    TRADE_REFUND = "trade_refund", _("back the way it was paid")
    TRANSFER = "transfer", _("transfer to the account that paid")


class Payout(models.Model):
    """One movement of money out of our Alipay account: a leg of a refund or of a refused payment.

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
    state = models.CharField(_("state"), max_length=9, choices=PayoutState, default=PayoutState.QUEUED)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), default=clock.now)
    claimed_at = models.DateTimeField(null=True, blank=True)
    last_code = models.CharField(_("Alipay's last answer"), max_length=64, blank=True)
    alipay_number = models.CharField(_("Alipay's number"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), default=clock.now)
    done_at = models.DateTimeField(_("time of payout"), null=True, blank=True)
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
                condition=Q(refund__isnull=False, returned__isnull=True)
                | Q(refund__isnull=True, returned__isnull=False),
                name="payout_has_one_cause",
            ),
            models.CheckConstraint(
                condition=Q(method=Method.TRADE_REFUND, order__isnull=False)
                | (Q(method=Method.TRANSFER) & ~Q(payee_identity="") & ~Q(payee_identity_type="")),
                name="payout_knows_where_to",
            ),
            models.CheckConstraint(
                condition=~Q(state=PayoutState.DONE) | Q(done_at__isnull=False), name="payout_done_has_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="payout_waiting",
                condition=Q(state__in=["queued", "calling", "dealing"]),
            ),
        ]
        triggers = [
            begins_in(PayoutState.QUEUED.value),
            _lawful(PAYOUT_EDGES),
            _fixed("refund", "returned", "order", "method", "number", "amount", "payee_identity", "replaces"),
        ]

    def __str__(self) -> str:
        return self.number


def _kind_fits_accounts() -> Q:
    named = [Q(kind=kind, debit=debit, credit=credit) for kind, (debit, credit) in ENTRIES.items()]
    return reduce(or_, named, Q(kind__in=REVERSING, reverses__isnull=False))


class LedgerTransfer(models.Model):
    """One immutable movement of an amount from one account to another. Written by ledger.py alone."""

    deposit = models.ForeignKey(
        Deposit,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("deposit"),
    )
    kind = models.CharField(_("kind"), max_length=17, choices=Kind)
    debit = models.CharField(_("debit"), max_length=20, choices=Account)
    credit = models.CharField(_("credit"), max_length=20, choices=Account)
    amount = money(_("amount"))
    at = models.DateTimeField(_("time"), default=clock.now)
    # Names the cause: one cause moves money once.
    key = models.CharField(max_length=100, unique=True, editable=False)
    case = models.CharField(_("case"), max_length=60, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    order = models.ForeignKey(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("payment"),
    )
    payout = models.ForeignKey(
        Payout,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("payout"),
    )
    reverses = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reversed_by",
        verbose_name=_("reverses"),
    )
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_two_accounts"),
            models.CheckConstraint(
                condition=Q(debit__in=Account.values, credit__in=Account.values), name="ledger_accounts_known"
            ),
            models.CheckConstraint(condition=_kind_fits_accounts(), name="ledger_kind_fits_accounts"),
            models.CheckConstraint(
                condition=Q(deposit__isnull=False)
                | (~Q(debit__in=OF_A_DEPOSIT) & ~Q(credit__in=OF_A_DEPOSIT)),
                name="ledger_names_the_deposit",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=REVERSING) | Q(reverses__isnull=True),
                name="ledger_reversal_is_called_so",
            ),
        ]
        indexes = [
            models.Index(fields=["deposit", "at"], name="ledger_statement"),
            models.Index(fields=["at"], name="ledger_by_time"),
        ]
        triggers = [
            protect(),
            _balances_equal_rows("balances_equal_rows", pgtrigger.Insert, "NEW.deposit_id"),
            pgtrigger.Trigger(
                name="reversal_mirrors",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM deposits_ledgertransfer t
                        WHERE t.id = NEW.reverses_id AND t.debit = NEW.credit AND t.credit = NEW.debit
                          AND t.amount = NEW.amount AND t.deposit_id IS NOT DISTINCT FROM NEW.deposit_id
                    ) THEN
                        RAISE EXCEPTION 'a reversal mirrors the row that it reverses'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"
