"""Anybody tries anything, in any order, at any time: an application never leaves the design.

Rules call the services as the wrong person, in the wrong state, with an old version and after deadlines;
each either does a whole lawful step or refuses with a reason and changes nothing.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from applications import drafts, required_exits, reversals, selectors, services, suspensions, tasks
from applications.lifecycle import State, edges
from applications.models import Application, Suspension, SuspensionCause, Transition
from tests.people import begin, complete, hand_in, make_merchant, make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

# Of each chapter.
EXAMPLES = 20
STEPS_EACH = 40
STEPS_AT_LEAST = 500
MOVES_AT_LEAST = 10

# Public entries of steps that leave the state as it is.
ENTRIES = ("add_suspension", "lift_suspension")
# Where a walk begins: deep states are reached often enough, too.
CHAPTERS = ("draft", "verified", "claimed", "approved", "active", "suspended", "exiting", "expelled")
LAWFUL = {(name, source, target) for name, source, target in edges()}
numbers = itertools.count(1)
people = st.sampled_from(["merchant", "sub", "stranger", "reviewer", "second_reviewer", "ops", "second_ops"])
operations = st.sampled_from(["ops", "second_ops", "third_ops", "fourth_ops"])
causes = st.sampled_from(SuspensionCause.values)


class Membership(RuleBasedStateMachine):
    """One application among nine people and a clock."""

    steps: ClassVar[int] = 0
    moves: ClassVar[int] = 0
    chapter: ClassVar[str]
    staff: ClassVar[dict[str, User]]

    def __init__(self) -> None:
        super().__init__()
        number = next(numbers)
        uid = str(880_000_000 + number)
        self.people = dict(self.staff)
        self.people["merchant"] = make_merchant(f"商家{number}", uid)
        self.people["sub"] = make_merchant(f"商家{number}:客服", uid, "1")
        self.people["stranger"] = make_merchant(f"路人{number}", str(990_000_000 + number))
        self.pk = begin(self.people["merchant"]).pk
        self.first_version = Application.objects.get(pk=self.pk).version

    @initialize()
    def begins(self) -> None:
        chapter, reviewer = self.chapter, self.people["reviewer"]
        if chapter != "draft":
            self.complete_the_data()
        if chapter not in ("draft", "verified"):
            hand_in(self.application)
            services.claim(self.pk, actor=reviewer)
        if chapter not in ("draft", "verified", "claimed"):
            services.approve(self.pk, actor=reviewer)
        if chapter in ("active", "suspended", "exiting", "expelled"):
            self.pay()
        match chapter:
            case "suspended":
                self.suspend("ops", "ops", "")
            case "exiting":
                self.ask_to_leave("merchant")
            case "expelled":
                self.expel("ops", "second_ops", "stranger")

    def attempt(self, step: Callable[[], Any]) -> None:
        """A refusal must leave state, version and timeline as they were."""
        type(self).steps += 1
        before = self.snapshot()
        try:
            step()
        except DomainError as refusal:
            assert str(refusal.message)
            assert self.snapshot() == before
        else:
            type(self).moves += self.snapshot() != before

    def snapshot(self) -> tuple[str, int, int]:
        application = self.application
        return application.state, application.version, application.transitions.count()

    @property
    def application(self) -> Application:
        return Application.objects.get(pk=self.pk)

    @rule(who=people)
    def type_something(self, who: str) -> None:
        self.attempt(
            lambda: drafts.save_data(self.pk, actor=self.people[who], data={"contact_name": f"{who} 写"})
        )

    @rule()
    def complete_the_data(self) -> None:
        if self.application.state in (State.CREATED, State.SHOP_UNQUALIFIED):
            # A ban follows both: each company has its own.
            names = {"credit_code": f"9133010079{self.pk:08d}", "alipay_account_id": f"2088{self.pk:012d}"}
            self.attempt(lambda: complete(self.application, **names))

    @rule(passes=st.booleans())
    def check_the_shop(self, passes: bool) -> None:
        if passes:
            self.attempt(lambda: services.pass_shop_check(self.pk))
        else:
            self.attempt(lambda: services.fail_shop_check(self.pk, reason="店铺服务时间不足"))

    @rule(who=people, stale=st.booleans())
    def submit(self, who: str, stale: bool) -> None:
        self.attempt(
            lambda: services.submit(
                self.pk,
                actor=self.people[who],
                agreement_version=selectors.current_agreement().version,
                seen=self.first_version if stale else None,
            )
        )

    @rule(who=people)
    def claim(self, who: str) -> None:
        self.attempt(lambda: services.claim(self.pk, actor=self.people[who]))

    @rule(who=people)
    def release(self, who: str) -> None:
        self.attempt(lambda: services.release(self.pk, actor=self.people[who]))

    @rule(who=people, to=people)
    def reassign(self, who: str, to: str) -> None:
        self.attempt(lambda: services.reassign(self.pk, actor=self.people[who], reviewer=self.people[to]))

    @rule(who=people)
    def approve(self, who: str) -> None:
        self.attempt(lambda: services.approve(self.pk, actor=self.people[who]))

    @rule(who=people, reason=st.sampled_from(["资料不符", "  "]))
    def reject(self, who: str, reason: str) -> None:
        if who != "reviewer":  # one of many lives would do; the rest should go on
            self.attempt(lambda: services.reject(self.pk, actor=self.people[who], reason=reason))

    @rule(who=people)
    def request_changes(self, who: str) -> None:
        change = services.Change("address", "补充地址")
        self.attempt(lambda: services.request_changes(self.pk, actor=self.people[who], changes=[change]))

    @rule(who=people, answered=st.booleans())
    def resubmit(self, who: str, answered: bool) -> None:
        request = selectors.open_request(self.application)
        answers = {item.pk: "已补充" for item in request.items.all()} if request and answered else {}
        self.attempt(lambda: services.resubmit(self.pk, actor=self.people[who], answers=answers))

    @rule(who=st.sampled_from(["sub", "stranger", "reviewer"]))
    def withdraw(self, who: str) -> None:
        self.attempt(lambda: services.withdraw(self.pk, actor=self.people[who]))

    @rule()
    def pay(self) -> None:
        self.attempt(lambda: services.record_deposit(self.pk))
        self.attempt(lambda: services.activate_if_ready(self.pk))

    @rule(who=people)
    def ask_to_leave(self, who: str) -> None:
        self.attempt(lambda: services.request_exit(self.pk, actor=self.people[who]))

    @rule(who=st.just("merchant") | people)
    def stay_after_all(self, who: str) -> None:
        self.attempt(lambda: services.cancel_exit(self.pk, actor=self.people[who]))

    @rule(first=people, second=people, reporter=people)
    def expel(self, first: str, second: str, reporter: str) -> None:
        self.attempt(
            lambda: services.expel(
                self.pk,
                investigator=self.people[first],
                verifier=self.people[second],
                reporter=self.people[reporter],
                reason="售假",
            )
        )

    @rule(who=st.none() | operations | people, cause=causes, case=st.sampled_from(["", "1"]))
    def suspend(self, who: str | None, cause: str, case: str) -> None:
        actor = self.people[who] if who else None
        self.attempt(lambda: suspensions.suspend(self.pk, cause=cause, case=case, actor=actor, reason="违规"))

    @rule(who=st.none() | operations | people, which=st.integers(0, 3))
    def lift(self, who: str | None, which: int) -> None:
        rows = list(self.application.suspensions.all()) or [Suspension(cause="shortfall")]
        row, actor = rows[which % len(rows)], self.people[who] if who else None
        self.attempt(lambda: suspensions.lift(self.pk, cause=row.cause, case=row.case, actor=actor))

    @rule(first=people, second=people)
    def require_exit(self, first: str, second: str) -> None:
        self.attempt(
            lambda: required_exits.require_exit(
                self.pk, actor=self.people[first], second_actor=self.people[second], reason="长期不服务"
            )
        )

    @rule(first=st.just("third_ops") | operations, second=st.just("fourth_ops") | operations)
    def overturn_the_expulsion(self, first: str, second: str) -> None:
        self.attempt(
            lambda: reversals.overturn_expulsion(
                self.pk, proposer=self.people[first], decider=self.people[second], reason="申诉成立"
            )
        )

    @rule(first=people, second=people)
    def revoke_the_approval(self, first: str, second: str) -> None:
        self.attempt(
            lambda: reversals.revoke_approval(
                self.pk, proposer=self.people[first], decider=self.people[second], reason="材料造假"
            )
        )

    @rule(days=st.sampled_from([0.1, 3, 16, 91]))
    def time_passes(self, days: float) -> None:
        type(self).steps += 1
        clock.set_offset(clock.offset() + dt.timedelta(days=days))
        if days > 15 and self.application.state in (State.CREATED, State.CHANGES_REQUESTED):
            tasks.sweep_deadlines()
        if days > 15 and self.application.state == State.SUSPENDED:
            tasks.sweep_suspensions()

    @invariant()
    def the_timeline_tells_the_whole_life(self) -> None:
        rows = list(self.application.transitions.all())
        assert rows[0].name == "create"
        for before, row in itertools.pairwise(rows):
            assert row.from_state == before.to_state
            if row.name in ENTRIES:
                assert row.from_state == row.to_state
            elif row.public:
                assert (row.name, row.from_state, row.to_state) in LAWFUL
        assert rows[-1].to_state == self.application.state
        nobody_comes_back_from_a_required_exit(rows)
        others_overturn_an_expulsion(rows)

    @invariant()
    def whoever_decides_is_the_claimed_reviewer(self) -> None:
        for row in Transition.objects.filter(application=self.pk, name__in=["approve", "reject"]):
            assert row.actor in (self.people["reviewer"], self.people["second_reviewer"])

    @invariant()
    def a_member_serves_unless_a_suspension_is_open(self) -> None:
        application = self.application
        if application.state in (State.ACTIVE, State.SUSPENDED):
            is_open = selectors.open_suspensions(application).exists()
            assert is_open == (application.state == State.SUSPENDED)

    def teardown(self) -> None:
        clock.set_offset(dt.timedelta())


def nobody_comes_back_from_a_required_exit(timeline: list[Transition]) -> None:
    required = False
    for row in timeline:
        assert not (required and row.name == "cancel_exit")
        required = row.name == "require_exit" or (required and row.to_state == State.EXITING)


def others_overturn_an_expulsion(timeline: list[Transition]) -> None:
    deciders: set[int | None] = set()
    for row in timeline:
        people = {row.actor_id, row.proposed_by_id}
        if row.name == "expel":
            deciders = people | {row.reported_by_id}
        if row.name == "overturn_expulsion":
            assert len(people) == 2 and not deciders & people


@pytest.mark.property
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_an_application_never_leaves_the_design(db: None, chapter: str) -> None:
    staff = {
        "reviewer": make_staff("lishen", "李审", Role.REVIEWER),
        "second_reviewer": make_staff("sunshen", "孙审", Role.REVIEWER),
        "ops": make_staff("wangyun", "王运", Role.OPS),
        "second_ops": make_staff("zhaoyun", "赵运", Role.OPS),
        "third_ops": make_staff("zhouyun", "周运", Role.OPS),
        "fourth_ops": make_staff("wuyun", "吴运", Role.OPS),
    }
    walk: Any = type(f"From_{chapter}", (Membership,), {"chapter": chapter, "staff": staff})
    run_state_machine_as_test(
        walk,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{walk.steps} steps, {walk.moves} of them moved something")
    assert walk.steps >= STEPS_AT_LEAST
    assert walk.moves >= MOVES_AT_LEAST
