"""Members of the pool, and violations in each state, made through the same services as in life."""

from decimal import Decimal

import pytest
from django.db import transaction

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application
from compliance.models import Violation
from compliance.violations import services as violations
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.models import Deposit
from tmall_sp.accounts.models import User

TITLE = "泄露买家信息"
FACTS = "9 月 3 日起在群里转发买家的电话和地址。"
FINDING = "聊天记录属实,涉及 41 位买家。"
PAID = Decimal("100000.00")
REASON = "泄露买家信息,属严重违规。"


def activate(application: Application) -> Application:
    """Paid and in the pool, as `deposits` does on a verified payment."""
    with transaction.atomic():
        applications.record_deposit(application.pk)
        ledger.post(
            Kind.PAYMENT,
            PAID,
            key=f"paid:{application.pk}",
            deposit=Deposit.objects.get(application=application),
        )
    applications.activate_if_ready(application.pk)
    return Application.objects.get(pk=application.pk)


@pytest.fixture
def active(approved: Application) -> Application:
    application = activate(approved)
    assert application.state == State.ACTIVE
    return application


@pytest.fixture
def exiting(active: Application, merchant: User) -> Application:
    return applications.request_exit(active.pk, actor=merchant)


def report(application: Application, actor: User | None, severity: str = "severe") -> Violation:
    return violations.report(application.pk, actor=actor, severity=severity, title=TITLE, facts=FACTS)


def investigate(violation: Violation, investigator: User) -> Violation:
    """Taken up, with a finding proposed."""
    violations.take_up(violation.pk, actor=investigator)
    return violations.propose(violation.pk, actor=investigator, severity=violation.severity, finding=FINDING)


@pytest.fixture
def reported(active: Application, ops: User) -> Violation:
    """A severe one, reported by 王运."""
    return report(active, ops)


@pytest.fixture
def proposed(reported: Violation, second_ops: User) -> Violation:
    """Investigated by 赵运, who proposes a finding."""
    return investigate(reported, second_ops)


@pytest.fixture
def verified_violation(proposed: Violation, third_ops: User) -> Violation:
    return violations.verify(proposed.pk, actor=third_ops, reason=REASON)
