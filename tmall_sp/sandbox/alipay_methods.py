"""What each Alipay method answers (B5–B9): a function from biz_content to the fields of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from . import bills, books, clock, options
from .books import Refused
from .models import AlipayAccount, Refund, Transfer

Biz = Mapping[str, Any]
Answer = dict[str, Any]


def _buyer_identity(buyer: AlipayAccount) -> Answer:
    if options.get("open_id_only"):
        return {"buyer_open_id": buyer.open_id}
    return {"buyer_user_id": buyer.user_id}


def trade_query(biz: Biz) -> Answer:
    with transaction.atomic():
        trade = books.find_trade(biz)
    total = books.yuan(trade.total_fen)
    answer: Answer = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "total_amount": total,
        "trade_status": trade.status_at(clock.now(), int(options.get("refund_window_days"))),
        "subject": trade.subject,
        "body": trade.body,
    }
    if trade.buyer is None or trade.paid_at is None:
        return answer | {"receipt_amount": "0.00", "buyer_pay_amount": "0.00", "point_amount": "0.00"}
    return (
        answer
        | _buyer_identity(trade.buyer)
        | {
            "buyer_logon_id": trade.buyer.masked_logon_id,
            "buyer_user_type": trade.buyer.kind,
            "buyer_user_name": trade.buyer.name,
            "send_pay_date": clock.wire(trade.paid_at),
            "receipt_amount": total,
            "invoice_amount": total,
            "buyer_pay_amount": total,
            "point_amount": "0.00",
            "fund_bill_list": [{"amount": total, "fund_channel": "ALIPAYACCOUNT"}],
        }
    )


def trade_close(biz: Biz) -> Answer:
    trade = books.close(biz)
    return {"trade_no": trade.trade_no, "out_trade_no": trade.out_trade_no}


def trade_refund(biz: Biz) -> Answer:
    trade, done, moved = books.refund(biz)
    if trade.buyer is None:
        raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    answer: Answer = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "fund_change": "Y" if moved else "N",
        "refund_fee": books.yuan(trade.refunded_fen),
        "send_back_fee": books.yuan(done.amount_fen),
        "buyer_logon_id": trade.buyer.masked_logon_id,
        "gmt_refund_pay": clock.wire(done.executed_at),
    } | _buyer_identity(trade.buyer)
    if "refund_detail_item_list" in (biz.get("query_options") or []):
        answer["refund_detail_item_list"] = [
            {"amount": books.yuan(done.amount_fen), "fund_channel": "ALIPAYACCOUNT"}
        ]
    return answer


def refund_query(biz: Biz) -> Answer:
    number = str(biz.get("out_request_no") or "")
    if not number:
        raise Refused("ACQ.INVALID_PARAMETER", "缺少 out_request_no")
    with transaction.atomic():
        trade = books.find_trade(biz)
        done = Refund.objects.filter(trade=trade, out_request_no=number).first()
    answer: Answer = {
        "trade_no": trade.trade_no,
        "out_trade_no": trade.out_trade_no,
        "out_request_no": number,
    }
    if done is None:
        return answer
    return answer | {
        "refund_status": "REFUND_SUCCESS",
        "refund_amount": books.yuan(done.amount_fen),
        "total_amount": books.yuan(trade.total_fen),
        "refund_reason": done.reason,
        "gmt_refund_pay": clock.wire(done.executed_at),
    }


def _transfer_answer(order: Transfer) -> Answer:
    answer: Answer = {
        "out_biz_no": order.out_biz_no,
        "order_id": order.order_id,
        "status": order.status,
        "pay_fund_order_id": order.pay_fund_order_id,
    }
    if order.fail_reason:
        answer |= {"error_code": order.fail_reason, "fail_reason": order.fail_reason}
    return answer


def transfer(biz: Biz) -> Answer:
    if biz.get("product_code") != "TRANS_ACCOUNT_NO_PWD" or biz.get("biz_scene") != "DIRECT_TRANSFER":
        raise Refused("INVALID_PARAMETER", "product_code 或 biz_scene 不正确")
    order = books.transfer(biz)
    return _transfer_answer(order) | {"trans_date": clock.wire(order.settled_at or order.created_at)}


def transfer_query(biz: Biz) -> Answer:
    order = books.find_transfer(biz)
    answer = _transfer_answer(order) | {"trans_amount": books.yuan(order.amount_fen)}
    if order.settled_at is not None:
        answer["pay_date"] = clock.wire(order.settled_at)
    return answer


def bill_url(biz: Biz) -> Answer:
    return {"bill_download_url": bills.download_url(str(biz.get("bill_type")), str(biz.get("bill_date")))}


METHODS: dict[str, Callable[[Biz], Answer]] = {
    "alipay.trade.query": trade_query,
    "alipay.trade.close": trade_close,
    "alipay.trade.refund": trade_refund,
    "alipay.trade.fastpay.refund.query": refund_query,
    "alipay.fund.trans.uni.transfer": transfer,
    "alipay.fund.trans.common.query": transfer_query,
    "alipay.data.dataservice.bill.downloadurl.query": bill_url,
}
CERTIFICATE_ONLY = frozenset({"alipay.fund.trans.uni.transfer"})
