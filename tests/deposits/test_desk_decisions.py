"""Decisions on the desk: proposed at their row, decided by another, said in words and money before, stale pages refused."""

from decimal import Decimal

import pytest
from django.test import Client

from applications.models import Application
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, obligations
from deposits.models import (
    Compensation,
    LedgerTransfer,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
)
from deposits.proposals import propose
from tests.deposits.conftest import deposit_of, leave, pay_out
from tests.deposits.desk import consequences, offered, take, url
from tests.sandbox_client import SandboxClient
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

ACCOUNT = "2088102146225199"
EVERYBODY_ELSE = ["ops", "reviewer", "auditor", "superuser"]


def cny(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.fixture
def desk(finance: User) -> Client:
    return staff_client(finance)


@pytest.fixture
def second_desk(second_finance: User) -> Client:
    return staff_client(second_finance)


@pytest.fixture
def debt(member: Application) -> Obligation:
    """Of CNY 500 after a penalty."""
    cases.penalise(member.pk, case="violation:7", amount=cny("100500.00"), reason="刷单", actor=None)
    return Obligation.objects.get()


@pytest.fixture
def proposal(debt: Obligation, finance: User) -> Proposal:
    return propose(ProposalKind.WAIVE_OBLIGATION, actor=finance, reason="公司整改", target=debt)


@pytest.fixture
def held(member: Application) -> Refund:
    """Of a member that left after a penalty."""
    cases.penalise(member.pk, case="violation:7", amount=cny("200.00"), reason="延迟", actor=None)
    leave(member)
    return Refund.objects.get()


@pytest.fixture
def queued(member: Application) -> Refund:
    """On its way by itself."""
    leave(member)
    return Refund.objects.get()


@pytest.fixture
def stuck(queued: Refund) -> Payout:
    """Alipay refused the only attempt: it is sure that no money has left."""
    queued.payouts.update(state="calling", attempts=1, claimed_at=clock.now())
    queued.payouts.update(state="attention", last_code="ACQ.BUYER_ERROR", unpaid_at=clock.now())
    return queued.payouts.get()


def state_of(proposal: Proposal) -> str:
    return str(Proposal.objects.get(pk=proposal.pk).state)


# Proposing -----------------------------------------------------------------------------------------


class TestProposing:
    def test_a_proposal_begins_at_its_row_and_tells_the_others(
        self, desk: Client, debt: Obligation, finance: User, second_finance: User
    ) -> None:
        answer = take(desk, debt, "waive", reason="公司已整改")

        proposal = Proposal.objects.get()
        assert answer["Location"] == url(debt, "change")
        assert (proposal.kind, proposal.obligation, proposal.reason) == (
            "waive_obligation",
            debt,
            "公司已整改",
        )
        assert proposal.deposit == debt.deposit
        assert Obligation.objects.get().state == "open"
        told = Notice.objects.filter(key__contains=f"proposal:{proposal.pk}")
        assert [notice.recipient for notice in told] == [second_finance]

    def test_the_page_says_who_owes_what_no_more_and_who_is_told(
        self, desk: Client, debt: Obligation
    ) -> None:
        said = consequences(desk, debt, "waive")

        for words in (
            "此时不会动账",
            "杭州小店电子商务有限公司",
            "¥500.00",
            "由 ¥500.00 变为 ¥0.00",
            "通知商家",
        ):
            assert words in said

    def test_a_refund_that_is_released_is_said_leg_by_leg(self, desk: Client, held: Refund) -> None:
        order = held.deposit.orders.get()

        said = consequences(desk, held, "release")

        assert f"¥99,800.00 原路退回：{order.buyer_name} 的支付单 {order.out_trade_no}" in said
        take(desk, held, "release", reason="已核实")
        assert Proposal.objects.get().refund == held

    def test_a_refund_is_held_with_a_reason_for_the_company(self, desk: Client, queued: Refund) -> None:
        take(desk, queued, "hold", reason="举报待查", company_reason="正在核实")

        assert Proposal.objects.get().details == {"company_reason": "正在核实"}

    def test_a_refund_by_hand_keeps_amount_and_payee(self, desk: Client, member: Application) -> None:
        deposit = deposit_of(member)
        ledger.post(Kind.TOP_UP, cny("300.00"), key="too much", deposit=deposit)

        assert "最多可退 ¥300.00" in consequences(desk, deposit, "refund_by_hand")
        take(
            desk,
            deposit,
            "refund_by_hand",
            amount="250.5",
            payee_identity=ACCOUNT,
            payee_name="杭州小店电子商务有限公司",
            reason="多缴",
        )

        assert Proposal.objects.get().details == {
            "amount": "250.50",
            "company_reason": "",
            "payee_identity": ACCOUNT,
            "payee_identity_type": "ALIPAY_USER_ID",
            "payee_name": "杭州小店电子商务有限公司",
        }

    def test_a_payout_goes_to_another_account_or_counts_as_paid(self, desk: Client, stuck: Payout) -> None:
        assert offered(desk, stuck) == ["ask_again", "retry", "redirect", "settle"]

        take(desk, stuck, "redirect", payee_identity="cw@example.com", payee_name="杭州小店", reason="销户")
        take(desk, stuck, "settle", alipay_number="2026112422001400000000000001", reason="账单可查")

        kinds = {proposal.kind: proposal.details for proposal in Proposal.objects.all()}
        assert kinds["redirect_payout"]["payee_identity_type"] == "ALIPAY_LOGON_ID"
        assert kinds["settle_payout"] == {"alipay_number": "2026112422001400000000000001"}
        assert offered(desk, stuck) == ["ask_again", "retry"]

    def test_a_ledger_entry_is_corrected(self, desk: Client, held: Refund) -> None:
        penalty = LedgerTransfer.objects.get(kind="penalty")

        said = consequences(desk, penalty, "correct")
        take(desk, penalty, "correct", reason="误扣")

        assert "借 “违规罚款”，贷 “保证金（可用）”" in said
        assert "余款退还给公司" in said
        assert Proposal.objects.get().entry == penalty

    def test_an_entry_that_follows_from_something_else_is_not_offered_for_correction(
        self, desk: Client, held: Refund
    ) -> None:
        assert offered(desk, LedgerTransfer.objects.get(kind="payment")) == []

    def test_what_waits_already_is_not_offered_again(self, desk: Client, debt: Obligation) -> None:
        assert offered(desk, debt) == ["waive"]
        take(desk, debt, "waive", reason="公司已整改")

        assert offered(desk, debt) == []
        assert take(desk, debt, "waive", reason="再来一次").status_code == 409
        assert Proposal.objects.count() == 1

    def test_a_form_with_an_error_keeps_what_was_typed(self, desk: Client, stuck: Payout) -> None:
        answer = take(desk, stuck, "redirect", payee_identity="nobody", payee_name="小店", reason="销户")

        form = answer.context["form"]
        assert answer.status_code == 200
        assert form.errors["payee_identity"] and "payee_name" not in form.errors
        assert form["payee_name"].value() == "小店"
        assert "小店" in answer.content.decode()
        assert not Proposal.objects.exists()

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"amount": "0"}, "amount"),
            ({"amount": "1.234"}, "amount"),
            ({"amount": "ten"}, "amount"),
            ({"amount": "300.01"}, "amount"),
            ({"amount": "1.00", "payee_identity": ACCOUNT}, "payee_name"),
            ({"amount": "1.00", "payee_name": "小店"}, "payee_identity"),
            ({"amount": "1.00", "reason": " "}, "reason"),
        ],
    )
    def test_a_refund_by_hand_is_refused_beside_the_field(
        self, desk: Client, member: Application, typed: dict[str, str], field: str
    ) -> None:
        deposit = deposit_of(member)
        ledger.post(Kind.TOP_UP, cny("300.00"), key="too much", deposit=deposit)

        answer = take(desk, deposit, "refund_by_hand", **({"reason": "多缴"} | typed))

        assert list(answer.context["form"].errors) == [field]
        assert not Proposal.objects.exists()

    def test_a_page_that_showed_other_figures_is_refused_and_shown_anew(
        self, desk: Client, debt: Obligation
    ) -> None:
        page = desk.get(url(debt, "waive"))
        ledger.post(Kind.TOP_UP, cny("1.00"), key="t", deposit=debt.deposit)
        obligations.settle(debt.deposit)

        data = {"seen": page.context["form"]["seen"].value(), "reason": "公司已整改"}
        answer = desk.post(url(debt, "waive"), data)

        assert answer.status_code == 409
        assert "公司已整改" in answer.content.decode()
        assert "¥499.00" in "\n".join(answer.context["consequences"])
        assert not Proposal.objects.exists()
        again = {**data, "seen": answer.context["form"]["seen"].value()}
        assert desk.post(url(debt, "waive"), again).status_code == 302


class TestBookingAMovement:
    TYPED = {
        "kind": "funding",
        "amount": "5000",
        "serial": "2026112400001",
        "at": "2026-11-01 10:00:00",
        "reason": "补充备付",
    }
    PAGE = url(Proposal, "book_movement")

    def test_it_is_proposed_and_booked(self, desk: Client, second_desk: Client) -> None:
        answer = desk.post(self.PAGE, self.TYPED)

        proposal = Proposal.objects.get()
        assert answer["Location"] == url(proposal, "change")
        assert proposal.details == {
            "kind": "funding",
            "amount": "5000.00",
            "serial": "2026112400001",
            "at": "2026-11-01T10:00:00+08:00",
        }
        assert "借 “支付宝资金”" in consequences(second_desk, proposal, "accept")
        take(second_desk, proposal, "accept")
        assert LedgerTransfer.objects.get().amount == cny("5000.00")

    def test_a_link_fills_the_form_in(self, desk: Client) -> None:
        page = desk.get(self.PAGE, {"serial": "2026112400009", "kind": "withdrawal"})

        assert page.context["form"]["serial"].value() == "2026112400009"
        assert not Proposal.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("amount", "-1"),
            ("serial", "没有"),
            ("at", "yesterday"),
            ("at", "2093-01-01 00:00:00"),
            ("reason", ""),
        ],
    )
    def test_an_error_stands_beside_its_field(self, desk: Client, field: str, value: str) -> None:
        answer = desk.post(self.PAGE, self.TYPED | {field: value})

        assert list(answer.context["form"].errors) == [field]
        assert answer.context["form"]["kind"].value() == "funding"
        assert not Proposal.objects.exists()

    @pytest.mark.parametrize("person", EVERYBODY_ELSE)
    def test_only_finance_begins_it(self, person: str, request: pytest.FixtureRequest) -> None:
        client = staff_client(request.getfixturevalue(person))

        assert client.get(self.PAGE).status_code == client.post(self.PAGE, self.TYPED).status_code == 403
        assert not Proposal.objects.exists()


# Deciding ------------------------------------------------------------------------------------------


class TestDeciding:
    def test_the_second_person_accepts_and_it_is_carried_out(
        self, second_desk: Client, second_finance: User, proposal: Proposal
    ) -> None:
        assert offered(second_desk, proposal) == ["accept", "refuse"]
        assert "¥500.00" in consequences(second_desk, proposal, "accept")

        answer = take(second_desk, proposal, "accept", reason="属实")

        decided = Proposal.objects.get()
        assert answer["Location"] == url(proposal, "change")
        assert (decided.state, decided.decided_by, decided.decision_reason) == (
            "accepted",
            second_finance,
            "属实",
        )
        assert Obligation.objects.get().state == "waived"

    def test_the_second_person_refuses_with_a_reason_that_the_proposer_reads(
        self, second_desk: Client, finance: User, proposal: Proposal
    ) -> None:
        assert take(second_desk, proposal, "refuse").context["form"].errors["reason"]
        assert state_of(proposal) == "open"

        take(second_desk, proposal, "refuse", reason="证据不足")

        assert state_of(proposal) == "refused"
        assert "证据不足" in str(Notice.objects.get(recipient=finance, key__contains="refused").body)
        assert Obligation.objects.get().state == "open"

    def test_the_proposer_sees_no_button_to_accept_and_is_refused(
        self, desk: Client, proposal: Proposal
    ) -> None:
        assert offered(desk, proposal) == ["withdraw"]
        page = desk.get(url(proposal, "change")).content.decode()
        assert url(proposal, "accept") not in page

        for step in ("accept", "refuse"):
            assert desk.get(url(proposal, step)).status_code == 403
            assert take(desk, proposal, step, reason="自己").status_code == 403
        assert state_of(proposal) == "open"
        assert Obligation.objects.get().state == "open"

    def test_the_proposer_takes_it_back(self, desk: Client, second_desk: Client, proposal: Proposal) -> None:
        assert take(second_desk, proposal, "withdraw").status_code == 403

        take(desk, proposal, "withdraw")

        assert state_of(proposal) == "withdrawn"
        assert offered(second_desk, proposal) == []

    @pytest.mark.parametrize("person", EVERYBODY_ELSE)
    @pytest.mark.parametrize("step", ["accept", "refuse", "withdraw"])
    def test_nobody_else_decides(
        self, person: str, step: str, request: pytest.FixtureRequest, proposal: Proposal
    ) -> None:
        client = staff_client(request.getfixturevalue(person))

        assert take(client, proposal, step, reason="越权").status_code == 403
        assert state_of(proposal) == "open"

    def test_getting_a_page_decides_nothing(self, second_desk: Client, proposal: Proposal) -> None:
        second_desk.get(url(proposal, "accept"), {"reason": "属实", "seen": "x"})

        assert state_of(proposal) == "open"

    def test_who_comes_second_finds_it_decided(self, second_desk: Client, proposal: Proposal) -> None:
        page = second_desk.get(url(proposal, "accept"))
        take(second_desk, proposal, "refuse", reason="证据不足")

        answer = second_desk.post(url(proposal, "accept"), {"seen": page.context["form"]["seen"].value()})

        assert answer.status_code == 409
        assert state_of(proposal) == "refused"
        assert not answer.context["is_offered"]

    def test_what_changed_since_it_was_read_is_shown_before_it_is_accepted(
        self, second_desk: Client, proposal: Proposal, debt: Obligation
    ) -> None:
        page = second_desk.get(url(proposal, "accept"))
        ledger.post(Kind.TOP_UP, cny("1.00"), key="t", deposit=debt.deposit)
        obligations.settle(debt.deposit)

        answer = second_desk.post(
            url(proposal, "accept"), {"seen": page.context["form"]["seen"].value(), "reason": "属实"}
        )

        assert answer.status_code == 409
        assert "¥499.00" in "\n".join(answer.context["consequences"])
        assert state_of(proposal) == "open"

    def test_what_can_no_longer_be_done_is_refused_with_the_reason(
        self, second_desk: Client, desk: Client, held: Refund, finance: User, second_finance: User
    ) -> None:
        take(desk, held, "release", reason="已核实")
        proposal = Proposal.objects.get()
        take(second_desk, proposal, "accept")
        assert Refund.objects.get().state == "in_progress"

        answer = take(second_desk, proposal, "accept")

        assert answer.status_code == 409
        assert answer.context["form"].non_field_errors()


# Who ------------------------------------------------------------------------------------------------


class TestWho:
    def test_operations_propose_to_waive_and_to_hold_and_nothing_else(
        self, ops: User, desk: Client, debt: Obligation
    ) -> None:
        client = staff_client(ops)

        assert offered(client, debt) == ["waive"]
        assert take(client, debt, "waive", reason="公司已整改").status_code == 302
        assert offered(client, Proposal.objects.get()) == ["withdraw"]
        deposit = debt.deposit
        assert offered(client, deposit) == []
        assert take(client, deposit, "refund_by_hand", amount="1", reason="越权").status_code == 403
        assert Proposal.objects.count() == 1

    def test_operations_hold_and_do_not_release(self, ops: User, queued: Refund) -> None:
        client = staff_client(ops)

        assert offered(client, queued) == ["hold"]
        assert take(client, queued, "hold", reason="举报待查").status_code == 302

    def test_operations_do_not_release(self, ops: User, held: Refund) -> None:
        client = staff_client(ops)

        assert offered(client, held) == []
        assert take(client, held, "release", reason="放行").status_code == 403
        assert not Proposal.objects.exists()

    @pytest.mark.parametrize("person", ["auditor", "superuser"])
    def test_who_only_reads_is_offered_nothing_and_refused(
        self, person: str, request: pytest.FixtureRequest, stuck: Payout
    ) -> None:
        client = staff_client(request.getfixturevalue(person))
        entry = LedgerTransfer.objects.get(kind="payment")
        deposit = stuck.refund.deposit  # type: ignore[union-attr]
        for row, steps in {
            stuck: ["ask_again", "retry", "redirect", "settle"],
            stuck.refund: ["release", "hold"],
            deposit: ["refund_by_hand"],
            entry: ["correct"],
        }.items():
            assert row is not None
            assert offered(client, row) == []
            for step in steps:
                assert take(client, row, step, reason="越权").status_code == 403
        assert not Proposal.objects.exists()
        assert Payout.objects.get().attempts == 1

    def test_a_reviewer_finds_no_step_of_money(self, reviewer: User, debt: Obligation) -> None:
        client = staff_client(reviewer)

        for row, step in ((debt, "waive"), (debt.deposit, "refund_by_hand")):
            assert client.get(url(row, step)).status_code == 403
            assert client.post(url(row, step), {"reason": "越权"}).status_code == 403
        assert not Proposal.objects.exists()


# Payouts and compensation --------------------------------------------------------------------------


class TestPayouts:
    def test_the_page_says_what_alipay_said_and_what_to_do(self, desk: Client, stuck: Payout) -> None:
        Payout.objects.update(last_answer="买家账户已注销")

        text = desk.get(url(stuck, "change")).content.decode()

        for words in ("ACQ.BUYER_ERROR", "付款方账户异常", "买家账户已注销", "请联系商家", "该单号未动款"):
            assert words in text

    def test_one_person_tries_again(self, desk: Client, stuck: Payout) -> None:
        answer = take(desk, stuck, "retry")

        assert answer.status_code == 302
        assert Payout.objects.get().state == "queued"

    def test_a_page_from_before_another_attempt_tries_nothing(self, desk: Client, stuck: Payout) -> None:
        seen = desk.get(url(stuck, "retry")).context["form"]["seen"].value()
        Payout.objects.update(attempts=2)

        assert desk.post(url(stuck, "retry"), {"seen": seen}).status_code == 409
        assert Payout.objects.get().state == "attention"

    def test_another_account_is_not_offered_while_the_money_may_have_left(
        self, desk: Client, stuck: Payout
    ) -> None:
        Payout.objects.update(unpaid_at=None)

        assert "redirect" not in offered(desk, stuck)
        assert "尚不能确定" in desk.get(url(stuck, "change")).content.decode()

    def test_alipay_is_asked_from_the_page(
        self, desk: Client, exited: Application, alipay: SandboxClient
    ) -> None:
        alipay.fault("alipay.trade.refund", "sub_code", sub_code="ACQ.BUYER_ERROR", sub_msg="买家状态异常")
        pay_out()
        payout = Payout.objects.get()
        assert payout.state == "attention"

        assert take(desk, payout, "ask_again").status_code == 302

        asked = Payout.objects.get()
        assert asked.asked_at is not None
        assert (asked.state, asked.attempts) == ("attention", payout.attempts)

    def test_two_people_send_it_to_another_account(
        self, desk: Client, second_desk: Client, stuck: Payout
    ) -> None:
        take(desk, stuck, "redirect", payee_identity=ACCOUNT, payee_name="杭州小店", reason="原账户销户")
        proposal = Proposal.objects.get()
        assert f"{ACCOUNT} 杭州小店" in consequences(second_desk, proposal, "accept")

        take(second_desk, proposal, "accept", reason="核对一致")

        new = Payout.objects.get(replaces=stuck)
        assert (new.method, new.payee_identity, new.amount) == ("transfer", ACCOUNT, stuck.amount)
        assert url(new, "change") in desk.get(url(stuck, "change")).content.decode()


class TestCompensation:
    @pytest.fixture
    def waiting(self, member: Application, ops: User) -> Compensation:
        cases.settle_case(member.pk, case="complaint:1", award=cny("50.00"), reason="赔付", actor=ops)
        return Compensation.objects.get()

    def test_finance_names_the_payee(self, desk: Client, waiting: Compensation) -> None:
        assert offered(desk, waiting) == ["name_payee"]
        assert "¥50.00" in consequences(desk, waiting, "name_payee")

        take(desk, waiting, "name_payee", payee_identity="kehu@example.com", payee_name="张客户")

        assert Compensation.objects.get().state == "in_progress"
        payout = Payout.objects.get()
        assert (payout.payee_identity, payout.payee_name) == ("kehu@example.com", "张客户")
        assert offered(desk, waiting) == []

    @pytest.mark.parametrize(
        ("identity", "name", "field"),
        [("", "张客户", "payee_identity"), ("kehu", "张客户", "payee_identity"), (ACCOUNT, "", "payee_name")],
    )
    def test_a_payee_that_cant_be_paid_is_refused_beside_its_field(
        self, desk: Client, waiting: Compensation, identity: str, name: str, field: str
    ) -> None:
        answer = take(desk, waiting, "name_payee", payee_identity=identity, payee_name=name)

        assert list(answer.context["form"].errors) == [field]
        assert Compensation.objects.get().state == "waiting"

    def test_a_page_from_before_it_was_named_names_nobody(
        self, desk: Client, second_desk: Client, waiting: Compensation
    ) -> None:
        seen = desk.get(url(waiting, "name_payee")).context["form"]["seen"].value()
        take(second_desk, waiting, "name_payee", payee_identity=ACCOUNT, payee_name="李客户")

        answer = desk.post(
            url(waiting, "name_payee"),
            {"seen": seen, "payee_identity": "kehu@example.com", "payee_name": "张客户"},
        )

        assert answer.status_code == 409
        assert Payout.objects.get().payee_identity == ACCOUNT

    @pytest.mark.parametrize("person", EVERYBODY_ELSE)
    def test_nobody_else_names_one(
        self, person: str, request: pytest.FixtureRequest, waiting: Compensation
    ) -> None:
        client = staff_client(request.getfixturevalue(person))

        answer = take(client, waiting, "name_payee", payee_identity=ACCOUNT, payee_name="李客户")

        assert answer.status_code == 403
        assert not Payout.objects.exists()
