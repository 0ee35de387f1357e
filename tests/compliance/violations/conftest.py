"""Violations that were verified, and the people who decide on their appeals."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from applications.models import Application
from compliance.models import Violation
from compliance.violations import services as violations
from deposits.books import bookkeeping
from deposits.models import Deposit
from tests.compliance.conftest import FACTS, FINDING, REASON, TITLE
from tests.deposits.conftest import alipay, pay
from tests.people import make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role

__all__ = ["alipay", "pay"]

APPEAL = "聊天记录不是我们发的,附公证书。"
ZERO = Decimal("0.00")

Verify = Callable[..., Violation]


@pytest.fixture
def fourth_ops(db: None) -> User:
    return make_staff("wuyun", "吴运", Role.OPS)


@pytest.fixture
def fifth_ops(db: None) -> User:
    return make_staff("zhengyun", "郑运", Role.OPS)


@pytest.fixture
def propose(ops: User, second_ops: User) -> Verify:
    """`propose(application, "general", penalty=…, suspension_days=…)`: reported by 王运, investigated by 赵运."""

    def run(application: Application, severity: str = "general", **measures: object) -> Violation:
        violation = violations.report(application.pk, actor=ops, severity=severity, title=TITLE, facts=FACTS)
        violations.take_up(violation.pk, actor=second_ops)
        return violations.propose(
            violation.pk,
            actor=second_ops,
            severity=severity,
            finding=FINDING,
            **measures,  # type: ignore[arg-type]
        )

    return run


@pytest.fixture
def verify(propose: Verify, third_ops: User) -> Verify:
    """As `propose`, and verified by 周运."""

    def run(application: Application, severity: str = "general", **measures: object) -> Violation:
        violation = propose(application, severity, **measures)
        return violations.verify(violation.pk, actor=third_ops, reason=REASON)

    return run


@pytest.fixture
def appeal(merchant: User) -> Callable[[Violation], Violation]:
    """`appeal(violation)`: the owner appeals."""

    def run(violation: Violation) -> Violation:
        return violations.file_appeal(violation.pk, actor=merchant, text=APPEAL)

    return run


@pytest.fixture
def uphold(fourth_ops: User, fifth_ops: User) -> Callable[[Violation], Violation]:
    """`uphold(violation)`: by 吴运 alone, or proposed by 吴运 and decided by 郑运 where two are needed."""

    def run(violation: Violation) -> Violation:
        if not violations.needs_two(violation):
            return violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=True, reason="申诉成立")
        violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="申诉成立")
        return violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=True, reason="申诉成立")

    return run


def again(row: Application) -> Application:
    return Application.objects.get(pk=row.pk)


def fresh(violation: Violation) -> Violation:
    return Violation.objects.get(pk=violation.pk)


def deposit_of(application: Application) -> Deposit:
    return Deposit.objects.get(application=application)


def books_agree() -> bool:
    return all(comparison.agrees for comparison in bookkeeping.comparisons())


def measures(violation: Violation) -> dict[str, bool]:
    """Which sanctions it has, and whether each stands."""
    return {
        sanction.measure: sanction.taken_back_at is None for sanction in violation.sanctions.order_by("pk")
    }
