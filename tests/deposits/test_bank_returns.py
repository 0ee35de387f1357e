"""A transfer that has arrived may come back: then the books say so, and two people say where it goes instead."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.gateways.alipay import IdentityType
from deposits.models import Compensation, Payout, ProposalKind, Refund, ReturnedPayment
from deposits.outgoing import bank_returns, compensations, payouts
from deposits.outgoing.compensations import Payee
from tests.deposits.conftest import (
    BOUND,
    NAME,
    OTHER_COMPANY,
    REQUIRED,
    Pay,
    books_agree,
    deposit_of,
    leave,
    pay_out,
    settle,
    two_decide,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]
QUERY = "alipay.fund.trans.common.query"
NEW_ACCOUNT = {
    "payee_identity": OTHER_COMPANY,
    "payee_identity_type": "ALIPAY_USER_ID",
    "payee_name": "杭州小店新户",
}


@pytest.fixture
def transferred(active: Application, alipay: SandboxClient, move_clock: MoveClock) -> Payout:
    """The refund of a deposit past its refund window, arrived by transfer."""
    alipay.account(OTHER_COMPANY, name=NEW_ACCOUNT["payee_name"], kind="CORPORATE", balance="0.00")
    move_clock(days=400)
    leave(active)
    pay_out()
    return Payout.objects.get(method="transfer", state="done")


def send_back(alipay: SandboxClient, payout: Payout) -> None:
    alipay.post("transfers", out_biz_no=payout.number, status="REFUND", reason="PAYEE_CARD_CLOSED")


def watch() -> None:
    """As the sweep does when the time has come."""
    Payout.objects.filter(watch_at__isnull=False).update(watch_at=clock.now())
    tasks.sweep_transfers()


def received(alipay: SandboxClient, user_id: str) -> str:
    [account] = alipay.get("alipay-accounts", user_id=user_id)
    return str(account["balance"])


def test_a_transfer_that_the_bank_returns_is_reversed_and_told(
    finance: User, transferred: Payout, alipay: SandboxClient, merchant: User
) -> None:
    assert Refund.objects.get().state == "done"
    send_back(alipay, transferred)

    watch()

    transferred.refresh_from_db()
    assert (transferred.state, transferred.last_code, transferred.watch_at) == (
        "returned",
        "PAYEE_CARD_CLOSED",
        None,
    )
    refund = Refund.objects.get()
    assert (refund.state, refund.done_at) == ("in_progress", None)
    totals = ledger.totals()
    assert totals[Account.ALIPAY_CASH] == totals[Account.REFUND_IN_TRANSIT] == REQUIRED
    assert [row.kind for row in transferred.transfers.order_by("pk")] == ["refund_paid", "bank_return"]
    assert books_agree()
    application = refund.deposit.application
    assert "transfer_returned" in [step.name for step in application.transitions.all()]
    for person in (finance, merchant):
        assert Notice.objects.filter(recipient=person, key=f"deposit:returned:{transferred.pk}").count() == 1


def test_it_comes_back_once(transferred: Payout, alipay: SandboxClient) -> None:
    send_back(alipay, transferred)
    watch()
    bank_returns._record(transferred.pk, payouts.Outcome(payouts.PayoutState.RETURNED))

    assert transferred.transfers.filter(kind="bank_return").count() == 1


def test_two_people_send_it_to_another_account(
    finance: User, second_finance: User, transferred: Payout, alipay: SandboxClient, merchant: User
) -> None:
    send_back(alipay, transferred)
    watch()

    two_decide(ProposalKind.REDIRECT_PAYOUT, transferred, finance, second_finance, **NEW_ACCOUNT)
    pay_out()

    again = Payout.objects.get(replaces=transferred)
    assert (again.state, again.payee_identity, again.payee_name) == ("done", OTHER_COMPANY, "杭州小店新户")
    transferred.refresh_from_db()
    assert transferred.state == "replaced"
    assert Refund.objects.get().state == "done"
    assert received(alipay, OTHER_COMPANY) == "100000.00"
    assert received(alipay, BOUND) == "900000.00"
    assert ledger.totals()[Account.ALIPAY_CASH] == ledger.totals()[Account.REFUND_IN_TRANSIT] == 0
    assert books_agree()
    assert Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund-done:").count() == 2


def test_one_that_came_back_before_anybody_asked_has_both_rows(
    active: Application, alipay: SandboxClient, move_clock: MoveClock, merchant: User
) -> None:
    """Processed, arrived and returned between two questions: Alipay's bill has both movements."""
    alipay.change_settings(transfer_mode="dealing")
    move_clock(days=400)
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    payout = Payout.objects.get(method="transfer")
    assert payout.state == "dealing"
    alipay.post("transfers", out_biz_no=payout.number, status="SUCCESS")
    send_back(alipay, payout)

    pay_out()

    payout.refresh_from_db()
    assert payout.state == "returned"
    assert [row.kind for row in payout.transfers.order_by("pk")] == ["refund_paid", "bank_return"]
    assert Refund.objects.get().state == "in_progress"
    assert not Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund-done:").exists()
    assert books_agree()


def test_a_refused_payment_that_comes_back_is_reopened(
    approved: Application, pay: Pay, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    alipay.account(OTHER_COMPANY, name="别家公司", kind="CORPORATE", balance="100000.00")
    alipay.change_settings(refund_window_days=0)
    settle(pay(approved, buyer=OTHER_COMPANY))
    pay_out()
    returned = ReturnedPayment.objects.get()
    payout = Payout.objects.get(method="transfer")
    assert (returned.state, payout.payee_name) == ("done", "别家公司")

    send_back(alipay, payout)
    watch()

    returned.refresh_from_db()
    assert returned.state == "in_progress"
    assert ledger.totals()[Account.SUSPENSE] == REQUIRED
    assert books_agree()


def test_a_compensation_that_comes_back_is_reopened(
    finance: User, second_finance: User, active: Application, alipay: SandboxClient, merchant: User
) -> None:
    alipay.account(OTHER_COMPANY, name=NEW_ACCOUNT["payee_name"], kind="CORPORATE", balance="0.00")
    deposit = deposit_of(active)
    ledger.post(Kind.FREEZE, Decimal("50.00"), key="f", deposit=deposit, case="c1")
    entry = ledger.post(Kind.COMPENSATION, Decimal("50.00"), key="c", deposit=deposit, case="c1")
    compensations.open_compensation(entry, payee=Payee(BOUND, IdentityType.USER_ID, NAME))
    pay_out()
    payout = Payout.objects.get()

    send_back(alipay, payout)
    watch()

    assert Compensation.objects.get().state == "in_progress"
    assert ledger.totals()[Account.COMPENSATION_PAYABLE] == 50
    assert not Notice.objects.filter(recipient=merchant, key__startswith="deposit:returned:").exists()

    two_decide(ProposalKind.REDIRECT_PAYOUT, payout, finance, second_finance, **NEW_ACCOUNT)
    pay_out()

    assert Compensation.objects.get().state == "done"
    assert received(alipay, OTHER_COMPANY) == "50.00"
    assert books_agree()


# How often it is asked -----------------------------------------------------------------------------


def test_it_is_asked_about_ever_more_rarely_and_then_no_more(
    transferred: Payout, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    days = rules.days("payout.watch_days")
    done_at = transferred.done_at
    assert done_at is not None
    asked: list[dt.timedelta] = []
    while transferred.watch_at is not None and len(asked) < 50:
        move_clock(seconds=(transferred.watch_at - clock.now()).total_seconds() + 1)
        tasks.sweep_transfers()
        asked.append(clock.now() - done_at)
        transferred.refresh_from_db()

    assert transferred.state == "done"
    assert len(asked) < 12
    pauses = [after - before for before, after in pairwise(asked[:-1])]
    assert pauses == sorted(pauses)
    assert dt.timedelta() <= asked[-1] - days < dt.timedelta(minutes=1)


def test_it_is_not_asked_about_before_its_time(transferred: Payout, alipay: SandboxClient) -> None:
    before = alipay.books()["calls"].get(QUERY, 0)
    tasks.sweep_transfers()
    assert alipay.books()["calls"].get(QUERY, 0) == before


def test_money_back_the_way_it_was_paid_is_not_watched(exited: Application) -> None:
    pay_out()
    assert Payout.objects.get().watch_at is None


def test_a_question_without_an_answer_is_asked_again(
    transferred: Payout, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    """At the end of the watch as well: no answer is no `it has stayed there`."""
    send_back(alipay, transferred)
    alipay.fault(QUERY, "http_502", times=2)
    move_clock(days=30)

    assert not bank_returns.watch(transferred.pk)
    transferred.refresh_from_db()
    assert transferred.state == "done"
    assert transferred.watch_at is not None and transferred.watch_at > clock.now()
    watch()
    watch()

    transferred.refresh_from_db()
    assert transferred.state == "returned"


@pytest.mark.parametrize("status", ["DEALING", "FAIL"])
def test_an_answer_that_contradicts_the_first_changes_nothing(
    transferred: Payout, alipay: SandboxClient, status: str
) -> None:
    alipay.fault(QUERY, "wrong_values", set={"status": status})
    watch()
    transferred.refresh_from_db()
    assert transferred.state == "done" and transferred.watch_at is not None


# The same rules, past Python -----------------------------------------------------------------------


@pytest.mark.parametrize("table", ["refund", "payout"])
def test_sql_reopens_nothing_without_a_return(transferred: Payout, table: str) -> None:
    state = {"refund": "in_progress", "payout": "returned"}[table]
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_{table} SET state = %s", [state])


def test_sql_sends_a_return_nowhere_without_two(transferred: Payout, alipay: SandboxClient) -> None:
    send_back(alipay, transferred)
    watch()
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.filter(pk=transferred.pk).update(state="replaced")
