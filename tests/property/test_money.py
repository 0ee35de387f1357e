"""Money moves in any order, at any time, and again: the books stay right, and nobody gets what isn't theirs.

Each rule does what web, worker or beat would do, through the same functions, and does it twice: the repeat
moves nothing. Alipay answers well, badly or not at all (alipay.py). After each step all figures are compared.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from stdnum.cn import uscc

from applications import reversals, suspensions
from applications import services as applications
from applications.lifecycle import MEMBER, State
from applications.models import Application, Suspension
from compliance.exits import complete_exit
from deposits import proposals, services, tasks
from deposits.books import bookkeeping, ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, requirement
from deposits.gateways.alipay import IdentityType
from deposits.incoming import payments
from deposits.models import (
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    PaymentOrder,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
)
from deposits.outgoing import bank_returns, compensations, payout_decisions, payouts
from deposits.outgoing.payees import Payee
from tests.gateways import keys
from tests.gateways.loopback import running
from tests.people import admit, begin, complete, hand_in, make_merchant, make_staff
from tests.property.alipay import Alipay, Mood, PaidTrade
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError

LIVES = 330
RULES_EACH = 120
STEPS_AT_LEAST = 20_000
MOVES_AT_LEAST = 4_000
# Of each kind, over all lives.
MOVEMENTS_AT_LEAST = 10

COMPANIES = 4
SUMS = ["0.00", "0.10", "333.33", "5000.00", "20000.00", "60000.00", "99999.99", "250000.00"]
CUSTOMER = Payee("2088101000000299", IdentityType.USER_ID, "顾客丙")
OTHER_CUSTOMER = Payee("customer@example.com", IdentityType.LOGON_ID, "顾客丁")
STRANGER = "2088101000000199"

sums = st.sampled_from(SUMS).map(Decimal)
case_numbers = st.integers(1, 4)
# Which of those there are; 0: one whatever its state.
picks = st.integers(0, 7)
payees = st.sampled_from([None, CUSTOMER, OTHER_CUSTOMER])

K = ProposalKind
# Who may have something to pay.
PAYING = (State.APPROVED, *MEMBER)
STAYING = (State.DEPOSIT_PAID, State.ACTIVE, State.SUSPENDED)


class Life(transaction.Atomic):
    """A block of the test's, not of the application's, which never calls Alipay inside of one."""

    def __init__(self) -> None:
        super().__init__(using=None, savepoint=True, durable=False)
        self._from_testcase = True


class Money(RuleBasedStateMachine):
    """Companies, their cases, people of staff who decide, Alipay, and a clock."""

    # As they were when they were approved.
    companies: ClassVar[list[Application]]
    staff: ClassVar[dict[str, User]]
    alipay: ClassVar[Alipay]
    paid_before: ClassVar[dict[str, PaidTrade]]
    steps: ClassVar[int] = 0
    moves: ClassVar[int] = 0
    refusals: ClassVar[Counter[str]] = Counter()
    kinds: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.life.__enter__()
        self.alipay.start_anew(self.paid_before)
        self.before = figures()

    def teardown(self) -> None:
        type(self).kinds.update(LedgerTransfer.objects.values_list("kind", flat=True))
        transaction.set_rollback(True)
        self.life.__exit__(None, None, None)
        clock.set_offset(dt.timedelta())

    # Doing ---------------------------------------------------------------------------------------

    def attempt(self, verb: Callable[..., Any], *values: Any, **options: Any) -> None:
        """Once, and once more: a refusal changes nothing, and neither does the repeat."""
        if self.once(verb, *values, **options):
            after = self.before
            self.once(verb, *values, **options)
            assert self.before == after, "the repeat moved something"

    def once(self, verb: Callable[..., Any], *values: Any, **options: Any) -> bool:
        """Whether it was done, or else refused."""
        cls = type(self)
        cls.steps += 1
        try:
            verb(*values, **options)
        except (DomainError, ledger.KeyUsed) as refusal:
            code = getattr(refusal, "code", "key_used")
            cls.refusals[code] += 1
            if code != "already_paid":  # whoever wants to withdraw learns that by the payment's being settled
                assert figures() == self.before, "a refusal moved something"
                return False
        before, self.before = self.before, figures()
        if self.before != before:
            cls.moves += 1
            if self.before[MONEY] != before[MONEY]:
                self.the_books_are_right()
        return True

    # What is true after each step ------------------------------------------------------------------

    def the_books_are_right(self) -> None:
        assert not [figure for figure in bookkeeping.comparisons() if not figure.agrees]
        with connection.cursor() as cursor:
            cursor.execute(BY_ROWS)
            for available, frozen, owed, came_in, taken, refunded, debts, state in cursor.fetchall():
                assert available >= 0 and frozen >= 0 and owed >= 0
                assert taken + refunded <= came_in
                assert came_in - taken - refunded == available + frozen
                assert owed == debts
                assert not (owed and available), "a debt beside available money"
                assert came_in == 0 or state in (*MEMBER, State.EXPELLED, State.EXITED)
            cursor.execute(SETTLED)
            for number, trade_no, amount in cursor.fetchall():
                trade = self.alipay.trades[number]
                assert (trade_no, amount) == (trade.number, trade.amount), "settled otherwise than paid"
            cursor.execute(PAYOUTS)
            self.nothing_goes_out_twice(cursor.fetchall())

    def nothing_goes_out_twice(self, legs: list[tuple[Any, ...]]) -> None:
        """By Alipay's own books."""
        gone: Counter[str] = Counter()
        whole: dict[str, Decimal] = {}
        for number, amount, state, cause, of_cause, by_hand in legs:
            sent = self.alipay.sent(number)
            assert sent in (0, amount)
            if state == "done" and not by_hand:
                assert sent or self.alipay.transfers[number].status == "REFUND", "not sent at all"
            if state in ("held", "replaced"):
                assert not sent, "what goes another way, or is held, went this way"
            gone[cause] += sent  # type: ignore[assignment]
            whole[cause] = of_cause
        assert all(gone[cause] <= amount for cause, amount in whole.items()), "more went than was to go"

    # Choosing --------------------------------------------------------------------------------------

    def chosen(self, pick: int, *states: State, short: bool = False) -> Iterator[Application]:
        """One company in any of these states, and perhaps short of money, if there is one."""
        if not pick:
            yield self.companies[0]
            return
        fitting = []
        known = zip(self.companies, self.told(STATES), self.told(DEPOSITS), strict=True)
        for company, state, deposit in known:
            required, available, frozen, owed = map(Decimal, deposit.split())
            missing = required - available - frozen + owed > 0
            if state in states and (missing or not short):
                fitting.append(company)
        if fitting:
            yield fitting[pick % len(fitting)]

    def told(self, what: int) -> list[str]:
        return str(self.before[what]).split(",")

    def one_of(self, rows: QuerySet[Any], pick: int) -> Iterator[Any]:
        found = list(rows.order_by("pk"))
        if found:
            yield found[pick % len(found)]

    # Paying ----------------------------------------------------------------------------------------

    @rule(pick=picks)
    def open_an_order(self, pick: int) -> None:
        for one in self.chosen(pick, *PAYING, short=True):
            self.attempt(payments.open_order, one.pk, actor=one.applicant)

    @rule(
        pick=picks,
        how=st.sampled_from(["rightly"] * 4 + ["amount", "payer", "person"]),
        told=st.booleans(),
    )
    def pay(self, pick: int, how: str, told: bool) -> None:
        """`told`: the news comes at once; else when somebody asks (`ask_about_orders`)."""
        for one in self.chosen(pick, *PAYING, short=True):
            self.once(payments.open_order, one.pk, actor=one.applicant)
            for order in PaymentOrder.objects.filter(deposit__application=one).order_by("-pk")[:2]:
                paid = self.alipay.pay(
                    order.out_trade_no,
                    order.amount + 1 if how == "amount" else order.amount,
                    buyer=STRANGER if how == "payer" else one.alipay_account_id,
                    kind="PRIVATE" if how == "person" else "CORPORATE",
                    name=one.company_name,
                    by=order.time_expire,
                )
                if paid and told:
                    self.attempt(payments.resolve, order)
                if paid:
                    return

    @rule(pick=picks)
    def ask_about_orders(self, pick: int) -> None:
        """Also about those that are long dead, or settled."""
        for one in self.chosen(pick, *State):
            for order in PaymentOrder.objects.filter(deposit__application=one).order_by("-pk")[:3]:
                self.attempt(payments.resolve, order)

    @rule(pick=picks)
    def withdraw(self, pick: int) -> None:
        if pick < 2:  # most lives should go on
            for one in self.chosen(pick, State.APPROVED):
                self.attempt(services.withdraw, one.pk, actor=one.applicant)

    @rule(pick=picks)
    def lapse(self, pick: int) -> None:
        for one in self.chosen(pick, State.APPROVED):
            self.attempt(services.lapse_if_due, one.pk)

    @rule(days=st.sampled_from([0.1, 3, 16, 31]))
    def time_passes(self, days: float) -> None:
        clock.set_offset(clock.offset() + dt.timedelta(days=days))
        self.attempt(sweep)

    @rule(amount=st.sampled_from(["80000.00", "100000.00", "120000.00", "150000.00"]))
    def require_another_amount(self, amount: str) -> None:
        set_rule("deposit.required", amount, clock.now())
        for pk in requirement.outdated().values_list("pk", flat=True):
            self.attempt(requirement.adopt, pk)

    # Cases -----------------------------------------------------------------------------------------

    def a_case(self, pick: int, number: int) -> Iterator[tuple[int, str]]:
        for one in self.chosen(pick, *cases.HOLDING):
            yield one.pk, f"complaint:{one.pk}-{number}"

    @rule(pick=picks, number=case_numbers, claimed=sums, cap=st.none() | sums)
    def freeze(self, pick: int, number: int, claimed: Decimal, cap: Decimal | None) -> None:
        for pk, case in self.a_case(pick, number):
            self.attempt(cases.freeze, pk, case=case, claimed=claimed, cap=cap)

    @rule(pick=picks, number=case_numbers, award=sums, payee=payees)
    def settle_case(self, pick: int, number: int, award: Decimal, payee: Payee | None) -> None:
        for pk, case in self.a_case(pick, number):
            self.attempt(
                cases.settle_case, pk, case=case, award=award, payee=payee, reason="退款", actor=None
            )

    @rule(pick=picks, number=case_numbers)
    def release(self, pick: int, number: int) -> None:
        for pk, case in self.a_case(pick, number):
            self.attempt(cases.release, pk, case=case)

    @rule(
        pick=picks,
        number=case_numbers,
        amount=sums,
        verb=st.sampled_from([cases.penalise, cases.charge_breach]),
    )
    def charge(self, pick: int, number: int, amount: Decimal, verb: Callable[..., Any]) -> None:
        for pk, case in self.a_case(pick, number):
            self.attempt(verb, pk, case=case, amount=amount, reason="延迟发货", actor=None)

    # Leaving ---------------------------------------------------------------------------------------

    @rule(pick=picks)
    def expel(self, pick: int) -> None:
        if pick < 3:
            for one in self.chosen(pick, *MEMBER):
                self.attempt(
                    applications.expel,
                    one.pk,
                    investigator=self.staff["ops"],
                    verifier=self.staff["second_ops"],
                    reporter=None,
                    reason="售假",
                )

    @rule(pick=picks)
    def overturn(self, pick: int) -> None:
        for one in self.chosen(pick, State.EXPELLED):
            self.attempt(
                reversals.overturn_expulsion,
                one.pk,
                proposer=self.staff["third_ops"],
                decider=self.staff["fourth_ops"],
                reason="申诉成立",
            )

    @rule(pick=picks)
    def reinstate(self, pick: int) -> None:
        open_ones = Suspension.objects.filter(lifted_at=None).exclude(cause="shortfall")
        for reason in self.one_of(open_ones, pick):
            self.attempt(
                suspensions.lift,
                reason.application_id,
                cause=reason.cause,
                case=reason.case,
                actor=self.staff["ops"],
            )

    @rule(pick=picks)
    def ask_to_leave(self, pick: int) -> None:
        for one in self.chosen(pick, *STAYING):
            self.attempt(applications.request_exit, one.pk, actor=one.applicant)

    @rule(pick=picks)
    def stay_after_all(self, pick: int) -> None:
        for one in self.chosen(pick, State.EXITING):
            self.attempt(applications.cancel_exit, one.pk, actor=one.applicant)

    @rule(pick=picks, waits=st.sampled_from([True, True, False]))
    def leave(self, pick: int, waits: bool) -> None:
        for one in self.chosen(pick, State.EXITING):
            if waits:
                clock.set_offset(clock.offset() + rules.days("exit.notice_days"))
            self.attempt(complete_exit, one.pk)

    # Paying out ------------------------------------------------------------------------------------

    @rule(mood=st.sampled_from([Mood.GOOD, Mood.GOOD, *Mood]))
    def send_payouts(self, mood: Mood) -> None:
        """As the beat has them sent, when their time has come."""
        waiting = Payout.objects.filter(state__in=["queued", "dealing"])
        waiting.update(due_at=clock.now())
        self.alipay.mood = mood
        for pk in list(waiting.order_by("pk").values_list("pk", flat=True)):
            self.attempt(payouts.send, pk)
        self.alipay.mood = Mood.GOOD

    @rule(status=st.sampled_from(["SUCCESS", "SUCCESS", "FAIL"]))
    def alipay_goes_on(self, status: str) -> None:
        self.alipay.finish_transfers(status)

    @rule(pick=picks)
    def a_bank_returns(self, pick: int) -> None:
        for payout in self.one_of(Payout.objects.filter(watch_at__isnull=False), pick):
            self.alipay.give_transfer_back(payout.number)
            Payout.objects.filter(pk=payout.pk).update(watch_at=clock.now())
            self.attempt(bank_returns.watch, payout.pk)

    @rule(pick=picks)
    def a_refund_window_closes(self, pick: int) -> None:
        trades = list(self.alipay.trades.values())
        if trades:
            trades[pick % len(trades)].finished = True

    @rule(pick=picks, payee=st.sampled_from([CUSTOMER, OTHER_CUSTOMER]))
    def name_a_payee(self, pick: int, payee: Payee) -> None:
        for waiting in self.one_of(Compensation.objects.filter(state="waiting"), pick):
            self.attempt(compensations.name_payee, waiting.pk, payee, actor=self.staff["finance"])

    @rule(pick=picks)
    def look_at_a_payout(self, pick: int) -> None:
        for payout in self.one_of(Payout.objects.filter(state="attention"), pick):
            verb = payout_decisions.retry if pick % 2 else payout_decisions.ask_again
            self.once(verb, payout.pk, actor=self.staff["finance"])

    # Two people ------------------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from([*ProposalKind, K.BOOK_MOVEMENT]),
        pick=picks,
        amount=sums,
        at_once=st.booleans(),
    )
    def propose(self, kind: ProposalKind, pick: int, amount: Decimal, at_once: bool) -> None:
        """`at_once`: another person of finance accepts it; else later, if it still can be done (`accept`)."""
        targets: dict[ProposalKind, QuerySet[Any]] = {
            K.WAIVE_OBLIGATION: Obligation.objects.all(),
            K.RELEASE_REFUND: Refund.objects.all(),
            K.HOLD_REFUND: Refund.objects.all(),
            K.REFUND_BY_HAND: Deposit.objects.all(),
            K.REDIRECT_PAYOUT: Payout.objects.filter(state__in=["attention", "returned"]),
            K.SETTLE_PAYOUT: Payout.objects.filter(state="attention"),
            K.CORRECT_ENTRY: LedgerTransfer.objects.exclude(kind__in=["payment", "freeze", "release"]),
        }
        for target in self.one_of(targets[kind], pick) if kind in targets else [None]:
            details = self.details(kind, pick, amount, target)
            self.once(
                proposals.propose,
                kind,
                actor=self.staff["finance"],
                reason="依据",
                target=target,
                details=details,
            )
        if at_once:
            self.accept(-1, "second_finance")

    def details(self, kind: ProposalKind, pick: int, amount: Decimal, target: Any) -> dict[str, str]:
        match kind:
            case K.REDIRECT_PAYOUT:
                return CUSTOMER.as_details()
            case K.SETTLE_PAYOUT:
                return {"alipay_number": f"99{target.pk:020d}"}
            case K.REFUND_BY_HAND:
                return {"amount": str(amount)}
            case K.BOOK_MOVEMENT:
                movement = ["funding", "withdrawal", "gateway_fee"][pick % 3]
                at = clock.now().isoformat()
                return {"kind": movement, "amount": str(amount), "serial": f"S{pick}", "at": at}
        return {}

    @rule(pick=picks, who=st.sampled_from(["finance", "second_finance", "second_finance", "ops"]))
    def accept(self, pick: int, who: str) -> None:
        for proposal in self.one_of(Proposal.objects.filter(state="open"), pick):
            self.attempt(proposals.accept, proposal.pk, actor=self.staff[who])

    @rule(pick=picks)
    def refuse(self, pick: int) -> None:
        if pick % 2:
            for proposal in self.one_of(Proposal.objects.filter(state="open"), pick):
                self.attempt(proposals.refuse, proposal.pk, actor=self.staff["second_finance"], reason="不符")


def sweep() -> None:
    """What the beat does about demands, by whatever time it is."""
    tasks.sweep_required()
    tasks.sweep_demands()
    tasks.sweep_overdue_demands()


# What the database checks at a commit, then one line of what there is: another whenever money, or what becomes
# of it, has moved.
FIGURES = """
    SET CONSTRAINTS ALL IMMEDIATE;
    SET CONSTRAINTS ALL DEFERRED;
    SELECT
        (SELECT count(*) FROM deposits_ledgertransfer),
        (SELECT string_agg(concat_ws(' ', required, available, frozen, owed), ',' ORDER BY application_id)
            FROM deposits_deposit),
        (SELECT string_agg(concat_ws(' ', state, settled), ',' ORDER BY id) FROM deposits_obligation),
        (SELECT string_agg(state, ',' ORDER BY id) FROM deposits_payout),
        (SELECT string_agg(state, ',' ORDER BY id) FROM deposits_paymentorder),
        (SELECT string_agg(state, ',' ORDER BY id) FROM deposits_refund),
        (SELECT string_agg(state, ',' ORDER BY id) FROM deposits_compensation),
        (SELECT string_agg(state, ',' ORDER BY id) FROM deposits_proposal),
        (SELECT string_agg(state, ',' ORDER BY id) FROM applications_application),
        (SELECT sum(version) FROM applications_application),
        (SELECT count(*) FROM deposits_topupdemand WHERE closed_at IS NULL),
        (SELECT count(*) FROM applications_transition)
"""
MONEY, DEPOSITS, STATES = slice(0, 7), 1, 8

# The deposits written out once more, from the rows alone.
BY_ROWS = """
    SELECT d.available, d.frozen, d.owed, rows.came_in, rows.taken, rows.refunded, debts.open, a.state
    FROM deposits_deposit d
    JOIN applications_application a ON a.id = d.application_id
    CROSS JOIN LATERAL (
        SELECT
            COALESCE(SUM(t.amount) FILTER (WHERE t.kind IN ('payment', 'top_up')), 0) AS came_in,
            COALESCE(SUM(t.amount)
                FILTER (WHERE t.kind IN ('compensation', 'penalty', 'breach', 'forfeiture')), 0)
                - COALESCE(SUM(t.amount) FILTER (WHERE t.kind = 'correction'), 0) AS taken,
            COALESCE(SUM(t.amount) FILTER (WHERE t.kind = 'refund'), 0) AS refunded
        FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id
    ) rows
    CROSS JOIN LATERAL (
        SELECT COALESCE(SUM(o.amount - o.settled), 0) AS open
        FROM deposits_obligation o WHERE o.deposit_id = d.id AND o.state = 'open'
    ) debts
"""
SETTLED = """
    SELECT out_trade_no, trade_no, paid_amount FROM deposits_paymentorder WHERE state IN ('paid', 'refused')
"""
# Each leg, what it is a leg of, and whether two people said that it was paid.
PAYOUTS = """
    SELECT p.number, p.amount, p.state, concat_ws(' ', 'f' || r.id, 'b' || b.id, 'c' || c.id),
        COALESCE(r.amount, b.amount, c.amount),
        EXISTS (SELECT 1 FROM deposits_proposal d WHERE d.payout_id = p.id AND d.kind = 'settle_payout')
    FROM deposits_payout p
    LEFT JOIN deposits_refund r ON r.id = p.refund_id
    LEFT JOIN deposits_returnedpayment b ON b.id = p.returned_id
    LEFT JOIN deposits_compensation c ON c.id = p.compensation_id
"""


def figures() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(FIGURES)
        found: tuple[Any, ...] = cursor.fetchone()
    return found


@pytest.fixture
def alipay(settings: Any, tmp_path: Path) -> Iterator[Alipay]:
    """With keys of its own, at the address that the settings name."""
    ring = keys.make()
    for name, text in {
        "app_private_key": ring.app_private_pem,
        "app_cert": ring.app_cert,
        "alipay_cert": ring.alipay_cert,
        "alipay_root_cert": ring.root_cert,
    }.items():
        (tmp_path / f"{name}.pem").write_text(text)
    settings.ALIPAY_KEY_DIR = tmp_path
    with running() as loopback:
        settings.ALIPAY_GATEWAY_URL = f"{loopback.url}/gateway.do"
        yield Alipay(ring, loopback)


def approved_company(number: int, reviewer: User) -> Application:
    """With a credit code and a bound account of its own."""
    draft = begin(make_merchant(f"小店{number}", str(880_000_100 + number)))
    code = f"9133010079965505{number}"
    complete(
        draft,
        credit_code=code + uscc.calc_check_digit(code),
        alipay_account_id=f"20881021462251{number:02d}",
    )
    return admit(hand_in(draft), reviewer)


def pay_at_once(application: Application, alipay: Alipay) -> None:
    order = payments.open_order(application.pk, actor=application.applicant)
    alipay.pay(
        order.out_trade_no,
        order.amount,
        buyer=application.alipay_account_id,
        kind="CORPORATE",
        name=application.company_name,
        by=order.time_expire,
    )
    payments.resolve(order)


@pytest.mark.property
@pytest.mark.django_db(transaction=True)
def test_money_never_appears_nor_vanishes(
    alipay: Alipay, reviewer: User, finance: User, second_finance: User
) -> None:
    """Of four companies one has been approved, the others are in the pool. Each life ends in a rollback."""
    companies = [approved_company(number, reviewer) for number in range(COMPANIES)]
    for application in companies[1:]:
        pay_at_once(application, alipay)
    Money.companies = companies
    Money.alipay, Money.paid_before = alipay, dict(alipay.trades)
    Money.staff = {"finance": finance, "second_finance": second_finance}
    for name, login in {"ops": "wang", "second_ops": "zhao", "third_ops": "zhou", "fourth_ops": "wu"}.items():
        Money.staff[name] = make_staff(login, login, Role.OPS)
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=RULES_EACH,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{Money.steps} steps, {Money.moves} of them moved something; refused: {dict(Money.refusals)}")
    print(f"rows of the ledger: {dict(Money.kinds)}")
    assert Money.steps >= STEPS_AT_LEAST
    assert Money.moves >= MOVES_AT_LEAST
    # The opening balance is posted once, when the books begin.
    assert [kind for kind in Kind if Money.kinds[kind] < MOVEMENTS_AT_LEAST] == [Kind.OPENING_BALANCE]
