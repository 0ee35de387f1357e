"""A rule is changed by two people of operations, never backwards, and never by anybody alone."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import QuerySet

from tests.races.together import together
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice, RuleChange, RuleVersion
from tmall_sp.core.rulebook import catalogue, changes, overview
from tmall_sp.core.rulebook.shapes import (
    Choices,
    Moments,
    Structure,
    Table,
    Unit,
    Whole,
    amount,
)

MoveClock = Callable[..., None]
CODE = "application.changes_days"
REASON = "商家反映时间不够"


def tomorrow() -> dt.datetime:
    return clock.day_start(clock.today() + dt.timedelta(days=1))


def propose(actor: User, value: Any = 20, code: str = CODE, **kwargs: Any) -> RuleChange:
    return changes.propose(code, actor=actor, value=value, reason=kwargs.pop("reason", REASON), **kwargs)


def versions(code: str = CODE) -> QuerySet[RuleVersion]:
    return RuleVersion.objects.filter(name=code).order_by("version")


def refused(code: str) -> Any:
    return pytest.raises(DomainError, match=f"^{code}:")


@pytest.fixture
def proposed(ops: User) -> RuleChange:
    return propose(ops)


class TestTwoPeople:
    def test_the_second_person_makes_the_next_version(
        self, proposed: RuleChange, ops: User, second_ops: User
    ) -> None:
        version = changes.accept(proposed.pk, actor=second_ops, reason="已核对")

        assert (version.name, version.version, version.value) == (CODE, 2, 20)
        assert rules.value(CODE) == 20
        change = RuleChange.objects.get()
        assert (change.state, change.proposed_by, change.decided_by) == ("accepted", ops, second_ops)
        assert (version.change, version.valid_from) == (change, change.decided_at)

    def test_nothing_changes_before(self, proposed: RuleChange) -> None:
        assert rules.value(CODE) == 15
        assert versions().count() == 1

    @pytest.mark.parametrize("decide", ["accept", "refuse"])
    def test_the_proposer_is_no_second_person(self, proposed: RuleChange, ops: User, decide: str) -> None:
        with pytest.raises(NotPermitted):
            getattr(changes, decide)(proposed.pk, actor=ops, reason="好")

    @pytest.mark.parametrize("person", ["superuser", "auditor", "finance", "reviewer", "merchant"])
    def test_nobody_else_proposes_or_decides(
        self, proposed: RuleChange, request: pytest.FixtureRequest, person: str
    ) -> None:
        other = request.getfixturevalue(person)
        for act in (
            partial(propose, other, code="review.working_days"),
            partial(changes.accept, proposed.pk, actor=other),
            partial(changes.refuse, proposed.pk, actor=other, reason="不"),
            partial(changes.withdraw, proposed.pk, actor=other),
        ):
            with pytest.raises(NotPermitted):
                act()
        assert versions().count() == 1

    def test_a_superuser_in_the_group_of_operations_is_no_second_person(
        self, proposed: RuleChange, superuser: User
    ) -> None:
        grant(superuser, Role.OPS)

        with pytest.raises(NotPermitted):
            changes.accept(proposed.pk, actor=User.objects.get(pk=superuser.pk))

    def test_a_refusal_tells_the_proposer_why(
        self, proposed: RuleChange, ops: User, second_ops: User
    ) -> None:
        changes.refuse(proposed.pk, actor=second_ops, reason="没有依据")

        assert rules.value(CODE) == 15
        notice = Notice.objects.get(recipient=ops)
        assert "没有依据" in notice.body

    def test_the_proposer_takes_it_back_and_others_cannot(
        self, proposed: RuleChange, ops: User, second_ops: User
    ) -> None:
        with pytest.raises(NotPermitted):
            changes.withdraw(proposed.pk, actor=second_ops)

        assert changes.withdraw(proposed.pk, actor=ops).state == "withdrawn"
        with refused("decided"):
            changes.accept(proposed.pk, actor=second_ops)

    def test_others_of_operations_are_told(
        self, ops: User, second_ops: User, third_ops: User, superuser: User, auditor: User
    ) -> None:
        change = propose(ops)
        assert set(Notice.objects.values_list("recipient", flat=True)) == {second_ops.pk, third_ops.pk}

        changes.accept(change.pk, actor=second_ops)
        told = Notice.objects.filter(key__endswith=":accepted").values_list("recipient", flat=True)
        assert set(told) == {ops.pk, third_ops.pk}

    def test_one_change_of_a_rule_waits_at_a_time(self, proposed: RuleChange, second_ops: User) -> None:
        with refused("already_proposed"):
            propose(second_ops, 25)

    def test_what_the_page_showed_has_to_be_what_is_decided(
        self, proposed: RuleChange, second_ops: User
    ) -> None:
        seen = changes.mark(proposed)
        set_rule(CODE, 17)

        with pytest.raises(StaleVersion):
            changes.accept(proposed.pk, actor=second_ops, seen=seen)
        assert changes.accept(proposed.pk, actor=second_ops, seen=changes.mark(proposed)).version == 3


class TestDates:
    def test_it_counts_from_its_day(self, ops: User, second_ops: User, move_clock: MoveClock) -> None:
        changes.accept(propose(ops, valid_from=tomorrow()).pk, actor=second_ops)

        assert rules.value(CODE) == 15
        assert rules.value(CODE, tomorrow() - dt.timedelta(microseconds=1)) == 15
        assert rules.value(CODE, tomorrow()) == 20
        move_clock(days=1)
        assert rules.value(CODE) == 20

    def test_never_in_the_past(self, ops: User) -> None:
        with refused("past"):
            propose(ops, valid_from=clock.now() - dt.timedelta(seconds=1))

    def test_nor_by_an_acceptance_that_came_too_late(
        self, ops: User, second_ops: User, move_clock: MoveClock
    ) -> None:
        change = propose(ops, valid_from=tomorrow())
        move_clock(days=2)

        with refused("past"):
            changes.accept(change.pk, actor=second_ops)
        assert RuleChange.objects.get().state == "open"

    def test_what_members_have_to_be_told_of_begins_on_a_later_day(
        self, ops: User, second_ops: User, move_clock: MoveClock
    ) -> None:
        required = partial(propose, ops, "120000.00", "deposit.required")
        for too_early in (None, tomorrow() - dt.timedelta(microseconds=1)):
            with refused("no_notice"):
                required(valid_from=too_early)

        change = required(valid_from=tomorrow())
        assert changes.accept(change.pk, actor=second_ops).valid_from == tomorrow()

    def test_nor_is_the_notice_shortened_by_a_late_acceptance(
        self, ops: User, second_ops: User, move_clock: MoveClock
    ) -> None:
        """Just before its day it is still in the future; on its day it is not."""
        change = propose(ops, "120000.00", "deposit.required", valid_from=tomorrow())
        move_clock(days=1)

        with refused("past"):
            changes.accept(change.pk, actor=second_ops)

    def test_what_was_accepted_and_has_not_begun_is_replaced_never_edited(
        self, ops: User, second_ops: User, move_clock: MoveClock
    ) -> None:
        in_ten_days = tomorrow() + dt.timedelta(days=9)
        changes.accept(propose(ops, 30, valid_from=in_ten_days).pk, actor=second_ops)
        changes.accept(propose(ops, 15, valid_from=tomorrow()).pk, actor=second_ops)

        assert rules.value(CODE, in_ten_days) == 15
        assert [version.value for version in versions()] == [15, 30, 15]
        assert [row.period is None for row in overview.history(catalogue.rule(CODE))] == [False, True, False]

    def test_a_past_instant_keeps_its_answer(
        self, ops: User, second_ops: User, move_clock: MoveClock
    ) -> None:
        before = clock.now()
        move_clock(days=3)
        changes.accept(propose(ops).pk, actor=second_ops)
        move_clock(days=3)
        changes.accept(propose(ops, 25).pk, actor=second_ops)

        assert (rules.value(CODE, before), rules.value(CODE)) == (15, 25)
        assert [period.version.value for period in rules.periods(CODE)] == [15, 20, 25]

    def test_the_same_value_is_no_change(self, ops: User) -> None:
        with refused("unchanged"):
            propose(ops, 15)


class TestShapes:
    @pytest.mark.parametrize("value", [0, -1, "20", 20.0, True, None, 91])
    def test_days(self, ops: User, value: Any) -> None:
        with refused("not_lawful"):
            propose(ops, value)

    @pytest.mark.parametrize("value", ["-1.00", "0.00", "1", "1.5", "1.234", 100, "NaN", "Infinity", "abc"])
    def test_amounts(self, value: Any) -> None:
        with refused("not_lawful"):
            amount().check(value)

    def test_lists_of_moments(self) -> None:
        shape = Moments()
        assert shape.stored({"value": "1, 7,3，3"}) == [7, 3, 1]
        for value in ([], [0], [1, 7], [7, 7], ["7"], 7, [400]):
            with refused("not_lawful"):
                shape.check(value)
        with refused("not_lawful"):
            shape.stored({"value": "7 days"})

    def test_tables_and_choices(self) -> None:
        table = Table((Whole(Unit.POINTS, name="a", label="A"), Whole(Unit.POINTS, name="b", label="B")))
        table.check({"a": 1, "b": 2})
        for value in ({"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": "2"}, [1, 2]):
            with refused("not_lawful"):
                table.check(value)
        with refused("not_lawful"):
            Choices((("x", "X"),)).check(["y"])

    def test_a_document_is_checked_by_its_owner(self) -> None:
        def verify(value: Any) -> None:
            raise DomainError("odd", "levels: missing")

        with refused("not_lawful"):
            Structure(verify).check({})

    def test_an_unlawful_value_is_not_accepted_either(self, second_ops: User, ops: User) -> None:
        """Should the book have become stricter meanwhile."""
        change = RuleChange.objects.create(rule=CODE, value=0, reason=REASON, proposed_by=ops)

        with refused("not_lawful"):
            changes.accept(change.pk, actor=second_ops)


class TestTheBook:
    def test_every_rule_is_described_and_its_value_lawful(self, db: None) -> None:
        stored = dict(RuleVersion.objects.order_by("version").values_list("name", "value"))

        assert set(stored) - {rule.code for rule in catalogue.all_rules()} == set()
        for rule in catalogue.all_rules():
            rule.shape.check(stored[rule.code])
            assert rule.shape.text(stored[rule.code])

    def test_what_a_form_shows_is_what_it_stores(self, db: None) -> None:
        from tmall_sp.core.admin.rule_forms import ProposeForm

        for rule in catalogue.all_rules():
            unbound = ProposeForm(rule)
            shown = {name: unbound[name].value() for name in rule.shape.fields()}
            data = {
                name: unbound.fields[name].widget.format_value(value)
                if not isinstance(value, list)
                else value
                for name, value in shown.items()
            }
            data |= {"reason": REASON, "valid_from": tomorrow().date().isoformat()}
            form = ProposeForm(rule, data)
            assert form.is_valid(), (rule.code, form.errors)
            assert form.cleaned_data["stored"] == rules.value(rule.code), rule.code

    def test_a_rule_is_described_once(self) -> None:
        with pytest.raises(ValueError, match="twice"):
            catalogue.describe(catalogue.rule(CODE))


class TestTheDatabase:
    """Whatever the code does, it takes two people."""

    @pytest.mark.parametrize("change", [False, True])
    def test_no_version_without_an_accepted_change(self, proposed: RuleChange, change: bool) -> None:
        with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
            RuleVersion.objects.create(
                name=CODE,
                version=2,
                value=20,
                valid_from=clock.now(),
                change=proposed if change else None,
            )

    @pytest.mark.parametrize(
        "other", [{"value": 21}, {"name": "review.working_days"}, {"valid_from": dt.timedelta(days=-1)}]
    )
    def test_no_other_version_than_what_was_accepted(
        self, ops: User, second_ops: User, other: dict[str, Any]
    ) -> None:
        change = propose(ops)
        RuleChange.objects.filter(pk=change.pk).update(
            state="accepted", decided_by=second_ops, decided_at=clock.now()
        )
        fields = {"name": CODE, "value": 20, "valid_from": clock.now(), **other}
        if isinstance(fields["valid_from"], dt.timedelta):
            fields["valid_from"] = clock.now() + fields["valid_from"]

        with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
            RuleVersion.objects.create(version=2, change=change, **fields)

    def test_nobody_accepts_alone(self, proposed: RuleChange, ops: User) -> None:
        with pytest.raises(IntegrityError, match="rule_change_decided_by_another"), transaction.atomic():
            RuleChange.objects.filter(pk=proposed.pk).update(
                state="accepted", decided_by=ops, decided_at=clock.now()
            )

    def test_nothing_begins_accepted(self, ops: User, second_ops: User) -> None:
        with pytest.raises(DatabaseError, match="does not begin"), transaction.atomic():
            RuleChange.objects.create(
                rule=CODE,
                value=20,
                reason=REASON,
                proposed_by=ops,
                state="accepted",
                decided_by=second_ops,
                decided_at=clock.now(),
            )

    @pytest.mark.parametrize("field", ["value", "rule", "reason", "valid_from", "proposed_at"])
    def test_a_proposal_is_never_rewritten(self, proposed: RuleChange, field: str) -> None:
        other = {
            "value": 21,
            "rule": "x",
            "reason": "x",
            "valid_from": tomorrow(),
            "proposed_at": clock.now(),
        }
        with pytest.raises(DatabaseError), transaction.atomic():
            RuleChange.objects.filter(pk=proposed.pk).update(**{field: other[field]})

    def test_a_decision_stays(self, proposed: RuleChange, second_ops: User) -> None:
        changes.refuse(proposed.pk, actor=second_ops, reason="不")

        for fields in ({"state": "accepted"}, {"decision_reason": "好"}):
            with pytest.raises(DatabaseError), transaction.atomic():
                RuleChange.objects.filter(pk=proposed.pk).update(**fields)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_rulechange")


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_accepted_by_many_at_once_it_is_one_version(
        self, ops: User, second_ops: User, third_ops: User
    ) -> None:
        change = propose(ops)

        outcomes = together(
            *(partial(changes.accept, change.pk, actor=actor) for actor in (second_ops, third_ops) * 3)
        )

        assert outcomes.count("decided") == 5
        assert [version.version for version in versions()] == [1, 2]

    def test_accepted_and_withdrawn_at_once_it_is_one_of_both(self, ops: User, second_ops: User) -> None:
        change = propose(ops)

        outcomes = together(
            partial(changes.accept, change.pk, actor=second_ops),
            partial(changes.withdraw, change.pk, actor=ops),
        )

        assert outcomes.count("decided") == 1
        accepted = RuleChange.objects.get().state == "accepted"
        assert versions().count() == (2 if accepted else 1)

    def test_proposed_by_many_at_once_one_waits(self, ops: User, second_ops: User) -> None:
        outcomes = together(*(partial(propose, actor, 20) for actor in (ops, second_ops) * 3))

        assert outcomes.count("already_proposed") == 5
        assert RuleChange.objects.count() == 1
