"""Alipay, as the deposits need it: cashier, trades, refunds, transfers, bills (protocols B).

Every number (`out_trade_no`, `out_request_no`, `out_biz_no`) is made and stored by the caller before the
call, and is used again when an outcome was unknown. Only signed answers are believed.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

from django.conf import settings

from deposits.gateways.alipay_sdk import MendedAliPay
from tmall_sp.core import clock
from tmall_sp.core.gateway import BUDGET, GatewayError, Kind, malformed, plain_code, plain_text, send

CENT = Decimal("0.01")
MAX_BILL = 64 * 1024 * 1024

# What a failed call means is read from these tables and nothing else (B3, B6, and Alipay's tables for
# transfers). A business failure that stands in none of them is UNKNOWN: the query settles it.
REFUSED_CODES = {"20001", "40001", "40002", "40003", "40006"}
# Our own account lacks the money: the same call succeeds after a top-up.
NOT_EXECUTED_SUB_CODES = {
    "ACQ.SELLER_BALANCE_NOT_ENOUGH",
    "PAYER_BALANCE_NOT_ENOUGH",
    "BALANCE_IS_NOT_ENOUGH",
}
REFUSED_SUB_CODES = {
    # trades and refunds
    "ACQ.INVALID_PARAMETER",
    "ACQ.TRADE_NOT_EXIST",
    "ACQ.TRADE_STATUS_ERROR",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_HAS_SUCCESS",
    "ACQ.TRADE_HAS_CLOSE",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR",
    "ACQ.REFUND_FEE_ERROR",
    "ACQ.REASON_TRADE_BEEN_FREEZEN",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.BUYER_ERROR",
    "ACQ.CUSTOMER_VALIDATE_ERROR",
    # transfers
    "INVALID_PARAMETER",
    "ACCOUNT_NOT_EXIST",
    "PAYEE_NOT_EXIST",
    "PAYEE_ACCOUNT_STATUS_ERROR",
    "PAYEE_USER_INFO_ERROR",
    "PAYEE_ACC_OCUPIED",
    "PAYER_STATUS_ERROR",
    "PAYER_USER_INFO_ERROR",
    "PAYER_DATA_INCOMPLETE",
    "PAYER_CERT_EXPIRED",
    "PAYER_CERTIFY_CHECK_FAIL",
    "PAYER_PAYEE_CANNOT_SAME",
    "PAYCARD_UNABLE_PAYMENT",
    "PERM_AML_NOT_REALNAME_REV",
    "PERMIT_CHECK_PERM_LIMITED",
    "PERMIT_CHECK_PERM_IDENTITY_THEFT",
    "PERMIT_NON_BANK_LIMIT_PAYEE",
    "PERMIT_PAYER_LOWEST_FORBIDDEN",
    "PERMIT_PAYER_FORBIDDEN",
    "CERT_MISS_TRANS_LIMIT",
    "CERT_MISS_ACC_LIMIT",
    "MEMO_REQUIRED_IN_TRANSFER_ERROR",
    "REMARK_HAS_SENSITIVE_WORD",
    "SYNC_SECURITY_CHECK_FAILED",
}
LIMIT_PREFIX = "EXCEED_LIMIT_"
NO_TRADE = "ACQ.TRADE_NOT_EXIST"
NO_TRANSFER = "ORDER_NOT_EXIST"
NO_BILL = "BILL_NOT_EXIST"
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)
NOT_WAITING_FOR_PAYMENT = {
    "ACQ.TRADE_STATUS_ERROR",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.TRADE_HAS_SUCCESS",
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_HAS_CLOSE",
}


class TradeStatus(StrEnum):
    WAIT_BUYER_PAY = "WAIT_BUYER_PAY"
    TRADE_CLOSED = "TRADE_CLOSED"
    """Unpaid and over, or paid and refunded in full (then `Trade.paid_at` is set)."""
    TRADE_SUCCESS = "TRADE_SUCCESS"
    TRADE_FINISHED = "TRADE_FINISHED"
    """Paid, and past its refund window: money goes back by transfer."""


class CloseOutcome(StrEnum):
    CLOSED = "closed"
    NOT_EXIST = "not_exist"
    """The buyer never opened the cashier. The cashier's address stays good until its time_expire."""
    ALREADY_PAID = "already_paid"


class IdentityType(StrEnum):
    USER_ID = "ALIPAY_USER_ID"
    LOGON_ID = "ALIPAY_LOGON_ID"
    OPEN_ID = "ALIPAY_OPEN_ID"


class TransferStatus(StrEnum):
    SUCCESS = "SUCCESS"
    DEALING = "DEALING"
    FAIL = "FAIL"
    REFUND = "REFUND"
    """A bank has sent the money back after SUCCESS."""
    WAIT_PAY = "WAIT_PAY"
    CLOSED = "CLOSED"


class BillType(StrEnum):
    TRADE = "trade"
    SIGNCUSTOMER = "signcustomer"


@dataclass(frozen=True)
class Trade:
    trade_no: str
    out_trade_no: str
    status: TradeStatus
    total_amount: Decimal
    buyer_user_id: str | None
    buyer_open_id: str | None
    buyer_user_type: str | None
    """CORPORATE or PRIVATE."""
    buyer_user_name: str | None
    paid_at: dt.datetime | None

    @property
    def is_paid(self) -> bool:
        """The money is with us now, as far as it was not refunded."""
        return self.status in {TradeStatus.TRADE_SUCCESS, TradeStatus.TRADE_FINISHED}


@dataclass(frozen=True)
class RefundAnswer:
    fund_change: bool
    """Whether this very call moved money; False on a repeat. `query_refund` tells what became of a number."""
    total_refunded: Decimal
    """Of the whole trade so far, this call included: not the amount of this call."""


@dataclass(frozen=True)
class RefundState:
    """A refund that Alipay has carried out."""

    amount: Decimal
    refunded_at: dt.datetime | None


@dataclass(frozen=True)
class Transfer:
    out_biz_no: str
    status: TransferStatus
    order_id: str | None
    pay_fund_order_id: str | None
    transferred_at: dt.datetime | None
    error_code: str | None
    """Why, where the status is FAIL or REFUND."""
    fail_reason: str = ""
    """The same in Alipay's words, for staff."""


class Alipay:
    """The gateway. Every method but cashier_url and verify_notification makes one HTTP call of at most 10 s
    (close_trade: two at most) and wants its caller outside a transaction.

    Raises GatewayError, its `code` Alipay's sub_code where there is one.
    """

    def __init__(self, sdk: MendedAliPay, *, gateway_url: str, budget: float = BUDGET) -> None:
        self._sdk = sdk
        self._gateway_url = gateway_url
        self._budget = budget

    @classmethod
    def from_settings(cls) -> Self:
        """With the keys in ALIPAY_KEY_DIR; GatewayError (NOT_EXECUTED) if one can't be read."""
        folder = Path(settings.ALIPAY_KEY_DIR)
        gateway_url: str = settings.ALIPAY_GATEWAY_URL
        try:
            sdk = _sdk(
                app_id=settings.ALIPAY_APP_ID,
                gateway_url=gateway_url,
                app_private_key=(folder / "app_private_key.pem").read_text(),
                app_cert=(folder / "app_cert.pem").read_text(),
                alipay_cert=(folder / "alipay_cert.pem").read_text(),
                alipay_root_cert=(folder / "alipay_root_cert.pem").read_text(),
            )
        except (OSError, ValueError) as error:
            what = Path(error.filename).name if isinstance(error, OSError) and error.filename else "a file"
            message = f"{what} in ALIPAY_KEY_DIR can't be read"
            raise GatewayError("key_files", message, kind=Kind.NOT_EXECUTED) from None
        return cls(sdk, gateway_url=gateway_url)

    def cashier_url(
        self,
        out_trade_no: str,
        amount: Decimal,
        subject: str,
        time_expire: dt.datetime,
        notify_url: str,
        return_url: str,
        passback: str | None = None,
    ) -> str:
        """Where to send the browser to pay. No call; the trade begins when the buyer opens the address.

        `time_expire` is an absolute, aware instant, cut to its second.
        """
        request = {
            "out_trade_no": out_trade_no,
            "total_amount": _yuan(amount),
            "subject": subject,
            "product_code": "FAST_INSTANT_TRADE_PAY",
            "time_expire": _stamp(time_expire),
        }
        if passback is not None:
            request["passback_params"] = quote(passback, safe="")
        body = self._sdk.build_body(
            "alipay.trade.page.pay", request, notify_url=notify_url, return_url=return_url
        )
        return f"{self._gateway_url}?{self._sdk.sign_data(body)}"

    def verify_notification(self, params: Mapping[str, str]) -> bool:
        """Whether Alipay signed this notification, or these parameters of a return_url (V1 rule, B4).

        `params` are all that arrived, empty ones included. Never raises. True says nothing of app_id,
        seller_id, out_trade_no and amount, which the caller compares.
        """
        return self._sdk.verify(params, params.get("sign", ""))

    def query_trade(self, out_trade_no: str) -> Trade | None:
        """The trade; None if Alipay knows none of that number (yet)."""
        try:
            answer = self._call("alipay.trade.query", {"out_trade_no": out_trade_no})
        except GatewayError as error:
            if error.code == NO_TRADE:
                return None
            raise
        _same(answer, "out_trade_no", out_trade_no)
        return Trade(
            trade_no=_required(answer, "trade_no"),
            out_trade_no=out_trade_no,
            status=_choice(TradeStatus, answer, "trade_status"),
            total_amount=_amount(answer, "total_amount"),
            buyer_user_id=_text(answer, "buyer_user_id"),
            buyer_open_id=_text(answer, "buyer_open_id"),
            buyer_user_type=_text(answer, "buyer_user_type"),
            buyer_user_name=_text(answer, "buyer_user_name"),
            paid_at=_moment(answer, "send_pay_date"),
        )

    def close_trade(self, out_trade_no: str) -> CloseOutcome:
        """Close an unpaid trade; one that is closed already counts as closed."""
        try:
            self._call("alipay.trade.close", {"out_trade_no": out_trade_no})
        except GatewayError as error:
            if error.code == NO_TRADE:
                return CloseOutcome.NOT_EXIST
            if error.code in NOT_WAITING_FOR_PAYMENT:
                return self._why_not_closed(out_trade_no)
            raise
        return CloseOutcome.CLOSED

    def refund(self, out_trade_no: str, amount: Decimal, out_request_no: str, reason: str) -> RefundAnswer:
        """Give back part or all of a trade, once per `out_request_no` (B6).

        After UNKNOWN ask `query_refund`, then repeat with the same number and amount. Past the refund window:
        REFUSED, code ACQ.TRADE_HAS_FINISHED.
        """
        request = {
            "out_trade_no": out_trade_no,
            "refund_amount": _yuan(amount),
            "out_request_no": out_request_no,
            "refund_reason": reason,
        }
        answer = self._call("alipay.trade.refund", request)
        _same(answer, "out_trade_no", out_trade_no)
        return RefundAnswer(
            fund_change=_required(answer, "fund_change") == "Y",
            total_refunded=_amount(answer, "refund_fee"),
        )

    def query_refund(self, out_trade_no: str, out_request_no: str) -> RefundState | None:
        """What became of a refund number; None: not received, or failed (B7), so it may be sent again."""
        request = {
            "out_trade_no": out_trade_no,
            "out_request_no": out_request_no,
            "query_options": ["gmt_refund_pay"],
        }
        try:
            answer = self._call("alipay.trade.fastpay.refund.query", request)
        except GatewayError as error:
            if error.code == NO_TRADE:
                return None
            raise
        _same(answer, "out_trade_no", out_trade_no)
        _same(answer, "out_request_no", out_request_no)
        status = _text(answer, "refund_status")
        if status is None:
            return None
        if status != "REFUND_SUCCESS":
            raise malformed("refund_status is none that we know")
        return RefundState(
            amount=_amount(answer, "refund_amount"), refunded_at=_moment(answer, "gmt_refund_pay")
        )

    def transfer(
        self,
        out_biz_no: str,
        amount: Decimal,
        payee_identity: str,
        identity_type: IdentityType,
        payee_name: str | None,
        title: str,
        remark: str,
    ) -> Transfer:
        """Send money to an Alipay account, once per `out_biz_no` (B8).

        The name is checked where it is given, and must be given with LOGON_ID. After UNKNOWN ask
        `query_transfer`, then repeat the identical call. A limit refuses with code EXCEED_LIMIT_….
        """
        if identity_type is IdentityType.LOGON_ID and not payee_name:
            raise ValueError("A transfer to a login id needs the payee's name.")
        payee = {"identity": payee_identity, "identity_type": identity_type.value}
        if payee_name:
            payee["name"] = payee_name
        request = {
            "out_biz_no": out_biz_no,
            "trans_amount": _yuan(amount),
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            "order_title": title,
            "payee_info": payee,
            "remark": remark,
        }
        return _transfer(self._call("alipay.fund.trans.uni.transfer", request), out_biz_no, "trans_date")

    def query_transfer(self, out_biz_no: str) -> Transfer | None:
        """What became of a transfer number; None: nothing found (yet).

        None is no failure. The transfer may still be under way: repeat the identical call with the same
        number, never another number.
        """
        request = {
            "out_biz_no": out_biz_no,
            "product_code": "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
        }
        try:
            answer = self._call("alipay.fund.trans.common.query", request)
        except GatewayError as error:
            if error.code == NO_TRANSFER:
                return None
            raise
        return _transfer(answer, out_biz_no, "pay_date")

    def bill_url(self, bill_type: BillType, bill_date: dt.date) -> str | None:
        """The address of one day's bill, good for 30 s and not to be logged; None if there is no bill (B9).

        None means an empty day or one whose bill isn't ready, which only our own rows can tell apart.
        """
        request = {"bill_type": bill_type.value, "bill_date": bill_date.isoformat()}
        try:
            answer = self._call("alipay.data.dataservice.bill.downloadurl.query", request)
        except GatewayError as error:
            if error.code.upper().endswith(NO_BILL):
                return None
            raise
        return _required(answer, "bill_download_url")

    def download_bill(self, url: str) -> bytes:
        """The zip file (CSV inside, GBK) behind an address of `bill_url`."""
        answer = send("GET", url, budget=60.0, max_answer=MAX_BILL)
        if answer.status != 200:
            raise GatewayError("http_status", f"HTTP {answer.status}", kind=Kind.UNKNOWN)
        if not zipfile.is_zipfile(io.BytesIO(answer.body)):
            raise malformed("the bill is not a zip file")
        return answer.body

    def _why_not_closed(self, out_trade_no: str) -> CloseOutcome:
        trade = self.query_trade(out_trade_no)
        if trade is None:
            return CloseOutcome.NOT_EXIST
        if trade.is_paid or trade.paid_at is not None:
            return CloseOutcome.ALREADY_PAID
        if trade.status is TradeStatus.TRADE_CLOSED:
            return CloseOutcome.CLOSED
        raise GatewayError("ACQ.TRADE_STATUS_ERROR", "an unpaid trade was not closed", kind=Kind.UNKNOWN)

    def _call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """One signed exchange; the inner object of a success (10000), else GatewayError."""
        answer: dict[str, Any] = self._sdk.server_api(method, request)
        if answer.get("code") == "10000":
            return answer
        raise _failure(method, answer)


@lru_cache(maxsize=2)
def _sdk(
    app_id: str,
    gateway_url: str,
    app_private_key: str,
    app_cert: str,
    alipay_cert: str,
    alipay_root_cert: str,
) -> MendedAliPay:
    """Kept as long as the files say the same: reading the keys costs more than a whole notification."""
    return MendedAliPay(
        app_id=app_id,
        gateway_url=gateway_url,
        app_private_key=app_private_key,
        app_cert=app_cert,
        alipay_cert=alipay_cert,
        alipay_root_cert=alipay_root_cert,
    )


def _failure(method: str, answer: Mapping[str, Any]) -> GatewayError:
    """B3 and B6: what a signed failure means."""
    code = plain_code(answer.get("code"))
    sub_code = plain_code(answer.get("sub_code") or code)
    kind = Kind.UNKNOWN
    if code == "40005":
        kind = Kind.NOT_EXECUTED
    elif code in REFUSED_CODES:
        kind = Kind.REFUSED
    elif code == "40004":
        if sub_code in NOT_EXECUTED_SUB_CODES:
            kind = Kind.NOT_EXECUTED
        elif sub_code in REFUSED_SUB_CODES or sub_code.startswith(LIMIT_PREFIX):
            kind = Kind.REFUSED
    prose = plain_text(answer.get("sub_msg") or answer.get("msg"))
    return GatewayError(sub_code, f"{method} answered {code}", kind=kind, prose=prose)


def _transfer(answer: Mapping[str, Any], out_biz_no: str, date_field: str) -> Transfer:
    _same(answer, "out_biz_no", out_biz_no)
    error_code = _text(answer, "error_code")
    return Transfer(
        out_biz_no=out_biz_no,
        status=_choice(TransferStatus, answer, "status"),
        order_id=_text(answer, "order_id"),
        pay_fund_order_id=_text(answer, "pay_fund_order_id"),
        transferred_at=_moment(answer, date_field),
        error_code=plain_code(error_code) if error_code else None,
        fail_reason=plain_text(answer.get("fail_reason")),
    )


def _yuan(amount: Decimal) -> str:
    if not isinstance(amount, Decimal) or amount <= 0 or amount != amount.quantize(CENT):
        raise ValueError("An amount is a positive Decimal of whole cents.")
    return str(amount.quantize(CENT))


def _stamp(instant: dt.datetime) -> str:
    if instant.tzinfo is None:
        raise ValueError("A naive time names no instant.")
    return instant.astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def _same(answer: Mapping[str, Any], name: str, ours: str) -> None:
    """Refuse an answer about something else; one that doesn't say what it is about is let pass."""
    theirs = _text(answer, name)
    if theirs is not None and theirs != ours:
        raise malformed(f"the answer is about another {name}")


def _text(answer: Mapping[str, Any], name: str) -> str | None:
    value = answer.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise malformed(f"{name} is not a text")
    return value


def _required(answer: Mapping[str, Any], name: str) -> str:
    value = _text(answer, name)
    if value is None:
        raise malformed(f"the answer has no {name}")
    return value


def _choice(kind: type[ChoiceT], answer: Mapping[str, Any], name: str) -> ChoiceT:
    try:
        return kind(_required(answer, name))
    except ValueError:
        raise malformed(f"{name} is none that we know") from None


def _amount(answer: Mapping[str, Any], name: str) -> Decimal:
    """Yuan with at most two places, from a text or a JSON number."""
    try:
        amount = Decimal(str(answer.get(name)))
        if not amount.is_finite() or amount < 0 or amount != amount.quantize(CENT):
            raise malformed(f"{name} is not an amount")
    except InvalidOperation:
        raise malformed(f"{name} is not an amount") from None
    return amount.quantize(CENT)


def _moment(answer: Mapping[str, Any], name: str) -> dt.datetime | None:
    value = _text(answer, name)
    if value is None:
        return None
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        raise malformed(f"{name} is not a time") from None
