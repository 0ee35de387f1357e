"""What the programme promises about its deposit, line by line (facts/seed-article.txt): a case story for each.

Told through the same services, sweeps and gateways as in life, against a sandbox that keeps its own books;
each ends with our ledger and Alipay's books telling the same.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from applications import required_exits
from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from compliance import directory, exits
from compliance import tasks as clocks
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.complaints.services import Claim
from compliance.models import Channel, Complaint, Liability, QuestionCode, Violation
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits import proposals
from deposits.books.accounts import Kind
from deposits.gateways.alipay import IdentityType
from deposits.models import LedgerTransfer, Obligation, Proposal, ProposalKind, Refund
from deposits.outgoing.payees import Payee
from deposits.states import RefundState
from tests.deposits.conftest import (
    BOUND,
    OTHER_COMPANY,
    REQUIRED,
    Pay,
    books_agree,
    deposit_of,
    pay_out,
    reload,
    settle,
    two_decide,
)
from tests.people import make_merchant, make_staff
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core.errors import DomainError

OWNED = Decimal("1000000.00")  # what the company has at Alipay before it pays
BUYER = Payee("2088102000000777", IdentityType.USER_ID, "张三")

Move = Callable[..., None]


@pytest.fixture
def customer(db: None, alipay: SandboxClient) -> User:
    """张三 bought something, and has an account at Alipay."""
    alipay.account(BUYER.identity, name=BUYER.name, kind="PRIVATE", balance="0.00")
    return make_merchant("张三", "700000777")


@pytest.fixture(autouse=True)
def books() -> Iterator[None]:
    """However a story ends, the books balance."""
    yield
    assert books_agree()


def balance(alipay: SandboxClient, user_id: str = BOUND) -> Decimal:
    [account] = alipay.get("alipay-accounts", user_id=user_id)
    return Decimal(account["balance"])


def moved(application: Application, kind: Kind) -> Decimal:
    rows = LedgerTransfer.objects.filter(deposit=deposit_of(application), kind=kind)
    return sum((row.amount for row in rows), Decimal("0.00"))


def complain(
    application: Application,
    customer: User,
    *,
    claimed: str = "800.00",
    channel: Channel = Channel.ONLINE,
    payee: Payee | None = BUYER,
) -> Complaint:
    claim = Claim(
        channel=channel,
        order_number="2026112400017",
        order_value=Decimal("2000.00"),
        question=QuestionCode.objects.get(code="after_sales"),
        text="空调装好后漏水,服务商三周没有来修。",
        claimed=Decimal(claimed),
        payee=payee,
    )
    return complaints.file(application.pk, actor=customer, claim=claim)


def run_the_night(move_clock: Move, **by: float) -> None:
    """Time passes, and the workers with it."""
    move_clock(**by)
    clocks.sweep_complaints()
    clocks.sweep_exits()


def verified(
    application: Application,
    people: tuple[User, User, User],
    severity: str,
    penalty: str = "0.00",
    ground: str = "rules",
) -> Violation:
    """Reported by one, investigated by another, verified by a third."""
    reporter, investigator, verifier = people
    violation = violations.report(
        application.pk, actor=reporter, severity=severity, title="泄露买家信息", facts="转发买家电话。"
    )
    violations.take_up(violation.pk, actor=investigator)
    violations.propose(
        violation.pk,
        actor=investigator,
        severity=severity,
        finding="聊天记录属实。",
        ground=ground,
        penalty=Decimal(penalty),
    )
    return violations.verify(violation.pk, actor=verifier, reason="证据确凿。")


@pytest.fixture
def three(ops: User, second_ops: User, third_ops: User) -> tuple[User, User, User]:
    return ops, second_ops, third_ops


def leave(application: Application, move_clock: Move) -> Application:
    """Asked for, and completed by the system when the notice period is over."""
    applications.request_exit(application.pk, actor=application.applicant)
    run_the_night(move_clock, days=30, minutes=1)
    return reload(application)


# 成功入驻天猫服务商的,均需要缴纳10万元人民币保证金,保证金通过服务商绑定的企业支付宝账户缴纳 ----------


def test_whoever_is_admitted_pays_100000_from_its_bound_enterprise_account(
    approved: Application, pay: Pay, alipay: SandboxClient
) -> None:
    settle(pay(approved))

    application = reload(approved)
    assert application.state == State.ACTIVE
    assert deposit_of(application).available == REQUIRED == Decimal("100000.00")
    assert balance(alipay) == OWNED - REQUIRED


def test_money_from_another_account_is_no_deposit_and_goes_back(
    approved: Application, pay: Pay, alipay: SandboxClient
) -> None:
    alipay.account(OTHER_COMPANY, name="宁波别家商贸有限公司", kind="CORPORATE", balance="500000.00")

    settle(pay(approved, buyer=OTHER_COMPANY))
    pay_out()

    assert reload(approved).state == State.APPROVED
    assert deposit_of(approved).available == 0
    assert balance(alipay, OTHER_COMPANY) == Decimal("500000.00")


# 缴纳的保证金将用于服务商日常合作投诉处理(含线上和线下订单) ------------------------------------------


@pytest.mark.parametrize("channel", [Channel.ONLINE, Channel.OFFLINE])
def test_a_complaint_about_an_order_is_paid_out_of_the_deposit(
    active: Application,
    customer: User,
    merchant: User,
    ops: User,
    alipay: SandboxClient,
    move_clock: Move,
    channel: Channel,
) -> None:
    complaint = complain(active, customer, channel=channel)
    assert deposit_of(active).frozen == Decimal("800.00")

    complaints.contest(complaint.pk, actor=merchant, text="已上门两次。")
    complaints.add_evidence(complaint.pk, actor=customer, text="没有人来过。")
    run_the_night(move_clock, hours=73)
    complaints.claim(complaint.pk, actor=ops)
    complaints.decide(
        complaint.pk,
        actor=ops,
        liability=Liability.SHARED,
        award=Decimal("500.00"),
        reason="未提供上门记录。",
    )
    assert deposit_of(active).frozen == Decimal("800.00"), "frozen until the decision is final"
    run_the_night(move_clock, days=7, minutes=1)
    pay_out()

    assert Complaint.objects.get().state == ComplaintState.FINAL
    assert balance(alipay, BUYER.identity) == Decimal("500.00")
    deposit = deposit_of(active)
    assert (deposit.available, deposit.frozen) == (REQUIRED - 500, 0)


def test_a_provider_that_keeps_silent_is_found_liable(
    active: Application, customer: User, alipay: SandboxClient, move_clock: Move
) -> None:
    complain(active, customer)

    run_the_night(move_clock, hours=49)
    run_the_night(move_clock, days=7, minutes=1)
    pay_out()

    assert balance(alipay, BUYER.identity) == Decimal("800.00")
    assert deposit_of(active).available == REQUIRED - 800


def test_compensation_without_a_payee_waits_until_the_complainant_names_one(
    active: Application, customer: User, merchant: User, alipay: SandboxClient, move_clock: Move
) -> None:
    complaint = complain(active, customer, payee=None)
    complaints.admit(complaint.pk, actor=merchant, amount=Decimal("800.00"), text="是我们的责任。")
    run_the_night(move_clock, days=7, minutes=1)
    pay_out()
    assert balance(alipay, BUYER.identity) == 0
    assert moved(active, Kind.COMPENSATION) == Decimal("800.00")

    complaints.name_payee(complaint.pk, actor=customer, payee=BUYER)
    pay_out()

    assert balance(alipay, BUYER.identity) == Decimal("800.00")


# 服务商违规或违约处罚等等 -----------------------------------------------------------------------------


def test_a_violation_is_punished_out_of_the_deposit(
    active: Application, three: tuple[User, User, User]
) -> None:
    verified(active, three, "general", penalty="3000.00")

    assert reload(active).state == State.ACTIVE
    assert deposit_of(active).available == REQUIRED - 3000
    assert moved(active, Kind.PENALTY) == Decimal("3000.00")


def test_a_breach_of_the_agreement_costs_damages_out_of_the_deposit(
    active: Application, three: tuple[User, User, User], merchant: User
) -> None:
    violation = verified(active, three, "general", penalty="5000.00", ground="agreement")

    assert deposit_of(active).available == REQUIRED - 5000
    assert moved(active, Kind.BREACH) == Decimal("5000.00")
    assert moved(active, Kind.PENALTY) == 0
    assert violation.sanctions.get(measure="breach").amount == Decimal("5000.00")


def test_damages_that_an_appeal_took_back_are_given_back_by_two_people(
    active: Application,
    three: tuple[User, User, User],
    merchant: User,
    finance: User,
) -> None:
    violation = verified(active, three, "general", penalty="5000.00", ground="agreement")
    violations.file_appeal(violation.pk, actor=merchant, text="合同没有这一条。")
    violations.decide_appeal(
        violation.pk, actor=make_staff("zhengyun", "郑运", Role.OPS), uphold=True, reason="合同确无此条。"
    )

    [proposal] = Proposal.objects.all()
    proposals.accept(proposal.pk, actor=finance)

    assert deposit_of(active).available == REQUIRED


def test_a_penalty_beyond_the_deposit_is_owed_and_bars_the_exit_until_it_is_paid(
    active: Application, three: tuple[User, User, User], pay: Pay, move_clock: Move
) -> None:
    verified(active, three, "general", penalty="120000.00")
    assert deposit_of(active).available == 0
    assert Obligation.objects.get().amount == Decimal("20000.00")

    settle(pay(reload(active)))

    assert deposit_of(active).owed == 0
    assert deposit_of(active).available == REQUIRED


# 发生严重违规行为且被查证的,那么将被立刻清退出天猫服务商池,并且扣除已缴纳的全部天猫服务商保证金 ------


def test_a_severe_violation_that_is_verified_expels_at_once_and_takes_the_whole_deposit(
    active: Application, three: tuple[User, User, User], alipay: SandboxClient
) -> None:
    assert directory.providers().filter(pk=active.pk).exists()

    verified(active, three, "severe")
    pay_out()

    assert reload(active).state == State.EXPELLED
    assert not directory.providers().filter(pk=active.pk).exists()
    assert moved(active, Kind.FORFEITURE) == REQUIRED
    assert deposit_of(active).available == 0
    assert balance(alipay) == OWNED - REQUIRED
    assert not Refund.objects.exists()


def test_what_is_frozen_for_a_complainant_is_not_forfeited_before_the_case_is_final(
    active: Application,
    customer: User,
    three: tuple[User, User, User],
    alipay: SandboxClient,
    move_clock: Move,
) -> None:
    complain(active, customer)

    verified(active, three, "severe")
    assert moved(active, Kind.FORFEITURE) == REQUIRED - 800
    run_the_night(move_clock, hours=49)
    run_the_night(move_clock, days=7, minutes=1)
    pay_out()

    assert balance(alipay, BUYER.identity) == Decimal("800.00")
    assert moved(active, Kind.FORFEITURE) == REQUIRED - 800


def test_a_severe_violation_that_is_not_verified_changes_nothing(
    active: Application, three: tuple[User, User, User]
) -> None:
    reporter, investigator, verifier = three
    violation = violations.report(
        active.pk, actor=reporter, severity="severe", title="泄露买家信息", facts="转发买家电话。"
    )
    violations.take_up(violation.pk, actor=investigator)
    violations.dismiss(violation.pk, actor=verifier, reason="证据不足。")

    assert Violation.objects.get().state == ViolationState.DISMISSED
    assert reload(active).state == State.ACTIVE
    assert deposit_of(active).available == REQUIRED


# 没有任何投诉、违规或者违约的,在退出天猫服务商之后,可以申请保证金返还 ----------------------------------


def test_without_complaint_violation_or_breach_the_deposit_comes_back_after_the_exit(
    active: Application, alipay: SandboxClient, move_clock: Move
) -> None:
    assert leave(active, move_clock).state == State.EXITED
    pay_out()

    assert Refund.objects.get().state == RefundState.DONE
    assert balance(alipay) == OWNED


def test_a_complaint_that_was_withdrawn_spoils_no_clean_record(
    active: Application, customer: User, alipay: SandboxClient, move_clock: Move
) -> None:
    complaint = complain(active, customer)
    complaints.withdraw(complaint.pk, actor=customer, reason="已协商解决。")

    leave(active, move_clock)
    pay_out()

    assert balance(alipay) == OWNED


def test_an_open_complaint_holds_the_exit_up_until_it_is_final(
    active: Application, customer: User, merchant: User, alipay: SandboxClient, move_clock: Move
) -> None:
    applications.request_exit(active.pk, actor=merchant)
    move_clock(days=29)
    complaint = complain(active, customer)
    complaints.contest(complaint.pk, actor=merchant, text="已上门两次。")
    run_the_night(move_clock, days=2)
    assert reload(active).state == State.EXITING
    [request] = active.exit_requests.all()
    assert [item.code for item in exits.clearance(request) if not item.cleared]

    complaints.withdraw(complaint.pk, actor=customer, reason="已协商解决。")
    clocks.sweep_exits()
    pay_out()

    assert reload(active).state == State.EXITED
    assert balance(alipay) == OWNED


def test_after_an_upheld_complaint_two_people_release_what_is_left(
    active: Application,
    customer: User,
    merchant: User,
    finance: User,
    second_finance: User,
    alipay: SandboxClient,
    move_clock: Move,
) -> None:
    complaint = complain(active, customer)
    complaints.admit(complaint.pk, actor=merchant, amount=Decimal("800.00"), text="是我们的责任。")
    run_the_night(move_clock, days=7, minutes=1)
    assert leave(active, move_clock).state == State.EXITED
    pay_out()
    refund = Refund.objects.get()
    assert (refund.state, refund.amount) == (RefundState.HELD, REQUIRED - 800)
    assert refund.hold_reason, "the company reads why"

    two_decide(ProposalKind.RELEASE_REFUND, refund, finance, second_finance)
    pay_out()

    assert balance(alipay) == OWNED - 800
    assert balance(alipay, BUYER.identity) == Decimal("800.00")


# 触犯规则就会强制退出天猫服务商 ------------------------------------------------------------------------


def test_operations_can_demand_the_exit_and_the_company_cant_cancel_it(
    active: Application, ops: User, second_ops: User, merchant: User, alipay: SandboxClient, move_clock: Move
) -> None:
    required_exits.require_exit(active.pk, actor=ops, second_actor=second_ops, reason="多次不整改。")
    assert reload(active).state == State.EXITING
    with pytest.raises(DomainError):
        applications.cancel_exit(active.pk, actor=merchant)

    run_the_night(move_clock, days=30, minutes=1)
    pay_out()

    assert reload(active).state == State.EXITED
    assert balance(alipay) == OWNED


def test_the_notice_of_an_exit_is_thirty_days(active: Application, merchant: User) -> None:
    applications.request_exit(active.pk, actor=merchant)
    [request] = active.exit_requests.all()
    assert request.notice_ends_at - request.requested_at == dt.timedelta(days=30)
