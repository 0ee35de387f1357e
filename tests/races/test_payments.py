"""Money arrives at the moment at which the application ends: it is in the deposit, or on its way back."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest
from django.core.management import call_command
from django.urls import reverse

from applications.lifecycle import State
from applications.models import Application
from deposits import services, tasks
from deposits.incoming import payments
from deposits.models import PaymentOrder
from tests.deposits.conftest import BOUND, REQUIRED, Pay, deposit_of, pay_out, reload
from tests.journey.waiting import eventually
from tests.races.together import posting, together
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

pytestmark = pytest.mark.django_db(transaction=True)

QUERY, CLOSE = "alipay.trade.query", "alipay.trade.close"
# The call of the withdrawal that is slow, before or after Alipay acts on it: then the payment is made.
WINDOWS = [(QUERY, False), (QUERY, True), (CLOSE, False), (CLOSE, True)]
SLOW = 1.0


@pytest.fixture
def at_cashier(approved: Application, alipay: SandboxClient, merchant: User) -> PaymentOrder:
    """The cashier is open, nothing is paid."""
    address = payments.open_cashier(approved.pk, actor=merchant)
    httpx.get(address, trust_env=False, follow_redirects=True).raise_for_status()
    return deposit_of(approved).orders.get()


def settle_all() -> None:
    """As the sweeps do, until nothing is open any more."""
    PaymentOrder.objects.exclude(next_check_at=None).update(next_check_at=clock.now())
    tasks.sweep_orders()
    pay_out()


def withdrawing(application: Application) -> Callable[[], int]:
    page = reverse("deposits:withdraw", args=[application.number])
    return posting(application.applicant, page, reason="")


def assert_in_deposit(application: Application) -> None:
    assert reload(application).state == State.ACTIVE
    assert deposit_of(application).available == REQUIRED
    assert [row.kind for row in deposit_of(application).transfers.all()] == ["payment"]
    assert [step.name for step in application.transitions.all()].count("record_deposit") == 1


def balance(alipay: SandboxClient) -> Decimal:
    [account] = alipay.get("alipay-accounts", user_id=BOUND)
    return Decimal(account["balance"])


@pytest.mark.parametrize(("method", "after"), WINDOWS)
def test_a_payment_in_the_middle_of_a_withdrawal(
    approved: Application,
    at_cashier: PaymentOrder,
    alipay: SandboxClient,
    method: str,
    after: bool,
) -> None:
    before = balance(alipay)
    alipay.fault(method, "delay", seconds=SLOW, after=after)

    def pay() -> bool:
        """False: the trade has been closed."""
        eventually(lambda: alipay.get("faults")[0]["hits"], "the withdrawal has come so far")
        order = {"out_trade_no": at_cashier.out_trade_no, "buyer": BOUND, "lose_notification": True}
        answer = httpx.post(f"{alipay.url}/control/pay", json=order, trust_env=False)
        return answer.status_code == 200

    paid, answer = together(pay, withdrawing(approved))
    settle_all()

    assert answer == 302
    if paid:
        assert_in_deposit(approved)
        assert balance(alipay) == before - REQUIRED
    else:
        assert reload(approved).state == State.WITHDRAWN
        assert not deposit_of(approved).transfers.exists()
        assert balance(alipay) == before
    call_command("ledger_check")


def test_settling_and_withdrawing(approved: Application, pay: Pay) -> None:
    """The money is there before the button is pressed: the button comes too late."""
    order = pay(approved)
    PaymentOrder.objects.update(next_check_at=clock.now())

    answers = together(
        lambda: payments.check_order(order.pk),
        withdrawing(approved),
        lambda: payments.check_order(order.pk),
        withdrawing(approved),
    )

    assert answers == [True, 302, True, 302]
    assert_in_deposit(approved)
    call_command("ledger_check")


def test_an_order_nobody_opened_paid_after_all(
    approved: Application, alipay: SandboxClient, merchant: User
) -> None:
    """Alipay has no trade to close yet; whoever then pays by the old address gets the money back."""
    before = balance(alipay)
    address = payments.open_cashier(approved.pk, actor=merchant)
    assert httpx.get(address, trust_env=False).status_code == 302
    order = deposit_of(approved).orders.get()

    together(
        lambda: alipay.pay(order.out_trade_no, BOUND, lose_notification=True),
        withdrawing(approved),
    )
    settle_all()

    if reload(approved).state == State.ACTIVE:
        assert_in_deposit(approved)
    else:
        assert reload(approved).state == State.WITHDRAWN
        assert balance(alipay) == before
    call_command("ledger_check")


def test_settling_and_lapsing(approved: Application, pay: Pay, move_clock: Callable[..., None]) -> None:
    """Paid in time, found out after the deadline by several workers at once."""
    order = pay(approved)
    move_clock(days=15, minutes=2)

    together(
        lambda: services.lapse_if_due(approved.pk),
        lambda: payments.check_order(order.pk),
        lambda: services.lapse_if_due(approved.pk),
        lambda: payments.check_order(order.pk),
    )

    assert_in_deposit(approved)
    call_command("ledger_check")


def test_lapsing_and_withdrawing(
    approved: Application, at_cashier: PaymentOrder, move_clock: Callable[..., None]
) -> None:
    move_clock(days=15, minutes=2)

    together(
        lambda: services.lapse_if_due(approved.pk),
        withdrawing(approved),
        lambda: services.lapse_if_due(approved.pk),
    )

    ends = approved.transitions.filter(to_state__in=[State.WITHDRAWN, State.LAPSED])
    assert ends.count() == 1
    assert reload(approved).state == ends.get().to_state
    assert PaymentOrder.objects.get().state == "closed"


def test_a_cashier_opened_eight_times_is_one_order(
    approved: Application, alipay: SandboxClient, merchant: User
) -> None:
    answers = together(
        *(posting(merchant, reverse("deposits:pay", args=[approved.number])) for _ in range(8))
    )

    assert answers == [302] * 8
    assert deposit_of(approved).orders.count() == 1
