"""The rule book on the desk: read by some, changed by two of operations, in fields of each rule's own shape."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application
from tests.admin.rows import browser, consequences, cost, offered, take, url
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.models import RuleChange, RuleVersion
from tmall_sp.core.rulebook import catalogue, changes

CODE = "application.changes_days"


@pytest.fixture
def desk(ops: User) -> Client:
    return browser(ops)


@pytest.fixture
def second_desk(second_ops: User) -> Client:
    return browser(second_ops)


def rule_url(code: str = CODE, view: str = "rule") -> str:
    return reverse(f"admin:core_ruleversion_{view}", args=[code])


def propose(client: Client, code: str = CODE, **typed: Any) -> Any:
    return client.post(rule_url(code, "propose"), {"reason": "商家反映时间不够", "valid_from": "", **typed})


def tomorrow() -> str:
    return (clock.today() + dt.timedelta(days=1)).isoformat()


@pytest.fixture
def proposed(desk: Client) -> RuleChange:
    assert propose(desk, value="20").status_code == 302
    return RuleChange.objects.get()


class TestReading:
    @pytest.mark.parametrize("person", ["ops", "auditor", "superuser"])
    def test_who_reads(self, request: pytest.FixtureRequest, person: str, proposed: RuleChange) -> None:
        client = browser(request.getfixturevalue(person))

        book = client.get(url(RuleVersion, "changelist"))
        assert book.status_code == 200
        shown = [entry.rule.code for section in book.context["sections"] for entry in section.entries]
        assert shown == [rule.code for rule in catalogue.all_rules()]
        for address in (rule_url(), url(RuleChange, "changelist"), url(proposed, "change")):
            assert client.get(address).status_code == 200

    @pytest.mark.parametrize("person", ["reviewer", "finance"])
    def test_who_does_not(self, request: pytest.FixtureRequest, person: str, proposed: RuleChange) -> None:
        client = browser(request.getfixturevalue(person))

        for address in (
            url(RuleVersion, "changelist"),
            rule_url(),
            rule_url(view="propose"),
            url(RuleChange, "changelist"),
            url(proposed, "change"),
            url(proposed, "accept"),
        ):
            assert client.get(address).status_code == 403

    def test_an_unknown_rule_has_no_page(self, desk: Client) -> None:
        assert desk.get(rule_url("no.such_rule")).status_code == 404
        assert desk.get(rule_url("no.such_rule", "propose")).status_code == 404

    def test_every_rule_has_a_page_and_a_form(self, desk: Client) -> None:
        for rule in catalogue.all_rules():
            assert desk.get(rule_url(rule.code)).status_code == 200
            form = desk.get(rule_url(rule.code, "propose")).context["form"]
            assert set(form.fields) == {*rule.shape.fields(), "valid_from", "reason"}

    def test_the_book_and_a_rule_cost_the_same_however_much_was_changed(
        self, desk: Client, ops: User, second_ops: User
    ) -> None:
        before = [cost(desk, address) for address in (url(RuleVersion, "changelist"), rule_url())]
        for value in (20, 25, 30):
            change = changes.propose(CODE, actor=ops, value=value, reason="试")
            changes.accept(change.pk, actor=second_ops)

        assert [cost(desk, address) for address in (url(RuleVersion, "changelist"), rule_url())] == before
        assert before == [7, 9]


class TestProposing:
    def test_operations_propose(self, desk: Client, proposed: RuleChange, ops: User) -> None:
        assert (proposed.rule, proposed.value, proposed.valid_from) == (CODE, 20, None)
        assert proposed.proposed_by == ops
        assert offered(desk, proposed) == ["withdraw"]

    @pytest.mark.parametrize("person", ["superuser", "auditor"])
    def test_readers_do_not(self, request: pytest.FixtureRequest, person: str) -> None:
        client = browser(request.getfixturevalue(person))

        assert client.get(rule_url(view="propose")).status_code == 403
        assert propose(client, value="20").status_code == 403
        assert rule_url(view="propose") not in client.get(rule_url()).content.decode()
        assert not RuleChange.objects.exists()

    @pytest.mark.parametrize(
        ("code", "typed", "field"),
        [
            (CODE, {"value": "twenty"}, "value"),
            (CODE, {"value": "2.5"}, "value"),
            (CODE, {"value": "0"}, "value"),
            (CODE, {"value": "15"}, "value"),
            (CODE, {"value": "20", "reason": " "}, "reason"),
            (CODE, {"value": "20", "valid_from": "2020-01-01"}, "valid_from"),
            ("deposit.required", {"value": "120000.00"}, "valid_from"),
            ("deposit.required", {"value": "1.234", "valid_from": "2099-01-01"}, "value"),
            ("licence.reminder_days", {"value": "a week"}, "value"),
            (
                "violation.points",
                {"general": "6", "severe": "12", "year": "", "valid_from": "2099-01-01"},
                "year",
            ),
            ("rating.rule", {"value": "{", "valid_from": "2099-01-01"}, "value"),
            ("rating.rule", {"value": "{}", "valid_from": "2099-01-01"}, "value"),
        ],
    )
    def test_a_bad_value_is_said_beside_its_field_and_stays(
        self, desk: Client, code: str, typed: dict[str, str], field: str
    ) -> None:
        answer = propose(desk, code, **typed)

        assert answer.status_code in (200, 409)
        assert list(answer.context["form"].errors) == [field]
        assert answer.context["form"][next(iter(typed))].value() == next(iter(typed.values()))
        assert not RuleChange.objects.exists()

    def test_each_shape_is_stored_as_its_rule_wants_it(self, desk: Client) -> None:
        day = tomorrow()
        for code, typed, stored in (
            ("deposit.required", {"value": "120000", "valid_from": day}, "120000.00"),
            ("licence.reminder_days", {"value": "1, 14"}, [14, 1]),
            ("complaint.response_hours", {"value": "72"}, 72),
            ("shop_check.required", {"value": ["has_shop", "status"]}, ["status", "has_shop"]),
            (
                "violation.points",
                {"general": "4", "severe": "12", "year": "12", "valid_from": day},
                {"general": 4, "severe": 12, "year": 12},
            ),
            (
                "shop_check.score_floor",
                {"item_score": "4.5", "service_score": "4.6", "delivery_score": "4.7"},
                {"item_score": "4.5", "service_score": "4.6", "delivery_score": "4.7"},
            ),
        ):
            assert propose(desk, code, **typed).status_code == 302, code
            assert RuleChange.objects.get(rule=code).value == stored


class TestDeciding:
    def test_old_and_new_are_said_first(
        self, second_desk: Client, proposed: RuleChange, changes_requested: Application
    ) -> None:
        said = consequences(second_desk, proposed, "accept")

        assert "15 days becomes 20 days" in said
        assert "from the moment you accept it" in said
        assert "applications with a request (1)" in said

    def test_what_will_never_begin_is_named(self, second_desk: Client, ops: User, second_ops: User) -> None:
        day = clock.day_start(clock.today() + dt.timedelta(days=10))
        first = changes.propose(CODE, actor=ops, value=30, reason="试", valid_from=day)
        changes.accept(first.pk, actor=second_ops)
        second = changes.propose(CODE, actor=ops, value=20, reason="改")

        assert "It replaces version 2 (30 days)" in consequences(second_desk, second, "accept")

    def test_the_second_person_accepts(self, second_desk: Client, proposed: RuleChange) -> None:
        assert offered(second_desk, proposed) == ["accept", "refuse"]

        take(second_desk, proposed, "accept")

        assert rules.value(CODE) == 20
        page = second_desk.get(url(proposed, "change")).content.decode()
        assert "15 days" in page
        assert "20 days" in page

    def test_or_refuses_for_a_reason(self, second_desk: Client, proposed: RuleChange) -> None:
        assert take(second_desk, proposed, "refuse", reason="").context["form"].errors
        take(second_desk, proposed, "refuse", reason="没有依据")

        assert RuleChange.objects.get().state == "refused"

    def test_the_first_person_withdraws_and_does_no_more(self, desk: Client, proposed: RuleChange) -> None:
        assert take(desk, proposed, "accept").status_code == 403
        take(desk, proposed, "withdraw")

        assert RuleChange.objects.get().state == "withdrawn"
        assert rules.value(CODE) == 15

    @pytest.mark.parametrize("person", ["superuser", "auditor"])
    def test_readers_decide_nothing(
        self, request: pytest.FixtureRequest, person: str, proposed: RuleChange
    ) -> None:
        client = browser(request.getfixturevalue(person))

        assert offered(client, proposed) == []
        for step in ("accept", "refuse", "withdraw"):
            assert take(client, proposed, step, reason="好").status_code == 403
        assert RuleChange.objects.get().state == "open"

    def test_the_desk_lists_what_waits_for_others_to_decide(
        self, desk: Client, second_desk: Client, proposed: RuleChange
    ) -> None:
        def waiting(client: Client) -> int:
            tasks = client.get(reverse("admin:index")).context["tasks"]
            return next(task.count for task in tasks if "rulechange" in task.url)

        assert (waiting(desk), waiting(second_desk)) == (0, 1)

    def test_what_a_page_costs(self, second_desk: Client, proposed: RuleChange) -> None:
        addresses = (url(RuleChange, "changelist"), url(proposed, "change"), url(proposed, "accept"))

        assert [cost(second_desk, address) for address in addresses] == [7, 10, 12]
