"""Each rule about money twice: Python refuses, and SQL refuses, as the application's role, when Python is passed by.

RULES is the table: what may not be, the verb that says no, and the statement that tries it all the same. NEVER
holds what no verb even offers, so that only the statement is left to refuse.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import Application
from deposits import proposals
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, instructions
from deposits.gateways.alipay import IdentityType
from deposits.models import (
    Compensation,
    Deposit,
    InstructionKind,
    LedgerTransfer,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
)
from deposits.outgoing import compensations, payout_decisions, refunds
from deposits.outgoing.payees import Payee
from tests.deposits.conftest import deposit_of, leave, reload
from tests.deposits.trades import pay_what_is_due, trade_of
from tests.people import OTHER_CREDIT_CODE, admit, begin, complete, hand_in
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

CASE, OTHER_CASE = "complaint:A", "complaint:B"
ONE = Decimal("1.00")
MUCH = Decimal("999999.00")
INSERT_ENTRY = """
    INSERT INTO deposits_ledgertransfer
        (deposit_id, kind, debit, credit, amount, at, key, "case", note, reverses_id, proposal_id)
    VALUES (%s, %s, %s, %s, %s, now(), %s, %s, '', %s, %s)
"""


Statement = tuple[str, list[Any]]


class World:
    """A member with two cases, made only as far as a rule asks for it, and the people who decide."""

    def __init__(self, approved: Application, reviewer: User, stranger: User, *people: User) -> None:
        self.approved, self.reviewer, self.stranger = approved, reviewer, stranger
        self.finance, self.second_finance, self.ops = people

    @cached_property
    def application(self) -> Application:
        pay_what_is_due(self.approved)
        application = reload(self.approved)
        cases.freeze(application.pk, case=CASE, claimed=Decimal("300.00"))
        cases.freeze(application.pk, case=OTHER_CASE, claimed=Decimal("200.00"))
        cases.penalise(application.pk, case=CASE, amount=Decimal("500.00"), reason="r", actor=None)
        return reload(application)

    @property
    def deposit(self) -> Deposit:
        return deposit_of(self.application)

    @cached_property
    def penalty(self) -> LedgerTransfer:
        return LedgerTransfer.objects.get(deposit=self.deposit, kind="penalty")

    @cached_property
    def debt(self) -> Obligation:
        """Of a penalty that was larger than the deposit."""
        cases.penalise(self.application.pk, case=OTHER_CASE, amount=MUCH, reason="r", actor=None)
        return Obligation.objects.get()

    @cached_property
    def paid_debt(self) -> Obligation:
        assert self.debt.state == "open"
        pay_what_is_due(self.application)
        return Obligation.objects.get(state="settled")

    @cached_property
    def waiting(self) -> Compensation:
        """Without a payee yet."""
        cases.settle_case(self.application.pk, case=CASE, award=ONE, reason="r", actor=self.finance)
        return Compensation.objects.get()

    @cached_property
    def refund(self) -> Refund:
        """Of another company, that left with a clean record."""
        draft = complete(
            begin(self.stranger), credit_code=OTHER_CREDIT_CODE, alipay_account_id="2088102146225136"
        )
        other = admit(hand_in(draft), self.reviewer)
        pay_what_is_due(other)
        leave(reload(other))
        return Refund.objects.get()

    @cached_property
    def held(self) -> Refund:
        self.two_decide(ProposalKind.HOLD_REFUND, self.refund)
        return Refund.objects.get()

    @cached_property
    def claimed(self) -> Refund:
        """A worker has begun to send it."""
        refund = self.refund
        refund.payouts.update(state="calling", attempts=1, claimed_at=clock.now())
        return refund

    @cached_property
    def uncertain(self) -> Payout:
        """Alipay may have executed it, or may yet."""
        payout = self.refund.payouts.get()
        Payout.objects.filter(pk=payout.pk).update(state="calling", attempts=1, claimed_at=clock.now())
        Payout.objects.filter(pk=payout.pk).update(state="attention")
        return Payout.objects.get(pk=payout.pk)

    def propose(self, kind: ProposalKind, target: proposals.Target, /, **details: str) -> Proposal:
        earlier = Proposal.objects.filter(kind=kind, state="open").first()
        return earlier or proposals.propose(
            kind, actor=self.finance, reason="r", target=target, details=details
        )

    def two_decide(self, kind: ProposalKind, target: proposals.Target, /, **details: str) -> Proposal:
        return proposals.accept(self.propose(kind, target, **details).pk, actor=self.second_finance)

    def movement(self) -> Proposal:
        at = (clock.now() - dt.timedelta(days=1)).isoformat()
        return self.propose(
            ProposalKind.BOOK_MOVEMENT, None, kind="funding", amount="1.00", serial="S1", at=at
        )

    def post(self, kind: Kind, amount: Any = ONE, *, key: str = "new", **options: Any) -> LedgerTransfer:
        return ledger.post(kind, amount, key=key, **({"deposit": self.deposit} | options))

    def entry(
        self,
        kind: str = "penalty",
        debit: str = "deposit_available",
        credit: str = "penalty_income",
        amount: str = "1.00",
        key: str = "sql",
        case: str = "",
        *,
        deposit: bool = True,
        reverses: LedgerTransfer | None = None,
        proposal: Proposal | None = None,
    ) -> Statement:
        values = [self.deposit.pk if deposit else None, kind, debit, credit, amount, key, case]
        return INSERT_ENTRY, [
            *values,
            reverses.pk if reverses else None,
            proposal.pk if proposal else None,
        ]


@dataclass(frozen=True)
class Rule:
    says: str
    # What the database says: the constraint's name or the trigger's message, so that no other guard is meant.
    guard: str
    python: Callable[[World], object]
    refusal: type[Exception]
    sql: Callable[[World], Statement]
    given: Callable[[World], object] = lambda world: world.penalty


def update(row: Any, assignments: str, *values: Any) -> Statement:
    return f"UPDATE {row._meta.db_table} SET {assignments} WHERE id = %s", [*values, row.pk]


def as_proposer(world: World) -> Proposal:
    return proposals.accept(Proposal.objects.get(state="open").pk, actor=world.finance)


RULES = [
    # Sums
    Rule(
        "no more is taken than is available",
        "deposit_available_not_negative",
        lambda w: w.post(Kind.PENALTY, MUCH),
        DomainError,
        lambda w: update(w.deposit, "available = -1"),
    ),
    Rule(
        "no more is released than is frozen",
        "deposit_frozen_not_negative",
        lambda w: w.post(Kind.RELEASE, MUCH),
        DomainError,
        lambda w: update(w.deposit, "frozen = -1"),
    ),
    Rule(
        "a case gives up no more than it froze",
        "gives up no more than it froze",
        lambda w: w.post(Kind.RELEASE, Decimal("300.01"), case=CASE),
        DomainError,
        lambda w: w.entry("release", "deposit_frozen", "deposit_available", "300.01", case=CASE),
    ),
    Rule(
        "what one case froze compensates no other",
        "gives up no more than it froze",
        lambda w: w.post(Kind.COMPENSATION, ONE, case="complaint:C"),
        DomainError,
        lambda w: w.entry("compensation", "deposit_frozen", "compensation_payable", case="complaint:C"),
    ),
    # Entries
    Rule(
        "an amount is above zero",
        "ledger_amount_positive",
        lambda w: w.post(Kind.PENALTY, Decimal("0.00")),
        ValueError,
        lambda w: w.entry(amount="0.00"),
    ),
    Rule(
        "an amount is not negative",
        "ledger_amount_positive",
        lambda w: w.post(Kind.PENALTY, -ONE),
        ValueError,
        lambda w: w.entry(amount="-1.00"),
    ),
    Rule(
        "one cause moves money once",
        "deposits_ledgertransfer_key",
        lambda w: w.post(Kind.PENALTY, ONE, key=w.penalty.key),
        ledger.KeyUsed,
        lambda w: w.entry(key=w.penalty.key),
    ),
    Rule(
        "a movement is of a kind that there is",
        "ledger_kind_fits_accounts",
        lambda w: w.post("nonsense"),  # type: ignore[arg-type]
        KeyError,
        lambda w: w.entry("nonsense"),
    ),
    Rule(
        "a correction names what it corrects",
        "two people correct",
        lambda w: w.post(Kind.CORRECTION),
        ValueError,
        lambda w: w.entry("correction", "penalty_income", "deposit_available"),
    ),
    Rule(
        "a reversal is called so",
        "a reversal mirrors",
        lambda w: ledger.reverse(w.penalty, Kind.RELEASE, note="r"),
        ValueError,
        lambda w: w.entry(reverses=w.penalty),
    ),
    Rule(
        "money of a deposit moves in its name",
        "ledger_names_the_deposit",
        lambda w: w.post(Kind.PENALTY, deposit=None),
        ValueError,
        lambda w: w.entry(deposit=False),
    ),
    Rule(
        "an entry is reversed once",
        "deposits_ledgertransfer_reverses_id",
        lambda w: w.propose(ProposalKind.CORRECT_ENTRY, w.penalty),
        DomainError,
        lambda w: w.entry(
            "correction",
            "penalty_income",
            "deposit_available",
            "500.00",
            reverses=w.penalty,
            proposal=Proposal.objects.get(),
        ),
        given=lambda w: w.two_decide(ProposalKind.CORRECT_ENTRY, w.penalty),
    ),
    # Two people
    Rule(
        "nobody decides what they proposed",
        "proposal_decided_by_another",
        as_proposer,
        NotPermitted,
        lambda w: update(
            Proposal.objects.get(),
            "state = 'accepted', decided_at = now(), decided_by_id = %s",
            w.finance.pk,
        ),
        given=lambda w: w.propose(ProposalKind.CORRECT_ENTRY, w.penalty),
    ),
    Rule(
        "what is decided stays decided",
        "from .accepted. to .refused.",
        lambda w: proposals.refuse(Proposal.objects.get().pk, actor=w.second_finance, reason="r"),
        DomainError,
        lambda w: update(Proposal.objects.get(), "state = 'refused'"),
        given=lambda w: w.two_decide(ProposalKind.CORRECT_ENTRY, w.penalty),
    ),
    Rule(
        "one decision waits for each target",
        "one_open_proposal_per_entry",
        lambda w: proposals.propose(
            ProposalKind.CORRECT_ENTRY, actor=w.second_finance, reason="r", target=w.penalty
        ),
        DomainError,
        lambda w: (
            "INSERT INTO deposits_proposal (kind, entry_id, deposit_id, details, reason, proposed_by_id,"
            " proposed_at, state, decision_reason)"
            " VALUES ('correct_entry', %s, %s, '{}', 'r', %s, now(), 'open', '')",
            [w.penalty.pk, w.deposit.pk, w.finance.pk],
        ),
        given=lambda w: w.propose(ProposalKind.CORRECT_ENTRY, w.penalty),
    ),
    Rule(
        "a decision has a reason",
        "proposal_has_reason",
        lambda w: proposals.propose(
            ProposalKind.CORRECT_ENTRY, actor=w.finance, reason=" ", target=w.penalty
        ),
        DomainError,
        lambda w: (
            "INSERT INTO deposits_proposal (kind, entry_id, details, reason, proposed_by_id, proposed_at, state,"
            " decision_reason) VALUES ('correct_entry', %s, '{}', '', %s, now(), 'open', '')",
            [w.penalty.pk, w.finance.pk],
        ),
    ),
    Rule(
        "nobody corrects alone",
        "two people correct",
        as_proposer,
        NotPermitted,
        lambda w: w.entry(
            "correction",
            "penalty_income",
            "deposit_available",
            "500.00",
            reverses=w.penalty,
            proposal=Proposal.objects.get(),
        ),
        given=lambda w: w.propose(ProposalKind.CORRECT_ENTRY, w.penalty),
    ),
    Rule(
        "nobody books own money alone",
        "two people book",
        as_proposer,
        NotPermitted,
        lambda w: w.entry(
            "funding", "alipay_cash", "platform_funding", deposit=False, proposal=Proposal.objects.get()
        ),
        given=lambda w: w.movement(),
    ),
    Rule(
        "nobody waives alone",
        "two people waive",
        as_proposer,
        NotPermitted,
        lambda w: update(w.debt, "state = 'waived', closed_at = now()"),
        given=lambda w: w.propose(ProposalKind.WAIVE_OBLIGATION, w.debt),
    ),
    Rule(
        "nobody releases a held refund alone",
        "two people hold a refund",
        as_proposer,
        NotPermitted,
        lambda w: update(w.held, "state = 'in_progress'"),
        given=lambda w: w.propose(ProposalKind.RELEASE_REFUND, w.held),
    ),
    Rule(
        "nobody holds a refund alone",
        "two people hold a refund",
        as_proposer,
        NotPermitted,
        lambda w: update(w.refund, "state = 'held', hold_reason = 'r'"),
        given=lambda w: w.propose(ProposalKind.HOLD_REFUND, w.refund),
    ),
    Rule(
        "nobody sends a payout another way alone",
        "two people decide",
        as_proposer,
        NotPermitted,
        lambda w: update(w.uncertain, "state = 'replaced'"),
        given=lambda w: w.propose(ProposalKind.SETTLE_PAYOUT, w.uncertain, alipay_number="9" * 20),
    ),
    Rule(
        "nobody records a payout as paid alone",
        "two people decide",
        as_proposer,
        NotPermitted,
        lambda w: update(w.uncertain, "state = 'done', done_at = now()"),
        given=lambda w: w.propose(ProposalKind.SETTLE_PAYOUT, w.uncertain, alipay_number="9" * 20),
    ),
    # Debts
    Rule(
        "a debt that is paid is not waived",
        "from .settled. to .waived.",
        lambda w: w.propose(ProposalKind.WAIVE_OBLIGATION, w.paid_debt),
        DomainError,
        lambda w: update(w.paid_debt, "state = 'waived'"),
        given=lambda w: w.paid_debt,
    ),
    Rule(
        "one cause owes once",
        "deposits_obligation_key",
        lambda w: cases.penalise(
            w.debt.deposit.application_id, case=OTHER_CASE, amount=ONE, reason="r", actor=None
        ),
        ledger.KeyUsed,
        lambda w: (
            'INSERT INTO deposits_obligation (deposit_id, "case", kind, amount, settled, state, key, reason,'
            " created_at) VALUES (%s, 'c', 'penalty', 1, 0, 'open', %s, '', now())",
            [w.debt.deposit_id, w.debt.key],
        ),
        given=lambda w: w.debt,
    ),
    # Cases
    Rule(
        "a case orders each thing once",
        "instruction_once_per_case",
        lambda w: instructions.record(w.deposit, InstructionKind.FREEZE, ONE, case=CASE),
        ledger.KeyUsed,
        lambda w: (
            'INSERT INTO deposits_instruction (deposit_id, "case", kind, amount, payee_identity,'
            " payee_identity_type, payee_name, reason, at) VALUES (%s, %s, 'freeze', 1, '', '', '', '', now())",
            [w.deposit.pk, CASE],
        ),
    ),
    Rule(
        "an order of a case is not negative",
        "instruction_amount_not_negative",
        lambda w: instructions.record(w.deposit, InstructionKind.BREACH, -ONE, case=CASE),
        ValueError,
        lambda w: (
            'INSERT INTO deposits_instruction (deposit_id, "case", kind, amount, payee_identity,'
            " payee_identity_type, payee_name, reason, at) VALUES (%s, %s, 'breach', -1, '', '', '', '', now())",
            [w.deposit.pk, CASE],
        ),
    ),
    # What goes out
    Rule(
        "a refund that a worker has claimed is held no more",
        "what a worker has claimed",
        lambda w: refunds.hold(w.claimed, "r"),
        DomainError,
        lambda w: update(w.claimed.payouts.get(), "state = 'held'"),
        given=lambda w: w.claimed,
    ),
    Rule(
        "a refund takes no more than is available",
        "not the sum",
        lambda w: refunds.queue_refund(w.deposit, MUCH, key="k", reason="r"),
        DomainError,
        lambda w: w.entry("refund", "deposit_available", "refund_in_transit", "99999.00"),
    ),
    Rule(
        "what Alipay may still execute goes no other way",
        "may still execute",
        lambda w: w.propose(
            ProposalKind.REDIRECT_PAYOUT,
            w.uncertain,
            payee_identity="2088101000000299",
            payee_identity_type="ALIPAY_USER_ID",
            payee_name="顾客丙",
        ),
        DomainError,
        lambda w: (
            "UPDATE deposits_proposal SET state = 'accepted', decided_by_id = %s, decided_at = now();"
            " UPDATE deposits_payout SET state = 'replaced' WHERE id = %s",
            [w.second_finance.pk, w.uncertain.pk],
        ),
        given=lambda w: w.propose(ProposalKind.SETTLE_PAYOUT, w.uncertain, alipay_number="9" * 20),
    ),
    Rule(
        "nobody tries again what is on its way",
        "Cannot update rows from deposits_payout",
        lambda w: payout_decisions.retry(w.claimed.payouts.get().pk, actor=w.finance),
        DomainError,
        lambda w: update(w.claimed.payouts.get(), "number = 'R2'"),
        given=lambda w: w.claimed,
    ),
    Rule(
        "a compensation is sent to somebody",
        "compensation_sent_to_somebody",
        lambda w: compensations.name_payee(w.waiting.pk, Payee("", IdentityType.USER_ID), actor=w.ops),
        DomainError,
        lambda w: update(w.waiting, "state = 'in_progress'"),
        given=lambda w: w.waiting,
    ),
    Rule(
        "only a deduction for compensation is paid out",
        "deposits_compensation_entry",
        lambda w: compensations.open_compensation(w.penalty),
        ValueError,
        lambda w: (
            'INSERT INTO deposits_compensation (deposit_id, "case", amount, entry_id, payee_identity,'
            " payee_identity_type, payee_name, state, created_at)"
            " VALUES (%s, %s, 1, %s, '', '', '', 'waiting', now())",
            [w.deposit.pk, CASE, w.waiting.entry_id],
        ),
        given=lambda w: w.waiting,
    ),
]


@pytest.fixture
def world(
    approved: Application,
    reviewer: User,
    stranger: User,
    finance: User,
    second_finance: User,
    ops: User,
) -> World:
    return World(approved, reviewer, stranger, finance, second_finance, ops)


def attempt(statement: Statement) -> None:
    """As the application's role, in a transaction that would be committed."""
    text, values = statement
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def money() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.id, available, frozen, owed, (SELECT count(*) FROM deposits_ledgertransfer)"
            " FROM deposits_deposit d ORDER BY 1"
        )
        return list(cursor.fetchall())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says.replace(" ", "_"))
def test_python_refuses_and_so_does_sql(world: World, rule: Rule) -> None:
    rule.given(world)
    with pytest.raises(rule.refusal):
        rule.python(world)

    before = money()
    with pytest.raises(DatabaseError, match=rule.guard):
        attempt(rule.sql(world))

    assert money() == before


# What no verb offers -------------------------------------------------------------------------------

KEPT = [
    "accountchange",
    "compensation",
    "deposit",
    "instruction",
    "ledgertransfer",
    "obligation",
    "paymentorder",
    "payout",
    "proposal",
    "refund",
    "returnedpayment",
    "topupdemand",
]
NEVER = [
    *[(f"DELETE FROM deposits_{table}", "permission denied") for table in KEPT],
    *[(f"TRUNCATE deposits_{table} CASCADE", "permission denied") for table in KEPT],
    *[(f"ALTER TABLE deposits_{table} DISABLE TRIGGER ALL", "must be owner") for table in KEPT],
    ("SET session_replication_role = replica", "permission denied"),
    ("UPDATE deposits_ledgertransfer SET amount = 1", "permission denied"),
    ("UPDATE deposits_ledgertransfer SET note = 'x'", "permission denied"),
    ("UPDATE deposits_instruction SET amount = 1", "permission denied"),
    # Balances and their rows
    ("UPDATE deposits_deposit SET available = available + 1", "not the sum"),
    ("UPDATE deposits_deposit SET frozen = frozen + 1", "not the sum"),
    ("UPDATE deposits_deposit SET owed = owed + 1", "not the sum"),
    ("UPDATE deposits_deposit SET owed = -1", "deposit_owed_not_negative"),
    ("UPDATE deposits_obligation SET settled = settled + 1", "not the sum"),
    # What is fixed
    ("UPDATE deposits_deposit SET application_id = application_id + 1", "Cannot update rows"),
    ("UPDATE deposits_obligation SET amount = amount + 1", "Cannot update rows"),
    ("UPDATE deposits_obligation SET kind = 'breach'", "Cannot update rows"),
    ('UPDATE deposits_proposal SET details = \'{"amount": "1"}\'', "Cannot update rows"),
    ("UPDATE deposits_proposal SET reason = 'x'", "Cannot update rows"),
    ("UPDATE deposits_compensation SET amount = amount + 1", "Cannot update rows"),
    ("UPDATE deposits_paymentorder SET amount = 1", "Cannot update rows"),
    ("UPDATE deposits_payout SET amount = 1", "Cannot update rows"),
    ("UPDATE deposits_refund SET amount = 1", "Cannot update rows"),
    ("UPDATE deposits_returnedpayment SET amount = 1", "Cannot update rows"),
    # What ends
    (
        "UPDATE deposits_obligation SET settled = amount, state = 'settled', closed_at = now()",
        "not the sum",
    ),
    ("UPDATE deposits_obligation SET settled = amount + 1", "obligation_settled_within_amount"),
    ("UPDATE deposits_obligation SET settled = amount", "obligation_state_fits"),
    ("UPDATE deposits_paymentorder SET state = 'open'", "Invalid transition"),
    ("UPDATE deposits_refund SET state = 'done'", "once all of its payouts are"),
    ("UPDATE deposits_returnedpayment SET state = 'done'", "once all of its payouts are"),
    ("UPDATE deposits_payout SET state = 'done', done_at = now()", "Invalid transition"),
    (
        "UPDATE deposits_payout SET state = 'calling'; UPDATE deposits_payout SET state = 'done', done_at = now()",
        "stands in the ledger",
    ),
]


@pytest.fixture
def full(world: World) -> World:
    """A row in every table of money."""
    assert world.refund and world.waiting and world.debt
    world.propose(ProposalKind.WAIVE_OBLIGATION, world.debt)
    application = world.application
    pay_what_is_due(application, buyer_user_id="2088101000000199")
    return world


def test_sql_refuses_what_no_verb_offers(full: World) -> None:
    before = money()
    for statement, guard in NEVER:
        with pytest.raises(DatabaseError, match=guard):
            attempt((statement, []))
            print("not refused:", statement)
    assert money() == before


def test_a_row_begins_at_its_beginning(full: World) -> None:
    """Nothing is inserted as paid, done or decided already."""
    for table, state in {
        "obligation": "settled",
        "paymentorder": "paid",
        "payout": "done",
        "proposal": "accepted",
        "refund": "done",
        "returnedpayment": "done",
        "compensation": "done",
    }.items():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
                " WHERE table_name = %s AND column_name NOT IN ('id', 'state')",
                [f"deposits_{table}"],
            )
            columns = cursor.fetchone()[0]
        copy = f"INSERT INTO deposits_{table} (state, {columns}) SELECT %s, {columns} FROM deposits_{table}"
        with pytest.raises(DatabaseError, match="begin"):
            attempt((copy, [state]))


def test_what_was_settled_stays_settled(world: World) -> None:
    assert world.debt.state == "open"
    with pytest.raises(DatabaseError, match="what was settled stays settled"), transaction.atomic():
        attempt(
            ("UPDATE deposits_obligation SET settled = 2; UPDATE deposits_obligation SET settled = 1", [])
        )


def test_a_debt_beside_available_money_is_refused(world: World) -> None:
    """Python pays it at once (test_obligations.py); SQL refuses it, even where the sums are right."""
    deposit = world.deposit
    with pytest.raises(DatabaseError, match="pays what is owed first"), transaction.atomic():
        Obligation.objects.create(deposit=deposit, case="c", kind="penalty", amount=ONE, key="k")
        attempt(("UPDATE deposits_deposit SET owed = 1 WHERE id = %s", [deposit.pk]))


def test_one_trade_is_settled_under_one_order(world: World) -> None:
    """Alipay's query names the order; and even if it named two, the payment would count once."""
    first = pay_what_is_due(world.approved)
    cases.penalise(world.approved.pk, case=CASE, amount=ONE, reason="r", actor=None)
    with pytest.raises(DatabaseError, match="trade_settled_once"), transaction.atomic():
        pay_what_is_due(reload(world.approved), trade_no=first.trade_no)
    assert trade_of(first).trade_no != first.trade_no
