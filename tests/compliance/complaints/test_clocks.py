"""Deadlines of complaints under a moved clock: the instant, the late answer, reminders, a night without a worker."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.conf import settings

from applications.models import Application
from compliance.complaints import clocks
from compliance.complaints import services as complaints
from compliance.models import Complaint, Liability
from compliance.tasks import sweep_complaints
from tests.compliance.complaints.conftest import CLAIMED, again, decide, deposit_of, file, money, sweep
from tests.races.together import together
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.models import Notice

SleepUntil = Callable[..., None]

H48, H72, H168 = (dt.timedelta(hours=hours) for hours in (48, 72, 168))


def due(complaint: Complaint) -> dt.datetime:
    """When its present state ends."""
    moment = again(complaint).due_at
    assert moment is not None
    return moment


def names(complaint: Complaint) -> list[str]:
    return list(complaint.steps.values_list("name", flat=True))


def subjects(person: User) -> list[str]:
    return list(Notice.objects.filter(recipient=person).order_by("pk").values_list("subject", flat=True))


def about(person: User, words: str) -> int:
    return sum(words in subject for subject in subjects(person))


@pytest.fixture(autouse=True)
def read_english(merchant: User, customer: User, ops: User, second_ops: User) -> None:
    for person in (merchant, customer, ops, second_ops):
        person.language = "en"
        person.save()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """`still(moment)`: the clock stands at exactly that moment."""

    def stand(moment: dt.datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return stand


# How long each state lasts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixture", "lasts"),
    [("filed", H48), ("contested", H72), ("undecided", H168), ("decided", H168), ("appealed", H168)],
)
def test_each_state_has_its_own_end(
    request: pytest.FixtureRequest, fixture: str, lasts: dt.timedelta
) -> None:
    complaint = again(request.getfixturevalue(fixture))
    assert complaint.due_at is not None
    assert complaint.due_at - complaint.state_since == lasts


@pytest.mark.parametrize("fixture", ["final", "withdrawn"])
def test_what_is_closed_waits_for_nothing(request: pytest.FixtureRequest, fixture: str) -> None:
    complaint = again(request.getfixturevalue(fixture))
    assert (complaint.due_at, complaint.alarm_at) == (None, None)
    assert complaint.closed_at is not None


def test_a_case_keeps_the_rules_of_the_day_on_which_it_was_filed(
    filed: Complaint, member: Application, customer: User, merchant: User
) -> None:
    set_rule("complaint.evidence_hours", 24)

    contested = complaints.contest(filed.pk, actor=merchant, text="不认。")
    later = complaints.contest(file(member, customer).pk, actor=merchant, text="不认。")

    assert contested.due_at and contested.due_at - contested.state_since == H72
    assert later.due_at and later.due_at - later.state_since == dt.timedelta(hours=24)


# The instant ---------------------------------------------------------------------------------------

ANSWERS: dict[str, tuple[str, Callable[[Complaint, User], object]]] = {
    "admit": (
        "filed",
        lambda it, who: complaints.admit(it.pk, actor=who, amount=Decimal("1.00"), text="认。"),
    ),
    "contest": ("filed", lambda it, who: complaints.contest(it.pk, actor=who, text="不认。")),
    "add_evidence": ("contested", lambda it, who: complaints.add_evidence(it.pk, actor=who, text="见图。")),
    "finish_evidence": ("contested", lambda it, who: complaints.finish_evidence(it.pk, actor=who)),
    "appeal": ("decided", lambda it, who: complaints.appeal(it.pk, actor=who, text="不服。")),
}


@pytest.mark.parametrize("verb", ANSWERS)
def test_the_instant_itself_is_in_time(
    request: pytest.FixtureRequest, merchant: User, still: Callable[[dt.datetime], None], verb: str
) -> None:
    fixture, act = ANSWERS[verb]
    complaint = request.getfixturevalue(fixture)
    still(due(complaint))

    sweep()
    act(complaint, merchant)

    assert names(complaint)[-1] == verb


@pytest.mark.parametrize("verb", ANSWERS)
def test_a_late_answer_is_refused_although_no_sweep_has_run(
    request: pytest.FixtureRequest, merchant: User, still: Callable[[dt.datetime], None], verb: str
) -> None:
    fixture, act = ANSWERS[verb]
    complaint = request.getfixturevalue(fixture)
    before = again(complaint).state
    still(due(complaint) + dt.timedelta(microseconds=1))

    with pytest.raises(DomainError, match="too_late"):
        act(complaint, merchant)

    assert again(complaint).state == before


def test_a_complainant_takes_it_back_although_its_time_is_over(
    filed: Complaint, customer: User, sleep_until: SleepUntil
) -> None:
    """Nobody loses by it: silence would be decided for the complainant."""
    sleep_until(due(filed), 1)
    assert complaints.withdraw(filed.pk, actor=customer).state == "withdrawn"


def test_operations_decide_although_their_time_is_over(
    undecided: Complaint, ops: User, sleep_until: SleepUntil
) -> None:
    sleep_until(due(undecided), 3600)
    assert decide(undecided, ops, "liable", "300.00").state == "decided"


# What the end of each state brings -----------------------------------------------------------------


def test_silence_is_decided_against_the_provider(filed: Complaint, sleep_until: SleepUntil) -> None:
    sleep_until(due(filed), 1)
    sweep()

    complaint = again(filed)
    assert (complaint.state, complaint.liability, complaint.award) == ("decided", Liability.LIABLE, CLAIMED)
    assert (complaint.decided_by, complaint.responded_at) == (None, None)
    assert complaint.decision_reason
    step = complaint.steps.get(name="default")
    assert (step.actor, step.liability, step.award) == (None, Liability.LIABLE, CLAIMED)
    assert deposit_of(filed).frozen == CLAIMED, "it stays frozen until the decision is final"


def test_evidence_closes_by_itself_and_operations_are_told(
    contested: Complaint, ops: User, sleep_until: SleepUntil
) -> None:
    sleep_until(due(contested), 1)
    sweep()

    assert again(contested).state == "awaiting_decision"
    assert about(ops, "waits for its decision") == 1


def test_evidence_closes_at_once_when_both_sides_are_done(
    contested: Complaint, merchant: User, customer: User
) -> None:
    complaints.finish_evidence(contested.pk, actor=customer)
    with pytest.raises(DomainError, match="done"):
        complaints.add_evidence(contested.pk, actor=customer, text="还有。")
    complaints.add_evidence(contested.pk, actor=merchant, text="我方证据。")

    assert complaints.finish_evidence(contested.pk, actor=merchant).state == "awaiting_decision"


def test_a_decision_that_nobody_appealed_is_final_and_paid(
    decided: Complaint, sleep_until: SleepUntil
) -> None:
    sleep_until(due(decided), 1)
    sweep()

    assert again(decided).state == "final"
    assert money(decided) == {
        "freeze": CLAIMED,
        "compensation": Decimal("200.00"),
        "release": Decimal("100.00"),
    }


@pytest.mark.parametrize("fixture", ["undecided", "appealed"])
def test_operations_are_told_once_that_a_decision_is_overdue(
    request: pytest.FixtureRequest, ops: User, sleep_until: SleepUntil, fixture: str
) -> None:
    complaint = request.getfixturevalue(fixture)
    state = again(complaint).state
    sleep_until(due(complaint), 1)

    for _minute in range(3):
        sweep()
    sleep_until(clock.now() + dt.timedelta(days=30))
    sweep()

    assert again(complaint).state == state, "it waits for a person, however long"
    assert about(ops, "is overdue") == 1
    assert not clocks.due().exists(), "it is told, and in no sweep any more"
    assert again(complaint).due_at is not None, "pages still say since when"


def test_an_overdue_case_goes_on_with_clocks_of_its_own_once_it_is_decided(
    undecided: Complaint, ops: User, sleep_until: SleepUntil
) -> None:
    sleep_until(due(undecided), 1)
    sweep()
    decide(undecided, ops, "liable", "300.00")

    sleep_until(due(undecided), 1)
    sweep()

    assert again(undecided).state == "final"


# Reminders -----------------------------------------------------------------------------------------

WAITS = "waits for your response"


def test_the_provider_is_reminded_twice_before_silence_decides(
    filed: Complaint, merchant: User, sleep_until: SleepUntil
) -> None:
    end = due(filed)
    expected = [(-25, 0), (-24, 1), (-23, 1), (-7, 1), (-6, 2), (-1, 2)]
    for hours, reminders in expected:
        sleep_until(end + dt.timedelta(hours=hours), 1)
        sweep()
        sweep()
        assert about(merchant, WAITS) == reminders, f"{hours} hours"
    assert again(filed).alarm_at == end


def test_who_has_answered_is_not_reminded(filed: Complaint, merchant: User, sleep_until: SleepUntil) -> None:
    end = due(filed)
    complaints.contest(filed.pk, actor=merchant, text="不认。")
    sleep_until(end - dt.timedelta(hours=1))
    sweep()
    assert about(merchant, WAITS) == 0


def test_reminders_that_were_missed_are_told_as_one(
    filed: Complaint, merchant: User, sleep_until: SleepUntil
) -> None:
    sleep_until(due(filed) - dt.timedelta(hours=2))
    sweep()
    sweep()
    assert about(merchant, WAITS) == 1


def test_after_the_end_nobody_is_reminded(filed: Complaint, merchant: User, sleep_until: SleepUntil) -> None:
    sleep_until(due(filed), 1)
    sweep()
    assert about(merchant, WAITS) == 0
    assert again(filed).state == "decided"


def test_when_to_remind_is_a_rule_of_the_day_of_filing(
    filed: Complaint, member: Application, customer: User
) -> None:
    set_rule("complaint.reminder_hours", [])
    later = file(member, customer)
    assert later.alarm_at == later.due_at
    assert filed.due_at and filed.alarm_at == filed.due_at - dt.timedelta(hours=24)


# A night in which no worker ran --------------------------------------------------------------------


def test_after_a_night_without_a_worker_each_period_begins_when_its_step_was_made(
    filed: Complaint, merchant: User, customer: User, sleep_until: SleepUntil
) -> None:
    """Due at some hour of the night, decided in the morning: the appeal period is whole, and begins there."""
    end = due(filed)
    sleep_until(end + dt.timedelta(hours=9))

    sweep_complaints()
    morning = clock.now()

    complaint = again(filed)
    assert complaint.state == "decided"
    assert complaint.due_at is not None
    assert abs(complaint.due_at - (morning + H168)) < dt.timedelta(minutes=1)
    assert about(merchant, "was decided against you") == 1
    assert about(customer, "was decided in your favour") == 1

    # What would have been the end of the appeal, had the worker run: no one loses by our outage.
    sleep_until(end + H168 + dt.timedelta(hours=1))
    sweep_complaints()
    assert complaints.appeal(filed.pk, actor=merchant, text="我们没有收到通知。").state == "appealed"


def test_two_weeks_without_a_worker_pass_one_state_a_sweep(filed: Complaint, sleep_until: SleepUntil) -> None:
    """Response and appeal period would both be over: the provider was never told of the decision."""
    sleep_until(due(filed) + dt.timedelta(days=14))

    for _minute in range(5):
        sweep_complaints()

    assert names(filed) == ["file", "default"]
    assert money(filed) == {"freeze": CLAIMED}
    sleep_until(due(filed), 1)
    sweep_complaints()
    assert names(filed) == ["file", "default", "finalise"]
    assert money(filed) == {"freeze": CLAIMED, "compensation": CLAIMED}


def test_a_contested_case_after_a_night_waits_its_whole_time_for_the_decision(
    contested: Complaint, sleep_until: SleepUntil
) -> None:
    sleep_until(due(contested) + dt.timedelta(hours=9))
    sweep_complaints()
    assert due(contested) - clock.now() > H168 - dt.timedelta(minutes=1)


def test_a_sweep_does_the_others_although_one_fails(
    member: Application, customer: User, sleep_until: SleepUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = file(member, customer), file(member, customer)
    sleep_until(due(second), 1)
    really = clocks.act_on_deadline

    def fail_for_the_first(pk: int) -> bool:
        if pk == first.pk:
            raise RuntimeError("broken row")
        return really(pk)

    monkeypatch.setattr(clocks, "act_on_deadline", fail_for_the_first)
    sweep_complaints()
    assert (again(first).state, again(second).state) == ("awaiting_response", "decided")

    monkeypatch.setattr(clocks, "act_on_deadline", really)
    sweep_complaints()
    assert again(first).state == "decided"


def test_a_worker_that_dies_in_the_middle_leaves_no_half_of_a_step(
    decided: Complaint, sleep_until: SleepUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state moves with the money or not at all; the next worker does it."""
    sleep_until(due(decided), 1)

    class Killed(BaseException):
        """Not an error that anybody could handle."""

    def killed(*args: object, **options: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("deposits.duties.cases._set_free", killed)
        with pytest.raises(Killed):
            sweep_complaints()
    assert again(decided).state == "decided"
    assert money(decided) == {"freeze": CLAIMED}

    sweep_complaints()
    sweep_complaints()

    assert names(decided).count("finalise") == 1
    assert money(decided) == {
        "freeze": CLAIMED,
        "compensation": Decimal("200.00"),
        "release": Decimal("100.00"),
    }


def test_the_beat_knows_the_sweep() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["complaints"]
    assert entry["task"] == sweep_complaints.name
    assert entry["schedule"] == 60


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fixture", ["filed", "contested", "decided"])
def test_sweeps_that_run_together_make_each_step_once(
    request: pytest.FixtureRequest, sleep_until: SleepUntil, fixture: str
) -> None:
    complaint = request.getfixturevalue(fixture)
    before = len(names(complaint))
    sleep_until(due(complaint), 1)

    together(*[sweep_complaints] * 4)

    assert len(names(complaint)) == before + 1
    money(complaint)
