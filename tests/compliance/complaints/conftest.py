"""A member of the pool with a full deposit, people who complain, and complaints in each state, made as in life."""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from applications.models import Application
from compliance.complaints import clocks
from compliance.complaints import services as complaints
from compliance.complaints.services import Claim
from compliance.models import Channel, Complaint, QuestionCode
from deposits.gateways.alipay import IdentityType
from deposits.models import Deposit
from deposits.outgoing.payees import Payee
from tests.deposits.conftest import alipay, books_agree, member, pay
from tests.people import make_merchant
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.core import clock

__all__ = ["alipay", "member", "pay"]

CLAIMED = Decimal("300.00")
REQUIRED = Decimal("100000.00")
PAYEE = Payee("2088102000000201", IdentityType.USER_ID, "")

_orders = itertools.count(2026112400001)


@pytest.fixture
def customer(db: None) -> User:
    """买家丙, who bought something."""
    return make_merchant("买家丙", "806300001")


def a_claim(**changes: Any) -> Claim:
    """300 of an online order of 1,000, of a new number unless one is given."""
    values: dict[str, Any] = {
        "channel": Channel.ONLINE,
        "order_number": str(next(_orders)),
        "order_value": Decimal("1000.00"),
        "question": QuestionCode.objects.get(code="after_sales"),
        "text": "退货已签收,一直不处理退款。",
        "claimed": CLAIMED,
    }
    return Claim(**(values | changes))


def file(application: Application, complainant: User, **changes: Any) -> Complaint:
    return complaints.file(application.pk, actor=complainant, claim=a_claim(**changes))


@pytest.fixture
def filed(member: Application, customer: User) -> Complaint:
    """Waits for the provider's response."""
    return file(member, customer)


@pytest.fixture
def contested(filed: Complaint, merchant: User) -> Complaint:
    """Both sides may hand in evidence."""
    return complaints.contest(filed.pk, actor=merchant, text="退货在途,未签收。")


@pytest.fixture
def undecided(contested: Complaint, merchant: User, customer: User) -> Complaint:
    """Waits for its decision."""
    complaints.finish_evidence(contested.pk, actor=merchant)
    return complaints.finish_evidence(contested.pk, actor=customer)


@pytest.fixture
def decided(undecided: Complaint, ops: User) -> Complaint:
    """王运 finds the liability shared: 200 of 300."""
    return decide(undecided, ops, "shared", "200.00")


@pytest.fixture
def appealed(decided: Complaint, merchant: User) -> Complaint:
    return complaints.appeal(decided.pk, actor=merchant, text="签收记录不是我们的。")


@pytest.fixture
def final(appealed: Complaint, second_ops: User) -> Complaint:
    return decide_appeal(appealed, second_ops, "shared", "150.00")


@pytest.fixture
def withdrawn(filed: Complaint, customer: User) -> Complaint:
    return complaints.withdraw(filed.pk, actor=customer)


def decide(complaint: Complaint, actor: User, liability: str, award: str) -> Complaint:
    return complaints.decide(
        complaint.pk, actor=actor, liability=liability, award=Decimal(award), reason="依据物流记录。"
    )


def decide_appeal(complaint: Complaint, actor: User, liability: str, award: str) -> Complaint:
    return complaints.decide_appeal(
        complaint.pk, actor=actor, liability=liability, award=Decimal(award), reason="依据补充证据。"
    )


def give_role(person: User, application: Application, role: CompanyRole) -> None:
    assert application.company is not None
    Membership.objects.create(user=person, company=application.company, role=role)


def again(complaint: Complaint) -> Complaint:
    return Complaint.objects.get(pk=complaint.pk)


def deposit_of(complaint: Complaint) -> Deposit:
    return Deposit.objects.get(application=complaint.application_id)


def money(complaint: Complaint) -> dict[str, Decimal]:
    """What the case has moved, by kind; the books agree."""
    assert books_agree()
    rows = deposit_of(complaint).transfers.filter(case=complaint.case)
    return {row.kind: row.amount for row in rows}


@pytest.fixture
def sleep_until(move_clock: Callable[..., None]) -> Callable[..., None]:
    """`sleep_until(moment, seconds=1)`: the clock shows that moment, or so many seconds after it."""

    def sleep(moment: Any, seconds: float = 0) -> None:
        move_clock(seconds=(moment - clock.now()).total_seconds() + seconds)

    return sleep


def sweep() -> None:
    """As the beat does each minute; an error is one of the test, too."""
    for pk in list(clocks.due().values_list("pk", flat=True)):
        assert clocks.act_on_deadline(pk)
