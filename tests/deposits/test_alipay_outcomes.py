"""Every outcome of the tables B6 and B8, against the sandbox: state, number of executions, ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings

from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Account
from deposits.models import Payout, Refund
from tests.deposits.conftest import BOUND, REQUIRED, books_agree, leave, pay_out
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

REFUND = "alipay.trade.refund"
TRANSFER = "alipay.fund.trans.uni.transfer"
MoveClock = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """What Alipay answers at the first attempt, and what has become of the payout after it."""

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    state: str = "queued"
    code: str = ""
    surely_unpaid: bool = False

    def __str__(self) -> str:
        return f"{self.params.get('sub_code') or self.kind}-{self.params.get('executed', '')}"


def refused(sub_code: str, **params: Any) -> Case:
    return Case("sub_code", {"sub_code": sub_code, **params}, "attention", sub_code, surely_unpaid=True)


def discordant(sub_code: str) -> Case:
    return Case("sub_code", {"sub_code": sub_code}, "attention", sub_code)


def waits(sub_code: str, **params: Any) -> Case:
    return Case("sub_code", {"sub_code": sub_code, **params}, "queued", sub_code)


UNKNOWN = [
    Case("code_20000", {"executed": True}, code="isp.unknow-error"),
    Case("code_20000", {"executed": False}, code="isp.unknow-error"),
    Case("no_sign", code="unsigned"),
    Case("bad_sign", code="bad_signature"),
    Case("garbage", code="malformed"),
    Case("http_502", code="http_status"),
    Case("http_502", {"executed": True}, code="http_status"),
    Case("drop", code="dropped"),
    Case("executes_then_drops", code="dropped"),
    waits("isv.call-limited", code="40005"),
    waits("A_CODE_THAT_NOBODY_KNOWS"),
    waits("A_CODE_THAT_NOBODY_KNOWS", executed=True),
]
OF_REFUNDS = [
    Case("system_error", {"executed": True}, code="ACQ.SYSTEM_ERROR"),
    Case("system_error", {"executed": False}, code="ACQ.SYSTEM_ERROR"),
    waits("ACQ.SELLER_BALANCE_NOT_ENOUGH"),
    refused("ACQ.TRADE_NOT_EXIST"),
    refused("ACQ.TRADE_STATUS_ERROR"),
    refused("ACQ.TRADE_NOT_ALLOW_REFUND"),
    refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
    refused("ACQ.REASON_TRADE_REFUND_FEE_ERR"),
    refused("ACQ.REFUND_FEE_ERROR"),
    refused("ACQ.REASON_TRADE_BEEN_FREEZEN"),
    refused("ACQ.BUYER_ERROR"),
    refused("ACQ.CUSTOMER_VALIDATE_ERROR"),
    refused("ACQ.INVALID_PARAMETER"),
    refused("isv.insufficient-isv-permissions", code="40006"),
    discordant("ACQ.DISCORDANT_REPEAT_REQUEST"),
    *UNKNOWN,
]
OF_TRANSFERS = [
    Case("system_error", {"executed": True}, code="SYSTEM_ERROR"),
    Case("system_error", {"executed": False}, code="SYSTEM_ERROR"),
    waits("PAYER_BALANCE_NOT_ENOUGH"),
    waits("EXCEED_LIMIT_DM_MAX_AMOUNT"),
    refused("EXCEED_LIMIT_ENT_SM_AMOUNT"),
    refused("PAYEE_NOT_EXIST"),
    refused("PAYEE_USER_INFO_ERROR"),
    refused("PAYEE_ACCOUNT_STATUS_ERROR"),
    refused("PERMIT_NON_BANK_LIMIT_PAYEE"),
    refused("INVALID_PARAMETER"),
    discordant("PAYMENT_INFO_INCONSISTENCY"),
    *UNKNOWN,
]


def given_back_once(alipay: SandboxClient) -> None:
    """Our books say the same as the sandbox's own."""
    assert Refund.objects.get().state == "done"
    executions = [row["executions"] for row in (*alipay.refunds(), *alipay.transfers())]
    assert executions == [1]
    [account] = alipay.get("alipay-accounts", user_id=BOUND)
    assert account["balance"] == "1000000.00"
    totals = ledger.totals()
    assert totals[Account.ALIPAY_CASH] == totals[Account.REFUND_IN_TRANSIT] == 0
    assert books_agree() and alipay.books()["balanced"]


def nothing_given_back(alipay: SandboxClient) -> None:
    assert not alipay.refunds() and not alipay.transfers()
    assert Refund.objects.get().state == "in_progress"
    totals = ledger.totals()
    assert totals[Account.ALIPAY_CASH] == totals[Account.REFUND_IN_TRANSIT] == REQUIRED
    assert books_agree() and alipay.books()["balanced"]


def meets(case: Case, payout: Payout, alipay: SandboxClient, finance: User) -> None:
    """Its state after the first attempt, and after all that follow by themselves."""
    assert (payout.state, payout.last_code, payout.attempts) == (case.state, case.code, 1)
    assert (payout.unpaid_at is not None) == case.surely_unpaid

    pay_out()

    payout.refresh_from_db()
    if case.state == "queued":
        assert payout.state == "done"
        given_back_once(alipay)
    else:
        assert (payout.state, payout.attempts) == ("attention", 1)
        nothing_given_back(alipay)
        assert Notice.objects.filter(recipient=finance, key__startswith="deposit:attention:").count() == 1


@pytest.mark.parametrize("case", OF_REFUNDS, ids=str)
def test_of_a_refund(finance: User, exited: Application, alipay: SandboxClient, case: Case) -> None:
    alipay.fault(REFUND, case.kind, **case.params)

    tasks.sweep_payouts()

    meets(case, Payout.objects.get(), alipay, finance)


@pytest.mark.parametrize("case", OF_TRANSFERS, ids=str)
def test_of_a_transfer(
    finance: User, active: Application, alipay: SandboxClient, move_clock: MoveClock, case: Case
) -> None:
    """The trade has finished, so it goes by transfer."""
    move_clock(days=400)
    leave(active)
    alipay.fault(TRANSFER, case.kind, **case.params)
    tasks.sweep_payouts()
    refund = Payout.objects.get(method="trade_refund")
    assert (refund.state, refund.last_code) == ("replaced", "ACQ.TRADE_HAS_FINISHED")

    tasks.sweep_payouts()

    meets(case, Payout.objects.get(method="transfer"), alipay, finance)


# What the sandbox does by its own rules, not by order -------------------------------------------------


@pytest.fixture
def transfer(active: Application, alipay: SandboxClient, move_clock: MoveClock) -> Callable[[], Payout]:
    """`transfer()`: the only transfer of a deposit past its window, as far as it has come."""
    move_clock(days=400)
    leave(active)

    def bring_forward() -> Payout:
        Payout.objects.filter(state__in=["queued", "dealing"]).update(due_at=clock.now())
        tasks.sweep_payouts()
        Payout.objects.filter(state__in=["queued", "dealing"]).update(due_at=clock.now())
        tasks.sweep_payouts()
        return Payout.objects.get(method="transfer")

    return bring_forward


@pytest.mark.parametrize(
    ("options", "state", "code"),
    [
        ({"transfer_limit_corporate_fen": 100}, "attention", "EXCEED_LIMIT_ENT_SM_AMOUNT"),
        ({"transfer_daily_limit_fen": 100}, "queued", "EXCEED_LIMIT_DM_MAX_AMOUNT"),
        ({"transfer_mode": "fail"}, "attention", "PAYEE_ACCOUNT_STATUS_ERROR"),
        ({"transfer_mode": "dealing"}, "dealing", "DEALING"),
    ],
)
def test_limits_and_ends_of_a_transfer(
    transfer: Callable[[], Payout], alipay: SandboxClient, options: dict[str, Any], state: str, code: str
) -> None:
    alipay.change_settings(**options)

    payout = transfer()

    assert (payout.state, payout.last_code) == (state, code)
    assert (payout.unpaid_at is not None) == (state == "attention")
    assert ledger.totals()[Account.REFUND_IN_TRANSIT] == REQUIRED
    assert books_agree()


@pytest.mark.parametrize(
    ("status", "state", "rows"),
    [
        ("SUCCESS", "done", ["refund_paid"]),
        ("FAIL", "attention", []),
        ("REFUND", "returned", ["refund_paid", "bank_return"]),
    ],
)
def test_what_alipay_was_processing_ends(
    transfer: Callable[[], Payout], alipay: SandboxClient, status: str, state: str, rows: list[str]
) -> None:
    alipay.change_settings(transfer_mode="dealing")
    payout = transfer()
    if status == "REFUND":
        alipay.post("transfers", out_biz_no=payout.number, status="SUCCESS")
    alipay.post("transfers", out_biz_no=payout.number, status=status, reason="PAYEE_CARD_CLOSED")

    pay_out()

    payout.refresh_from_db()
    assert payout.state == state
    assert [row.kind for row in payout.transfers.order_by("pk")] == rows
    assert [row["executions"] for row in alipay.transfers()] == [1]
    assert ledger.totals()[Account.ALIPAY_CASH] == (0 if state == "done" else REQUIRED)
    assert books_agree()


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ({"name": "另一家公司"}, "PAYEE_USER_INFO_ERROR"),
        ({"status": "FROZEN"}, "PAYEE_ACCOUNT_STATUS_ERROR"),
    ],
)
def test_a_payee_that_is_not_in_order(
    transfer: Callable[[], Payout], alipay: SandboxClient, account: dict[str, str], code: str
) -> None:
    """Alipay checks the company's name, which goes with the transfer."""
    alipay.account(BOUND, **account)

    payout = transfer()

    assert (payout.state, payout.last_code) == ("attention", code)
    nothing_given_back(alipay)


@pytest.mark.parametrize("by_transfer", [False, True])
def test_our_account_is_empty_and_filled_again(
    active: Application, alipay: SandboxClient, move_clock: MoveClock, by_transfer: bool
) -> None:
    if by_transfer:
        move_clock(days=400)
    leave(active)
    alipay.account(settings.ALIPAY_SELLER_ID, balance="1.00")
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    payout = Payout.objects.latest("pk")
    assert payout.state == "queued"
    assert payout.last_code in {"ACQ.SELLER_BALANCE_NOT_ENOUGH", "PAYER_BALANCE_NOT_ENOUGH"}
    nothing_given_back(alipay)

    alipay.account(settings.ALIPAY_SELLER_ID, balance="500000.00")
    pay_out()

    given_back_once(alipay)
