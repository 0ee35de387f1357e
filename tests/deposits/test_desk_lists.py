"""Finance's lists: what each deposit lacks, what waits in each state, with counts, sums, and a known cost."""

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Model, Q
from django.test import Client

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from deposits import overview
from deposits.duties import cases, topups
from deposits.models import (
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
    ReturnedPayment,
    TopUpDemand,
)
from deposits.proposals import propose
from tests.admin.test_queue import several
from tests.deposits.conftest import OTHER_COMPANY, deposit_of, leave, reload
from tests.deposits.desk import cost, listed, tabs, url
from tests.deposits.trades import pay_what_is_due
from tests.people import admit
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User


def cny(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.fixture
def desk(finance: User) -> Client:
    return staff_client(finance)


def members(count: int, reviewer: User) -> list[Application]:
    """Paid in full."""
    found = []
    for application in several(count):
        admit(application, reviewer)
        pay_what_is_due(application)
        found.append(reload(application))
    return found


def penalise(application: Application, amount: str, case: str = "violation:1") -> None:
    cases.penalise(
        application.pk, case=f"{case}:{application.pk}", amount=cny(amount), reason="违规", actor=None
    )


def freeze(application: Application, amount: str) -> None:
    cases.freeze(application.pk, case=f"complaint:{application.pk}", claimed=cny(amount))


@pytest.fixture
def five(reviewer: User, approved: Application) -> dict[str, Application]:
    """One that has not paid, one in full, one short, one partly frozen, one that owes."""
    full, short, frozen, owing = members(4, reviewer)
    penalise(short, "1000.00")
    freeze(frozen, "250.00")
    penalise(owing, "100070.00")
    return {"unpaid": approved, "full": full, "short": short, "frozen": frozen, "owing": owing}


def names(rows: list[Deposit], five: dict[str, Application]) -> set[str]:
    by_pk = {application.pk: name for name, application in five.items()}
    return {by_pk[row.application_id] for row in rows}


# Deposits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tab", "found"),
    [
        ("", {"unpaid", "full", "short", "frozen", "owing"}),
        ("short", {"short", "owing"}),
        ("demanded", {"short", "owing"}),
        ("overdue", set()),
        ("owing", {"owing"}),
        ("frozen", {"frozen"}),
    ],
)
def test_the_tabs_find_what_is_the_matter(
    desk: Client, five: dict[str, Application], tab: str, found: set[str]
) -> None:
    query = {"tab": tab} if tab else {}

    assert names(listed(desk, Deposit, **query), five) == found
    assert tabs(desk, Deposit)[tab][0] == len(found)


def test_a_demand_is_overdue_once_its_instant_has_passed(
    desk: Client, five: dict[str, Application], move_clock: object
) -> None:
    demand = TopUpDemand.objects.get(deposit__application=five["short"])

    assert overview_of(overview.demanded(due_before=demand.due_at)) == []
    late = demand.due_at + dt.timedelta(microseconds=1)
    assert five["short"].pk in overview_of(overview.demanded(due_before=late))


def overview_of(condition: Q) -> list[int]:
    return list(Deposit.objects.filter(condition).values_list("application_id", flat=True))


def test_the_shortfall_that_sql_computes_is_the_one_that_is_payable(
    desk: Client, five: dict[str, Application], ops: User, second_ops: User
) -> None:
    applications.request_exit(five["owing"].pk, actor=five["owing"].applicant)
    leave(five["full"])
    applications.expel(
        five["frozen"].pk, investigator=ops, verifier=second_ops, reporter=None, reason="严重违规"
    )

    rows: Any = overview.with_figures(Deposit.objects.select_related("application"))

    states = {row.application.state for row in rows}
    assert states == {State.APPROVED, State.EXITED, State.ACTIVE, State.EXPELLED, State.EXITING}
    for row in rows:
        assert row.missing == topups.payable(row.application, row), row.application.state


def test_the_sums_are_of_the_rows_that_the_filter_leaves(desk: Client, five: dict[str, Application]) -> None:
    def sums(**query: str) -> overview.Sums:
        found: overview.Sums = desk.get(f"{url(Deposit, 'changelist')}?{urlencode(query)}").context["sums"]
        return found

    everything = sums()
    assert everything == overview.Sums(
        count=5,
        required=cny("500000.00"),
        available=cny("298750.00"),
        frozen=cny("250.00"),
        owed=cny("70.00"),
        missing=cny("101070.00"),
    )
    assert sums(tab="short").missing == cny("101070.00")
    assert sums(tab="frozen") == overview.Sums(
        1, cny("100000.00"), cny("99750.00"), cny("250.00"), cny("0.00"), cny("0.00")
    )
    assert sums(q="no such company") == overview.Sums(0, *[cny("0.00")] * 5)


def test_what_is_required_of_a_membership_that_ended_is_not_summed(
    desk: Client, five: dict[str, Application]
) -> None:
    leave(five["full"])

    assert overview.sums(Deposit.objects.all()).required == cny("400000.00")


@pytest.mark.parametrize("field", ["number", "company_name", "credit_code"])
def test_a_deposit_is_found_by(field: str, desk: Client, five: dict[str, Application]) -> None:
    value = getattr(five["short"], field)

    assert names(listed(desk, Deposit, q=value), five) == {"short"}


def test_the_list_sorts_by_what_is_missing(desk: Client, five: dict[str, Application]) -> None:
    column = list(desk.get(url(Deposit, "changelist")).context["cl"].list_display).index("missing_amount")

    rows = listed(desk, Deposit, o=f"-{column}")

    assert [row.missing for row in rows[:2]] == [cny("100070.00"), cny("1000.00")]


def test_a_state_narrows_the_list(desk: Client, five: dict[str, Application]) -> None:
    assert names(listed(desk, Deposit, state="approved"), five) == {"unpaid"}


# Refunds, payouts and the rest ---------------------------------------------------------------------


@pytest.fixture
def outgoing(reviewer: User) -> dict[str, Refund]:
    """A refund that is under way, one that is held, one whose payout needs a decision."""
    under_way, held, stuck = members(3, reviewer)
    penalise(held, "10.00")
    for application in (under_way, held, stuck):
        leave(application)
    refunds = {
        "under_way": deposit_of(under_way).refunds.get(),
        "held": deposit_of(held).refunds.get(),
        "attention": deposit_of(stuck).refunds.get(),
    }
    refunds["attention"].payouts.update(state="calling", attempts=1)
    refunds["attention"].payouts.update(state="attention", last_code="ACQ.BUYER_ERROR")
    return refunds


def test_refunds_stand_in_tabs_with_count_and_sum(desk: Client, outgoing: dict[str, Refund]) -> None:
    assert tabs(desk, Refund) == {
        "held": (1, cny("99990.00")),
        "under_way": (1, cny("100000.00")),
        "attention": (1, cny("100000.00")),
        "done": (0, cny("0.00")),
        "": (3, None),
    }
    for tab, refund in outgoing.items():
        assert listed(desk, Refund, tab=tab) == [refund]


def test_payouts_that_need_a_decision_are_apart(desk: Client, outgoing: dict[str, Refund]) -> None:
    assert listed(desk, Payout, tab="attention") == list(outgoing["attention"].payouts.all())
    assert {name: count for name, (count, _sum) in tabs(desk, Payout).items() if count} == {
        "attention": 1,
        "under_way": 1,
        "held": 1,
        "": 3,
    }


def test_a_refund_is_found_by_the_number_of_its_payout(desk: Client, outgoing: dict[str, Refund]) -> None:
    number = outgoing["held"].payouts.get().number

    assert listed(desk, Refund, q=number) == [outgoing["held"]]
    assert [payout.refund for payout in listed(desk, Payout, q=number)] == [outgoing["held"]]


def test_a_refused_payment_is_listed_with_its_reason(desk: Client, approved: Application) -> None:
    order = pay_what_is_due(approved, buyer_user_id=OTHER_COMPANY)

    assert listed(desk, ReturnedPayment, tab="under_way") == [order.returned]
    assert listed(desk, ReturnedPayment, q=order.out_trade_no) == [order.returned]


def test_compensation_without_a_payee_is_apart(desk: Client, member: Application) -> None:
    cases.settle_case(member.pk, case="complaint:1", award=cny("50.00"), reason="赔付", actor=None)

    assert listed(desk, Compensation, tab="waiting") == list(Compensation.objects.all())
    assert tabs(desk, Compensation)["waiting"] == (1, cny("50.00"))


def test_obligations_and_demands_have_their_states(desk: Client, five: dict[str, Application]) -> None:
    assert [row.amount for row in listed(desk, Obligation, tab="open")] == [cny("70.00")]
    assert len(listed(desk, TopUpDemand, tab="open")) == 2
    assert listed(desk, TopUpDemand, tab="overdue") == listed(desk, TopUpDemand, tab="closed") == []


def test_the_ledger_sums_what_its_filters_leave(desk: Client, five: dict[str, Application]) -> None:
    answer = desk.get(url(LedgerTransfer, "changelist"), {"kind__exact": "penalty"})

    assert (answer.context["count"], answer.context["sum"]) == (2, cny("101000.00"))


@pytest.mark.parametrize("person", ["finance", "second_finance", "ops", "auditor"])
def test_the_queue_of_decisions_knows_whose_turn_it_is(
    person: str, request: pytest.FixtureRequest, five: dict[str, Application], finance: User
) -> None:
    debt = Obligation.objects.get()
    proposal = propose(ProposalKind.WAIVE_OBLIGATION, actor=finance, reason="小额", target=debt)
    client = staff_client(request.getfixturevalue(person))
    turn = {"finance": ("mine",), "second_finance": ("for_me",), "ops": (), "auditor": ()}[person]

    assert listed(client, Proposal, tab="open") == [proposal]
    for tab in ("for_me", "mine"):
        assert listed(client, Proposal, tab=tab) == ([proposal] if tab in turn else [])
    assert listed(client, Proposal, tab="decided") == []


# Cost ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        Deposit,
        Refund,
        Payout,
        ReturnedPayment,
        Compensation,
        Obligation,
        TopUpDemand,
        Proposal,
        LedgerTransfer,
    ],
)
def test_a_list_costs_the_same_for_many_rows(
    model: type[Model], desk: Client, reviewer: User, finance: User, second_finance: User
) -> None:
    few, *more = members(6, reviewer)
    busy(few, second_finance)
    before = cost(desk, url(model, "changelist"))
    assert model._default_manager.exists()

    for application in more:
        busy(application, second_finance)

    assert model._default_manager.count() >= 6
    assert cost(desk, url(model, "changelist")) == before <= 13


def busy(application: Application, proposer: User) -> None:
    """One row of everything: a refused top-up, too."""
    case = f"complaint:{application.pk}"
    cases.settle_case(application.pk, case=case, award=cny("100.00"), reason="赔付", actor=None)
    penalise(application, "100000.00")
    debt = Obligation.objects.get(deposit__application=application)
    propose(ProposalKind.WAIVE_OBLIGATION, actor=proposer, reason="小额", target=debt)
    order = deposit_of(application).orders.get()
    refund = Refund.objects.create(
        deposit=order.deposit, amount=cny("10.00"), key=f"r{application.pk}", reason="多缴"
    )
    Payout.objects.create(refund=refund, order=order, method="trade_refund", amount=cny("10.00"))
    pay_what_is_due(application, buyer_user_id=OTHER_COMPANY)
