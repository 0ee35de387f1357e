"""Top-ups, deductions and sweeps at the same moment: every yuan once, one demand, one suspension."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from applications.lifecycle import State
from applications.models import Application
from deposits import tasks
from deposits.duties import cases
from deposits.incoming import payments
from deposits.models import PaymentOrder, TopUpDemand
from tests.deposits.conftest import Pay, deposit_of, reload, settle
from tests.races.together import together
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core.models import Notice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def short(approved: Application, pay: Pay) -> Application:
    """A member from whom 1,000 were deducted."""
    settle(pay(approved))
    deduct(approved, "1000.00")
    return reload(approved)


def deduct(application: Application, amount: str) -> None:
    case = f"violation:{amount}"
    cases.penalise(application.pk, case=case, amount=Decimal(amount), reason="扣罚", actor=None)


def settling(order: PaymentOrder) -> Callable[[], Any]:
    return lambda: payments.resolve(order)


def test_two_paid_top_ups_settled_together_one_goes_back(short: Application, pay: Pay) -> None:
    first = pay(short)
    deduct(short, "500.00")
    second = pay(short)

    together(settling(first), settling(second), settling(first), settling(second))

    states = {PaymentOrder.objects.get(pk=order.pk).state for order in (first, second)}
    # 1,000 first: then 1,500 are too much. 1,500 first: then nothing is missing.
    assert states == {"paid", "refused"}
    assert deposit_of(short).shortfall in (Decimal("0.00"), Decimal("500.00"))
    demanded = TopUpDemand.objects.filter(closed_at=None).exists()
    assert demanded == bool(deposit_of(short).shortfall)
    call_command("ledger_check")


def test_a_top_up_while_more_is_deducted(short: Application, pay: Pay) -> None:
    order = pay(short)

    together(settling(order), lambda: deduct(short, "250.00"))

    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    assert deposit_of(short).shortfall == Decimal("250.00")
    assert TopUpDemand.objects.filter(closed_at=None).count() == 1
    call_command("ledger_check")


def test_two_members_of_the_company_press_pay_at_once(short: Application, merchant: User) -> None:
    def press() -> str:
        return payments.open_order(short.pk, actor=merchant).out_trade_no

    numbers = together(press, press, press)

    assert len(set(numbers)) == 1


def test_a_top_up_in_the_moment_in_which_the_date_passes(
    short: Application, pay: Pay, move_clock: Callable[..., None]
) -> None:
    move_clock(days=15, seconds=-20)
    order = pay(short)
    move_clock(seconds=40)

    together(tasks.sweep_overdue_demands, settling(order), tasks.sweep_overdue_demands)

    assert reload(short).state == State.ACTIVE
    assert not short.suspensions.filter(lifted_at=None).exists()
    assert TopUpDemand.objects.get().outcome == "met"


def test_sweeps_that_run_together_do_everything_once(
    short: Application, move_clock: Callable[..., None]
) -> None:
    move_clock(days=14, hours=12)
    together(*[tasks.sweep_demands] * 4)
    assert Notice.objects.filter(key__contains=":reminder:").count() == 1

    move_clock(days=1)
    together(*[tasks.sweep_overdue_demands] * 4)
    assert short.suspensions.count() == 1

    set_rule("deposit.required", "120000.00")
    together(*[tasks.sweep_required] * 4)
    assert short.transitions.filter(name="required_deposit_changed").count() == 1
