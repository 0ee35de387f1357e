"""How a membership's end reaches its deposit: lapse, withdrawal, revoked approval, expulsion."""

from collections.abc import Callable

import httpx
import pytest

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from deposits import services, tasks
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.incoming import payments
from deposits.models import PaymentOrder
from tests.deposits.conftest import BOUND, REQUIRED, Pay, deposit_of, expel, reload, settle
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion


def order_of(application: Application) -> PaymentOrder:
    return PaymentOrder.objects.get(deposit__application=application)


@pytest.fixture
def at_cashier(approved: Application, alipay: SandboxClient, merchant: User) -> PaymentOrder:
    """The cashier is open, nothing is paid."""
    address = payments.open_cashier(approved.pk, actor=merchant)
    httpx.get(address, trust_env=False, follow_redirects=True).raise_for_status()
    return order_of(approved)


# Lapse ---------------------------------------------------------------------------------------------


def test_an_unpaid_application_lapses_and_its_trade_is_closed(
    approved: Application, at_cashier: PaymentOrder, move_clock: Callable[..., None], alipay: SandboxClient
) -> None:
    tasks.sweep_unpaid()
    assert reload(approved).state == State.APPROVED

    move_clock(days=15, minutes=2)
    tasks.sweep_unpaid()

    assert reload(approved).state == State.LAPSED
    assert order_of(approved).state == "closed"
    [trade] = alipay.trades(out_trade_no=at_cashier.out_trade_no)
    assert trade["status"] == "TRADE_CLOSED"


def test_one_that_never_opened_the_cashier_lapses_without_asking(
    approved: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    move_clock(days=15, minutes=2)
    tasks.sweep_unpaid()

    assert reload(approved).state == State.LAPSED
    assert not alipay.books()["calls"]


@pytest.mark.parametrize("method", ["alipay.trade.query", "alipay.trade.close"])
def test_nothing_lapses_while_alipay_cant_be_asked(
    approved: Application,
    merchant: User,
    alipay: SandboxClient,
    move_clock: Callable[..., None],
    method: str,
) -> None:
    payments.open_order(approved.pk, actor=merchant)
    move_clock(days=16)
    alipay.fault(method, "http_502")

    tasks.sweep_unpaid()
    assert reload(approved).state == State.APPROVED

    tasks.sweep_unpaid()
    assert reload(approved).state == State.LAPSED


def test_python_lets_nothing_lapse_past_an_open_order(
    approved: Application, merchant: User, move_clock: Callable[..., None]
) -> None:
    payments.open_order(approved.pk, actor=merchant)
    move_clock(days=16)
    with pytest.raises(DomainError, match="order_open"):
        applications.lapse(approved.pk)


# Withdraw ------------------------------------------------------------------------------------------


def test_withdrawing_closes_the_trade_first(
    approved: Application, at_cashier: PaymentOrder, merchant: User, alipay: SandboxClient
) -> None:
    services.withdraw(approved.pk, actor=merchant)

    assert reload(approved).state == State.WITHDRAWN
    assert order_of(approved).state == "closed"
    [trade] = alipay.trades(out_trade_no=at_cashier.out_trade_no)
    assert trade["status"] == "TRADE_CLOSED"


def test_withdrawing_finds_a_payment_instead(approved: Application, pay: Pay, merchant: User) -> None:
    pay(approved)
    with pytest.raises(DomainError, match="already_paid"):
        services.withdraw(approved.pk, actor=merchant)
    assert reload(approved).state == State.ACTIVE


def test_nothing_is_withdrawn_while_alipay_cant_be_asked(
    approved: Application, at_cashier: PaymentOrder, merchant: User, alipay: SandboxClient
) -> None:
    alipay.fault("alipay.trade.query", "http_502")
    with pytest.raises(DomainError, match="alipay_unavailable"):
        services.withdraw(approved.pk, actor=merchant)
    assert reload(approved).state == State.APPROVED


def test_a_cashier_that_nobody_opened_is_watched_until_it_expires(
    approved: Application, merchant: User, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    """Its address is still good: who pays there after the withdrawal gets the money back."""
    address = payments.open_cashier(approved.pk, actor=merchant)
    services.withdraw(approved.pk, actor=merchant)
    assert (reload(approved).state, order_of(approved).state) == (State.WITHDRAWN, "closing")

    httpx.get(address, trust_env=False)
    alipay.pay(order_of(approved).out_trade_no, BOUND, lose_notification=True)
    order = settle(order_of(approved))

    assert (order.state, order.returned.reason) == ("refused", "not_expected")


def test_and_is_closed_once_it_has_expired(
    approved: Application, merchant: User, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    payments.open_cashier(approved.pk, actor=merchant)
    services.withdraw(approved.pk, actor=merchant)

    move_clock(days=15, minutes=2)
    tasks.sweep_orders()

    assert order_of(approved).state == "closed"


def test_only_the_owner_withdraws_and_only_what_he_saw(
    approved: Application, sub_account: User, merchant: User
) -> None:
    with pytest.raises(NotPermitted):
        services.withdraw(approved.pk, actor=sub_account)
    with pytest.raises(StaleVersion):
        services.withdraw(approved.pk, actor=merchant, seen=1)


def test_nobody_withdraws_past_an_open_order(
    approved: Application, at_cashier: PaymentOrder, merchant: User
) -> None:
    with pytest.raises(DomainError, match="order_open"):
        applications.withdraw(approved.pk, actor=merchant)
    assert reload(approved).state == State.APPROVED


# Expulsion -----------------------------------------------------------------------------------------


def test_an_expulsion_forfeits_everything_at_once(active: Application, ops: User, second_ops: User) -> None:
    expel(active, ops, second_ops)

    deposit = deposit_of(active)
    assert (deposit.available, deposit.frozen) == (0, 0)
    totals = ledger.totals()
    assert (totals[Account.FORFEITURE_INCOME], totals[Account.ALIPAY_CASH]) == (REQUIRED, REQUIRED)
    assert not deposit.refunds.exists()


def test_what_is_frozen_waits_for_its_case(active: Application, ops: User, second_ops: User) -> None:
    ledger.post(Kind.FREEZE, REQUIRED / 4, key="case", deposit=deposit_of(active))

    expel(active, ops, second_ops)

    deposit = deposit_of(active)
    assert (deposit.available, deposit.frozen) == (0, REQUIRED / 4)
    assert ledger.totals()[Account.FORFEITURE_INCOME] == REQUIRED * 3 / 4


def test_an_expulsion_that_fails_forfeits_nothing(active: Application, ops: User) -> None:
    with pytest.raises(DomainError):
        expel(active, ops, ops)
    assert deposit_of(active).available == REQUIRED


def test_an_expelled_members_open_order_is_closed(
    active: Application, pay: Pay, ops: User, second_ops: User, alipay: SandboxClient, merchant: User
) -> None:
    deposit = deposit_of(active)
    type(deposit).objects.filter(pk=deposit.pk).update(required=REQUIRED + 500)
    address = payments.open_cashier(active.pk, actor=merchant)
    httpx.get(address, trust_env=False, follow_redirects=True)
    expel(active, ops, second_ops)

    tasks.sweep_orders()

    assert [order.state for order in deposit.orders.all()] == ["closed", "paid"]
