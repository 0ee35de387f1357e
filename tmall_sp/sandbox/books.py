"""Alipay's books: payments, refunds, closing and transfers, each in one transaction with its movements."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum

from . import clock, notifications, options
from .models import AlipayAccount, Movement, PagePay, Refund, Trade, Transfer

AMOUNT = re.compile(r"\d{1,10}(\.\d{1,2})?")
MIN_TRANSFER_FEN = 10


class Refused(Exception):
    """A business refusal, as the sub_code and sub_msg that Alipay would give."""

    def __init__(self, sub_code: str, sub_msg: str) -> None:
        super().__init__(f"{sub_code}: {sub_msg}")
        self.sub_code = sub_code
        self.sub_msg = sub_msg


def fen(text: object, sub_code: str = "ACQ.INVALID_PARAMETER") -> int:
    """An amount in yuan, at most two places, as fen; `Refused` otherwise."""
    if not AMOUNT.fullmatch(str(text)):
        raise Refused(sub_code, f"金额格式不正确: {text}")
    return int(Decimal(str(text)) * 100)


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two places."""
    return f"{Decimal(amount_fen) / 100:.2f}"


def seller() -> AlipayAccount:
    return AlipayAccount.objects.get(user_id=settings.ALIPAY_SELLER_ID)


def open_account(
    *,
    user_id: str,
    name: str,
    kind: str,
    logon_id: str = "",
    balance_fen: int = 0,
    open_id: str = "",
    note: str = "",
    listed: bool = True,
    at: datetime | None = None,
) -> AlipayAccount:
    """Open an account with an opening balance. ValueError for what can't be an account."""
    check_account(user_id, kind)
    with transaction.atomic():
        account = AlipayAccount.objects.create(
            user_id=user_id,
            open_id=open_id or f"0{secrets.token_hex(15)}",
            logon_id=logon_id or f"finance{user_id[-6:]}@example.com",
            name=name,
            kind=kind,
            note=note,
            listed=listed,
        )
        if balance_fen:
            move(account, balance_fen, "opening", at=at)
    return account


def check_account(user_id: str, kind: str) -> None:
    if not re.fullmatch(r"2088\d{12}", user_id):
        raise ValueError("an Alipay user id is 16 digits that begin with 2088")
    if kind not in ("CORPORATE", "PRIVATE"):
        raise ValueError("an Alipay account is CORPORATE or PRIVATE")


def move(
    account: AlipayAccount,
    delta_fen: int,
    kind: str,
    *,
    at: datetime | None = None,
    counterparty: AlipayAccount | None = None,
    trade: Trade | None = None,
    refund: Refund | None = None,
    transfer: Transfer | None = None,
) -> None:
    """Change a balance and write down why. The caller holds the transaction."""
    AlipayAccount.objects.filter(pk=account.pk).update(balance_fen=F("balance_fen") + delta_fen)
    account.balance_fen += delta_fen
    Movement.objects.create(
        account=account,
        delta_fen=delta_fen,
        kind=kind,
        at=at or clock.now(),
        serial=clock.serial_number("50"),
        counterparty=counterparty,
        trade=trade,
        refund=refund,
        transfer=transfer,
    )


def open_trade(order: PagePay) -> Trade:
    """The trade of a cashier, made when its cashier is first opened; `Refused` where it is too late."""
    now = clock.now()
    with transaction.atomic():
        trade = Trade.objects.filter(out_trade_no=order.out_trade_no).first()
        if trade is None:
            if order.expires_at and now >= order.expires_at:
                raise Refused("ACQ.TRADE_HAS_CLOSE", "订单已超过支付截止时间")
            return Trade.objects.create(
                trade_no=clock.serial_number("2200"),
                out_trade_no=order.out_trade_no,
                total_fen=order.total_fen,
                subject=order.subject,
                body=order.body,
                passback_params=order.passback_params,
                return_url=order.return_url,
                notify_url=order.notify_url,
                expires_at=order.expires_at,
                created_at=now,
            )
        close_if_expired(trade, now)
        return trade


def close_if_expired(trade: Trade, now: datetime) -> None:
    """Close an unpaid trade whose time is over. The caller holds the transaction."""
    if trade.status == Trade.WAIT and trade.expires_at and now >= trade.expires_at:
        _close(trade, trade.expires_at)


def close_expired_trades() -> None:
    """Close every unpaid trade whose time is over."""
    now = clock.now()
    due = Trade.objects.filter(status=Trade.WAIT, expires_at__lte=now)
    if not due.exists():
        return
    with transaction.atomic():
        for trade in due:
            close_if_expired(trade, now)


def _close(trade: Trade, at: datetime) -> None:
    trade.status, trade.closed_at = Trade.CLOSED, at
    trade.save(update_fields=["status", "closed_at"])
    notifications.enqueue_trade(trade, status=Trade.CLOSED)


def find_trade(fields: Mapping[str, Any]) -> Trade:
    """The trade named by trade_no or out_trade_no, closed if its time is over.

    The caller holds the transaction.
    """
    trade_no, out_trade_no = str(fields.get("trade_no") or ""), str(fields.get("out_trade_no") or "")
    if not trade_no and not out_trade_no:
        raise Refused("ACQ.INVALID_PARAMETER", "out_trade_no 与 trade_no 不能同时为空")
    chosen = Q(trade_no=trade_no) if trade_no else Q(out_trade_no=out_trade_no)
    trade = Trade.objects.select_related("buyer").filter(chosen).first()
    if trade is None:
        raise Refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
    close_if_expired(trade, clock.now())
    return trade


def pay(
    trade_no: str, buyer_id: str, *, amount_fen: int | None = None, lose_notification: bool = False
) -> Trade:
    """Pay a waiting trade from the buyer's balance; `amount_fen` pays another amount than was asked."""
    with transaction.atomic():
        trade = find_trade({"trade_no": trade_no})
        if trade.status != Trade.WAIT:
            paid = trade.status != Trade.CLOSED or trade.paid_at
            raise (
                Refused("ACQ.TRADE_HAS_SUCCESS", "交易已经付款")
                if paid
                else Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
            )
        buyer, payee = AlipayAccount.objects.filter(user_id=buyer_id).first(), seller()
        if buyer is None or buyer.status != "NORMAL" or buyer.pk == payee.pk:
            raise Refused("ACQ.BUYER_ERROR", "买家账号不可用")
        total = trade.total_fen if amount_fen is None else amount_fen
        if buyer.balance_fen < total:
            raise Refused("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
        now = clock.now()
        trade.status, trade.buyer, trade.paid_at, trade.total_fen = Trade.SUCCESS, buyer, now, total
        trade.save(update_fields=["status", "buyer", "paid_at", "total_fen"])
        move(buyer, -total, "payment", at=now, counterparty=payee, trade=trade)
        move(payee, total, "payment", at=now, counterparty=buyer, trade=trade)
        fee = total * int(options.get("fee_basis_points")) // 10_000
        if fee:
            move(payee, -fee, "fee", at=now, trade=trade)
        notifications.enqueue_trade(trade, status=Trade.SUCCESS, lost=lose_notification)
    return trade


def close(fields: Mapping[str, Any]) -> Trade:
    """Close an unpaid trade."""
    with transaction.atomic():
        trade = find_trade(fields)
        if trade.status != Trade.WAIT:
            raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
        _close(trade, clock.now())
    return trade


def refund(fields: Mapping[str, Any]) -> tuple[Trade, Refund, bool]:
    """Refund part or all of a trade, once for each out_request_no (B6), and say whether money moved."""
    amount = fen(fields.get("refund_amount"))
    with transaction.atomic():
        trade = find_trade(fields)
        number = str(fields.get("out_request_no") or "") or trade.out_trade_no
        known = Refund.objects.filter(trade=trade, out_request_no=number).first()
        if known is not None:
            if known.amount_fen != amount:
                raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST", "重复的退款请求号，但金额不一致")
            Refund.objects.filter(pk=known.pk).update(calls=F("calls") + 1)
            return trade, known, False
        buyer, payer = _check_refundable(trade, amount, bool(fields.get("out_request_no")))
        now = clock.now()
        done = Refund.objects.create(
            trade=trade,
            out_request_no=number,
            amount_fen=amount,
            reason=str(fields.get("refund_reason") or ""),
            executed_at=now,
        )
        trade.refunded_fen += amount
        if trade.refunded_fen == trade.total_fen:
            trade.status, trade.closed_at = Trade.CLOSED, now
        trade.save(update_fields=["refunded_fen", "status", "closed_at"])
        move(payer, -amount, "refund", at=now, counterparty=buyer, trade=trade, refund=done)
        move(buyer, amount, "refund", at=now, counterparty=payer, trade=trade, refund=done)
        notifications.enqueue_trade(trade, status=trade.status, refund=done)
    return trade, done, True


def _check_refundable(trade: Trade, amount: int, numbered: bool) -> tuple[AlipayAccount, AlipayAccount]:
    status = trade.status_at(clock.now(), int(options.get("refund_window_days")))
    if status == Trade.FINISHED:
        raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已完结")
    if trade.buyer is None or trade.paid_at is None:
        raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    if amount <= 0 or trade.refunded_fen + amount > trade.total_fen:
        raise Refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额超过可退金额")
    if not numbered and amount != trade.total_fen:
        raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "部分退款须传 out_request_no")
    if trade.buyer.status != "NORMAL":
        raise Refused("ACQ.BUYER_ERROR", "买家账号状态异常")
    payer = seller()
    if payer.balance_fen < amount:
        raise Refused("ACQ.SELLER_BALANCE_NOT_ENOUGH", "商户余额不足")
    return trade.buyer, payer


def transfer(fields: Mapping[str, Any]) -> Transfer:
    """Transfer to an Alipay account, once for each out_biz_no (B8)."""
    number = str(fields.get("out_biz_no") or "")
    payee_info = fields.get("payee_info")
    if not number or not isinstance(payee_info, dict):
        raise Refused("INVALID_PARAMETER", "缺少 out_biz_no 或 payee_info")
    amount = fen(fields.get("trans_amount"), "INVALID_PARAMETER")
    with transaction.atomic():
        known = Transfer.objects.filter(out_biz_no=number).first()
        if known is not None:
            same_payee = all(
                known.payee_info.get(k) == payee_info.get(k) for k in ("identity", "identity_type")
            )
            if known.amount_fen != amount or not same_payee:
                raise Refused("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
            Transfer.objects.filter(pk=known.pk).update(calls=F("calls") + 1)
            settle_if_due(known)
            return known
        payee, payer = _check_transfer(amount, payee_info), seller()
        if payee.pk == payer.pk:
            raise Refused("PAYER_PAYEE_CANNOT_SAME", "收付款方不能相同")
        if payer.balance_fen < amount:
            raise Refused("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")
        return _begin_transfer(number, amount, payee, payer, payee_info, fields)


def _begin_transfer(
    number: str,
    amount: int,
    payee: AlipayAccount,
    payer: AlipayAccount,
    payee_info: dict[str, Any],
    fields: Mapping[str, Any],
) -> Transfer:
    mode, now = options.get("transfer_mode"), clock.now()
    done = Transfer.objects.create(
        out_biz_no=number,
        order_id=clock.serial_number("0700"),
        pay_fund_order_id=clock.serial_number("0706"),
        amount_fen=amount,
        payee=payee,
        payee_info=payee_info,
        title=str(fields.get("order_title") or ""),
        remark=str(fields.get("remark") or ""),
        created_at=now,
        status=Transfer.FAIL if mode == "fail" else Transfer.DEALING,
        fail_reason="PAYEE_ACCOUNT_STATUS_ERROR" if mode == "fail" else "",
    )
    if mode != "fail":
        move(payer, -amount, "transfer", at=now, counterparty=payee, transfer=done)
    if mode == "success":
        settle_transfer(done, Transfer.SUCCESS)
    return done


def _check_transfer(amount: int, payee_info: dict[str, Any]) -> AlipayAccount:
    if amount < MIN_TRANSFER_FEN:
        raise Refused("EXCEED_LIMIT_SM_MIN_AMOUNT", "单笔最低转账金额0.1元")
    identity, name = str(payee_info.get("identity") or ""), payee_info.get("name")
    columns = {"ALIPAY_USER_ID": "user_id", "ALIPAY_LOGON_ID": "logon_id", "ALIPAY_OPEN_ID": "open_id"}
    column = columns.get(str(payee_info.get("identity_type")))
    if column is None or not identity or (column == "logon_id" and not name):
        raise Refused("INVALID_PARAMETER", "收款方信息不完整")
    payee = AlipayAccount.objects.filter(**{column: identity}).first()
    if payee is None:
        raise Refused("PAYEE_NOT_EXIST", "收款账号不存在")
    if name and name != payee.name:
        raise Refused("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配")
    if payee.status != "NORMAL":
        raise Refused("PAYEE_ACCOUNT_STATUS_ERROR", "收款方账号状态异常")
    corporate = payee.kind == "CORPORATE"
    if amount > int(
        options.get("transfer_limit_corporate_fen" if corporate else "transfer_limit_private_fen")
    ):
        code = "EXCEED_LIMIT_ENT_SM_AMOUNT" if corporate else "EXCEED_LIMIT_PERSONAL_SM_AMOUNT"
        raise Refused(code, "转账金额超过单笔限额")
    if _transferred_today() + amount > int(options.get("transfer_daily_limit_fen")):
        raise Refused("EXCEED_LIMIT_DM_MAX_AMOUNT", "转账金额超过单日限额")
    return payee


def _transferred_today() -> int:
    day = clock.now().astimezone(clock.BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    live = Transfer.objects.filter(created_at__gte=day).exclude(status=Transfer.FAIL)
    return live.aggregate(total=Sum("amount_fen"))["total"] or 0


def settle_transfer(order: Transfer, status: str, reason: str = "") -> Transfer:
    """Bring DEALING to SUCCESS or FAIL, or SUCCESS to REFUND (bank return), in the caller's transaction."""
    payer, now = seller(), clock.now()
    if (order.status, status) not in {
        (Transfer.DEALING, Transfer.SUCCESS),
        (Transfer.DEALING, Transfer.FAIL),
        (Transfer.SUCCESS, Transfer.RETURNED),
    }:
        raise Refused("ORDER_STATUS_INVALID", f"{order.status} → {status}")
    if status == Transfer.SUCCESS:
        move(order.payee, order.amount_fen, "transfer", at=now, counterparty=payer, transfer=order)
    else:
        if status == Transfer.RETURNED:
            move(
                order.payee, -order.amount_fen, "transfer_return", at=now, counterparty=payer, transfer=order
            )
        move(payer, order.amount_fen, "transfer_return", at=now, counterparty=order.payee, transfer=order)
        order.fail_reason = reason or (
            "BANK_RETURN" if status == Transfer.RETURNED else "PAYEE_ACCOUNT_STATUS_ERROR"
        )
    order.status, order.settled_at = status, now
    order.save(update_fields=["status", "settled_at", "fail_reason"])
    return order


def settle_if_due(order: Transfer) -> None:
    """Let a DEALING transfer succeed by itself after `transfer_settle_seconds`, where that is set."""
    wait = float(options.get("transfer_settle_seconds"))
    if (
        order.status == Transfer.DEALING
        and wait > 0
        and clock.now() >= order.created_at + timedelta(seconds=wait)
    ):
        settle_transfer(order, Transfer.SUCCESS)


def find_transfer(fields: Mapping[str, Any]) -> Transfer:
    """The transfer named by out_biz_no, order_id or pay_fund_order_id."""
    names = ("out_biz_no", "order_id", "pay_fund_order_id")
    given = {name: str(fields[name]) for name in names if fields.get(name)}
    if not given:
        raise Refused("INVALID_PARAMETER", "out_biz_no 与 order_id 不能同时为空")
    with transaction.atomic():
        order = Transfer.objects.select_related("payee").filter(**given).first()
        if order is None:
            raise Refused("ORDER_NOT_EXIST", "转账订单不存在")
        settle_if_due(order)
    return order
