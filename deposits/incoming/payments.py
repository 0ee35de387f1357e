"""From the button to the receipt: order → cashier → news → query → settle.

Alipay's query alone decides (protocols B4, B5): a notification, the return page and the sweep are only
reasons to ask. Nothing here calls Alipay inside a transaction, and settling looks at everything again under
the application's lock.
"""

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import bound_account, permissions
from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from deposits import announcements
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import obligations, topups
from deposits.gateways.alipay import Alipay, CloseOutcome, Trade, TradeStatus
from deposits.incoming import payers
from deposits.incoming.orders import begin_closing
from deposits.locks import lock_deposit, lock_order
from deposits.models import (
    AlipayNotification,
    Deposit,
    PaymentOrder,
    Purpose,
    ReturnedPayment,
    ReturnReason,
    Verdict,
)
from deposits.outgoing import payout_legs
from deposits.states import ORDER_SETTLED, ORDER_UNRESOLVED, OrderState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.gateway import GatewayError
from tmall_sp.core.jobs import enqueue

logger = logging.getLogger(__name__)

CORPORATE = "CORPORATE"
# Who has an order in hand asks again after this long, should the worker die.
CLAIM = dt.timedelta(minutes=1)
FIRST_PAUSE = dt.timedelta(seconds=15)
LONGEST_PAUSE = dt.timedelta(minutes=10)
# Alipay's clock and ours may differ: only after this is an order that it never saw surely dead.
GRACE = dt.timedelta(minutes=1)
# Forged notifications are kept as evidence, but not so many that they fill the disk.
FORGED_PER_HOUR = 500


# The order and the cashier -------------------------------------------------------------------------


def open_cashier(application_pk: int, *, actor: User) -> str:
    """The address of Alipay's cashier for what is due now; makes the order or uses the open one again.

    NotPermitted; DomainError `nothing_due`, `too_late`, `alipay_unavailable`.
    """
    order = open_order(application_pk, actor=actor)
    application = order.deposit.application
    try:
        return Alipay.from_settings().cashier_url(
            order.out_trade_no,
            order.amount,
            f"天猫服务商保证金 {application.number}",
            order.time_expire,
            settings.SITE_URL + reverse("alipay_notify"),
            settings.SITE_URL + reverse("deposits:returned", args=[application.number]),
        )
    except GatewayError as error:
        raise _unavailable() from error


def open_order(application_pk: int, *, actor: User) -> PaymentOrder:
    """The one open order for what is due now. Its number is committed before anybody can pay by it."""
    with transaction.atomic():
        try:
            application, deposit = lock_deposit(application_pk)
        except Deposit.DoesNotExist:
            raise _nothing_due() from None
        if not permissions.may_pay(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        purpose, amount, until = _due(application, deposit)
        open_one = deposit.orders.select_for_update(of=("self",)).filter(state=OrderState.OPEN).first()
        if open_one is not None:
            if (open_one.purpose, open_one.amount) == (
                purpose,
                amount,
            ) and clock.now() < open_one.time_expire:
                return open_one
            begin_closing(open_one)
        return PaymentOrder.objects.create(
            deposit=deposit,
            purpose=purpose,
            amount=amount,
            time_expire=until.replace(microsecond=0),
            created_by=actor,
            created_at=clock.now(),
            next_check_at=clock.now() + FIRST_PAUSE,
        )


def _due(application: Application, deposit: Deposit) -> tuple[Purpose, Decimal, dt.datetime]:
    """What is to be paid now, and until when. Hold the lock."""
    now = clock.now()
    if application.state == State.APPROVED:
        applications.refuse_late(application)
        return Purpose.INITIAL, deposit.required, application.deadline_at or now + _top_up_time(now)
    if missing := topups.payable(application, deposit):
        return Purpose.TOP_UP, missing, now + min(_top_up_time(now), dt.timedelta(days=1))
    raise _nothing_due()


def _top_up_time(now: dt.datetime) -> dt.timedelta:
    return rules.days("deposit.topup_days", now)


# The news ------------------------------------------------------------------------------------------


def receive_notification(params: Mapping[str, str]) -> bool:
    """Store a notification, judge it, and have its order asked for at Alipay. Whether it was genuine.

    A repeat (same notify_id) only counts up. Never calls Alipay.
    """
    if any("\0" in text for item in params.items() for text in item):
        return False  # no database row can hold it, and Alipay sends none
    genuine = Alipay.from_settings().verify_notification(params)
    verdict, reason, order = _judge_notification(params) if genuine else (Verdict.BAD_SIGNATURE, "", None)
    if not genuine and _too_many_forged():
        logger.warning("A forged notification was not kept: too many of them in this hour")
        return False
    content = json.dumps(params, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(content.encode()).hexdigest()
    try:
        with transaction.atomic():
            AlipayNotification.objects.create(
                notify_id=params.get("notify_id", "")[:128],
                digest=digest,
                params=dict(params),
                received_at=clock.now(),
                verdict=verdict,
                reason=reason[:200],
                order=order,
            )
    except IntegrityError:
        _count_delivery(params, digest, genuine)
    if order is not None and order.state not in ORDER_SETTLED:
        ask_soon(order)
    return genuine


def _judge_notification(params: Mapping[str, str]) -> tuple[Verdict, str, PaymentOrder | None]:
    """Is it about us, and does it agree with our order? A genuine signature alone says neither (B4)."""
    if params.get("app_id") != settings.ALIPAY_APP_ID:
        return Verdict.OTHER_APP, params.get("app_id", ""), None
    if params.get("seller_id") != settings.ALIPAY_SELLER_ID:
        return Verdict.OTHER_SELLER, params.get("seller_id", ""), None
    order = PaymentOrder.objects.filter(out_trade_no=params.get("out_trade_no", "")).first()
    if order is None:
        return Verdict.UNKNOWN_ORDER, params.get("out_trade_no", ""), None
    if _amount(params.get("total_amount")) != order.amount:
        return Verdict.OTHER_AMOUNT, params.get("total_amount", ""), order
    return Verdict.BELIEVED, params.get("trade_status", ""), order


def _amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text or "")
    except InvalidOperation:
        return None


def _too_many_forged() -> bool:
    hour_ago = clock.now() - dt.timedelta(hours=1)
    forged = AlipayNotification.objects.filter(verdict=Verdict.BAD_SIGNATURE, received_at__gt=hour_ago)
    return forged.count() >= FORGED_PER_HOUR


def _count_delivery(params: Mapping[str, str], digest: str, genuine: bool) -> None:
    rows = AlipayNotification.objects.filter(digest=digest)
    if genuine and params.get("notify_id"):
        rows = AlipayNotification.objects.filter(notify_id=params["notify_id"]).exclude(
            verdict=Verdict.BAD_SIGNATURE
        )
    rows.update(deliveries=F("deliveries") + 1)


def ask_soon(order: PaymentOrder) -> None:
    """Have a worker ask Alipay about the order now."""
    from deposits import tasks

    with transaction.atomic():
        PaymentOrder.objects.filter(pk=order.pk).exclude(state__in=ORDER_SETTLED).update(
            next_check_at=clock.now()
        )
        enqueue(tasks.check_order, order.pk)


# Asking Alipay -------------------------------------------------------------------------------------


def check_order(pk: int) -> bool:
    """Ask Alipay about one order that is due for it, and act on the answer. False: Alipay couldn't be asked.

    1. Claim it by moving the next check on, so that of several workers one asks.
    2. Query, outside any transaction; close what is to be closed or past its time.
    3. Settle what is paid, close what is dead, else come again later.
    """
    now = clock.now()
    claimed = PaymentOrder.objects.filter(pk=pk, next_check_at__lte=now).update(
        next_check_at=now + CLAIM, checks=F("checks") + 1
    )
    if not claimed:
        return True
    order = PaymentOrder.objects.get(pk=pk)
    try:
        resolve(order)
    except GatewayError as error:
        logger.warning("Alipay could not be asked about order %s: %s", order.out_trade_no, error)
        _ask_later(order, error.code)
        return False
    return True


def resolve(order: PaymentOrder) -> None:
    """Ask Alipay and act on the answer, whether or not a check is due. GatewayError if it can't be asked."""
    alipay = Alipay.from_settings()
    trade = alipay.query_trade(order.out_trade_no)
    if trade is not None and (trade.is_paid or trade.paid_at is not None):
        settle(order.pk, trade)
    elif trade is not None and trade.status is TradeStatus.TRADE_CLOSED:
        _mark_closed(order.pk)
    elif order.state == OrderState.OPEN and clock.now() <= order.time_expire:
        _ask_later(order)
    else:
        _close(alipay, order)


def _close(alipay: Alipay, order: PaymentOrder) -> None:
    outcome = alipay.close_trade(order.out_trade_no)
    if outcome is CloseOutcome.ALREADY_PAID:
        trade = alipay.query_trade(order.out_trade_no)
        if trade is not None:
            settle(order.pk, trade)
    elif outcome is CloseOutcome.CLOSED or clock.now() > order.time_expire + GRACE:
        _mark_closed(order.pk)
    else:
        # Nobody has opened the cashier yet, and its address is good until it expires: watch it till then.
        _ask_later(order)


def _ask_later(order: PaymentOrder, error: str = "") -> None:
    """Often at first, then every ten minutes, and right after the order has expired.

    News that came while Alipay was asked has set an earlier time, which stays.
    """
    now = clock.now()
    pause = min(max(FIRST_PAUSE, (now - order.created_at) / 10), LONGEST_PAUSE)
    end = order.time_expire + GRACE + dt.timedelta(seconds=1)
    due = min(now + pause, end) if now < end else now + pause
    PaymentOrder.objects.filter(
        pk=order.pk, state__in=ORDER_UNRESOLVED, next_check_at=order.next_check_at
    ).update(next_check_at=due, last_error=error)


def _mark_closed(pk: int) -> None:
    with transaction.atomic():
        _application, order = lock_order(pk)
        if order.state in ORDER_UNRESOLVED:
            order.state = OrderState.CLOSED
            order.closed_at = clock.now()
        order.next_check_at = None
        order.last_error = ""
        order.save(update_fields=["state", "closed_at", "next_check_at", "last_error"])


def close_now(order: PaymentOrder) -> None:
    """Close the order at Alipay before its deadline; afterwards it is `closed`, `closing` or settled.

    `closing` is one whose cashier nobody has opened. GatewayError if Alipay can't be asked. Call it outside
    a transaction.
    """
    with transaction.atomic():
        _application, locked = lock_order(order.pk)
        if locked.state not in ORDER_UNRESOLVED:
            return
        if locked.state == OrderState.OPEN:
            begin_closing(locked)
    resolve(locked)


# Settling ------------------------------------------------------------------------------------------


def settle(pk: int, trade: Trade) -> PaymentOrder:
    """Take in a payment that Alipay's query has confirmed, once: into the deposit, or into suspense and back.

    Settling again changes nothing. Of an order that was paid and given back at Alipay without us nothing is
    booked: no money is left to book.
    """
    with transaction.atomic():
        application, order = lock_order(pk)
        if order.state in ORDER_SETTLED:
            return order
        if not trade.is_paid:
            logger.warning("Order %s was paid and refunded outside the portal", order.out_trade_no)
            order.last_error = "refunded_elsewhere"
            order.state, order.closed_at, order.next_check_at = OrderState.CLOSED, clock.now(), None
            order.save(update_fields=["last_error", "state", "closed_at", "next_check_at"])
            return order
        _note_payment(order, trade)
        refusal = _refusal(application, order)
        if refusal is None:
            _accept(application, order)
        else:
            _refuse(application, order, refusal)
    return order


def _note_payment(order: PaymentOrder, trade: Trade) -> None:
    now = clock.now()
    order.trade_no = trade.trade_no
    order.paid_amount = trade.total_amount
    order.paid_at = trade.paid_at or now
    order.buyer_user_id = trade.buyer_user_id or ""
    order.buyer_open_id = trade.buyer_open_id or ""
    order.buyer_user_type = trade.buyer_user_type or ""
    order.buyer_name = trade.buyer_user_name or ""
    order.closed_at = now
    order.next_check_at = None
    order.last_error = ""


def _refusal(application: Application, order: PaymentOrder) -> ReturnReason | None:
    """Why the money is not taken, if it isn't. Hold the lock."""
    if not _is_expected(application, order):
        return ReturnReason.NOT_EXPECTED
    if order.paid_amount != order.amount:
        return ReturnReason.WRONG_AMOUNT
    if order.buyer_user_type != CORPORATE:
        return ReturnReason.NOT_CORPORATE
    if not payers.is_bound_payer(application, order):
        return ReturnReason.WRONG_PAYER
    if order.purpose == Purpose.INITIAL and _is_late(application, order):
        return ReturnReason.LATE
    return None


def _is_expected(application: Application, order: PaymentOrder) -> bool:
    if order.purpose == Purpose.INITIAL:
        return bool(application.state == State.APPROVED)
    return bool(topups.payable(application, order.deposit) >= order.amount)


def _is_late(application: Application, order: PaymentOrder) -> bool:
    """The moment of the payment counts, not that of the news. Alipay gives it in whole seconds."""
    assert order.paid_at is not None
    return application.deadline_at is not None and order.paid_at > application.deadline_at


def _accept(application: Application, order: PaymentOrder) -> None:
    kind = Kind.PAYMENT if order.purpose == Purpose.INITIAL else Kind.TOP_UP
    open_id = payers.open_id_to_bind(application, order)
    order.state = OrderState.PAID
    order.save()
    ledger.post(
        kind,
        order.amount,
        key=f"order:{order.pk}:received",
        deposit=order.deposit,
        order=order,
        note=order.trade_no,
    )
    if order.purpose == Purpose.INITIAL:
        applications.record_deposit(
            application.pk,
            alipay_open_id=open_id,
            reason=_("CNY %(amount)s received.") % {"amount": f"{order.amount:,}"},
        )
        applications.activate_if_ready(application.pk)
    else:
        if open_id:
            bound_account.bind_open_id(application.pk, open_id=open_id)
        announcements.enter_timeline(application, "deposit_topped_up", f"¥{order.amount:,}")
        announcements.tell_merchant(
            application,
            key=f"top-up:{order.pk}",
            subject=gettext_lazy("Your top-up has arrived"),
            body=gettext_lazy("The receipt is on the page of your deposit."),
        )
        obligations.settle(order.deposit)
        topups.close_if_met(order.deposit)


def _refuse(application: Application, order: PaymentOrder, reason: ReturnReason) -> None:
    assert order.paid_amount is not None
    order.state = OrderState.REFUSED
    order.save()
    returned = ReturnedPayment.objects.create(
        order=order, amount=order.paid_amount, reason=reason, created_at=clock.now()
    )
    ledger.post(
        Kind.REFUSED_PAYMENT,
        order.paid_amount,
        key=f"order:{order.pk}:received",
        order=order,
        note=order.trade_no,
        case=f"returned:{returned.pk}",
    )
    payout_legs.give_back_refused(returned)
    announcements.enter_timeline(
        application,
        "payment_refused",
        _("CNY %(amount)s: %(reason)s") % {"amount": f"{order.paid_amount:,}", "reason": reason.label},
    )
    announcements.tell_merchant(
        application,
        key=f"refused:{returned.pk}",
        subject=gettext_lazy("Your payment was not accepted and goes back"),
        body=format_lazy(
            "{amount} — {reason}. {text}",
            amount=f"¥{order.paid_amount:,}",
            reason=reason.label,
            text=gettext_lazy("The money goes back by itself to the account that it came from."),
        ),
    )


# Refusals ------------------------------------------------------------------------------------------


def _nothing_due() -> DomainError:
    return DomainError("nothing_due", _("Nothing is to be paid at present."))


def _unavailable() -> DomainError:
    return DomainError(
        "alipay_unavailable",
        _("Alipay can't be reached at present. Nothing was changed; please try again later."),
    )
