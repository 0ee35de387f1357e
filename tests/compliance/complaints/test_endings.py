"""What each ending of a complaint does to the deposit, and where the compensation goes; the books agree after each."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction

from applications import reversals
from applications.models import Application
from compliance.complaints import services as complaints
from compliance.models import Complaint, Liability, Side
from compliance.tasks import sweep_complaints
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, obligations
from deposits.locks import lock_deposit
from deposits.models import Compensation, Obligation
from deposits.outgoing import compensations
from deposits.states import CompensationState
from tests.compliance.complaints.conftest import (
    CLAIMED,
    PAYEE,
    REQUIRED,
    a_claim,
    again,
    decide,
    decide_appeal,
    deposit_of,
    file,
    money,
    sweep,
)
from tests.deposits.conftest import books_agree, expel, pay_out
from tests.people import make_staff
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

SleepUntil = Callable[..., None]


def cny(amount: str) -> Decimal:
    return Decimal(amount)


def sums(complaint: Complaint) -> tuple[Decimal, Decimal, Decimal]:
    """Available, frozen, owed; the books agree."""
    assert books_agree()
    deposit = deposit_of(complaint)
    return deposit.available, deposit.frozen, deposit.owed


@pytest.fixture
def lapse(sleep_until: SleepUntil) -> Callable[[Complaint], None]:
    """The present state of the complaint ends by itself."""

    def end(complaint: Complaint) -> None:
        sleep_until(again(complaint).due_at, 1)
        sweep()

    return end


# Each ending ---------------------------------------------------------------------------------------


def test_an_admission_of_the_whole_claim_is_final_and_paid_at_once(filed: Complaint, merchant: User) -> None:
    """Nobody has anything to gain by an appeal, so nobody waits for one."""
    complaint = complaints.admit(filed.pk, actor=merchant, amount=CLAIMED, text="我方责任。")

    assert (complaint.state, complaint.liability, complaint.award) == ("final", Liability.LIABLE, CLAIMED)
    assert [step.name for step in complaint.steps.all()] == ["file", "admit", "finalise"]
    assert money(filed) == {"freeze": CLAIMED, "compensation": CLAIMED}
    assert sums(filed) == (REQUIRED - CLAIMED, 0, 0)


def test_a_part_that_is_admitted_is_paid_once_the_complainant_has_not_appealed(
    filed: Complaint, merchant: User, lapse: Callable[[Complaint], None]
) -> None:
    complaint = complaints.admit(filed.pk, actor=merchant, amount=cny("120.00"), text="部分责任。")
    assert (complaint.state, complaint.liability) == ("decided", Liability.SHARED)
    assert money(filed) == {"freeze": CLAIMED}, "nothing moves before the decision is final"

    lapse(filed)

    assert money(filed) == {"freeze": CLAIMED, "compensation": cny("120.00"), "release": cny("180.00")}
    assert sums(filed) == (REQUIRED - cny("120.00"), 0, 0)


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "300.01", "1.005"])
def test_an_admission_is_of_something_and_of_no_more_than_the_claim(
    filed: Complaint, merchant: User, amount: str
) -> None:
    with pytest.raises(DomainError, match="amount") as refusal:
        complaints.admit(filed.pk, actor=merchant, amount=cny(amount), text="认。")
    assert refusal.value.field == "amount"
    assert again(filed).state == "awaiting_response"


def test_the_complainant_appeals_an_admission_and_gets_more(
    filed: Complaint, merchant: User, customer: User, ops: User
) -> None:
    complaints.admit(filed.pk, actor=merchant, amount=cny("120.00"), text="部分责任。")
    complaints.appeal(filed.pk, actor=customer, text="不够。")

    complaint = decide_appeal(filed, ops, "liable", "300.00")

    assert (complaint.state, complaint.award, complaint.decided_by) == ("final", CLAIMED, None)
    assert money(filed) == {"freeze": CLAIMED, "compensation": CLAIMED}
    found = complaint.steps.exclude(liability="").values_list("name", "liability", "award")
    assert list(found) == [
        ("admit", Liability.SHARED, cny("120.00")),
        ("decide_appeal", Liability.LIABLE, CLAIMED),
    ]


def test_the_provider_appeals_against_its_silence(
    filed: Complaint, merchant: User, ops: User, lapse: Callable[[Complaint], None]
) -> None:
    lapse(filed)
    complaints.appeal(filed.pk, actor=merchant, text="通知进了垃圾箱。")

    decide_appeal(filed, ops, "not_liable", "0.00")

    assert money(filed) == {"freeze": CLAIMED, "release": CLAIMED}
    assert sums(filed) == (REQUIRED, 0, 0)


def test_a_provider_that_is_not_liable_has_everything_back(
    undecided: Complaint, ops: User, lapse: Callable[[Complaint], None]
) -> None:
    decide(undecided, ops, "not_liable", "0.00")
    assert money(undecided) == {"freeze": CLAIMED}
    lapse(undecided)
    assert money(undecided) == {"freeze": CLAIMED, "release": CLAIMED}


def test_a_complaint_that_is_taken_back_sets_free_what_was_frozen(withdrawn: Complaint) -> None:
    assert money(withdrawn) == {"freeze": CLAIMED, "release": CLAIMED}
    assert sums(withdrawn) == (REQUIRED, 0, 0)


def test_the_second_decision_is_the_one_that_counts(final: Complaint) -> None:
    """Decided 200, on appeal 150 of 300."""
    assert (final.award, final.appealed_side) == (cny("150.00"), Side.PROVIDER)
    assert money(final) == {"freeze": CLAIMED, "compensation": cny("150.00"), "release": cny("150.00")}


@pytest.mark.parametrize(
    ("liability", "award", "reason", "field"),
    [
        ("liable", "0.00", "依据", "award"),
        ("shared", "300.01", "依据", "award"),
        ("shared", "1.005", "依据", "award"),
        ("not_liable", "1.00", "依据", "award"),
        ("liable", "300.00", " ", "reason"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_beside_its_field(
    undecided: Complaint,
    appealed: Complaint,
    ops: User,
    third_ops: User,
    liability: str,
    award: str,
    reason: str,
    field: str,
) -> None:
    assert undecided.pk == appealed.pk
    with pytest.raises(DomainError) as refusal:
        complaints.decide_appeal(
            appealed.pk, actor=third_ops, liability=liability, award=cny(award), reason=reason
        )
    assert refusal.value.field == field
    assert again(appealed).state == "appealed"
    assert money(appealed) == {"freeze": CLAIMED}


# Who may appeal ------------------------------------------------------------------------------------


def test_who_admitted_has_nothing_to_appeal_against(filed: Complaint, merchant: User) -> None:
    complaints.admit(filed.pk, actor=merchant, amount=cny("120.00"), text="部分责任。")
    with pytest.raises(DomainError, match="nothing_to_gain"):
        complaints.appeal(filed.pk, actor=merchant, text="反悔。")


def test_who_got_everything_has_nothing_to_appeal_against(
    undecided: Complaint, customer: User, merchant: User, ops: User
) -> None:
    decide(undecided, ops, "liable", "300.00")
    with pytest.raises(DomainError, match="nothing_to_gain"):
        complaints.appeal(undecided.pk, actor=customer, text="更多。")
    assert complaints.appeal(undecided.pk, actor=merchant, text="不服。").state == "appealed"


def test_who_owes_nothing_has_nothing_to_appeal_against(
    undecided: Complaint, customer: User, merchant: User, ops: User
) -> None:
    decide(undecided, ops, "not_liable", "0.00")
    with pytest.raises(DomainError, match="nothing_to_gain"):
        complaints.appeal(undecided.pk, actor=merchant, text="不服。")
    assert complaints.appeal(undecided.pk, actor=customer, text="不服。").state == "appealed"


def test_there_is_one_appeal(appealed: Complaint, customer: User, second_ops: User) -> None:
    with pytest.raises(DomainError, match="wrong_state"):
        complaints.appeal(appealed.pk, actor=customer, text="也不服。")
    decide_appeal(appealed, second_ops, "shared", "150.00")
    with pytest.raises(DomainError, match="wrong_state"):
        complaints.appeal(appealed.pk, actor=customer, text="仍不服。")


# A deposit that is short ---------------------------------------------------------------------------


def charge(application: Application, amount: Decimal) -> None:
    cases.penalise(application.pk, case="violation:1", amount=amount, reason="x", actor=None)


def top_up(application: Application, amount: str) -> None:
    """As a payment from the cashier does."""
    with transaction.atomic():
        _application, deposit = lock_deposit(application.pk)
        ledger.post(Kind.TOP_UP, cny(amount), key=f"in:{amount}", deposit=deposit)
        obligations.settle(deposit)


def test_what_the_deposit_lacks_becomes_an_obligation(
    member: Application, customer: User, merchant: User
) -> None:
    charge(member, REQUIRED - cny("100.00"))
    complaint = file(member, customer)
    assert deposit_of(complaint).frozen == cny("100.00")

    complaints.admit(complaint.pk, actor=merchant, amount=CLAIMED, text="认。")

    debt = Obligation.objects.get()
    assert (debt.case, debt.outstanding) == (complaint.case, cny("200.00"))
    assert deposit_of(complaint).transfers.get(kind="compensation").amount == cny("100.00")
    assert deposit_of(complaint).owed == cny("200.00")


def test_an_empty_deposit_owes_everything(member: Application, customer: User, merchant: User) -> None:
    charge(member, REQUIRED)
    complaint = file(member, customer)
    assert not deposit_of(complaint).frozen

    complaints.admit(complaint.pk, actor=merchant, amount=CLAIMED, text="认。")

    assert deposit_of(complaint).owed == CLAIMED
    assert not Compensation.objects.exists()


def test_two_claims_on_one_deposit_each_have_what_they_froze(
    member: Application, customer: User, merchant: User
) -> None:
    charge(member, REQUIRED - cny("400.00"))
    first, second = file(member, customer), file(member, customer)

    complaints.admit(second.pk, actor=merchant, amount=CLAIMED, text="认。")
    complaints.admit(first.pk, actor=merchant, amount=CLAIMED, text="认。")

    paid = Compensation.objects.order_by("pk").values_list("case", "amount")
    assert list(paid) == [(second.case, cny("100.00")), (first.case, CLAIMED)]
    assert deposit_of(first).owed == cny("200.00")


# The payee -----------------------------------------------------------------------------------------


def test_a_compensation_without_a_payee_waits_and_finance_is_told(
    filed: Complaint, merchant: User, finance: User
) -> None:
    complaints.admit(filed.pk, actor=merchant, amount=CLAIMED, text="认。")

    row = Compensation.objects.get()
    assert (row.state, row.amount, row.case) == (CompensationState.WAITING, CLAIMED, filed.case)
    link = f"/admin/deposits/compensation/{row.pk}/change/"
    assert Notice.objects.filter(recipient=finance, link=link).count() == 1


def test_the_complainant_names_the_payee_afterwards_and_is_paid(
    filed: Complaint, merchant: User, customer: User
) -> None:
    complaints.admit(filed.pk, actor=merchant, amount=CLAIMED, text="认。")

    complaints.name_payee(filed.pk, actor=customer, payee=PAYEE)

    row = Compensation.objects.get()
    assert (row.state, row.payee_identity) == (CompensationState.IN_PROGRESS, PAYEE.identity)
    with pytest.raises(DomainError, match="nothing_due"):
        complaints.name_payee(filed.pk, actor=customer, payee=PAYEE)
    assert books_agree()


def test_compensation_arrives_at_the_account_that_the_complainant_named(
    alipay: SandboxClient, member: Application, customer: User, merchant: User
) -> None:
    alipay.account(PAYEE.identity, name="买家丙", kind="PRIVATE", balance="0.00")
    complaint = file(member, customer, payee=PAYEE)
    complaints.admit(complaint.pk, actor=merchant, amount=CLAIMED, text="认。")

    pay_out()

    assert Compensation.objects.get().state == CompensationState.DONE
    assert cny(str(alipay.account(PAYEE.identity)["balance"])) == CLAIMED
    assert books_agree()


def test_a_payee_named_while_the_provider_owes_is_paid_when_it_pays(
    member: Application, customer: User, merchant: User
) -> None:
    """Nothing was there: the compensation begins with the next top-up, and finds its payee by itself."""
    charge(member, REQUIRED)
    complaint = file(member, customer)
    complaints.admit(complaint.pk, actor=merchant, amount=CLAIMED, text="认。")
    complaints.name_payee(complaint.pk, actor=customer, payee=PAYEE)

    top_up(member, "1000.00")
    sweep_complaints()
    sweep_complaints()

    row = Compensation.objects.get()
    assert (row.amount, row.state, row.payee_identity) == (
        CLAIMED,
        CompensationState.IN_PROGRESS,
        PAYEE.identity,
    )


def test_what_finance_sent_meanwhile_is_not_sent_again(
    filed: Complaint, merchant: User, finance: User
) -> None:
    complaints.admit(filed.pk, actor=merchant, amount=CLAIMED, text="认。")
    compensations.name_payee(Compensation.objects.get().pk, PAYEE, actor=finance)
    Complaint.objects.filter(pk=filed.pk).update(
        payee_identity="2088102000000999", payee_identity_type="ALIPAY_USER_ID"
    )

    sweep_complaints()

    assert Compensation.objects.get().payee_identity == PAYEE.identity


def test_a_payee_that_can_not_be_paid_is_refused(filed: Complaint, customer: User) -> None:
    wrong = PAYEE.__class__("123", PAYEE.identity_type, "")
    with pytest.raises(DomainError, match="no_account") as refusal:
        complaints.name_payee(filed.pk, actor=customer, payee=wrong)
    assert refusal.value.field == "payee_identity"
    assert not again(filed).payee_identity


@pytest.fixture
def entered(member: Application, ops: User) -> Complaint:
    """王运 enters it for somebody without an account, with an account to pay."""
    return complaints.enter(
        member.pk, actor=ops, claim=a_claim(payee=PAYEE), name="顾客丁", contact="13900000001"
    )


def test_one_person_of_operations_sends_no_money_alone(
    entered: Complaint, lapse: Callable[[Complaint], None], ops: User, finance: User
) -> None:
    """Silence decided what one person entered: nobody else has looked at it, so finance does."""
    lapse(entered)
    lapse(entered)
    complaints.name_payee(entered.pk, actor=ops, payee=PAYEE)
    sweep_complaints()

    row = Compensation.objects.get()
    assert (row.state, row.amount) == (CompensationState.WAITING, CLAIMED)
    compensations.name_payee(row.pk, PAYEE, actor=finance)
    assert Compensation.objects.get().state == CompensationState.IN_PROGRESS
    assert books_agree()


def test_what_was_entered_and_admitted_is_sent(entered: Complaint, merchant: User) -> None:
    complaints.admit(entered.pk, actor=merchant, amount=CLAIMED, text="认。")
    assert Compensation.objects.get().state == CompensationState.IN_PROGRESS


def test_what_was_entered_and_decided_by_another_is_sent(
    entered: Complaint, merchant: User, ops: User, second_ops: User, lapse: Callable[[Complaint], None]
) -> None:
    complaints.contest(entered.pk, actor=merchant, text="不认。")
    lapse(entered)
    decide(entered, second_ops, "liable", "300.00")
    lapse(entered)
    assert Compensation.objects.get().state == CompensationState.IN_PROGRESS


# Expulsion -----------------------------------------------------------------------------------------


@pytest.fixture
def of_expelled(filed: Complaint, member: Application, second_ops: User, third_ops: User) -> Complaint:
    """Filed against a company that was expelled before it answered: 300 are frozen, all else is forfeited."""
    expel(member, second_ops, third_ops)
    assert sums(filed) == (0, CLAIMED, 0)
    return again(filed)


def test_the_case_of_an_expelled_company_goes_on_and_is_paid_out_of_what_it_froze(
    of_expelled: Complaint, lapse: Callable[[Complaint], None]
) -> None:
    lapse(of_expelled)
    lapse(of_expelled)

    assert again(of_expelled).state == "final"
    assert money(of_expelled) == {"freeze": CLAIMED, "compensation": CLAIMED}
    assert sums(of_expelled) == (0, 0, 0)


def test_what_a_case_sets_free_after_an_expulsion_is_forfeited(
    of_expelled: Complaint, merchant: User, lapse: Callable[[Complaint], None]
) -> None:
    complaints.admit(of_expelled.pk, actor=merchant, amount=cny("100.00"), text="部分责任。")
    lapse(of_expelled)

    assert money(of_expelled) == {
        "freeze": CLAIMED,
        "compensation": cny("100.00"),
        "release": cny("200.00"),
        "forfeiture": cny("200.00"),
    }


def test_a_complaint_that_is_taken_back_after_an_expulsion_frees_nothing(
    of_expelled: Complaint, customer: User
) -> None:
    complaints.withdraw(of_expelled.pk, actor=customer)
    assert money(of_expelled) == {"freeze": CLAIMED, "release": CLAIMED, "forfeiture": CLAIMED}


def test_a_case_goes_on_when_the_expulsion_is_overturned(
    of_expelled: Complaint, member: Application, lapse: Callable[[Complaint], None]
) -> None:
    first = make_staff("fushen", "复申", Role.OPS)
    second = make_staff("fujue", "复决", Role.OPS)
    reversals.overturn_expulsion(member.pk, proposer=first, decider=second, reason="x")

    lapse(of_expelled)
    lapse(of_expelled)

    assert money(of_expelled) == {"freeze": CLAIMED, "compensation": CLAIMED}
    assert sums(of_expelled) == (REQUIRED - CLAIMED, 0, 0)


# What the sides are told ---------------------------------------------------------------------------


def test_both_sides_are_told_of_the_end(final: Complaint, merchant: User, customer: User) -> None:
    for person, link in (
        (customer, f"/complaints/{final.number}/"),
        (merchant, f"/console/cases/{final.application.number}/complaints/{final.number}/"),
    ):
        assert Notice.objects.filter(recipient=person, link=link).count() >= 3


def test_who_said_something_is_not_told_of_it(contested: Complaint, customer: User, merchant: User) -> None:
    before = {person: Notice.objects.filter(recipient=person).count() for person in (customer, merchant)}

    complaints.add_evidence(contested.pk, actor=customer, text="见图。")

    assert Notice.objects.filter(recipient=customer).count() == before[customer]
    assert Notice.objects.filter(recipient=merchant).count() == before[merchant] + 1


def test_the_reason_of_the_first_decision_stays_beside_that_of_the_second(final: Complaint) -> None:
    assert final.decision_reason == "依据物流记录。"
    assert final.appeal_reason == "依据补充证据。"
    assert final.decided_at and final.appeal_decided_at
    assert final.appeal_decided_at - final.decided_at >= dt.timedelta()
