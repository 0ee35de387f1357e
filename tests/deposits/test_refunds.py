"""What goes back by itself, what two people release, and what they stop or send by hand (design §4)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, connections, transaction

from applications.models import Application
from compliance.violations import services as violations
from deposits import proposals
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.duties import cases
from deposits.models import Obligation, Payout, Proposal, ProposalKind, Refund
from deposits.outgoing import payouts
from tests.deposits.conftest import (
    BOUND,
    NAME,
    OTHER_COMPANY,
    REQUIRED,
    books_agree,
    deposit_of,
    expel,
    leave,
    pay_out,
    reload,
    two_decide,
)
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

Blemish = Callable[[Application], object]


def states() -> tuple[str, list[str]]:
    refund = Refund.objects.get()
    return refund.state, [leg.state for leg in refund.payouts.order_by("pk")]


def received(alipay: SandboxClient, user_id: str = BOUND) -> str:
    [account] = alipay.get("alipay-accounts", user_id=user_id)
    return str(account["balance"])


def penalise(application: Application) -> None:
    cases.penalise(application.pk, case="violation:1", amount=Decimal("200.00"), reason="违规", actor=None)


def break_contract(application: Application) -> None:
    cases.charge_breach(application.pk, case="breach:1", amount=Decimal("200.00"), reason="违约", actor=None)


def compensate(application: Application) -> None:
    cases.settle_case(application.pk, case="complaint:1", award=Decimal("200.00"), reason="赔付", actor=None)


def freeze(application: Application) -> None:
    cases.freeze(application.pk, case="complaint:1", claimed=Decimal("200.00"))


@pytest.fixture
def held(active: Application) -> Refund:
    """Of a member that left after a penalty."""
    penalise(active)
    leave(active)
    return Refund.objects.get()


# By itself, or not ---------------------------------------------------------------------------------


def test_a_clean_record_goes_back_by_itself(
    exited: Application, alipay: SandboxClient, merchant: User, finance: User
) -> None:
    assert states() == ("in_progress", ["queued"])

    pay_out()

    assert states() == ("done", ["done"])
    assert received(alipay) == "1000000.00"
    assert not Proposal.objects.exists()
    assert not Notice.objects.filter(recipient=finance).exists()
    subjects = Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund").count()
    assert subjects == 2, "on its way, and paid back"


@pytest.mark.parametrize(
    ("blemish", "words"),
    [
        (penalise, "保证金曾被扣款"),
        (break_contract, "保证金曾被扣款"),
        (compensate, "保证金曾被扣款"),
        (freeze, "部分保证金因案件被冻结"),
    ],
)
def test_money_that_was_taken_or_is_frozen_holds_the_refund(
    active: Application, alipay: SandboxClient, blemish: Blemish, words: str
) -> None:
    blemish(active)

    leave(active)

    assert states() == ("held", ["held"])
    assert Refund.objects.get().hold_reason == words
    pay_out()
    assert states() == ("held", ["held"])
    assert not alipay.refunds()
    assert books_agree()


def test_a_debt_that_was_waived_holds_the_refund(
    active: Application, finance: User, second_finance: User
) -> None:
    cases.penalise(active.pk, case="violation:1", amount=REQUIRED + 5, reason="违规", actor=None)
    debt = Obligation.objects.get()
    two_decide(ProposalKind.WAIVE_OBLIGATION, debt, finance, second_finance)
    ledger.post(Kind.TOP_UP, Decimal("300.00"), key="top-up", deposit=deposit_of(active))

    leave(active)

    assert states() == ("held", ["held"])
    assert Refund.objects.get().hold_reason == "保证金曾被扣款；有欠款未清偿"


def test_a_violation_that_was_verified_holds_the_refund_and_one_that_was_dismissed_does_not(
    active: Application, ops: User, second_ops: User, third_ops: User
) -> None:
    for title, verdict in (("甲", violations.dismiss), ("乙", violations.verify)):
        case = violations.report(active.pk, actor=None, severity="general", title=title, facts="事实")
        violations.take_up(case.pk, actor=ops)
        violations.propose(case.pk, actor=ops, severity="general", finding="认定")
        verdict(case.pk, actor=second_ops, reason="理由")
        with transaction.atomic():
            leave(active)
            state, hold_reason = Refund.objects.values_list("state", "hold_reason").get()
            transaction.set_rollback(True)
        if verdict is violations.dismiss:
            assert (state, hold_reason) == ("in_progress", "")
        else:
            assert (state, hold_reason) == ("held", "合作期间有经核实的违规")


def test_what_was_corrected_counts_no_more(active: Application, finance: User, second_finance: User) -> None:
    penalise(active)
    row = deposit_of(active).transfers.get(kind="penalty")
    two_decide(ProposalKind.CORRECT_ENTRY, row, finance, second_finance)

    leave(active)

    assert states() == ("in_progress", ["queued"])


def test_company_and_finance_read_why(finance: User, held: Refund, merchant: User) -> None:
    [notice] = Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund")
    assert "保证金曾被扣款" in notice.body
    [notice] = Notice.objects.filter(recipient=finance)
    assert "保证金曾被扣款" in notice.body
    entry = held.deposit.application.transitions.get(name="refund_held")
    assert (entry.public, entry.reason) == (True, "保证金曾被扣款")


# Released by two -----------------------------------------------------------------------------------


def test_two_people_release_it(
    held: Refund, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    two_decide(ProposalKind.RELEASE_REFUND, held, finance, second_finance)
    assert states() == ("in_progress", ["queued"])

    pay_out()

    assert states() == ("done", ["done"])
    assert received(alipay) == "999800.00"
    assert [row["executions"] for row in alipay.refunds()] == [1]
    assert books_agree()


def test_one_person_alone_releases_nothing(held: Refund, finance: User, ops: User) -> None:
    with pytest.raises(NotPermitted):
        proposals.propose(ProposalKind.RELEASE_REFUND, actor=ops, reason="r", target=held)
    proposal = proposals.propose(ProposalKind.RELEASE_REFUND, actor=finance, reason="r", target=held)
    for person in (finance, ops):
        with pytest.raises(NotPermitted):
            proposals.accept(proposal.pk, actor=person)

    assert states() == ("held", ["held"])


def test_a_refund_is_released_once(held: Refund, finance: User, second_finance: User) -> None:
    two_decide(ProposalKind.RELEASE_REFUND, held, finance, second_finance)

    with pytest.raises(DomainError) as refusal:
        proposals.propose(ProposalKind.RELEASE_REFUND, actor=finance, reason="r", target=held)

    assert refusal.value.code == "not_held"


@pytest.mark.parametrize(
    ("table", "state"), [("refund", "in_progress"), ("payout", "queued"), ("payout", "calling")]
)
def test_sql_releases_nothing_without_two(held: Refund, table: str, state: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_{table} SET state = %s", [state])


# Held by two ---------------------------------------------------------------------------------------


def test_two_people_hold_a_refund_that_no_worker_has_claimed(
    exited: Application, alipay: SandboxClient, finance: User, second_finance: User, ops: User
) -> None:
    refund = Refund.objects.get()

    two_decide(ProposalKind.HOLD_REFUND, refund, ops, finance, company_reason="事后发现违规")

    assert states() == ("held", ["held"])
    assert Refund.objects.get().hold_reason == "事后发现违规"
    pay_out()
    assert not alipay.refunds()

    two_decide(ProposalKind.RELEASE_REFUND, refund, finance, second_finance)
    pay_out()
    assert states() == ("done", ["done"])


def test_what_was_released_once_is_not_released_for_ever(
    held: Refund, finance: User, second_finance: User
) -> None:
    two_decide(ProposalKind.RELEASE_REFUND, held, finance, second_finance)
    two_decide(ProposalKind.HOLD_REFUND, held, second_finance, finance)

    with pytest.raises(DatabaseError), transaction.atomic():
        Refund.objects.update(state="in_progress")


def test_a_refund_that_a_worker_has_claimed_is_held_no_more(
    exited: Application, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    refund = Refund.objects.get()
    proposal = proposals.propose(ProposalKind.HOLD_REFUND, actor=finance, reason="r", target=refund)
    alipay.fault("alipay.trade.refund", "system_error", executed=False)
    payouts.send(Payout.objects.get().pk)
    assert states() == ("in_progress", ["queued"]), "queued again, and yet claimed once"

    for attempt in (
        lambda: proposals.accept(proposal.pk, actor=second_finance),
        lambda: proposals.propose(ProposalKind.HOLD_REFUND, actor=second_finance, reason="r", target=refund),
    ):
        with pytest.raises(DomainError) as refusal:
            attempt()
        assert refusal.value.code == "claimed"
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(state="held")

    pay_out()
    assert states() == ("done", ["done"])


@pytest.mark.django_db(transaction=True)
def test_holding_and_sending_at_once_does_one_of_them(
    exited: Application, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    refund, payout = Refund.objects.get(), Payout.objects.get()
    proposal = proposals.propose(ProposalKind.HOLD_REFUND, actor=finance, reason="r", target=refund)

    def hold() -> str:
        try:
            proposals.accept(proposal.pk, actor=second_finance)
            return "held"
        except DomainError as refusal:
            return refusal.code
        finally:
            connections.close_all()

    def send() -> None:
        try:
            payouts.send(payout.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        sending = [pool.submit(send) for _ in range(2)]
        holding = pool.submit(hold)
        sending += [pool.submit(send) for _ in range(2)]
        outcome = holding.result()
        for future in sending:
            future.result()

    if outcome == "held":
        assert states() == ("held", ["held"]) and not alipay.refunds()
    else:
        assert outcome in {"claimed", "not_under_way"}
        assert states() == ("done", ["done"])
        assert [row["executions"] for row in alipay.refunds()] == [1]


# By hand -------------------------------------------------------------------------------------------


@pytest.fixture
def leftover(exited: Application, alipay: SandboxClient) -> Application:
    """A former member with money in its deposit: it came after the exit."""
    pay_out()
    ledger.post(Kind.PAYMENT, Decimal("300.00"), key="late", deposit=deposit_of(exited))
    return reload(exited)


def test_two_people_send_back_what_came_after_the_exit(
    leftover: Application, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    deposit = deposit_of(leftover)

    two_decide(
        ProposalKind.REFUND_BY_HAND, deposit, finance, second_finance, amount="300.00", company_reason="更正"
    )
    pay_out()

    refund = Refund.objects.latest("pk")
    assert (refund.state, refund.amount, refund.reason) == ("done", 300, "更正")
    assert [(leg.method, leg.payee_identity, leg.payee_name) for leg in refund.payouts.all()] == [
        ("transfer", BOUND, NAME)
    ], "the payment was given back already, so to the bound account"
    assert received(alipay) == "1000300.00"
    assert deposit_of(leftover).available == 0
    assert books_agree()


def test_two_people_send_it_to_another_payee(
    leftover: Application, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    alipay.account(OTHER_COMPANY, name="清算组", kind="CORPORATE", balance="0.00")

    two_decide(
        ProposalKind.REFUND_BY_HAND,
        deposit_of(leftover),
        finance,
        second_finance,
        amount="120.50",
        payee_identity=OTHER_COMPANY,
        payee_identity_type="ALIPAY_USER_ID",
        payee_name="清算组",
    )
    pay_out()

    assert received(alipay, OTHER_COMPANY) == "120.50"
    assert deposit_of(leftover).available == Decimal("179.50")
    assert books_agree()


@pytest.mark.parametrize(
    ("details", "code", "field"),
    [
        ({"amount": "300.01"}, "too_much", "amount"),
        ({"amount": "0.00"}, "no_amount", "amount"),
        ({"amount": "-1"}, "no_amount", "amount"),
        ({"amount": "1.005"}, "no_amount", "amount"),
        ({"amount": "NaN"}, "no_amount", "amount"),
        ({}, "no_amount", "amount"),
        (
            {
                "amount": "1",
                "payee_identity": "2088",
                "payee_identity_type": "ALIPAY_USER_ID",
                "payee_name": "x",
            },
            "no_account",
            "payee_identity",
        ),
        (
            {"amount": "1", "payee_identity": OTHER_COMPANY, "payee_identity_type": "ALIPAY_USER_ID"},
            "no_name",
            "payee_name",
        ),
    ],
)
def test_a_bad_refund_by_hand_is_not_proposed(
    leftover: Application, finance: User, details: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        proposals.propose(
            ProposalKind.REFUND_BY_HAND,
            actor=finance,
            reason="r",
            target=deposit_of(leftover),
            details=details,
        )

    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Proposal.objects.exists()


def test_an_amount_that_is_gone_meanwhile_is_not_sent(
    leftover: Application, finance: User, second_finance: User
) -> None:
    first, second = (
        proposals.propose(
            ProposalKind.REFUND_BY_HAND,
            actor=finance,
            reason="r",
            target=deposit_of(leftover),
            details={"amount": "200.00"},
        )
        for _ in range(2)
    )
    proposals.accept(first.pk, actor=second_finance)

    with pytest.raises(DomainError) as refusal:
        proposals.accept(second.pk, actor=second_finance)

    assert refusal.value.code == "too_much"
    second.refresh_from_db()
    assert second.state == "open"
    assert deposit_of(leftover).available == 100


def test_of_a_member_only_what_is_too_much_goes_back(active: Application, finance: User) -> None:
    deposit = deposit_of(active)
    for amount in ("0.01", "100000.00"):
        with pytest.raises(DomainError) as refusal:
            proposals.propose(
                ProposalKind.REFUND_BY_HAND,
                actor=finance,
                reason="r",
                target=deposit,
                details={"amount": amount},
            )
        assert refusal.value.code == "too_much"

    deposit.__class__.objects.filter(pk=deposit.pk).update(required=REQUIRED - 100)

    assert proposals.propose(
        ProposalKind.REFUND_BY_HAND, actor=finance, reason="r", target=deposit, details={"amount": "100.00"}
    )


def test_an_expelled_companys_money_goes_back_by_hand_alone(
    active: Application,
    alipay: SandboxClient,
    ops: User,
    second_ops: User,
    finance: User,
    second_finance: User,
) -> None:
    expel(active, ops, second_ops)
    deposit = deposit_of(active)
    ledger.post(Kind.PAYMENT, Decimal("10.00"), key="late", deposit=deposit)
    pay_out()
    assert not Refund.objects.exists()

    two_decide(ProposalKind.REFUND_BY_HAND, deposit, finance, second_finance, amount="10.00")
    pay_out()

    assert states() == ("done", ["done"])
    assert ledger.totals()[Account.FORFEITURE_INCOME] == REQUIRED
