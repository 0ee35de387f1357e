"""Alipay as far as money goes, in this process: books in memory, answers that are signed and read for real.

The sandbox (tmall_sp/sandbox) is a process of its own and too slow for tens of thousands of steps.
"""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from tests.gateways import keys
from tests.gateways.loopback import Loopback, Reply, Request
from tmall_sp.core import clock

_serials = itertools.count(1)


class Mood(Enum):
    """How the next order to pay money out is answered."""

    GOOD = "good"
    LOST = "executed, and the answer is lost"
    NOT_EXECUTED = "not executed, and nobody says so"
    REFUSED = "refused for good"
    SLOW = "a transfer is being processed; a refund is executed"


@dataclass
class PaidTrade:
    number: str
    amount: Decimal
    buyer: str
    kind: str
    name: str
    paid_at: dt.datetime
    finished: bool = False
    refunds: dict[str, Decimal] = field(default_factory=dict)

    @property
    def status(self) -> str:
        if sum(self.refunds.values()) == self.amount:
            return "TRADE_CLOSED"
        return "TRADE_FINISHED" if self.finished else "TRADE_SUCCESS"


@dataclass
class SentTransfer:
    number: str
    amount: Decimal
    status: str
    sent_at: dt.datetime


class Alipay:
    """`trades` by our number, once paid; `closed`: numbers that nobody can pay any more; `transfers` by number."""

    def __init__(self, key_ring: keys.KeyRing, loopback: Loopback) -> None:
        self._keys = key_ring
        self._loopback = loopback
        self.start_anew()

    def start_anew(self, paid: Mapping[str, PaidTrade] | None = None) -> None:
        """Forget everything, but for what was `paid`."""
        self.trades = {number: replace(trade, refunds={}) for number, trade in (paid or {}).items()}
        self.closed: set[str] = set()
        self.transfers: dict[str, SentTransfer] = {}
        self.mood = Mood.GOOD
        self._loopback.answers[:] = [self._answer]

    # What happens there

    def pay(
        self, out_trade_no: str, amount: Decimal, *, buyer: str, kind: str, name: str, by: dt.datetime
    ) -> bool:
        """At the cashier, which takes no money after `by`; whether it did."""
        now = clock.now()
        if out_trade_no in self.trades or out_trade_no in self.closed or now > by:
            return False
        self.trades[out_trade_no] = PaidTrade(
            _serial(), amount, buyer, kind, name, now.replace(microsecond=0)
        )
        return True

    def give_transfer_back(self, out_biz_no: str) -> None:
        """The bank returns what had arrived."""
        if out_biz_no in self.transfers and self.transfers[out_biz_no].status == "SUCCESS":
            self.transfers[out_biz_no].status = "REFUND"

    def finish_transfers(self, status: str) -> None:
        """What was being processed: SUCCESS or FAIL."""
        for transfer in self.transfers.values():
            if transfer.status == "DEALING":
                transfer.status = status

    def sent(self, number: str) -> Decimal:
        """What has left us under this number and not come back."""
        for trade in self.trades.values():
            if number in trade.refunds:
                return trade.refunds[number]
        transfer = self.transfers.get(number)
        return transfer.amount if transfer and transfer.status in ("SUCCESS", "DEALING") else Decimal(0)

    # What it answers

    def _answer(self, request: Request) -> Reply:
        self._loopback.requests.clear()
        methods: dict[str, Callable[[dict[str, str]], dict[str, object]]] = {
            "alipay.trade.query": self._query_trade,
            "alipay.trade.close": self._close_trade,
            "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._query_refund,
            "alipay.fund.trans.uni.transfer": self._transfer,
            "alipay.fund.trans.common.query": self._query_transfer,
        }
        method = request.form["method"]
        fields = methods[method](json.loads(request.form["biz_content"]))
        if self.mood is Mood.LOST and method in ("alipay.trade.refund", "alipay.fund.trans.uni.transfer"):
            fields = _failure("ACQ.SYSTEM_ERROR")
        root = method.replace(".", "_") + "_response"
        return Reply(self._keys.signed(root, keys.inner(**({"code": "10000", "msg": "Success"} | fields))))

    def _query_trade(self, asked: dict[str, str]) -> dict[str, object]:
        number = asked["out_trade_no"]
        trade = self.trades.get(number)
        if trade is None:
            return _failure("ACQ.TRADE_NOT_EXIST")
        return {
            "out_trade_no": number,
            "trade_no": trade.number,
            "trade_status": trade.status,
            "total_amount": str(trade.amount),
            "send_pay_date": _text(trade.paid_at),
            "buyer_user_id": trade.buyer,
            "buyer_user_type": trade.kind,
            "buyer_user_name": trade.name,
        }

    def _close_trade(self, asked: dict[str, str]) -> dict[str, object]:
        if asked["out_trade_no"] in self.trades:
            return _failure("ACQ.TRADE_STATUS_ERROR")
        self.closed.add(asked["out_trade_no"])
        return {"out_trade_no": asked["out_trade_no"]}

    def _refund(self, asked: dict[str, str]) -> dict[str, object]:
        trade = self.trades[asked["out_trade_no"]]
        number, amount = asked["out_request_no"], Decimal(asked["refund_amount"])
        repeated = number in trade.refunds
        if not repeated:
            if self.mood is Mood.NOT_EXECUTED:
                return _failure("ACQ.SYSTEM_ERROR")
            if self.mood is Mood.REFUSED:
                return _failure("ACQ.BUYER_ERROR")
            if trade.finished:
                return _failure("ACQ.TRADE_HAS_FINISHED")
            assert sum(trade.refunds.values()) + amount <= trade.amount
            trade.refunds[number] = amount
        return {
            "out_trade_no": asked["out_trade_no"],
            "fund_change": "N" if repeated else "Y",
            "refund_fee": str(sum(trade.refunds.values())),
        }

    def _query_refund(self, asked: dict[str, str]) -> dict[str, object]:
        trade = self.trades[asked["out_trade_no"]]
        amount = trade.refunds.get(asked["out_request_no"])
        if amount is None:
            return {}
        return {"refund_status": "REFUND_SUCCESS", "refund_amount": str(amount)}

    def _transfer(self, asked: dict[str, str]) -> dict[str, object]:
        number, amount = asked["out_biz_no"], Decimal(asked["trans_amount"])
        if number not in self.transfers:
            if self.mood is Mood.NOT_EXECUTED:
                return _failure("SYSTEM_ERROR")
            if self.mood is Mood.REFUSED:
                return _failure("PAYEE_NOT_EXIST")
            status = "DEALING" if self.mood is Mood.SLOW else "SUCCESS"
            self.transfers[number] = SentTransfer(_serial(), amount, status, clock.now())
        assert self.transfers[number].amount == amount
        return self._told(number, "trans_date")

    def _query_transfer(self, asked: dict[str, str]) -> dict[str, object]:
        if asked["out_biz_no"] not in self.transfers:
            return _failure("ORDER_NOT_EXIST")
        return self._told(asked["out_biz_no"], "pay_date")

    def _told(self, number: str, date: str) -> dict[str, object]:
        transfer = self.transfers[number]
        return {
            "out_biz_no": number,
            "order_id": transfer.number,
            "pay_fund_order_id": transfer.number,
            "status": transfer.status,
            date: _text(transfer.sent_at),
        }


def _failure(code: str) -> dict[str, object]:
    return {"code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": code}


def _text(moment: dt.datetime) -> str:
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _serial() -> str:
    return f"20261124220014{next(_serials):014d}"
