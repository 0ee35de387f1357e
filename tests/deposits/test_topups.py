"""补缴: the demand and its date, reminders, the suspension and its end, and what a top-up may and may not do."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from applications import services as applications
from applications import suspensions
from applications.door import clock_text
from applications.lifecycle import State
from applications.models import Application
from deposits import tasks
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, topups
from deposits.incoming import payments
from deposits.locks import lock_deposit
from deposits.models import LedgerTransfer, Obligation, PaymentOrder, Purpose, TopUpDemand
from tests.deposits.conftest import Pay, deposit_of, expel, leave, pay_out, reload, settle
from tests.people import OTHER_CREDIT_CODE, admit, begin, complete, hand_in
from tests.rules import set_rule
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]

TOPUP = dt.timedelta(days=15)


def deduct(application: Application, amount: str) -> TopUpDemand | None:
    """A penalty, as a decision on a case imposes it."""
    case = f"violation:{LedgerTransfer.objects.count()}"
    cases.penalise(application.pk, case=case, amount=Decimal(amount), reason="扣罚", actor=None)
    return TopUpDemand.objects.filter(deposit__application=application, closed_at=None).first()


def give(application: Application, amount: str) -> None:
    """Money comes into the deposit in another way than by a top-up."""
    with transaction.atomic():
        _application, deposit = lock_deposit(application.pk)
        key = f"given:{deposit.transfers.count()}"
        ledger.post(Kind.TOP_UP, Decimal(amount), key=key, deposit=deposit)
        topups.close_if_met(deposit)


def the_demand(application: Application) -> TopUpDemand:
    return TopUpDemand.objects.get(deposit__application=application)


def sweep() -> None:
    """What the beat has done by the time, all of it."""
    tasks.sweep_required()
    tasks.sweep_demands()
    tasks.sweep_overdue_demands()


def notices(application: Application, part: str) -> list[Notice]:
    return list(
        Notice.objects.filter(recipient=application.applicant, key__contains=part).order_by("created_at")
    )


def steps(application: Application) -> list[str]:
    return list(application.transitions.order_by("pk").values_list("name", flat=True))


def until(moment: dt.datetime) -> float:
    return (moment - clock.now()).total_seconds()


# The demand ----------------------------------------------------------------------------------------


def test_a_deduction_demands_what_is_missing_by_a_date_and_says_both(member: Application) -> None:
    before = clock.now()

    demand = deduct(member, "12345.60")

    assert demand is not None
    assert before + TOPUP <= demand.due_at <= clock.now() + TOPUP
    [notice] = notices(member, "demand")
    assert "¥12,345.60" in notice.body
    assert clock_text(demand.due_at) in notice.body


def test_the_debt_that_a_deduction_leaves_is_missing_too(member: Application) -> None:
    deduct(member, "102500.00")

    assert deposit_of(member).shortfall == Decimal("102500.00")
    assert "¥102,500.00" in notices(member, "demand")[0].body


def test_a_further_deduction_has_its_full_days_in_the_same_demand(
    member: Application, move_clock: MoveClock
) -> None:
    first = deduct(member, "1000.00")
    assert first is not None
    move_clock(days=10)

    second = deduct(member, "500.00")

    assert second is not None and second.pk == first.pk
    assert second.due_at >= first.due_at + dt.timedelta(days=10)
    assert "¥1,500.00" in notices(member, "demand")[-1].body


def test_a_further_deduction_never_brings_the_date_forward(member: Application) -> None:
    deduct(member, "1000.00")
    later = clock.now() + dt.timedelta(days=60)
    TopUpDemand.objects.update(due_at=later)

    demand = deduct(member, "500.00")

    assert demand is not None and demand.due_at == later


def test_a_freeze_is_no_shortfall(member: Application) -> None:
    cases.freeze(member.pk, case="complaint:1", claimed=Decimal("8000.00"))
    sweep()
    assert not TopUpDemand.objects.exists()


def test_a_top_up_meets_the_demand(active: Application, pay: Pay) -> None:
    deduct(active, "1000.00")

    order = settle(pay(active))

    assert (order.purpose, order.amount, order.state) == (Purpose.TOP_UP, Decimal("1000.00"), "paid")
    demand = the_demand(active)
    assert demand.outcome == "met" and demand.closed_at is not None
    assert deposit_of(active).shortfall == 0


def test_a_top_up_pays_the_debts_first_and_fills_up_with_the_rest(active: Application, pay: Pay) -> None:
    deduct(active, "102500.00")

    order = settle(pay(active))

    assert (order.amount, order.state) == (Decimal("102500.00"), "paid")
    assert Obligation.objects.get().state == "settled"
    deposit = deposit_of(active)
    assert (deposit.available, deposit.owed) == (Decimal("100000.00"), Decimal("0.00"))
    assert the_demand(active).outcome == "met"


def test_an_increase_that_is_not_enough_leaves_the_demand_as_it_is(member: Application) -> None:
    demand = deduct(member, "1000.00")
    assert demand is not None

    give(member, "999.99")

    assert the_demand(member).closed_at is None
    assert the_demand(member).due_at == demand.due_at


def test_a_new_deduction_after_a_met_demand_opens_another(active: Application, pay: Pay) -> None:
    deduct(active, "1000.00")
    settle(pay(active))

    deduct(active, "300.00")

    assert [demand.outcome for demand in TopUpDemand.objects.order_by("pk")] == ["met", ""]


def test_an_applicant_that_has_not_paid_is_demanded_nothing(approved: Application) -> None:
    sweep()
    assert not TopUpDemand.objects.exists()


# Orders whose amount no longer fits ----------------------------------------------------------------


def open_order(application: Application) -> PaymentOrder:
    return payments.open_order(application.pk, actor=application.applicant)


def state_of(order: PaymentOrder) -> str:
    return PaymentOrder.objects.get(pk=order.pk).state


def test_an_order_over_more_than_is_missing_now_is_closed(active: Application, alipay: SandboxClient) -> None:
    deduct(active, "1000.00")
    order = open_order(active)

    give(active, "400.00")

    assert state_of(order) == "closing"
    assert open_order(active).amount == Decimal("600.00")


def test_an_order_that_was_right_when_it_was_made_is_taken_though_more_is_missing_now(
    active: Application, pay: Pay
) -> None:
    deduct(active, "1000.00")
    order = pay(active)
    deduct(active, "500.00")

    assert settle(order).state == "paid"
    assert deposit_of(active).shortfall == Decimal("500.00")
    assert the_demand(active).closed_at is None


def test_a_payment_of_more_than_is_missing_goes_back(
    active: Application, pay: Pay, alipay: SandboxClient
) -> None:
    deduct(active, "1000.00")
    order = pay(active)
    give(active, "400.00")

    assert settle(order).state == "refused"
    pay_out()
    assert deposit_of(active).shortfall == Decimal("600.00")
    [refund] = alipay.refunds()
    assert Decimal(refund["amount"]) == Decimal("1000.00")


def test_of_two_top_ups_that_were_paid_the_second_goes_back(active: Application, pay: Pay) -> None:
    deduct(active, "1000.00")
    first = pay(active)
    deduct(active, "500.00")
    second = pay(active)  # over 1,500, as the first is not known to be paid

    assert settle(second).state == "paid"
    assert settle(first).state == "refused"
    assert deposit_of(active).shortfall == 0


# Reminders -----------------------------------------------------------------------------------------


def reminders(application: Application) -> list[Notice]:
    return notices(application, ":reminder:")


def test_each_reminder_comes_once(member: Application, move_clock: MoveClock) -> None:
    demand = deduct(member, "1000.00")
    assert demand is not None
    sweep()
    assert not reminders(member)

    for days, expected in ((7, 1), (3, 2), (1, 3)):
        move_clock(seconds=until(demand.due_at) - days * 86400 - 60)
        sweep()
        assert len(reminders(member)) == expected - 1
        move_clock(seconds=61)
        sweep()
        sweep()
        assert len(reminders(member)) == expected

    assert "¥1,000.00" in reminders(member)[-1].body
    assert clock_text(demand.due_at) in reminders(member)[-1].body


def test_after_nights_without_a_worker_only_the_nearest_reminder_comes(
    member: Application, move_clock: MoveClock
) -> None:
    deduct(member, "1000.00")
    move_clock(days=14, hours=12)

    sweep()
    sweep()

    assert len(reminders(member)) == 1


def test_a_later_date_is_reminded_of_anew(member: Application, move_clock: MoveClock) -> None:
    deduct(member, "1000.00")
    move_clock(days=14, hours=12)
    sweep()

    deduct(member, "500.00")
    sweep()
    assert len(reminders(member)) == 1
    move_clock(days=8, hours=1)
    sweep()

    assert len(reminders(member)) == 2


def test_whoever_is_told_of_a_short_time_is_not_reminded_of_it_at_once(
    member: Application, move_clock: MoveClock
) -> None:
    set_rule("deposit.topup_days", 5)
    deduct(member, "1000.00")
    sweep()
    assert not reminders(member)

    move_clock(days=2, seconds=5)
    sweep()
    assert len(reminders(member)) == 1


def test_a_demand_keeps_the_reminders_of_its_own_moment(member: Application, move_clock: MoveClock) -> None:
    deduct(member, "1000.00")
    set_rule("deposit.reminder_days", [14, 7, 3, 1])

    move_clock(days=2)
    sweep()
    assert not reminders(member)
    move_clock(days=6, hours=1)
    sweep()
    assert len(reminders(member)) == 1


def test_nobody_is_reminded_of_a_demand_that_is_met(member: Application, move_clock: MoveClock) -> None:
    deduct(member, "1000.00")
    give(member, "1000.00")
    move_clock(days=14)
    sweep()
    assert not reminders(member)


# The date passes -----------------------------------------------------------------------------------


@pytest.fixture
def late(member: Application, move_clock: MoveClock) -> Application:
    """Suspended, as it topped up too late."""
    deduct(member, "1000.00")
    move_clock(days=15, seconds=1)
    sweep()
    assert reload(member).state == State.SUSPENDED
    return reload(member)


def test_the_instant_itself_is_in_time(member: Application) -> None:
    deduct(member, "1000.00")
    now = clock.now()
    TopUpDemand.objects.update(due_at=now)
    frozen = pytest.MonkeyPatch()
    try:
        frozen.setattr(clock, "now", lambda: now)
        sweep()
        assert reload(member).state == State.ACTIVE
        frozen.setattr(clock, "now", lambda: now + dt.timedelta(microseconds=1))
        sweep()
        assert reload(member).state == State.SUSPENDED
    finally:
        frozen.undo()


def test_when_the_date_passes_the_member_is_suspended_and_told_why(late: Application) -> None:
    [suspension] = late.suspensions.all()
    assert (suspension.cause, suspension.lifted_at) == ("shortfall", None)
    assert "1,000.00" in suspension.reason
    assert the_demand(late).lapsed_at is not None


def test_a_second_sweep_suspends_nobody_again(late: Application) -> None:
    sweep()
    assert late.suspensions.count() == 1
    assert steps(late).count("suspend") == 1


def test_a_night_without_a_worker_delays_the_suspension_and_loses_nothing(
    member: Application, move_clock: MoveClock
) -> None:
    deduct(member, "1000.00")
    move_clock(days=16)
    sweep()
    assert reload(member).state == State.SUSPENDED
    assert not reminders(member)


def test_a_top_up_lifts_the_suspension_in_the_same_step(late: Application, pay: Pay) -> None:
    settle(pay(late))

    assert reload(late).state == State.ACTIVE
    [suspension] = late.suspensions.all()
    assert suspension.lifted_at is not None and suspension.lifted_by is None
    assert the_demand(late).outcome == "met"
    assert steps(late)[-2:] == ["deposit_topped_up", "reinstate"]


def test_whatever_else_fills_the_deposit_lifts_it_too(late: Application) -> None:
    give(late, "1000.00")
    assert reload(late).state == State.ACTIVE


def test_a_part_is_not_enough(late: Application) -> None:
    give(late, "999.99")
    assert reload(late).state == State.SUSPENDED


def test_a_sanction_outlives_the_top_up(late: Application, pay: Pay) -> None:
    suspensions.suspend(late.pk, cause="sanction", reason="违规", case="violation:1")
    settle(pay(late))
    assert reload(late).state == State.SUSPENDED


def test_who_is_suspended_for_something_else_has_one_reason_more(
    member: Application, move_clock: MoveClock
) -> None:
    suspensions.suspend(member.pk, cause="sanction", reason="违规", case="violation:1")
    deduct(member, "1000.00")
    move_clock(days=15, seconds=1)
    sweep()
    assert sorted(member.suspensions.values_list("cause", flat=True)) == ["sanction", "shortfall"]


def test_more_deducted_from_a_suspended_member_moves_no_date(late: Application) -> None:
    before = the_demand(late)
    deduct(late, "200.00")
    assert the_demand(late).due_at == before.due_at
    body = notices(late, "demand")[-1].body
    assert "¥1,200.00" in body and f"{before.due_at:%Y-%m-%d}" not in body


def test_a_payment_before_the_date_counts_however_late_its_news(
    active: Application, pay: Pay, move_clock: MoveClock
) -> None:
    demand = deduct(active, "1000.00")
    assert demand is not None
    move_clock(seconds=until(demand.due_at) - 10)
    order = pay(active)
    move_clock(seconds=60)

    sweep()

    assert reload(active).state == State.ACTIVE
    assert state_of(order) == "paid"
    assert "suspend" not in steps(active)


def test_nobody_is_suspended_while_alipay_cant_be_asked(
    active: Application, pay: Pay, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    demand = deduct(active, "1000.00")
    assert demand is not None
    order = pay(active)
    move_clock(seconds=until(demand.due_at) + 60)
    alipay.fault("alipay.trade.query", "http_502", times=-1)
    sweep()
    assert reload(active).state == State.ACTIVE

    alipay.clear_faults()
    sweep()
    assert (reload(active).state, state_of(order)) == (State.ACTIVE, "paid")


def test_an_order_that_nobody_pays_saves_nobody(
    active: Application, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    demand = deduct(active, "1000.00")
    assert demand is not None
    move_clock(seconds=until(demand.due_at) - 10)
    open_order(active)
    move_clock(seconds=60)
    sweep()
    assert reload(active).state == State.SUSPENDED


def test_one_that_has_not_begun_to_serve_is_suspended_as_soon_as_it_has(
    approved: Application, pay: Pay, move_clock: MoveClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Application.objects.filter(pk=approved.pk).update(licence_valid_until=clock.today())
    move_clock(days=1)
    settle(pay(approved))
    assert reload(approved).state == State.DEPOSIT_PAID
    deduct(approved, "1000.00")
    move_clock(days=13)
    sweep()
    assert len(reminders(approved)) == 1
    move_clock(days=3)
    sweep()
    assert reload(approved).state == State.DEPOSIT_PAID

    Application.objects.filter(pk=approved.pk).update(licence_valid_until=dt.date(2040, 1, 1))
    assert applications.activate_if_ready(approved.pk)
    sweep()

    assert reload(approved).state == State.SUSPENDED


# Leaving, staying after all, the end ---------------------------------------------------------------


def test_one_that_is_leaving_owes_its_obligations_only(active: Application, pay: Pay) -> None:
    deduct(active, "102500.00")
    order = open_order(active)
    applications.request_exit(active.pk, actor=active.applicant)
    assert state_of(order) == "closing"

    paid = settle(pay(reload(active)))

    assert (paid.state, paid.amount) == ("paid", Decimal("2500.00"))


def test_one_that_is_leaving_and_owes_nothing_has_nothing_to_pay(member: Application) -> None:
    deduct(member, "1000.00")
    applications.request_exit(member.pk, actor=member.applicant)
    with pytest.raises(DomainError, match="nothing_due"):
        open_order(member)


def test_one_that_is_leaving_is_neither_reminded_nor_suspended(
    member: Application, move_clock: MoveClock
) -> None:
    deduct(member, "1000.00")
    applications.request_exit(member.pk, actor=member.applicant)
    move_clock(days=13)
    sweep()
    move_clock(days=5)
    sweep()
    assert reload(member).state == State.EXITING
    assert not reminders(member)
    assert not member.suspensions.exists()


def test_the_time_of_leaving_doesnt_count_for_one_that_stays(
    member: Application, move_clock: MoveClock
) -> None:
    before = deduct(member, "1000.00")
    assert before is not None
    move_clock(days=10)
    applications.request_exit(member.pk, actor=member.applicant)
    move_clock(days=20)
    applications.cancel_exit(member.pk, actor=member.applicant)
    sweep()

    assert reload(member).state == State.ACTIVE
    extended = the_demand(member).due_at - before.due_at
    assert dt.timedelta(days=20) <= extended < dt.timedelta(days=20, minutes=1)


def test_what_was_deducted_while_leaving_is_demanded_once_it_stays(member: Application) -> None:
    applications.request_exit(member.pk, actor=member.applicant)
    assert deduct(member, "1000.00") is None

    applications.cancel_exit(member.pk, actor=member.applicant)

    assert the_demand(member).closed_at is None


@pytest.mark.parametrize("ending", ["exit", "expulsion"])
def test_the_end_of_the_membership_ends_the_demand(
    member: Application, ops: User, second_ops: User, ending: str
) -> None:
    deduct(member, "1000.00")
    leave(member) if ending == "exit" else expel(member, ops, second_ops)
    assert the_demand(member).outcome == "ended"
    sweep()
    assert TopUpDemand.objects.count() == 1


# What no verb has seen -----------------------------------------------------------------------------


def test_a_shortfall_that_nobody_demanded_is_found(member: Application) -> None:
    with transaction.atomic():
        _application, deposit = lock_deposit(member.pk)
        ledger.post(Kind.PENALTY, Decimal("700.00"), key="unnoticed", deposit=deposit, case="case:1")
    sweep()
    sweep()
    assert the_demand(member).closed_at is None
    assert len(notices(member, "demand")) == 1


def test_a_demand_that_nobody_closed_is_found(member: Application) -> None:
    deduct(member, "700.00")
    with transaction.atomic():
        _application, deposit = lock_deposit(member.pk)
        ledger.post(Kind.TOP_UP, Decimal("700.00"), key="unnoticed", deposit=deposit)
    sweep()
    assert the_demand(member).outcome == "met"


# The required amount changes -----------------------------------------------------------------------


def require(amount: str) -> None:
    set_rule("deposit.required", amount)


def test_a_raise_gives_members_thirty_days(member: Application, move_clock: MoveClock) -> None:
    require("150000.00")
    sweep()

    demand = the_demand(member)
    assert demand.cause == "raised"
    assert deposit_of(member).required == Decimal("150000.00")
    assert dt.timedelta(days=29) < demand.due_at - clock.now() <= dt.timedelta(days=30)
    [notice] = notices(member, "demand")
    assert "¥150,000.00" in notice.body and "¥50,000.00" in notice.body

    move_clock(days=5)
    sweep()
    assert the_demand(member).due_at == demand.due_at


def test_a_raise_leaves_approved_applications_alone_until_they_are_members(
    approved: Application, pay: Pay
) -> None:
    require("150000.00")
    sweep()
    assert deposit_of(approved).required == Decimal("100000.00")
    assert settle(pay(approved)).state == "paid"

    sweep()

    assert deposit_of(approved).required == Decimal("150000.00")
    assert the_demand(approved).cause == "raised"


def test_a_raise_gives_a_running_demand_its_days_as_well(member: Application) -> None:
    before = deduct(member, "1000.00")
    assert before is not None
    require("150000.00")
    sweep()
    after = the_demand(member)
    assert (after.pk, after.cause) == (before.pk, "deduction")
    assert after.due_at > before.due_at + dt.timedelta(days=14)


def test_a_lower_requirement_closes_demands_and_lifts_suspensions(late: Application) -> None:
    require("99000.00")
    sweep()
    assert the_demand(late).outcome == "met"
    assert reload(late).state == State.ACTIVE
    assert notices(late, "required")


def test_a_raise_costs_each_member_the_same(member: Application, stranger: User, reviewer: User) -> None:
    def cost(amount: str) -> int:
        require(amount)
        with CaptureQueriesContext(connection) as queries:
            tasks.sweep_required()
        return len(queries)

    nobody = cost("100000.00")
    one = cost("110000.00")
    other = admit(hand_in(complete(begin(stranger), credit_code=OTHER_CREDIT_CODE)), reviewer)
    with transaction.atomic():
        applications.record_deposit(other.pk)
        ledger.post(Kind.PAYMENT, Decimal("110000.00"), key="other", deposit=deposit_of(other))
    TopUpDemand.objects.update(outcome="met", closed_at=clock.now())
    give(member, "10000.00")
    two = cost("120000.00")

    assert nobody == 2
    assert two - nobody == 2 * (one - nobody)


# The first payment ---------------------------------------------------------------------------------


def test_whoever_is_approved_is_reminded_of_the_deposit_twice(
    approved: Application, move_clock: MoveClock
) -> None:
    assert approved.deadline_at is not None
    for days, expected in ((3, 1), (1, 2)):
        move_clock(seconds=until(approved.deadline_at) - days * 86400 - 60)
        tasks.sweep_payment_reminders()
        assert len(notices(approved, "payment-reminder")) == expected - 1
        move_clock(seconds=61)
        tasks.sweep_payment_reminders()
        tasks.sweep_payment_reminders()
        assert len(notices(approved, "payment-reminder")) == expected
    assert "¥100,000.00" in notices(approved, "payment-reminder")[0].body


def test_after_nights_without_a_worker_one_reminder_of_the_deposit_comes(
    approved: Application, move_clock: MoveClock
) -> None:
    move_clock(days=14, hours=12)
    tasks.sweep_payment_reminders()
    tasks.sweep_payment_reminders()
    assert len(notices(approved, "payment-reminder")) == 1


def test_nobody_is_reminded_of_a_deposit_that_is_paid_or_too_late(
    approved: Application, pay: Pay, move_clock: MoveClock
) -> None:
    order = pay(approved)
    move_clock(days=16)
    tasks.sweep_payment_reminders()
    settle(order)
    tasks.sweep_payment_reminders()
    assert not notices(approved, "payment-reminder")
