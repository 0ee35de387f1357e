"""What people do about a payout that needs one: ask again, try again, send it otherwise, record it as paid."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connections, transaction
from django.utils import translation

from applications.models import Application
from deposits import proposals
from deposits.gateways import alipay as gateway
from deposits.models import Payout, Proposal, ProposalKind, Refund
from deposits.outgoing import alipay_codes, payout_decisions, payouts
from deposits.outgoing.payout_answers import DISCORDANT, NO_FUNDS
from tests.deposits.conftest import (
    BOUND,
    NAME,
    OTHER_COMPANY,
    books_agree,
    leave,
    pay_out,
    two_decide,
)
from tests.rules import set_rule
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]
REFUND = "alipay.trade.refund"
REFUND_QUERY = "alipay.trade.fastpay.refund.query"
TRANSFER = "alipay.fund.trans.uni.transfer"
ELSEWHERE = {
    "payee_identity": OTHER_COMPANY,
    "payee_identity_type": "ALIPAY_USER_ID",
    "payee_name": "杭州小店新户",
}
NUMBER = "20261124200040011100990012345678"


@pytest.fixture
def stuck(exited: Application, alipay: SandboxClient) -> Payout:
    """Refused at its first attempt: nothing has gone."""
    alipay.account(OTHER_COMPANY, name=ELSEWHERE["payee_name"], kind="CORPORATE", balance="0.00")
    alipay.fault(REFUND, "sub_code", sub_code="ACQ.BUYER_ERROR", sub_msg="买家状态异常")
    pay_out()
    return Payout.objects.get()


@pytest.fixture
def doubtful(exited: Application, alipay: SandboxClient) -> Payout:
    """Refused at its second attempt; what became of the first, nobody knows."""
    alipay.account(OTHER_COMPANY, name=ELSEWHERE["payee_name"], kind="CORPORATE", balance="0.00")
    alipay.fault(REFUND, "system_error", executed=False)
    alipay.fault(REFUND, "sub_code", sub_code="ACQ.BUYER_ERROR")
    pay_out()
    return Payout.objects.get()


def received(alipay: SandboxClient, user_id: str) -> str:
    [account] = alipay.get("alipay-accounts", user_id=user_id)
    return str(account["balance"])


def code_of(error: pytest.ExceptionInfo[DomainError]) -> tuple[str, str | None]:
    return error.value.code, error.value.field


# Ask and try again ---------------------------------------------------------------------------------


def test_the_page_has_alipays_code_words_and_what_they_mean(stuck: Payout, finance: User) -> None:
    assert (stuck.state, stuck.last_code, stuck.last_answer) == (
        "attention",
        "ACQ.BUYER_ERROR",
        "买家状态异常",
    )
    explained = alipay_codes.explain(stuck.last_code)
    with translation.override("zh-hans"):
        assert explained is not None and str(explained.meaning) == "付款方账户异常、已注销或被冻结。"


def test_finance_is_told_what_it_means_and_nothing_that_only_alipay_answers_for(
    finance: User, exited: Application, alipay: SandboxClient
) -> None:
    alipay.fault(REFUND, "sub_code", sub_code="ACQ.BUYER_ERROR", sub_msg="买家状态异常")
    pay_out()

    notice = Notice.objects.get(recipient=finance)
    assert "ACQ.BUYER_ERROR 付款方账户异常、已注销或被冻结。" in notice.body
    assert "买家状态异常" not in notice.body


def test_a_person_of_finance_has_it_tried_again(stuck: Payout, alipay: SandboxClient, finance: User) -> None:
    payout_decisions.retry(stuck.pk, actor=finance, seen=stuck.attempts)
    pay_out()

    assert Payout.objects.get().state == "done"
    assert Refund.objects.get().state == "done"
    [refund] = alipay.refunds()
    assert (refund["executions"], refund["calls"]) == (1, 1)
    step = Refund.objects.get().deposit.application.transitions.get(name="payout_retried")
    assert (step.actor, step.public, step.internal_note) == (finance, False, stuck.number)


def test_a_retry_asks_before_it_sends(stuck: Payout, alipay: SandboxClient, finance: User) -> None:
    """It went in the meantime, as if Alipay had been wrong."""
    alipay.fault(REFUND, "executes_then_drops")
    payout_decisions.retry(stuck.pk, actor=finance)
    payouts.send(stuck.pk)
    pay_out()

    [refund] = alipay.refunds()
    assert (refund["executions"], refund["calls"]) == (1, 1)
    assert Payout.objects.get().state == "done"


@pytest.mark.parametrize("verb", [payout_decisions.retry, payout_decisions.ask_again])
def test_only_finance_and_only_on_a_page_that_is_up_to_date(
    stuck: Payout, finance: User, ops: User, merchant: User, verb: Callable[..., Payout]
) -> None:
    for person in (ops, merchant):
        with pytest.raises(NotPermitted):
            verb(stuck.pk, actor=person)
    with pytest.raises(StaleVersion):
        verb(stuck.pk, actor=finance, seen=stuck.attempts - 1)

    assert Payout.objects.get().state == "attention"


@pytest.mark.parametrize("verb", [payout_decisions.retry, payout_decisions.ask_again])
def test_what_is_done_is_left_alone(exited: Application, finance: User, verb: Callable[..., Payout]) -> None:
    pay_out()
    with pytest.raises(DomainError) as error:
        verb(Payout.objects.get().pk, actor=finance)
    assert error.value.code == "wrong_state"


def test_what_waits_for_its_next_attempt_may_be_tried_now(
    exited: Application, alipay: SandboxClient, finance: User
) -> None:
    alipay.fault(REFUND, "sub_code", sub_code="ACQ.SELLER_BALANCE_NOT_ENOUGH")
    payout = Payout.objects.get()
    payouts.send(payout.pk)
    payouts.send(payout.pk)
    assert Payout.objects.get().attempts == 1, "it is not due yet"

    payout_decisions.retry(payout.pk, actor=finance)
    payouts.send(payout.pk)

    assert Payout.objects.get().state == "done"


def test_alipays_answer_is_kept_and_changes_no_state(
    doubtful: Payout, alipay: SandboxClient, finance: User
) -> None:
    payout = payout_decisions.ask_again(doubtful.pk, actor=finance)

    assert (payout.state, payout.last_code, payout.unpaid_at) == ("attention", "ACQ.BUYER_ERROR", None)
    assert payout.asked_at is not None

    alipay.fault(
        REFUND_QUERY,
        "wrong_values",
        set={"refund_status": "REFUND_SUCCESS", "refund_amount": "100000.00"},
    )
    payout = payout_decisions.ask_again(doubtful.pk, actor=finance)
    assert (payout.state, payout.unpaid_at) == ("attention", None)


def test_a_gateway_that_is_down_is_no_answer(doubtful: Payout, alipay: SandboxClient, finance: User) -> None:
    alipay.fault(REFUND_QUERY, "http_502")
    with pytest.raises(DomainError) as error:
        payout_decisions.ask_again(doubtful.pk, actor=finance)
    assert error.value.code == "alipay_unavailable"
    assert Payout.objects.get().asked_at is None


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_comes_after_another_attempt_has_begun_is_not_kept(
    stuck: Payout, alipay: SandboxClient, finance: User
) -> None:
    """It says nothing of that attempt."""
    alipay.fault(REFUND_QUERY, "delay", seconds=3)

    def ask() -> None:
        try:
            payout_decisions.ask_again(stuck.pk, actor=finance)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        while not alipay.books()["calls"].get(REFUND_QUERY):
            time.sleep(0.05)
        payout_decisions.retry(stuck.pk, actor=finance)
        with pytest.raises(StaleVersion):
            asking.result()

    assert Payout.objects.get().asked_at is None


# Another way ---------------------------------------------------------------------------------------


def test_two_people_send_it_to_another_account(
    stuck: Payout, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    two_decide(ProposalKind.REDIRECT_PAYOUT, stuck, finance, second_finance, **ELSEWHERE)
    pay_out()

    stuck.refresh_from_db()
    assert stuck.state == "replaced"
    again = Payout.objects.get(replaces=stuck)
    assert (again.state, again.method, again.order) == ("done", "transfer", stuck.order)
    assert received(alipay, OTHER_COMPANY) == "100000.00"
    assert not alipay.refunds()
    assert Refund.objects.get().state == "done"
    assert books_agree()


def test_one_person_redirects_nothing(stuck: Payout, finance: User, ops: User) -> None:
    with pytest.raises(NotPermitted):
        proposals.propose(
            ProposalKind.REDIRECT_PAYOUT, actor=ops, reason="r", target=stuck, details=ELSEWHERE
        )
    proposal = proposals.propose(
        ProposalKind.REDIRECT_PAYOUT, actor=finance, reason="r", target=stuck, details=ELSEWHERE
    )
    with pytest.raises(NotPermitted):
        proposals.accept(proposal.pk, actor=finance)
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(state="replaced")


def test_what_alipay_may_still_execute_goes_no_other_way(
    doubtful: Payout, alipay: SandboxClient, finance: User, second_finance: User, move_clock: MoveClock
) -> None:
    def refused() -> str:
        with pytest.raises(DomainError) as error:
            two_decide(ProposalKind.REDIRECT_PAYOUT, doubtful, finance, second_finance, **ELSEWHERE)
        return error.value.code

    assert refused() == "not_sure"
    payout_decisions.ask_again(doubtful.pk, actor=finance)
    assert refused() == "not_sure", "asked too early: a request may still be under way"

    move_clock(minutes=21)
    assert refused() == "not_sure", "time alone makes nothing sure"
    payout = payout_decisions.ask_again(doubtful.pk, actor=finance)
    assert payout.unpaid_at is not None
    two_decide(ProposalKind.REDIRECT_PAYOUT, doubtful, finance, second_finance, **ELSEWHERE)
    pay_out()

    assert received(alipay, OTHER_COMPANY) == "100000.00"
    assert not alipay.refunds()
    assert books_agree()


def test_what_alipay_has_executed_is_booked_and_goes_no_other_way(
    doubtful: Payout, alipay: SandboxClient, finance: User, second_finance: User, move_clock: MoveClock
) -> None:
    alipay.fault(REFUND, "executes_then_drops")
    payout_decisions.retry(doubtful.pk, actor=finance)
    payouts.send(doubtful.pk)
    alipay.fault(REFUND_QUERY, "sub_code", sub_code="ACQ.BUYER_ERROR")
    Payout.objects.update(due_at=clock.now())
    payouts.send(doubtful.pk)
    assert Payout.objects.get().state == "attention"
    move_clock(minutes=21)

    payout = payout_decisions.ask_again(doubtful.pk, actor=finance)

    assert (payout.state, payout.unpaid_at) == ("attention", None)
    with pytest.raises(DomainError) as error:
        two_decide(ProposalKind.REDIRECT_PAYOUT, doubtful, finance, second_finance, **ELSEWHERE)
    assert error.value.code == "not_sure"
    payout_decisions.retry(doubtful.pk, actor=finance)
    pay_out()
    assert Payout.objects.get().state == "done"
    assert [row["executions"] for row in alipay.refunds()] == [1]


def test_an_attempt_after_the_proposal_stops_it(
    stuck: Payout, alipay: SandboxClient, finance: User, second_finance: User
) -> None:
    proposal = proposals.propose(
        ProposalKind.REDIRECT_PAYOUT, actor=finance, reason="r", target=stuck, details=ELSEWHERE
    )
    payout_decisions.retry(stuck.pk, actor=finance)
    with pytest.raises(DomainError) as error:
        proposals.accept(proposal.pk, actor=second_finance)
    assert error.value.code == "wrong_state"

    alipay.fault(REFUND, "sub_code", sub_code="ACQ.BUYER_ERROR")
    payouts.send(stuck.pk)
    with pytest.raises(DomainError) as error:
        proposals.accept(proposal.pk, actor=second_finance)
    assert error.value.code == "not_sure"


def test_a_worker_that_was_held_up_sends_nothing_late(
    exited: Application, alipay: SandboxClient, move_clock: MoveClock
) -> None:
    """Finance may have sent the money another way by now."""
    claimed = payouts._claim(Payout.objects.get().pk)
    assert claimed is not None
    move_clock(minutes=2)

    assert payouts._ask_then_call(claimed) is None

    assert not alipay.refunds()
    assert REFUND not in alipay.books()["calls"]


@pytest.mark.parametrize(
    ("details", "code", "field"),
    [
        (ELSEWHERE | {"payee_name": ""}, "no_name", "payee_name"),
        (ELSEWHERE | {"payee_identity": "x"}, "no_account", "payee_identity"),
    ],
)
def test_the_new_account_must_be_one(
    stuck: Payout, finance: User, details: dict[str, str], code: str, field: str
) -> None:
    with pytest.raises(DomainError) as error:
        proposals.propose(
            ProposalKind.REDIRECT_PAYOUT, actor=finance, reason="r", target=stuck, details=details
        )
    assert code_of(error) == (code, field)
    assert not Proposal.objects.exists()


def test_what_is_under_way_goes_no_other_way(exited: Application, finance: User) -> None:
    for expected in ("wrong_state", "wrong_state"):
        with pytest.raises(DomainError) as error:
            proposals.propose(
                ProposalKind.REDIRECT_PAYOUT,
                actor=finance,
                reason="r",
                target=Payout.objects.get(),
                details=ELSEWHERE,
            )
        assert error.value.code == expected
        pay_out()


def test_a_transfer_over_alipays_limit_goes_again_in_smaller_parts(
    active: Application, alipay: SandboxClient, finance: User, second_finance: User, move_clock: MoveClock
) -> None:
    """To the same account, once the rule says how small."""
    alipay.change_settings(transfer_limit_corporate_fen=6_000_000)
    move_clock(days=400)
    leave(active)
    pay_out()
    payout = Payout.objects.get(method="transfer")
    assert (payout.state, payout.last_code) == ("attention", "EXCEED_LIMIT_ENT_SM_AMOUNT")
    set_rule("payout.transfer_limit", "60000.00", clock.now())

    two_decide(
        ProposalKind.REDIRECT_PAYOUT,
        payout,
        finance,
        second_finance,
        payee_identity=BOUND,
        payee_identity_type="ALIPAY_USER_ID",
        payee_name=NAME,
    )
    pay_out()

    assert [leg.amount for leg in Payout.objects.filter(replaces=payout, state="done")] == [60000, 40000]
    assert received(alipay, BOUND) == "1000000.00"
    assert Refund.objects.get().state == "done"
    assert books_agree()


# Paid after all ------------------------------------------------------------------------------------


def test_two_people_record_it_as_paid(
    stuck: Payout, finance: User, second_finance: User, merchant: User
) -> None:
    two_decide(ProposalKind.SETTLE_PAYOUT, stuck, finance, second_finance, alipay_number=f" {NUMBER} ")

    stuck.refresh_from_db()
    assert (stuck.state, stuck.alipay_number) == ("done", NUMBER)
    assert Refund.objects.get().state == "done"
    assert [row.kind for row in stuck.transfers.all()] == ["refund_paid"]
    assert Notice.objects.filter(recipient=merchant, key__startswith="deposit:refund-done:").exists()
    assert books_agree()


@pytest.mark.parametrize("number", ["", "see the bill", "123", "２０２６１１２４２０００４００１１１"])
def test_without_alipays_number_nothing_is_recorded(stuck: Payout, finance: User, number: str) -> None:
    with pytest.raises(DomainError) as error:
        proposals.propose(
            ProposalKind.SETTLE_PAYOUT,
            actor=finance,
            reason="r",
            target=stuck,
            details={"alipay_number": number},
        )
    assert code_of(error) == ("no_number", "alipay_number")


def test_one_movement_is_evidence_of_one_payout(stuck: Payout, finance: User) -> None:
    Payout.objects.create(
        refund=stuck.refund, order=stuck.order, method="trade_refund", amount=1, alipay_number=NUMBER
    )
    with pytest.raises(DomainError) as error:
        proposals.propose(
            ProposalKind.SETTLE_PAYOUT,
            actor=finance,
            reason="r",
            target=stuck,
            details={"alipay_number": NUMBER},
        )
    assert code_of(error) == ("number_used", "alipay_number")


def test_what_is_under_way_is_not_recorded_as_paid(exited: Application, finance: User) -> None:
    with pytest.raises(DomainError) as error:
        proposals.propose(
            ProposalKind.SETTLE_PAYOUT,
            actor=finance,
            reason="r",
            target=Payout.objects.get(),
            details={"alipay_number": NUMBER},
        )
    assert error.value.code == "wrong_state"


@pytest.mark.parametrize("state", ["done", "replaced", "queued"])
def test_sql_lets_nobody_decide_alone(stuck: Payout, state: str) -> None:
    if state == "queued":
        Payout.objects.update(state=state)  # one person may
        return
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(state=state, done_at=clock.now())


def test_sql_replaces_nothing_that_alipay_may_execute(
    doubtful: Payout, finance: User, second_finance: User
) -> None:
    _accepted(doubtful, finance, second_finance)
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(state="replaced")


def test_sql_replaces_a_payout_by_its_amount(stuck: Payout, finance: User, second_finance: User) -> None:
    _accepted(stuck, finance, second_finance)
    for amounts in ([], [1], [60000, 40001]):
        with pytest.raises(DatabaseError), transaction.atomic():
            Payout.objects.filter(pk=stuck.pk).update(state="replaced")
            for amount in amounts:
                Payout.objects.create(
                    refund=stuck.refund,
                    method="transfer",
                    amount=amount,
                    payee_identity="x",
                    payee_identity_type="x",
                    replaces=stuck,
                )
            _check_deferred()


def test_sql_calls_nothing_done_that_is_not_booked(exited: Application) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Payout.objects.update(state="calling")
        Payout.objects.update(state="done", done_at=clock.now())
        _check_deferred()


def _accepted(payout: Payout, first: User, second: User) -> None:
    proposal = Proposal.objects.create(
        kind="redirect_payout", payout=payout, reason="r", details=ELSEWHERE, proposed_by=first
    )
    Proposal.objects.filter(pk=proposal.pk).update(
        state="accepted", decided_by=second, decided_at=clock.now()
    )


def _check_deferred() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


# What codes mean -----------------------------------------------------------------------------------


def test_every_code_that_the_gateway_knows_is_explained() -> None:
    codes = gateway.REFUSED_SUB_CODES | gateway.NOT_EXECUTED_SUB_CODES | DISCORDANT | NO_FUNDS
    assert codes <= set(alipay_codes.EXPLANATIONS)
    for code in ("EXCEED_LIMIT_ENT_SM_AMOUNT", "EXCEED_LIMIT_DM_MAX_AMOUNT", "NEW_CODE"):
        assert alipay_codes.explain(code)
    assert alipay_codes.explain("") is None
