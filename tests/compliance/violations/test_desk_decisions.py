"""What the desk says before a decision on a violation or its appeal is what then happens, and who may take which."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.urls import reverse

from applications.lifecycle import State
from applications.models import Application
from compliance.models import AppealState, Violation, ViolationAppeal
from compliance.tasks import sweep_exits
from compliance.violations import outlook, points
from compliance.violations import services as violations
from compliance.violations.investigation import LARGEST_PENALTY, LONGEST_SUSPENSION_DAYS
from compliance.violations.lifecycle import ViolationState
from deposits.duties import cases
from tests.compliance.conftest import FINDING, REASON
from tests.compliance.violations.conftest import Verify, again, deposit_of, fresh
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

Appeal = Callable[[Violation], Violation]
WHY = "证据不足，撤销处罚。"


def url(violation: Violation, step: str = "change") -> str:
    return reverse(f"admin:compliance_violation_{step}", args=[violation.pk])


def told(person: User, violation: Violation, step: str) -> str:
    """What the page of a step says before anybody presses."""
    return "\n".join(staff_client(person).get(url(violation, step)).context["consequences"])


def take(person: User, violation: Violation, step: str, **typed: object) -> int:
    data = {"seen": fresh(violation).version, "reason": WHY, **typed}
    status: int = staff_client(person).post(url(violation, step), data).status_code
    return status


def offered(person: User, violation: Violation) -> list[str]:
    return [step.name for step in staff_client(person).get(url(violation)).context["steps"]]


# Verification --------------------------------------------------------------------------------------


def test_a_general_one_is_told_with_points_penalty_obligation_and_suspension(
    active: Application, propose: Verify, third_ops: User
) -> None:
    cases.penalise(active.pk, case="violation:999", amount=Decimal("97000.00"), reason="扣罚", actor=None)
    violation = propose(active, "general", penalty=Decimal("5000.00"), suspension_days=10)

    said = told(third_ops, violation, "verify")

    assert "6" in said and "12" in said
    assert "¥5,000.00" in said and "¥3,000.00" in said and "¥2,000.00" in said
    assert re.search(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", said)
    assert take(third_ops, violation, "verify") == 302
    assert again(active).state == State.SUSPENDED
    assert deposit_of(active).owed == Decimal("2000.00")


def test_the_second_general_one_is_told_to_count_as_severe(
    active: Application, verify: Verify, propose: Verify, third_ops: User
) -> None:
    verify(active)
    violation = propose(active, "general", penalty=Decimal("5000.00"))

    said = told(third_ops, violation, "verify")

    assert active.company_name in said and "¥100,000.00" in said
    assert "¥5,000.00" not in said
    take(third_ops, violation, "verify")
    assert fresh(violation).counts_as_severe
    assert again(active).state == State.EXPELLED


def test_one_of_a_former_member_is_told_with_the_end_of_its_ban(
    exiting: Application, propose: Verify, third_ops: User, move_clock: Callable[..., None]
) -> None:
    move_clock(days=31)
    sweep_exits()
    violation = propose(exiting, "severe")

    said = told(third_ops, violation, "verify")

    take(third_ops, violation, "verify")
    ban = exiting.bans.get()
    assert ban.ends_at is not None
    assert f"{ban.ends_at.astimezone(clock.SHANGHAI):%Y-%m-%d}" in said
    assert "¥" not in said


def test_what_is_proposed_stands_on_the_page_with_what_would_follow(
    active: Application, propose: Verify, third_ops: User
) -> None:
    violation = propose(active, "general", penalty=Decimal("5000.00"), suspension_days=10)

    page = staff_client(third_ops).get(url(violation))

    assert page.context["would_follow"]
    assert "¥5,000.00" in page.content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"severity": "severe", "penalty": "5000"}, "penalty"),
        ({"severity": "general", "penalty": str(LARGEST_PENALTY + Decimal("0.01"))}, "penalty"),
        ({"severity": "general", "suspension_days": str(LONGEST_SUSPENSION_DAYS + 1)}, "suspension_days"),
        ({"severity": "severe", "suspension_days": "5"}, "suspension_days"),
    ],
)
def test_a_measure_that_can_not_be_proposed_is_refused_beside_its_field(
    reported: Violation, second_ops: User, typed: dict[str, str], field: str
) -> None:
    violations.take_up(reported.pk, actor=second_ops)
    data = {"seen": fresh(reported).version, "finding": FINDING, "ground": "rules", **typed}

    answer = staff_client(second_ops).post(url(reported, "propose"), data)

    assert answer.status_code == 409
    assert list(answer.context["form"].errors) == [field]
    assert FINDING in answer.content.decode()
    assert fresh(reported).proposed_at is None


def test_a_proposal_keeps_its_penalty_and_its_days(reported: Violation, second_ops: User) -> None:
    violations.take_up(reported.pk, actor=second_ops)
    typed = {
        "severity": "general",
        "finding": FINDING,
        "ground": "agreement",
        "penalty": "1200.50",
        "suspension_days": "7",
    }

    assert take(second_ops, reported, "propose", **typed) == 302

    stored = fresh(reported)
    assert (stored.ground, stored.proposed_penalty, stored.proposed_suspension_days) == (
        "agreement",
        Decimal("1200.50"),
        7,
    )


# Putting right -------------------------------------------------------------------------------------


def test_what_was_put_right_is_confirmed_by_somebody_impartial(
    active: Application, verify: Verify, ops: User, third_ops: User
) -> None:
    violation = verify(active, suspension_days=10)

    assert "confirm_rectified" not in offered(ops, violation)
    assert take(ops, violation, "confirm_rectified") == 409
    assert "confirm_rectified" in offered(third_ops, violation)
    assert take(third_ops, violation, "confirm_rectified") == 302
    assert again(active).state == State.ACTIVE
    assert "confirm_rectified" not in offered(third_ops, violation)


# Appeals -------------------------------------------------------------------------------------------


def test_nobody_of_the_first_decision_is_offered_the_appeal(
    active: Application, verify: Verify, appeal: Appeal, ops: User, second_ops: User, third_ops: User
) -> None:
    violation = appeal(verify(active))

    for person in (ops, second_ops, third_ops):
        assert offered(person, violation) == []
        assert take(person, violation, "uphold_appeal") == 409
    assert fresh(violation).state == ViolationState.APPEALED


def test_one_person_decides_where_nobody_was_expelled(
    active: Application, verify: Verify, appeal: Appeal, fourth_ops: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("5000.00"), suspension_days=10))
    assert offered(fourth_ops, violation) == ["confirm_rectified", "uphold_appeal", "reject_appeal"]

    said = told(fourth_ops, violation, "uphold_appeal")

    assert "0" in said and "¥5,000.00" in said
    assert take(fourth_ops, violation, "uphold_appeal") == 302
    assert again(active).state == State.ACTIVE
    assert points.in_year(active.pk, clock.now()) == 0


def test_two_people_decide_where_it_expelled(
    active: Application, verify: Verify, appeal: Appeal, fourth_ops: User, fifth_ops: User
) -> None:
    violation = appeal(verify(active, "severe"))

    assert offered(fourth_ops, violation) == ["propose_uphold", "propose_reject"]
    assert take(fourth_ops, violation, "uphold_appeal") == 409
    assert take(fourth_ops, violation, "propose_uphold") == 302
    assert again(active).state == State.EXPELLED
    assert offered(fourth_ops, violation) == ["return_appeal"]
    assert offered(fifth_ops, violation) == ["uphold_appeal", "return_appeal"]
    assert take(fourth_ops, violation, "uphold_appeal") == 409
    assert "¥100,000.00" in told(fifth_ops, violation, "uphold_appeal")
    assert take(fifth_ops, violation, "uphold_appeal") == 302
    assert again(active).state == State.SUSPENDED
    assert deposit_of(active).available == Decimal("100000.00")


def test_the_second_begins_from_the_words_of_the_first(
    active: Application, verify: Verify, appeal: Appeal, fourth_ops: User, fifth_ops: User
) -> None:
    violation = appeal(verify(active, "severe"))
    take(fourth_ops, violation, "propose_reject", reason="申诉理由不成立。")

    page = staff_client(fifth_ops).get(url(violation, "reject_appeal"))

    assert page.context["form"]["reason"].value() == "申诉理由不成立。"
    assert offered(fifth_ops, violation) == ["reject_appeal", "return_appeal"]


def test_a_proposal_given_back_waits_for_another(
    active: Application, verify: Verify, appeal: Appeal, fourth_ops: User, fifth_ops: User
) -> None:
    violation = appeal(verify(active, "severe"))
    take(fourth_ops, violation, "propose_uphold")

    assert take(fifth_ops, violation, "return_appeal") == 302

    assert ViolationAppeal.objects.get(violation=violation).state == AppealState.OPEN
    assert "propose_reject" in offered(fifth_ops, violation)


def test_looking_at_the_dialog_of_an_appeal_decides_nothing(
    active: Application, verify: Verify, appeal: Appeal, fourth_ops: User
) -> None:
    violation = appeal(verify(active, "severe"))

    for step in ("propose_uphold", "propose_reject", "uphold_appeal", "reject_appeal", "return_appeal"):
        assert staff_client(fourth_ops).get(url(violation, step)).status_code == 200

    assert fresh(violation).version == violation.version
    assert ViolationAppeal.objects.get(violation=violation).state == AppealState.OPEN


class TestOutlook:
    """What would come back is what does come back."""

    def test_of_an_expulsion(
        self, active: Application, verify: Verify, appeal: Appeal, uphold: Appeal
    ) -> None:
        violation = appeal(verify(active, "severe"))

        back = outlook.of(fresh(violation))
        uphold(violation)

        assert (back.lets_in, back.forfeiture_back) == (True, Decimal("100000.00"))
        assert back.points_left == points.in_year(active.pk, clock.now()) == 0
        assert deposit_of(active).available == back.forfeiture_back

    def test_of_one_whose_points_made_another_severe(
        self, active: Application, verify: Verify, appeal: Appeal, uphold: Appeal
    ) -> None:
        first, second = verify(active), verify(active)
        appeal(first)

        back = outlook.of(fresh(first))
        uphold(first)

        assert back.eased == [second]
        assert back.lets_in
        assert back.points_left == points.in_year(active.pk, clock.now()) == 6
        assert not fresh(second).counts_as_severe
        assert again(active).state == State.SUSPENDED

    def test_of_one_beside_another_that_is_severe(
        self, active: Application, verify: Verify, appeal: Appeal, uphold: Appeal
    ) -> None:
        first = verify(active, "severe")
        verify(active, "severe")
        appeal(first)

        back = outlook.of(fresh(first))
        uphold(first)

        assert (back.lets_in, back.stays_out, back.forfeiture_back) == (False, True, Decimal("0.00"))
        assert again(active).state == State.EXPELLED
        assert deposit_of(active).available == Decimal("0.00")

    def test_of_a_penalty_that_is_partly_owed(
        self, active: Application, verify: Verify, appeal: Appeal
    ) -> None:
        cases.penalise(active.pk, case="violation:999", amount=Decimal("97000.00"), reason="扣罚", actor=None)
        violation = appeal(verify(active, penalty=Decimal("5000.00")))

        back = outlook.of(fresh(violation))

        assert (back.penalty_back, back.penalty_waived) == (Decimal("3000.00"), Decimal("2000.00"))
        assert back.kept_out_by is None


# The page ------------------------------------------------------------------------------------------


def test_the_page_shows_sanctions_points_and_appeal(
    active: Application, verify: Verify, appeal: Appeal, auditor: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("5000.00"), suspension_days=10))

    page = staff_client(auditor).get(url(violation))

    text = page.content.decode()
    assert "¥5,000.00" in text and REASON in text and violation.appeal_case.text in text
    assert page.context["dossier"].year_total == 6
    assert page.context["steps"] == []
