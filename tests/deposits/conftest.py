"""A sandbox in which the company of the tests has an Alipay account, and payments through it."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from deposits import proposals, tasks
from deposits.books import bookkeeping
from deposits.incoming import payments
from deposits.models import Deposit, PaymentOrder, Payout, Proposal, ProposalKind
from deposits.outgoing import payouts
from tests.deposits.trades import pay_what_is_due
from tests.people import COMPANY_DATA
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

BOUND = COMPANY_DATA["alipay_account_id"]
NAME = COMPANY_DATA["company_name"]
OTHER_COMPANY = "2088101000000199"
PERSON = "2088102000000201"
REQUIRED = Decimal("100000.00")

Pay = Callable[..., PaymentOrder]


@pytest.fixture
def alipay(sandbox: SandboxClient) -> SandboxClient:
    """The sandbox, with the company's own enterprise account."""
    sandbox.account(BOUND, name=NAME, kind="CORPORATE", balance="1000000.00")
    return sandbox


@pytest.fixture
def pay(alipay: SandboxClient) -> Pay:
    """`pay(application, buyer=…)`: through button and cashier; no notification reaches anybody."""

    def pay_due(application: Application, buyer: str = BOUND, amount: str | None = None) -> PaymentOrder:
        address = payments.open_cashier(application.pk, actor=application.applicant)
        assert httpx.get(address, trust_env=False).status_code == 302
        order = deposit_of(application).orders.get(state="open")
        values = {"amount": amount} if amount else {}
        alipay.pay(order.out_trade_no, buyer, lose_notification=True, **values)
        return order

    return pay_due


@pytest.fixture
def active(approved: Application, pay: Pay) -> Application:
    """Paid, and in the pool."""
    settle(pay(approved))
    return reload(approved)


@pytest.fixture
def member(approved: Application) -> Application:
    """As `active`, where Alipay has no further part: paid by what its query would tell."""
    pay_what_is_due(approved)
    return reload(approved)


@pytest.fixture
def exited(active: Application) -> Application:
    """Left; the refund is queued."""
    leave(active)
    return reload(active)


def leave(application: Application) -> None:
    applications.request_exit(application.pk, actor=application.applicant)
    applications.complete_exit(application.pk)


def settle(order: PaymentOrder) -> PaymentOrder:
    """As the sweep does when the order's time has come."""
    PaymentOrder.objects.filter(pk=order.pk).update(next_check_at=clock.now())
    payments.check_order(order.pk)
    return PaymentOrder.objects.get(pk=order.pk)


def pay_out() -> None:
    """As the sweeps do, time and again, until nothing is due any more."""
    for _round in range(20):
        Payout.objects.filter(state__in=["queued", "dealing"]).update(due_at=clock.now())
        Payout.objects.filter(state="calling").update(claimed_at=clock.now() - dt.timedelta(hours=1))
        if not payouts.due(clock.now()).exists():
            return
        tasks.sweep_payouts()


def two_decide(
    kind: ProposalKind, target: proposals.Target, first: User, second: User, /, **details: str
) -> Proposal:
    """One proposes, another accepts, and it is carried out."""
    proposal = proposals.propose(kind, actor=first, reason="依据见附件", target=target, details=details)
    return proposals.accept(proposal.pk, actor=second)


def books_agree() -> bool:
    return all(comparison.agrees for comparison in bookkeeping.comparisons())


def deposit_of(application: Application) -> Deposit:
    return Deposit.objects.get(application=application)


def reload(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


def expel(application: Application, investigator: User, verifier: User) -> None:
    applications.expel(
        application.pk, investigator=investigator, verifier=verifier, reporter=None, reason="严重违规"
    )
    assert reload(application).state == State.EXPELLED
