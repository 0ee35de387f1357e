"""The sandbox's books. Amounts are integers of fen; instants are aware and on the sandbox's clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q


class Row(models.Model):
    """What every table has in common."""

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class Option(Row):
    """One adjustable behaviour; what has no row has its default (see `options`)."""

    name = models.CharField(max_length=60, primary_key=True)
    value = models.JSONField()


class TaobaoUser(Row):
    """A Taobao account with its shop; a sub-account (`main:sub`) points to its main account."""

    taobao_user_id = models.BigIntegerField(primary_key=True)
    nick = models.CharField(max_length=64, unique=True)
    main = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="subs")
    shop_type = models.CharField(max_length=1, default="B")
    status = models.CharField(max_length=20, default="normal")
    promoted_type = models.CharField(max_length=30, default="authentication")
    alipay_bind = models.CharField(max_length=20, default="bind")
    has_shop = models.BooleanField(default=True)
    sid = models.BigIntegerField(default=0)
    shop_title = models.CharField(max_length=80, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    level = models.IntegerField(default=12)
    score = models.IntegerField(default=40000)
    total_num = models.IntegerField(default=41000)
    good_num = models.IntegerField(default=40500)
    item_score = models.CharField(max_length=8, default="4.9")
    service_score = models.CharField(max_length=8, default="4.8")
    delivery_score = models.CharField(max_length=8, default="4.8")
    # What the legacy taobao.shop.get gives of this shop: full, bare (no date, no scores) or refused.
    legacy = models.CharField(max_length=10, default="full")
    note = models.CharField(max_length=120, blank=True)
    listed = models.BooleanField(default=True)

    @property
    def owner(self) -> TaobaoUser:
        """The account that the shop belongs to."""
        return self.main or self


class ServiceOrder(Row):
    """An order of the service market (taobao.vas.order.search)."""

    user = models.ForeignKey(TaobaoUser, on_delete=models.CASCADE, related_name="service_orders")
    article_code = models.CharField(max_length=40)
    item_code = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    order_cycle = models.CharField(max_length=1, default="1")
    cycle_start = models.DateTimeField()
    cycle_end = models.DateTimeField()
    biz_type = models.IntegerField(default=1)
    fee_fen = models.BigIntegerField(default=0)


class AuthorizationCode(Row):
    """A code of the authorize page; good once."""

    code = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(TaobaoUser, on_delete=models.CASCADE)
    redirect_uri = models.TextField()
    created_at = models.DateTimeField()
    used = models.BooleanField(default=False)


class Session(Row):
    """An access token of TOP."""

    access_token = models.CharField(max_length=80, primary_key=True)
    user = models.ForeignKey(TaobaoUser, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class AlipayAccount(Row):
    """An Alipay account; its balance equals the sum of its movements."""

    user_id = models.CharField(max_length=16, primary_key=True)
    open_id = models.CharField(max_length=64, unique=True)
    logon_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, default="CORPORATE")
    balance_fen = models.BigIntegerField(default=0)
    # NORMAL or FROZEN: a frozen account neither pays nor receives.
    status = models.CharField(max_length=10, default="NORMAL")
    note = models.CharField(max_length=120, blank=True)
    listed = models.BooleanField(default=True)

    @property
    def masked_logon_id(self) -> str:
        """The login id as Alipay shows it to others."""
        head, at, domain = self.logon_id.partition("@")
        if at:
            return f"{head[:3]}***@{domain}"
        return f"{head[:3]}******{head[-2:]}"


class PagePay(Row):
    """A verified alipay.trade.page.pay request; the trade begins when its cashier is opened."""

    token = models.CharField(max_length=40, primary_key=True)
    out_trade_no = models.CharField(max_length=64, db_index=True)
    total_fen = models.BigIntegerField()
    subject = models.CharField(max_length=256)
    body = models.CharField(max_length=400, blank=True)
    passback_params = models.CharField(max_length=512, blank=True)
    return_url = models.TextField(blank=True)
    notify_url = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()


class Trade(Row):
    """A trade, from the opened cashier on."""

    WAIT, SUCCESS, CLOSED, FINISHED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"

    trade_no = models.CharField(max_length=64, primary_key=True)
    out_trade_no = models.CharField(max_length=64, unique=True)
    total_fen = models.BigIntegerField()
    subject = models.CharField(max_length=256)
    body = models.CharField(max_length=400, blank=True)
    passback_params = models.CharField(max_length=512, blank=True)
    return_url = models.TextField(blank=True)
    notify_url = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, db_index=True)
    status = models.CharField(max_length=20, default=WAIT, db_index=True)
    buyer = models.ForeignKey(AlipayAccount, null=True, on_delete=models.PROTECT, related_name="trades")
    refunded_fen = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, db_index=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(refunded_fen__gte=0) & Q(refunded_fen__lte=models.F("total_fen")),
                name="trade_refunded_within_total",
            )
        ]

    def status_at(self, instant: datetime, window_days: int) -> str:
        """The status, with a paid trade past its refund window as TRADE_FINISHED."""
        if (
            self.status == self.SUCCESS
            and self.paid_at
            and instant >= self.paid_at + timedelta(days=window_days)
        ):
            return self.FINISHED
        return self.status


class Refund(Row):
    """A refund that was executed; `calls` counts the requests that named it."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="refunds")
    out_request_no = models.CharField(max_length=64)
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=256, blank=True)
    executed_at = models.DateTimeField(db_index=True)
    calls = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trade", "out_request_no"], name="refund_number_once_a_trade")
        ]


class Transfer(Row):
    """A transfer out of the seller's balance; `calls` counts the requests that named it."""

    SUCCESS, FAIL, DEALING, RETURNED = "SUCCESS", "FAIL", "DEALING", "REFUND"

    out_biz_no = models.CharField(max_length=64, primary_key=True)
    order_id = models.CharField(max_length=64, unique=True)
    pay_fund_order_id = models.CharField(max_length=64)
    amount_fen = models.BigIntegerField()
    payee = models.ForeignKey(AlipayAccount, on_delete=models.PROTECT, related_name="transfers")
    payee_info = models.JSONField()
    title = models.CharField(max_length=256, blank=True)
    remark = models.CharField(max_length=256, blank=True)
    status = models.CharField(max_length=10)
    fail_reason = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_index=True)
    settled_at = models.DateTimeField(null=True)
    calls = models.IntegerField(default=1)


class Movement(Row):
    """One change of one account's balance."""

    account = models.ForeignKey(AlipayAccount, on_delete=models.PROTECT, related_name="movements")
    delta_fen = models.BigIntegerField()
    # opening, adjustment, payment, fee, refund, transfer, transfer_return
    kind = models.CharField(max_length=20)
    at = models.DateTimeField(db_index=True)
    serial = models.CharField(max_length=64)
    counterparty = models.ForeignKey(AlipayAccount, null=True, on_delete=models.PROTECT, related_name="+")
    trade = models.ForeignKey(Trade, null=True, on_delete=models.PROTECT, related_name="movements")
    refund = models.ForeignKey(Refund, null=True, on_delete=models.PROTECT, related_name="movements")
    transfer = models.ForeignKey(Transfer, null=True, on_delete=models.PROTECT, related_name="movements")


class Notification(Row):
    """A signed notification and how far its delivery came. Times of sending are the system clock's."""

    PENDING, HELD, DELIVERED, LOST, GIVEN_UP = "pending", "held", "delivered", "lost", "given_up"

    id = models.BigAutoField(primary_key=True)
    notify_id = models.CharField(max_length=64, db_index=True)
    out_trade_no = models.CharField(max_length=64, blank=True, db_index=True)
    url = models.TextField()
    fields = models.JSONField()
    status = models.CharField(max_length=10, default=PENDING, db_index=True)
    # How many times the first delivery is posted (a doubled notification: 2).
    copies = models.IntegerField(default=1)
    max_attempts = models.IntegerField(default=8)
    attempts = models.IntegerField(default=0)
    next_at = models.FloatField(default=0)
    last_answer = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()


class Fault(Row):
    """A misbehaviour that was ordered; used up when `remaining` is 0, never when it is −1."""

    target = models.CharField(max_length=100, db_index=True)
    kind = models.CharField(max_length=30)
    remaining = models.IntegerField(default=1)
    skip = models.IntegerField(default=0)
    hits = models.IntegerField(default=0)
    match = models.JSONField(default=dict)
    params = models.JSONField(default=dict)
    created_at = models.DateTimeField()


class CallCount(Row):
    """How often a method of a gateway was called with a valid signature."""

    method = models.CharField(max_length=100, primary_key=True)
    calls = models.BigIntegerField(default=0)


class Mail(Row):
    """A mail that the sandbox's SMTP server took."""

    received_at = models.DateTimeField()
    sender = models.CharField(max_length=320)
    recipients = models.JSONField()
    subject = models.CharField(max_length=500, blank=True)
    raw = models.BinaryField()
