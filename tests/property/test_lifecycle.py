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

from applications import drafts, selectors, services, tasks
from applications.lifecycle import State, edges
from applications.models import Application, Transition
from tests.people import begin, complete, hand_in, make_merchant, make_staff
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

EXAMPLES = 150
STEPS_EACH = 40
STEPS_AT_LEAST = 4_000
MOVES_AT_LEAST = 150

LAWFUL = {(name, source, target) for name, source, target in edges()}
numbers = itertools.count(1)
people = st.sampled_from(["merchant", "sub", "stranger", "reviewer", "second_reviewer", "ops", "second_ops"])


class Membership(RuleBasedStateMachine):
    """One application among seven people and a clock."""

    steps: ClassVar[int] = 0
    moves: ClassVar[int] = 0
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

    @initialize(chapter=st.sampled_from(["draft", "verified", "claimed", "approved", "active"]))
    def begins(self, chapter: str) -> None:
        """Deep states are reached often enough, too."""
        reviewer = self.people["reviewer"]
        if chapter != "draft":
            self.complete_the_data()
        if chapter in ("claimed", "approved", "active"):
            hand_in(self.application)
            services.claim(self.pk, actor=reviewer)
        if chapter in ("approved", "active"):
            services.approve(self.pk, actor=reviewer)
        if chapter == "active":
            self.pay()

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
            self.attempt(lambda: complete(self.application, credit_code=f"9133010079{self.pk:08d}"))

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

    @rule(who=people)
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

    @rule(days=st.sampled_from([0.1, 3, 16, 91]))
    def time_passes(self, days: float) -> None:
        type(self).steps += 1
        clock.set_offset(clock.offset() + dt.timedelta(days=days))
        if days > 15 and self.application.state in (State.CREATED, State.CHANGES_REQUESTED):
            tasks.sweep_deadlines()

    @invariant()
    def the_timeline_tells_the_whole_life(self) -> None:
        rows = list(self.application.transitions.all())
        assert rows[0].name == "create"
        for before, row in itertools.pairwise(rows):
            assert row.from_state == before.to_state
            if row.public:
                assert (row.name, row.from_state, row.to_state) in LAWFUL
        assert rows[-1].to_state == self.application.state

    @invariant()
    def whoever_decides_is_the_claimed_reviewer(self) -> None:
        for row in Transition.objects.filter(application=self.pk, name__in=["approve", "reject"]):
            assert row.actor in (self.people["reviewer"], self.people["second_reviewer"])

    def teardown(self) -> None:
        clock.set_offset(dt.timedelta())


@pytest.mark.property
def test_an_application_never_leaves_the_design(db: None) -> None:
    Membership.staff = {
        "reviewer": make_staff("lishen", "李审", Role.REVIEWER),
        "second_reviewer": make_staff("sunshen", "孙审", Role.REVIEWER),
        "ops": make_staff("wangyun", "王运", Role.OPS),
        "second_ops": make_staff("zhaoyun", "赵运", Role.OPS),
    }
    run_state_machine_as_test(
        Membership,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_EACH,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{Membership.steps} steps, {Membership.moves} of them moved something")
    assert Membership.steps >= STEPS_AT_LEAST
    assert Membership.moves >= MOVES_AT_LEAST
