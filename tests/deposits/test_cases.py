"""What cases do to a deposit: freeze, pay, set free, charge; each once, of members and of expelled companies."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from applications import reversals
from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from deposits.books import ledger
from deposits.books.accounts import RECEIPTS, Account
from deposits.duties import cases
from deposits.gateways.alipay import IdentityType
from deposits.models import Compensation, Deposit, LedgerTransfer, Obligation, Payout, TopUpDemand
from deposits.outgoing.payees import Payee
from tests.deposits.conftest import REQUIRED, books_agree, deposit_of, expel, leave, reload
from tests.deposits.trades import pay_what_is_due
from tests.people import OTHER_CREDIT_CODE, admit, begin, complete, hand_in, make_staff
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

CASE = "complaint:T1"
OTHER_CASE = "complaint:T2"
CUSTOMER = Payee("2088101000000299", IdentityType.USER_ID, "顾客丙")


def cny(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.fixture
def expelled(member: Application, ops: User, second_ops: User) -> Application:
    """With CNY 30,000 frozen for CASE when it was expelled."""
    cases.freeze(member.pk, case=CASE, claimed=cny("30000.00"))
    expel(member, ops, second_ops)
    return reload(member)


def sums(application: Application) -> tuple[Decimal, Decimal, Decimal]:
    """Available, frozen, owed."""
    deposit = deposit_of(application)
    return deposit.available, deposit.frozen, deposit.owed


def settle(application: Application, award: str, case: str = CASE, **options: Any) -> cases.Outcome:
    return cases.settle_case(
        application.pk, case=case, award=cny(award), **({"reason": "退款不退货", "actor": None} | options)
    )


def penalise(application: Application, amount: str, case: str = CASE) -> cases.Outcome:
    return cases.penalise(application.pk, case=case, amount=cny(amount), reason="延迟发货", actor=None)


def charge(application: Application, amount: str, case: str = CASE) -> cases.Outcome:
    return cases.charge_breach(application.pk, case=case, amount=cny(amount), reason="超时未回应", actor=None)


def rows(application: Application) -> int:
    return LedgerTransfer.objects.filter(deposit__application=application).count()


def of_kind(application: Application, *kinds: str) -> list[Decimal]:
    found = LedgerTransfer.objects.filter(deposit__application=application, kind__in=kinds)
    return list(found.order_by("pk").values_list("amount", flat=True))


def steps(application: Application) -> list[str]:
    return list(application.transitions.order_by("pk").values_list("name", flat=True))


def subjects(application: Application) -> list[str]:
    notices = Notice.objects.filter(recipient=application.applicant, key__startswith="deposit:")
    return list(notices.order_by("pk").values_list("subject", flat=True))


# Freeze --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "cap", "frozen"),
    [
        ("300.50", None, "300.50"),
        ("300.50", "200.00", "200.00"),
        ("300.50", "400.00", "300.50"),
        ("250000.00", "150000.00", "100000.00"),
    ],
)
def test_what_is_claimed_is_frozen_as_far_as_order_and_deposit_allow(
    member: Application, claim: str, cap: str | None, frozen: str
) -> None:
    limit = None if cap is None else cny(cap)

    assert cases.freeze(member.pk, case=CASE, claimed=cny(claim), cap=limit) == cny(frozen)

    assert sums(member) == (REQUIRED - cny(frozen), cny(frozen), 0)
    assert deposit_of(member).shortfall == 0, "a freeze is no shortfall"
    assert not TopUpDemand.objects.exists()
    assert "deposit_frozen" in steps(member)
    assert books_agree()


def test_a_case_freezes_once(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    cases.release(member.pk, case=OTHER_CASE)

    assert cases.freeze(member.pk, case=CASE, claimed=cny("300.00")) == cny("300.00")
    with pytest.raises(ledger.KeyUsed):
        cases.freeze(member.pk, case=CASE, claimed=cny("301.00"))

    assert sums(member) == (cny("99700.00"), cny("300.00"), 0)


def test_a_case_that_found_nothing_freezes_nothing_later(member: Application) -> None:
    cases.freeze(member.pk, case=OTHER_CASE, claimed=REQUIRED)
    assert cases.freeze(member.pk, case=CASE, claimed=cny("300.00")) == 0

    cases.release(member.pk, case=OTHER_CASE)

    assert cases.freeze(member.pk, case=CASE, claimed=cny("300.00")) == 0
    assert sums(member) == (REQUIRED, 0, 0)


def test_each_case_has_its_own_frozen_sum(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    cases.freeze(member.pk, case=OTHER_CASE, claimed=cny("500.00"))
    deposit = deposit_of(member)

    assert cases.frozen_for(deposit, CASE) == cny("300.00")
    assert cases.frozen_for(deposit, OTHER_CASE) == cny("500.00")
    assert cases.frozen_for(deposit, "complaint:T3") == 0


def test_nothing_is_frozen_for_a_case_that_is_decided(member: Application) -> None:
    cases.release(member.pk, case=CASE)
    with pytest.raises(DomainError, match="decided"):
        cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    assert sums(member) == (REQUIRED, 0, 0)


# The final decision --------------------------------------------------------------------------------


def test_the_award_comes_out_of_what_was_frozen_and_the_rest_is_free_again(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))

    outcome = settle(member, "120.00")

    assert outcome == cases.Outcome(taken=cny("120.00"), released=cny("180.00"))
    assert sums(member) == (cny("99880.00"), 0, 0)
    assert cases.frozen_for(deposit_of(member), CASE) == 0
    assert TopUpDemand.objects.get().deposit == deposit_of(member)
    assert steps(member)[-2:] == ["compensation_deducted", "deposit_released"]
    assert books_agree()


def test_an_award_over_what_was_frozen_takes_what_is_available(member: Application) -> None:
    cases.freeze(member.pk, case=OTHER_CASE, claimed=cny("1000.00"))
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))

    outcome = settle(member, "99500.00")

    assert outcome == cases.Outcome(taken=cny("99000.00"), owed=cny("500.00"))
    assert sums(member) == (0, cny("1000.00"), cny("500.00"))
    assert cases.frozen_for(deposit_of(member), OTHER_CASE) == cny("1000.00"), "another case's stays"
    assert Compensation.objects.get().amount == cny("99000.00")
    assert deposit_of(member).shortfall == cny("99500.00")
    assert books_agree()


def test_a_case_without_a_freeze_is_paid_from_what_is_available(member: Application) -> None:
    assert settle(member, "120.00").taken == cny("120.00")
    assert sums(member) == (cny("99880.00"), 0, 0)


def test_a_case_is_settled_once(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    first = settle(member, "250000.00")
    before = rows(member)

    assert settle(member, "250000.00") == first
    with pytest.raises(ledger.KeyUsed):
        settle(member, "120.00")
    with pytest.raises(ledger.KeyUsed):
        cases.release(member.pk, case=CASE)

    assert rows(member) == before
    assert Compensation.objects.count() == 1
    assert Obligation.objects.count() == 1


def test_a_case_dismissed_without_money_cant_be_awarded_later(member: Application) -> None:
    """Nothing was frozen and nothing paid: the decision is remembered all the same."""
    settle(member, "0.00")
    with pytest.raises(ledger.KeyUsed):
        settle(member, "120.00")
    assert sums(member) == (REQUIRED, 0, 0)


def test_a_release_frees_all(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))

    assert cases.release(member.pk, case=CASE) == cny("300.00")
    assert cases.release(member.pk, case=CASE) == cny("300.00"), "again: the same, and nothing moves"

    assert sums(member) == (REQUIRED, 0, 0)
    assert of_kind(member, "release") == [cny("300.00")]
    assert not TopUpDemand.objects.exists()


def test_a_compensation_waits_for_its_payee_or_goes_at_once(member: Application) -> None:
    settle(member, "120.00")
    settle(member, "80.00", OTHER_CASE, payee=CUSTOMER)

    waiting, sent = Compensation.objects.order_by("pk")
    assert (waiting.state, waiting.amount, waiting.payouts.count()) == ("waiting", cny("120.00"), 0)
    payout = Payout.objects.get(compensation=sent)
    assert (payout.payee_identity, payout.payee_name, payout.amount) == (
        CUSTOMER.identity,
        CUSTOMER.name,
        cny("80.00"),
    )
    assert ledger.totals()[Account.COMPENSATION_PAYABLE] == cny("200.00")


def test_a_payee_that_cant_be_paid_changes_nothing(member: Application) -> None:
    with pytest.raises(DomainError, match="no_account"):
        settle(member, "120.00", payee=Payee("12345", IdentityType.USER_ID, "顾客丙"))

    assert sums(member) == (REQUIRED, 0, 0)
    assert settle(member, "120.00").taken == cny("120.00"), "the case is still open"


# Penalties and damages -----------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "kind"), [(penalise, "penalty"), (charge, "breach")])
def test_a_charge_takes_what_is_available_and_leaves_the_rest_owed(
    member: Application, verb: Callable[..., cases.Outcome], kind: str
) -> None:
    cases.freeze(member.pk, case=OTHER_CASE, claimed=cny("1000.00"))

    outcome = verb(member, "99300.00")

    assert outcome == cases.Outcome(taken=cny("99000.00"), owed=cny("300.00"))
    assert sums(member) == (0, cny("1000.00"), cny("300.00"))
    obligation = Obligation.objects.get()
    assert (obligation.kind, obligation.case, obligation.outstanding) == (kind, CASE, cny("300.00"))
    assert f"{kind}_deducted" in steps(member) and "obligation_recorded" in steps(member)
    assert TopUpDemand.objects.get().closed_at is None
    assert books_agree()


@pytest.mark.parametrize("verb", [penalise, charge])
def test_a_charge_happens_once_per_case(member: Application, verb: Callable[..., cases.Outcome]) -> None:
    first = verb(member, "120000.00")
    pay_what_is_due(reload(member))
    before = rows(member)

    assert verb(member, "120000.00") == first
    with pytest.raises(ledger.KeyUsed):
        verb(member, "119999.00")

    assert rows(member) == before


def test_one_case_can_bring_compensation_penalty_and_damages(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    settle(member, "300.00")
    penalise(member, "200.00")
    charge(member, "100.00")

    assert of_kind(member, "compensation", "penalty", "breach") == [
        cny("300.00"),
        cny("200.00"),
        cny("100.00"),
    ]
    assert sums(member) == (cny("99400.00"), 0, 0)


def test_a_case_belongs_to_one_deposit(member: Application, reviewer: User, stranger: User) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    other = complete(begin(stranger), credit_code=OTHER_CREDIT_CODE, alipay_account_id="2088102146225136")
    pay_what_is_due(admit(hand_in(other), reviewer))

    with pytest.raises(ledger.KeyUsed):
        cases.freeze(other.pk, case=CASE, claimed=cny("300.00"))


@pytest.mark.parametrize("amount", ["-0.01", "0.001"])
def test_an_amount_is_of_whole_cents_and_not_negative(member: Application, amount: str) -> None:
    for verb in (penalise, charge, settle):
        with pytest.raises(ValueError, match="whole cents"):
            verb(member, amount)
    with pytest.raises(ValueError, match="whole cents"):
        cases.freeze(member.pk, case=CASE, claimed=cny(amount))


# Who is told ---------------------------------------------------------------------------------------


def test_the_company_is_told_of_everything_with_its_receipt(member: Application, client: Client) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))
    settle(member, "120.00")
    penalise(member, "200.00")
    charge(member, "100.00")
    client.force_login(member.applicant)

    notices = Notice.objects.filter(recipient=member.applicant, key__startswith="deposit:case:")
    receipts = [notice for notice in notices if "/receipts/" in notice.link]

    assert notices.count() == 5
    assert len(receipts) == 3
    for notice in receipts:
        page = client.get(notice.link)
        row = LedgerTransfer.objects.get(pk=int(notice.link.rstrip("/").rsplit("/", 1)[1]))
        assert row.kind in RECEIPTS
        assert page.status_code == 200
        assert f"{row.amount:,}" in page.content.decode()
        assert f"{row.amount:,}" in notice.body


# After an expulsion --------------------------------------------------------------------------------


def test_an_expulsion_forfeits_what_is_available_and_the_rest_waits_for_its_case(
    expelled: Application,
) -> None:
    assert of_kind(expelled, "forfeiture") == [cny("70000.00")]
    assert sums(expelled) == (0, cny("30000.00"), 0)

    outcome = settle(expelled, "12000.00", payee=CUSTOMER)

    assert outcome == cases.Outcome(taken=cny("12000.00"), released=cny("18000.00"))
    assert of_kind(expelled, "forfeiture") == [cny("70000.00"), cny("18000.00")]
    assert sums(expelled) == (0, 0, 0)
    assert settle(expelled, "12000.00", payee=CUSTOMER) == outcome
    assert not TopUpDemand.objects.filter(closed_at=None).exists(), "nobody is asked to top up any more"
    assert books_agree()


def test_a_compensation_larger_than_an_expelled_companys_deposit_stays_recorded(
    expelled: Application,
) -> None:
    outcome = settle(expelled, "31000.00")

    assert outcome == cases.Outcome(taken=cny("30000.00"), owed=cny("1000.00"))
    assert sums(expelled) == (0, 0, cny("1000.00"))


def test_what_a_case_of_an_expelled_company_sets_free_pays_its_debts_before_it_is_forfeited(
    member: Application, ops: User, second_ops: User
) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("30000.00"))
    settle(member, "71000.00", OTHER_CASE, payee=CUSTOMER)
    expel(member, ops, second_ops)
    assert sums(member) == (0, cny("30000.00"), cny("1000.00"))
    assert of_kind(member, "forfeiture") == [], "nothing was available"

    cases.release(member.pk, case=CASE)

    assert of_kind(member, "compensation") == [cny("70000.00"), cny("1000.00")]
    assert of_kind(member, "forfeiture") == [cny("29000.00")]
    assert sums(member) == (0, 0, 0)
    assert books_agree()


def test_a_penalty_takes_only_what_an_expelled_company_has(expelled: Application) -> None:
    assert penalise(expelled, "500.00") == cases.Outcome()
    assert charge(expelled, "500.00") == cases.Outcome()

    assert sums(expelled) == (0, cny("30000.00"), 0)
    assert not Obligation.objects.exists()


def test_an_overturned_expulsion_brings_all_back(
    expelled: Application, third_ops: User, second_finance: User
) -> None:
    """Also what was forfeited when a case was decided; what the customer got stays paid."""
    settle(expelled, "12000.00", payee=CUSTOMER)
    decider = make_staff("wuyun", "吴运", Role.OPS)

    reversals.overturn_expulsion(expelled.pk, proposer=third_ops, decider=decider, reason="申诉成立")

    assert sums(expelled) == (cny("88000.00"), 0, 0)
    corrections = LedgerTransfer.objects.filter(kind="correction").order_by("pk")
    assert [row.amount for row in corrections] == [cny("70000.00"), cny("18000.00")]
    assert {row.actor for row in corrections} == {decider}
    assert reload(expelled).state == State.SUSPENDED
    demand = TopUpDemand.objects.get(closed_at=None)
    assert demand.deposit.shortfall == cny("12000.00")
    assert "forfeiture_returned" in steps(expelled)
    assert books_agree()


def test_what_an_overturned_expulsion_brings_back_pays_debts_first(
    member: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("30000.00"))
    expel(member, ops, second_ops)
    settle(member, "31000.00")
    assert sums(member) == (0, 0, cny("1000.00"))
    decider = make_staff("wuyun", "吴运", Role.OPS)

    reversals.overturn_expulsion(member.pk, proposer=third_ops, decider=decider, reason="申诉成立")

    assert sums(member) == (cny("69000.00"), 0, 0)
    assert of_kind(member, "compensation") == [cny("30000.00"), cny("1000.00")]
    assert books_agree()


def test_a_second_expulsion_and_its_reversal_touch_only_its_own_rows(
    expelled: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    decider = make_staff("wuyun", "吴运", Role.OPS)
    for _round in range(2):
        reversals.overturn_expulsion(expelled.pk, proposer=third_ops, decider=decider, reason="申诉成立")
        assert sums(expelled) == (cny("70000.00"), cny("30000.00"), 0)
        expel(expelled, ops, second_ops)
        assert sums(expelled) == (0, cny("30000.00"), 0)
    assert books_agree()


# Where no deposit is held --------------------------------------------------------------------------


VERBS = [
    lambda pk: cases.freeze(pk, case=CASE, claimed=cny("1.00")),
    lambda pk: cases.settle_case(pk, case=CASE, award=cny("1.00"), reason="r", actor=None),
    lambda pk: cases.release(pk, case=CASE),
    lambda pk: cases.penalise(pk, case=CASE, amount=cny("1.00"), reason="r", actor=None),
    lambda pk: cases.charge_breach(pk, case=CASE, amount=cny("1.00"), reason="r", actor=None),
]


@pytest.mark.parametrize("verb", VERBS)
def test_no_case_touches_a_deposit_before_it_is_paid(
    approved: Application, verb: Callable[[int], object]
) -> None:
    with pytest.raises(DomainError, match="wrong_state"):
        verb(approved.pk)


@pytest.mark.parametrize("verb", VERBS)
def test_no_case_touches_an_application_without_a_deposit(
    draft: Application, verb: Callable[[int], object]
) -> None:
    with pytest.raises(DomainError, match="wrong_state"):
        verb(draft.pk)


@pytest.mark.parametrize("verb", VERBS)
def test_no_case_touches_a_deposit_once_the_company_has_left(
    member: Application, verb: Callable[[int], object]
) -> None:
    leave(member)
    before = rows(member)

    with pytest.raises(DomainError, match="wrong_state"):
        verb(member.pk)

    assert rows(member) == before


def test_a_member_that_is_leaving_answers_for_its_cases(member: Application) -> None:
    applications.request_exit(member.pk, actor=member.applicant)
    assert penalise(member, "100.00").taken == cny("100.00")


def test_a_case_of_a_member_that_is_leaving_takes_none_of_its_time_to_top_up(
    member: Application, move_clock: Callable[..., None]
) -> None:
    """Time in which it was leaving doesn't count, from the first day, whatever was entered meanwhile."""
    penalise(member, "100.00", OTHER_CASE)
    due_at = TopUpDemand.objects.get().due_at
    applications.request_exit(member.pk, actor=member.applicant)
    move_clock(days=5)
    penalise(member, "100.00")
    move_clock(days=5)

    applications.cancel_exit(member.pk, actor=member.applicant)

    assert TopUpDemand.objects.get().due_at >= due_at + dt.timedelta(days=10)


# At the same moment --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_case_decided_at_the_same_moment_by_many_is_settled_once(member: Application) -> None:
    cases.freeze(member.pk, case=CASE, claimed=cny("300.00"))

    outcomes = together(*[lambda: settle(member, "120.00", payee=CUSTOMER)] * 6)

    assert outcomes == [cases.Outcome(taken=cny("120.00"), released=cny("180.00"))] * 6
    assert of_kind(member, "compensation") == [cny("120.00")]
    assert Payout.objects.count() == 1
    assert books_agree()


@pytest.mark.django_db(transaction=True)
def test_cases_at_the_same_moment_share_what_is_there(member: Application) -> None:
    acts = [
        lambda case=f"complaint:P{number}": cases.settle_case(
            member.pk, case=case, award=cny("30000.00"), reason="r", actor=None
        )
        for number in range(5)
    ]

    outcomes = together(*acts)

    assert sum(outcome.taken for outcome in outcomes) == REQUIRED
    assert sum(outcome.owed for outcome in outcomes) == cny("50000.00")
    assert sums(member) == (0, 0, cny("50000.00"))
    assert Deposit.objects.get().shortfall == cny("150000.00")
    assert books_agree()
