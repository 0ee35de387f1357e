"""Money that comes in: orders at Alipay's cashier, what Alipay tells of them, and what was not accepted."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deposits.models.columns import fixed, follows_its_legs, lawful, money, new_order_number
from deposits.models.deposit import Deposit
from deposits.states import BACK_EDGES, ORDER_EDGES, ORDER_SETTLED, BackState, OrderState
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


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
            lawful(ORDER_EDGES),
            fixed("deposit", "purpose", "out_trade_no", "amount", "time_expire", "created_at"),
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
        triggers = [fixed("notify_id", "digest", "params", "received_at", "verdict", "reason", "order")]

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
            lawful(BACK_EDGES),
            fixed("order", "amount", "reason"),
            *follows_its_legs("returned_id"),
        ]

    def __str__(self) -> str:
        return self.order.out_trade_no
