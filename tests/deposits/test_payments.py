"""From the button to the receipt, through the sandbox."""

from applications.lifecycle import State
from applications.models import Application
from tests.deposits.conftest import REQUIRED, Pay, deposit_of, reload, settle


def test_a_full_payment_from_the_bound_account_makes_a_member(approved: Application, pay: Pay) -> None:
    order = settle(pay(approved))

    deposit = deposit_of(approved)
    assert (order.state, order.paid_amount) == ("paid", REQUIRED)
    assert (deposit.available, deposit.frozen, deposit.shortfall) == (REQUIRED, 0, 0)
    assert reload(approved).state == State.ACTIVE
    assert [row.kind for row in deposit.transfers.all()] == ["payment"]
