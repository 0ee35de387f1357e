"""Each kind of difference, provoked for real, and how it ends (issue 3, protocols B9)."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.models import (
    BillLine,
    Deposit,
    Difference,
    Explanation,
    LedgerTransfer,
    PaymentOrder,
    Payout,
    ProposalKind,
    ReconciliationRun,
)
from deposits.outgoing import payouts
from deposits.reconciliation import decisions as reconciliation_decisions
from deposits.reconciliation import matching as reconciliation_matching
from tests.deposits.conftest import (
    OTHER_COMPANY,
    PERSON,
    Pay,
    books_agree,
    leave,
    pay_out,
    settle,
    two_decide,
)
from tests.deposits.days import (
    Day,
    causes,
    compare,
    compare_again,
    day,
    differences,
    pay_outside,
    refund_outside,
    set_balance,
    transfer_outside,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

__all__ = ["day"]

QUERY = "alipay.trade.query"
BILL = "alipay.data.dataservice.bill.downloadurl.query"
ONE_DAY = dt.timedelta(days=1)


def state(date: dt.date) -> str:
    return ReconciliationRun.objects.get(date=date).state


def top_up(application: Application, required: int) -> None:
    Deposit.objects.filter(application=application).update(required=required)


@pytest.fixture
def transferred(active: Application, alipay: SandboxClient, day: Day) -> Payout:
    """The deposit went back by transfer today: its payment is too old for a refund."""
    alipay.change_settings(refund_window_days=1)
    day.end(hour=12)
    day.end(hour=12)
    leave(active)
    pay_out()
    return Payout.objects.get(method="transfer", state="done")


# Alipay has it, we don't ---------------------------------------------------------------------------


def test_a_payment_that_nobody_told_us_of_is_asked_about_and_settles(
    approved: Application, pay: Pay, alipay: SandboxClient, day: Day, finance: User
) -> None:
    """The notification was lost, and no worker ran that day."""
    order = pay(approved)
    pay_outside(alipay, "OUTSIDE1", PERSON)  # so that there is something that stays
    date = day.end()
    reconcile_without_rows(date)

    assert sorted(causes()) == ["foreign_payment"] * 2 + ["unsettled_order"] * 2
    assert Notice.objects.filter(recipient=finance, key__contains="differences").count() == 1
    tasks.sweep_orders()
    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    tasks.sweep_reconciliation()

    assert causes() == ["foreign_payment"] * 2
    assert Difference.objects.filter(cause="unsettled_order", settled_at__isnull=False).count() == 2
    assert Notice.objects.filter(recipient=finance, key__contains="differences").count() == 1


def reconcile_without_rows(date: dt.date) -> None:
    """The ledger is empty, so the sweep has no reason to begin: as the command does."""
    from deposits.reconciliation import days as reconciliation

    reconciliation.reconcile_now(reconciliation.day_of(date))


def test_a_payment_that_settles_late_is_of_the_day_on_which_it_was_paid(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day
) -> None:
    top_up(active, 100_500)
    order = pay(active)
    date = day.end()
    settle(order)
    after = day.end()

    tasks.sweep_reconciliation()

    assert [state(date), state(after)] == ["balanced", "balanced"]
    assert not Difference.objects.exists()
    assert not BillLine.objects.filter(run__date=after).exists()


def test_a_payment_outside_the_portal_is_explained_once_for_both_bills(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    pay_outside(alipay, "OUTSIDE1", PERSON)
    date = day.end()
    compare(date)
    assert differences() == [
        ("signcustomer", "foreign_payment", "open"),
        ("trade", "foreign_payment", "open"),
    ]

    difference = Difference.objects.get(bill="signcustomer")
    reconciliation_decisions.explain(difference.pk, actor=finance, note="张三误付,已在商家中心退回")

    assert {state for _bill, _cause, state in differences()} == {"explained"}
    assert [row.actor for row in Explanation.objects.all()] == [finance, finance]
    assert state(date) == "different", "explained, and still not the same"


def test_a_refund_outside_the_portal_is_none_of_ours(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    refund_outside(PaymentOrder.objects.get().out_trade_no, "OUTSIDE1", "30.00")
    compare(day.end())
    assert causes() == ["foreign_refund", "foreign_refund"]
    assert {row.their_amount for row in Difference.objects.all()} == {Decimal("-30.00")}


def test_a_refund_of_ours_is_not_taken_for_another_of_the_same_trade(
    exited: Application, alipay: SandboxClient, day: Day
) -> None:
    """The whole deposit was given back by hand before our own refund; Alipay then refuses ours."""
    order = PaymentOrder.objects.get()
    refund_outside(order.out_trade_no, "OUTSIDE1", "100000.00")
    pay_out()
    assert Payout.objects.get().state == "attention"
    compare(day.end())
    assert causes() == ["foreign_refund", "foreign_refund"]


def test_a_transfer_outside_the_portal_is_none_of_ours(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    transfer_outside(OTHER_COMPANY, "OUTSIDE1", "30.00")
    compare(day.end())
    assert differences() == [("signcustomer", "foreign_transfer", "open")]


@pytest.mark.parametrize(
    ("balance", "cause", "kind", "account"),
    [
        ("700000.00", "money_in", "funding", Account.PLATFORM_FUNDING),
        ("599000.00", "money_out", "withdrawal", Account.BANK_WITHDRAWAL),
    ],
)
def test_money_put_in_or_taken_out_settles_once_two_have_booked_it(
    active: Application,
    alipay: SandboxClient,
    day: Day,
    finance: User,
    second_finance: User,
    balance: str,
    cause: str,
    kind: str,
    account: Account,
) -> None:
    set_balance(alipay, balance)
    date = day.end()
    compare(date)
    assert differences() == [("signcustomer", cause, "open")]
    difference = Difference.objects.get()
    assert difference.line is not None

    details = reconciliation_decisions.booking_of(difference.line)
    details["at"] = difference.line.at.isoformat()
    assert details["kind"] == kind
    two_decide(ProposalKind.BOOK_MOVEMENT, None, finance, second_finance, **details)
    tasks.sweep_reconciliation()

    assert causes() == [] and state(date) == "balanced"
    assert ledger.totals()[account] == abs(Decimal(balance) - 600_000)
    assert books_agree()


def test_what_waits_for_a_second_person_is_not_offered_again(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    from deposits import proposals

    set_balance(alipay, "700000.00")
    compare(day.end())
    difference = Difference.objects.get()
    assert reconciliation_decisions.can_be_booked(difference)

    assert difference.line is not None
    details = reconciliation_decisions.booking_of(difference.line) | {"at": difference.line.at.isoformat()}
    proposals.propose(ProposalKind.BOOK_MOVEMENT, actor=finance, reason="自有资金", details=details)

    assert not reconciliation_decisions.can_be_booked(difference)


# Transfers -----------------------------------------------------------------------------------------


def test_a_transfer_and_its_bank_return_agree(
    transferred: Payout, alipay: SandboxClient, day: Day, finance: User
) -> None:
    alipay.post("transfers", out_biz_no=transferred.number, status="REFUND")
    Payout.objects.filter(pk=transferred.pk).update(watch_at=clock.now())
    tasks.sweep_transfers()
    date = day.end()

    run = compare(date)

    assert (run.state, causes()) == ("balanced", [])
    lines = BillLine.objects.filter(run=run)
    assert [(line.sort, line.entry and line.entry.kind) for line in lines] == [
        ("transfer", "refund_paid"),
        ("return", "bank_return"),
    ]


def test_a_return_that_we_have_not_noticed_is_asked_about_and_settles(
    transferred: Payout, alipay: SandboxClient, day: Day
) -> None:
    alipay.post("transfers", out_biz_no=transferred.number, status="REFUND")
    Payout.objects.filter(pk=transferred.pk).update(watch_at=None)
    date = day.end()
    compare(date)
    assert differences() == [("signcustomer", "unbooked_return", "open")]

    tasks.sweep_transfers()
    tasks.sweep_reconciliation()

    assert (state(date), causes()) == ("balanced", [])
    assert Payout.objects.get(pk=transferred.pk).state == "returned"


def test_a_transfer_that_takes_over_night_settles_when_it_is_done(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    alipay.change_settings(refund_window_days=1, transfer_mode="dealing")
    day.end(hour=12)
    day.end(hour=12)
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    transfer = Payout.objects.get(method="transfer")
    date = day.end()
    compare(date)
    assert differences() == [("signcustomer", "open_payout", "open")]

    alipay.post("transfers", out_biz_no=transfer.number, status="SUCCESS")
    pay_out()
    tasks.sweep_reconciliation()
    after = day.end()
    compare(after)

    assert ([state(date), state(after)], causes()) == (["balanced", "balanced"], [])


def test_a_transfer_that_failed_is_out_and_back_and_no_difference(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    alipay.change_settings(refund_window_days=1, transfer_mode="dealing")
    day.end(hour=12)
    day.end(hour=12)
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    transfer = Payout.objects.get(method="transfer")
    date = day.end()
    compare(date)
    alipay.post("transfers", out_biz_no=transfer.number, status="FAIL")
    after = day.end()
    compare(after)
    assert sorted(causes()) == ["open_payout", "unbooked_return"]

    pay_out()
    assert Payout.objects.get(pk=transfer.pk).unpaid_at is not None
    tasks.sweep_reconciliation()

    assert ([state(date), state(after)], causes()) == (["balanced", "balanced"], [])


# We have it, Alipay doesn't ------------------------------------------------------------------------


def test_a_payment_that_alipay_forgot_is_missed_in_both_bills(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    alipay.reset()
    pay_outside(alipay, "OUTSIDE1", PERSON)  # else there would be no bill
    date = day.end()
    compare(date)
    missed = Difference.objects.filter(mismatch="ours_only")
    assert {(row.bill, row.cause, row.our_amount) for row in missed} == {
        ("trade", "missing_payment", Decimal("100000.00")),
        ("signcustomer", "missing_payment", Decimal("100000.00")),
    }

    asked = reconciliation_decisions.ask_alipay(missed[0].pk, actor=finance)

    assert (asked.answer, asked.settled_at) == ("nothing", None)
    assert asked.asked_at is not None


def test_a_payout_of_another_days_bill_is_missed_until_that_is_read(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    """Alipay dates a transfer by its beginning, we by its end; and the earlier bill comes later."""
    alipay.change_settings(refund_window_days=1, transfer_mode="dealing")
    compare(day.end())
    compare(day.end())
    leave(active)
    tasks.sweep_payouts()
    tasks.sweep_payouts()
    transfer = Payout.objects.get(method="transfer")
    first = day.end(hour=12)
    alipay.post("transfers", out_biz_no=transfer.number, status="SUCCESS")
    pay_out()
    pay_outside(alipay, "OUTSIDE1", PERSON)  # else the second day would have no bill
    second = day.end()
    alipay.fault(BILL, "http_502", match={"bill_date": first.isoformat()})
    for _sweep in range(2):  # a failure ends a sweep, and the next one goes on
        tasks.sweep_reconciliation()
    assert [state(first), state(second)] == ["waiting", "different"]
    missed = Difference.objects.get(mismatch="ours_only")
    assert (missed.cause, missed.bill) == ("missing_payout", "signcustomer")

    assert reconciliation_decisions.ask_alipay(missed.pk, actor=finance).answer == "known"
    compare_again(first)

    assert state(first) == "balanced"
    assert causes() == ["foreign_payment", "foreign_payment"]


def test_a_booking_that_the_bill_lacks_is_a_difference_until_two_take_it_back(
    active: Application, alipay: SandboxClient, day: Day, finance: User, second_finance: User
) -> None:
    details = {"kind": "funding", "amount": "50.00", "serial": "9001", "at": clock.now().isoformat()}
    two_decide(ProposalKind.BOOK_MOVEMENT, None, finance, second_finance, **details)
    date = day.end()
    compare(date)
    assert differences() == [("signcustomer", "missing_booking", "open")]

    entry = LedgerTransfer.objects.get(kind=Kind.FUNDING)
    two_decide(ProposalKind.CORRECT_ENTRY, entry, finance, second_finance)
    compare_again(date)

    assert (state(date), causes()) == ("balanced", [])


def test_a_fee_that_two_took_back_is_a_difference_and_not_booked_again(
    approved: Application,
    pay: Pay,
    alipay: SandboxClient,
    day: Day,
    finance: User,
    second_finance: User,
) -> None:
    alipay.change_settings(fee_basis_points=10)
    settle(pay(approved))
    date = day.end()
    assert compare(date).state == "balanced"

    fee = LedgerTransfer.objects.get(kind=Kind.GATEWAY_FEE)
    two_decide(ProposalKind.CORRECT_ENTRY, fee, finance, second_finance)
    for _sweep in range(2):
        tasks.sweep_reconciliation()

    assert differences() == [("signcustomer", "money_out", "open")]
    assert state(date) == "different"
    assert LedgerTransfer.objects.filter(kind=Kind.GATEWAY_FEE).count() == 1


# Two amounts ---------------------------------------------------------------------------------------


def test_two_amounts_of_one_payment_are_one_difference_of_each_bill(
    approved: Application, pay: Pay, alipay: SandboxClient, day: Day
) -> None:
    """Alipay's query told us of 100,000.00; its bills have 99,999.00."""
    order = pay(approved, amount="99999.00")
    alipay.fault(QUERY, "wrong_values", set={"total_amount": "100000.00"})
    assert settle(order).state == "paid"
    compare(day.end())

    assert causes() == ["other_amount", "other_amount"]
    assert {(row.their_amount, row.our_amount) for row in Difference.objects.all()} == {
        (Decimal("99999.00"), Decimal("100000.00"))
    }


def test_a_gap_between_two_days_is_a_difference(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day
) -> None:
    first = day.end()
    compare(first)
    ReconciliationRun.objects.filter(date=first).update(closing=Decimal("599999.99"))
    top_up(active, 100_500)
    settle(pay(active))
    date = day.end()
    compare(date)
    gap = Difference.objects.get()
    assert (gap.cause, gap.their_amount, gap.our_amount) == (
        "balance_gap",
        Decimal("600500.00"),
        Decimal("600499.99"),
    )

    compare_again(first)  # the day before has its real balance again, and the day after is looked at, too

    assert causes() == [] and state(date) == "balanced"


# By which number -----------------------------------------------------------------------------------


def told(entry: LedgerTransfer, **columns: object) -> BillLine:
    """A line of a fund bill about our row, as somebody else's software would have it."""
    run, _new = ReconciliationRun.objects.get_or_create(date=clock.today())
    gained = entry.amount if entry.debit == Account.ALIPAY_CASH else -entry.amount
    values: dict[str, object] = {
        "run": run,
        "bill": "signcustomer",
        "key": f"70{BillLine.objects.count()}",
        "sort": "refund",
        "at": entry.at,
        "amount": gained,
    }
    numbers = columns.get("numbers", [])
    assert isinstance(numbers, list)
    return BillLine.objects.create(**(values | {"number": (numbers or [""])[0]} | columns))


def matched() -> list[LedgerTransfer | None]:
    with transaction.atomic():
        reconciliation_matching.lock_matching()
        reconciliation_matching.match()
    return [line.entry for line in BillLine.objects.order_by("pk")]


def test_a_refund_may_be_named_by_its_trade_alone(exited: Application, alipay: SandboxClient) -> None:
    """As bills without the number of the refund have it: then the amount tells which it is."""
    pay_out()
    order, entry = PaymentOrder.objects.get(), LedgerTransfer.objects.get(kind="refund_paid")
    told(entry, numbers=[order.out_trade_no], trade_no=order.trade_no, amount=Decimal("-1.00"))
    told(entry, numbers=[order.out_trade_no], trade_no=order.trade_no)
    assert matched() == [None, entry]


def test_a_refund_with_a_number_of_its_own_is_no_other(exited: Application, alipay: SandboxClient) -> None:
    pay_out()
    order, entry = PaymentOrder.objects.get(), LedgerTransfer.objects.get(kind="refund_paid")
    told(entry, numbers=["FOREIGN", order.out_trade_no], trade_no=order.trade_no)
    assert matched() == [None]


def test_a_transfer_may_be_named_by_alipays_number_alone(transferred: Payout) -> None:
    entry = LedgerTransfer.objects.get(payout=transferred)
    told(entry, sort="transfer", trade_no=transferred.alipay_number)
    assert matched() == [entry]


def test_the_line_with_the_same_amount_is_the_one(active: Application, alipay: SandboxClient) -> None:
    order, entry = PaymentOrder.objects.get(), LedgerTransfer.objects.get(kind="payment")
    told(entry, sort="payment", numbers=[order.out_trade_no], amount=Decimal("5.00"))
    told(entry, sort="payment", numbers=[order.out_trade_no])
    assert matched() == [None, entry]


def test_money_that_went_out_is_never_money_that_came_in(active: Application, alipay: SandboxClient) -> None:
    order, entry = PaymentOrder.objects.get(), LedgerTransfer.objects.get(kind="payment")
    told(entry, sort="other", numbers=[order.out_trade_no], amount=-entry.amount)
    assert matched() == [None]


# The edge of the day -------------------------------------------------------------------------------


def test_what_alipay_dates_before_midnight_and_we_after_it_is_no_difference(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day
) -> None:
    compare(day.end())
    top_up(active, 100_500)
    day.move_to(clock.day_start(clock.today() + ONE_DAY) - dt.timedelta(seconds=3))
    order = pay(active)
    first = clock.today()
    day.move_to(clock.day_start(first + ONE_DAY) + dt.timedelta(seconds=1))
    settle(order)
    assert LedgerTransfer.objects.get(order=order).at.astimezone(clock.SHANGHAI).date() == first + ONE_DAY
    second = day.end()

    tasks.sweep_reconciliation()

    assert [state(first), state(second)] == ["balanced", "balanced"]
    assert not Difference.objects.exists()


def test_a_refund_that_was_recorded_after_midnight_is_no_difference(
    exited: Application, alipay: SandboxClient, day: Day
) -> None:
    """Executed at 23:59:57; the answer was lost, and found by asking on the day after."""
    day.move_to(clock.day_start(clock.today() + ONE_DAY) - dt.timedelta(seconds=3))
    first = clock.today()
    alipay.fault("alipay.trade.refund", "executes_then_drops")
    payouts.send(Payout.objects.get().pk)
    day.move_to(clock.day_start(first + ONE_DAY) + dt.timedelta(seconds=20))
    pay_out()
    second = day.end()

    tasks.sweep_reconciliation()

    assert [state(first), state(second)] == ["balanced", "balanced"]
    assert not Difference.objects.exists()


def test_what_we_date_before_midnight_and_alipay_after_it_is_no_difference(
    active: Application, alipay: SandboxClient, day: Day
) -> None:
    compare(day.end())
    first = clock.today()
    midnight = clock.day_start(first + ONE_DAY)
    pay_outside(alipay, "OUTSIDE1", PERSON)
    ledger.post(Kind.GATEWAY_FEE, Decimal("0.88"), key="fee-by-hand", at=midnight - dt.timedelta(seconds=2))
    day.move_to(midnight + dt.timedelta(seconds=1))
    alipay.change_settings(fee_basis_points=100)
    pay_outside(alipay, "OUTSIDE2", PERSON)
    day.move_to(midnight + dt.timedelta(hours=11))
    compare(first)
    assert "missing_booking" not in causes()

    second = day.end()
    compare(second)

    assert BillLine.objects.get(sort="fee").entry == LedgerTransfer.objects.get(key="fee-by-hand")
    assert "missing_booking" not in causes()


# What people write ---------------------------------------------------------------------------------


@pytest.fixture
def unexplained(active: Application, alipay: SandboxClient, day: Day) -> Difference:
    set_balance(alipay, "600000.01")
    compare(day.end())
    return Difference.objects.get()


def test_an_explanation_outlives_a_repetition(unexplained: Difference, finance: User) -> None:
    reconciliation_decisions.explain(unexplained.pk, actor=finance, note="银行试转一分钱")

    run = compare_again(unexplained.run.date)

    assert differences() == [("signcustomer", "money_in", "explained")]
    assert run.state == "different"
    assert Difference.objects.get().explanation == Explanation.objects.get()


def test_an_explanation_holds_only_for_the_figures_that_it_was_given_for(
    unexplained: Difference, finance: User, second_finance: User
) -> None:
    """Somebody books the movement with another amount: what was explained is another difference now."""
    reconciliation_decisions.explain(unexplained.pk, actor=finance, note="银行试转一分钱")
    assert unexplained.line is not None
    details = {
        "kind": "funding",
        "amount": "0.02",
        "serial": unexplained.line.key,
        "at": unexplained.line.at.isoformat(),
    }
    two_decide(ProposalKind.BOOK_MOVEMENT, None, finance, second_finance, **details)

    tasks.sweep_reconciliation()

    assert differences() == [("signcustomer", "other_amount", "open")]
    assert [row.note for row in Difference.objects.get().explanations.all()] == ["银行试转一分钱"]


def test_the_last_explanation_holds_and_none_is_lost(unexplained: Difference, finance: User) -> None:
    for note in ("不明", "银行试转一分钱"):
        reconciliation_decisions.explain(unexplained.pk, actor=finance, note=note)
    difference = Difference.objects.get()
    assert difference.explanation is not None and difference.explanation.note == "银行试转一分钱"
    assert difference.explanations.count() == 2


def test_only_finance_explains_and_says_something(
    unexplained: Difference, finance: User, auditor: User, ops: User, superuser: User
) -> None:
    for person in (auditor, ops, superuser):
        with pytest.raises(NotPermitted):
            reconciliation_decisions.explain(unexplained.pk, actor=person, note="不明")
        with pytest.raises(NotPermitted):
            reconciliation_decisions.again(unexplained.run.pk, actor=person)
        with pytest.raises(NotPermitted):
            reconciliation_decisions.ask_alipay(unexplained.pk, actor=person)
    with pytest.raises(DomainError, match="empty"):
        reconciliation_decisions.explain(unexplained.pk, actor=finance, note=" \n")
    assert not Explanation.objects.exists()


def test_a_page_that_is_out_of_date_explains_nothing(unexplained: Difference, finance: User) -> None:
    seen = reconciliation_decisions.mark_of(unexplained)
    reconciliation_decisions.explain(unexplained.pk, actor=finance, note="不明", seen=seen)
    with pytest.raises(StaleVersion):
        reconciliation_decisions.explain(unexplained.pk, actor=finance, note="另一说", seen=seen)
    with pytest.raises(StaleVersion):
        reconciliation_decisions.again(unexplained.run.pk, actor=finance, seen=7)


def test_what_is_settled_is_not_explained_any_more(unexplained: Difference, finance: User) -> None:
    Difference.objects.filter(pk=unexplained.pk).update(settled_at=clock.now())
    with pytest.raises(DomainError, match="settled"):
        reconciliation_decisions.explain(unexplained.pk, actor=finance, note="不明")


def test_there_is_nothing_to_ask_about_money_from_elsewhere(unexplained: Difference, finance: User) -> None:
    with pytest.raises(DomainError, match="nothing_to_ask"):
        reconciliation_decisions.ask_alipay(unexplained.pk, actor=finance)


def test_asking_about_a_payment_books_it_at_once(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day, finance: User
) -> None:
    top_up(active, 100_500)
    order = pay(active)
    date = day.end()
    compare(date)
    difference = Difference.objects.filter(cause="unsettled_order").first()
    assert difference is not None

    asked = reconciliation_decisions.ask_alipay(difference.pk, actor=finance)

    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    assert asked.settled_at is not None and state(date) == "balanced"


def test_asking_says_when_alipay_cant_be_asked(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day, finance: User
) -> None:
    top_up(active, 100_500)
    pay(active)
    compare(day.end())
    alipay.fault(QUERY, "http_502", times=-1)
    difference = Difference.objects.filter(cause="unsettled_order").first()
    assert difference is not None
    with pytest.raises(DomainError, match="alipay_unavailable"):
        reconciliation_decisions.ask_alipay(difference.pk, actor=finance)


# The same rules, past Python -----------------------------------------------------------------------


def test_sql_rewrites_no_explanation(unexplained: Difference, finance: User) -> None:
    reconciliation_decisions.explain(unexplained.pk, actor=finance, note="不明")
    for change in ("note = 'x'", "actor_id = NULL"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE deposits_explanation SET {change}")


def test_sql_explains_no_difference_by_what_was_said_of_another(
    unexplained: Difference, finance: User
) -> None:
    reconciliation_decisions.explain(unexplained.pk, actor=finance, note="不明")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deposits_difference SET their_amount = 5")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE deposits_difference SET run_id = 0")
