"""Exits: the notice period, what has to be cleared, and the sweep that completes them."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from applications.signals import moved
from compliance import directory, exits, selectors
from compliance.models import ExitOutcome, ExitRequest, Violation
from compliance.tasks import sweep_exits
from compliance.violations import services as violations
from deposits import proposals
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, obligations
from deposits.locks import lock_deposit
from deposits.models import Obligation, ProposalKind
from tests.compliance.conftest import REASON, activate, investigate, report
from tests.people import CREDIT_CODE, OTHER_CREDIT_CODE, admit, begin, complete, hand_in
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

MoveClock = Callable[..., None]


def state(application: Application) -> str:
    return Application.objects.get(pk=application.pk).state


def the_exit(application: Application) -> ExitRequest:
    return ExitRequest.objects.get(application=application)


def missing(application: Application) -> list[str]:
    return [item.code for item in exits.clearance(the_exit(application)) if not item.cleared]


def penalise(application: Application, amount: str) -> None:
    cases.penalise(application.pk, case="violation:1", amount=Decimal(amount), reason="扣罚", actor=None)


def pay_in(application: Application, amount: str) -> None:
    """As a payment from the cashier does."""
    with transaction.atomic():
        _application, deposit = lock_deposit(application.pk)
        ledger.post(Kind.TOP_UP, Decimal(amount), key="paid in", deposit=deposit)
        obligations.settle(deposit)


# The request ---------------------------------------------------------------------------------------


def test_a_request_opens_a_notice_period(exiting: Application, merchant: User) -> None:
    request = the_exit(exiting)

    assert request.requested_by == merchant
    assert request.requested_at == exiting.state_since
    assert request.notice_ends_at - request.requested_at == dt.timedelta(days=30)
    assert missing(exiting) == ["notice"]
    assert not directory.providers().exists(), "who is leaving takes no new customers"


def test_who_was_never_in_the_pool_owes_no_notice(approved: Application, merchant: User) -> None:
    applications.record_deposit(approved.pk)

    applications.request_exit(approved.pk, actor=merchant)

    assert missing(approved) == []
    sweep_exits()
    assert state(approved) == State.EXITED


def test_the_notice_keeps_the_rule_of_the_day_it_was_given(
    exiting: Application, move_clock: MoveClock
) -> None:
    set_rule("exit.notice_days", 90, clock.now() + dt.timedelta(days=1))

    move_clock(days=30, seconds=1)

    assert missing(exiting) == []


def test_a_cancelled_exit_leads_back_and_closes_its_row(exiting: Application, merchant: User) -> None:
    applications.cancel_exit(exiting.pk, actor=merchant)

    assert state(exiting) == State.ACTIVE
    assert the_exit(exiting).outcome == ExitOutcome.CANCELLED
    assert directory.providers().exists()


def test_a_second_exit_gives_notice_anew(exiting: Application, merchant: User, move_clock: MoveClock) -> None:
    applications.cancel_exit(exiting.pk, actor=merchant)
    move_clock(days=20)

    applications.request_exit(exiting.pk, actor=merchant)

    request = selectors.open_exit(exiting)
    assert request is not None
    assert request.notice_ends_at > clock.now() + dt.timedelta(days=29)
    assert exiting.exit_requests.count() == 2


def test_one_exit_is_open_at_a_time(exiting: Application) -> None:
    now = clock.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExitRequest.objects.create(application=exiting, requested_at=now, notice_ends_at=now)


def test_a_closed_exit_has_an_outcome(exiting: Application) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ExitRequest.objects.update(closed_at=clock.now())


# The sweep -----------------------------------------------------------------------------------------


def test_the_sweep_completes_an_exit_when_the_notice_is_over(
    exiting: Application, move_clock: MoveClock
) -> None:
    sweep_exits()
    assert state(exiting) == State.EXITING

    move_clock(days=30)
    sweep_exits()

    assert state(exiting) == State.EXITED
    request = the_exit(exiting)
    assert request.outcome == ExitOutcome.COMPLETED
    step = exiting.transitions.last()
    assert step is not None
    assert (step.name, step.actor, step.at) == ("complete_exit", None, request.closed_at)


def test_a_repeated_sweep_does_nothing_more(exiting: Application, move_clock: MoveClock) -> None:
    move_clock(days=31)

    sweep_exits()
    sweep_exits()

    assert exiting.transitions.filter(name="complete_exit").count() == 1


def test_an_open_violation_holds_the_exit_until_it_is_decided(
    exiting: Application, ops: User, second_ops: User, move_clock: MoveClock
) -> None:
    violation = report(exiting, ops, "general")
    move_clock(days=31)
    sweep_exits()
    assert state(exiting) == State.EXITING
    assert missing(exiting) == ["violations"]

    violations.take_up(violation.pk, actor=second_ops)
    sweep_exits()
    assert state(exiting) == State.EXITING

    violations.dismiss(violation.pk, actor=second_ops, reason=REASON)
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_a_debt_holds_the_exit_until_it_is_paid(exiting: Application, move_clock: MoveClock) -> None:
    penalise(exiting, "100500.00")
    move_clock(days=31)
    sweep_exits()
    assert state(exiting) == State.EXITING
    assert missing(exiting) == ["obligations"]
    [item] = [item for item in exits.obstacles(exiting) if not item.cleared]
    assert "500.00" in item.missing and exiting.number in item.url

    pay_in(exiting, "500.00")
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_a_debt_that_two_people_waive_holds_nobody(
    exiting: Application, finance: User, second_finance: User, move_clock: MoveClock
) -> None:
    penalise(exiting, "100500.00")
    waiver = proposals.propose(
        ProposalKind.WAIVE_OBLIGATION, actor=finance, reason="协商一致", target=Obligation.objects.get()
    )
    proposals.accept(waiver.pk, actor=second_finance)
    move_clock(days=31)
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_what_is_only_missing_to_the_required_amount_holds_nobody(
    exiting: Application, move_clock: MoveClock
) -> None:
    penalise(exiting, "2000.00")
    move_clock(days=31)
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_a_freeze_holds_the_exit_until_its_case_is_decided(
    exiting: Application, move_clock: MoveClock
) -> None:
    cases.freeze(exiting.pk, case="complaint:1", claimed=Decimal("800.00"))
    move_clock(days=31)
    sweep_exits()
    assert state(exiting) == State.EXITING
    assert missing(exiting) == ["frozen"]

    cases.release(exiting.pk, case="complaint:1")
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_what_is_not_cleared_is_refused_with_what_is_missing(exiting: Application) -> None:
    with pytest.raises(DomainError) as refusal:
        exits.complete_exit(exiting.pk)

    assert refusal.value.code == "not_cleared"


def test_a_member_that_does_not_leave_cannot_be_completed(active: Application) -> None:
    with pytest.raises(DomainError) as refusal:
        exits.complete_exit(active.pk)

    assert refusal.value.code == "wrong_state"


def test_an_expulsion_ends_the_exit(
    exiting: Application, ops: User, second_ops: User, third_ops: User, move_clock: MoveClock
) -> None:
    violation = investigate(report(exiting, ops), second_ops)

    violations.verify(violation.pk, actor=third_ops, reason=REASON)

    assert state(exiting) == State.EXPELLED
    assert the_exit(exiting).outcome == ExitOutcome.EXPELLED
    move_clock(days=60)
    sweep_exits()
    assert state(exiting) == State.EXPELLED


def test_an_exit_that_fails_stops_no_other(
    exiting: Application, stranger: User, reviewer: User, move_clock: MoveClock
) -> None:
    assert OTHER_CREDIT_CODE != CREDIT_CODE
    draft = complete(begin(stranger), credit_code=OTHER_CREDIT_CODE)
    other = activate(admit(hand_in(draft), reviewer))
    applications.request_exit(other.pk, actor=stranger)
    move_clock(days=31)

    def refuse(application: Application, **kwargs: object) -> None:
        if application.pk == exiting.pk:
            raise RuntimeError("a receiver that can't write its rows")

    moved.connect(refuse)
    try:
        sweep_exits()
    finally:
        moved.disconnect(refuse)

    assert (state(exiting), state(other)) == (State.EXITING, State.EXITED)
    assert the_exit(exiting).closed_at is None
    sweep_exits()
    assert state(exiting) == State.EXITED


def test_the_sweep_asks_once_for_those_that_wait(
    exiting: Application, django_assert_num_queries: Callable[..., Any]
) -> None:
    with django_assert_num_queries(1):
        sweep_exits()


def test_a_violation_of_another_provider_holds_nobody(exiting: Application) -> None:
    assert not Violation.objects.exists()
    assert not selectors.open_violations(exiting).exists()
