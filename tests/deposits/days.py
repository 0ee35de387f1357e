"""Days that end, their bills, and what somebody did at Alipay without the portal."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

import httpx
import pytest

from deposits import tasks
from deposits.gateways.alipay import Alipay, IdentityType
from deposits.models import Difference, ReconciliationRun
from deposits.reconciliation import days as reconciliation
from tests.sandbox_client import SandboxClient
from tmall_sp.core import clock

SELLER = "2088000000000001"
MoveClock = Callable[..., None]


class Day:
    """Yesterday, once it has ended."""

    def __init__(self, move_clock: MoveClock) -> None:
        self._move = move_clock

    def end(self, hour: float = 11) -> dt.date:
        """It is that hour of the day after; the date of the day that has ended."""
        day = clock.today()
        self.move_to(clock.day_start(day + dt.timedelta(days=1)) + dt.timedelta(hours=hour))
        return day

    def move_to(self, then: dt.datetime) -> None:
        self._move(seconds=(then - clock.now()).total_seconds())


@pytest.fixture(autouse=True)
def day(move_clock: MoveClock) -> Iterator[Day]:
    """It is noon, so that no test begins on one day and ends on another."""
    made = Day(move_clock)
    made.move_to(clock.day_start(clock.today() + dt.timedelta(days=1)) + dt.timedelta(hours=12))
    yield made


def compare(date: dt.date) -> ReconciliationRun:
    """As the sweep does."""
    tasks.sweep_reconciliation()
    return ReconciliationRun.objects.get(date=date)


def compare_again(date: dt.date) -> ReconciliationRun:
    """As the button does."""
    run = ReconciliationRun.objects.get(date=date)
    reconciliation.reconcile_now(run)
    return ReconciliationRun.objects.get(pk=run.pk)


def differences() -> list[tuple[str, str, str]]:
    """What is not settled: bill, cause, state."""
    rows = Difference.objects.filter(settled_at__isnull=True).order_by("bill", "at", "pk")
    return [(row.bill, row.cause, row.state) for row in rows]


def causes() -> list[str]:
    return [cause for _bill, cause, _state in differences()]


def pay_outside(alipay: SandboxClient, number: str, buyer: str, amount: str = "88.00") -> None:
    """With our key, by a number that the portal knows nothing of."""
    gateway = Alipay.from_settings()
    address = gateway.cashier_url(
        number, Decimal(amount), "别处", clock.now() + dt.timedelta(hours=1), "http://127.0.0.1:9/", ""
    )
    assert httpx.get(address, trust_env=False).status_code == 302
    alipay.pay(number, buyer, lose_notification=True)


def refund_outside(out_trade_no: str, number: str, amount: str) -> None:
    Alipay.from_settings().refund(out_trade_no, Decimal(amount), number, "别处退款")


def transfer_outside(payee: str, number: str, amount: str) -> None:
    Alipay.from_settings().transfer(
        number, Decimal(amount), payee, IdentityType.USER_ID, None, "别处", "别处转账"
    )


def set_balance(alipay: SandboxClient, amount: str) -> None:
    """Money put into our account at Alipay, or taken out of it."""
    alipay.account(SELLER, balance=amount)
