"""What a provider finds on its to-do list about complaints."""

import datetime as dt
from collections.abc import Callable

import pytest

from applications.models import Application
from applications.todo import Task, tasks_for
from compliance.complaints import services as complaints
from compliance.models import Complaint
from tests.compliance.complaints.conftest import again, decide, file, give_role
from tests.deposits.conftest import expel, reload
from tmall_sp.accounts.models import CompanyRole, User


def tasks(user: User, application: Application) -> list[Task]:
    found = tasks_for(user, reload(application))
    return [task for task in found if task.code.startswith("complaint_")]


@pytest.mark.parametrize(
    ("fixture", "code"),
    [
        ("filed", "complaint_awaiting_response"),
        ("contested", "complaint_evidence"),
        ("undecided", None),
        ("decided", "complaint_decided"),
        ("appealed", None),
        ("final", None),
        ("withdrawn", None),
    ],
)
def test_the_list_says_what_waits_for_the_provider(
    request: pytest.FixtureRequest, member: Application, merchant: User, fixture: str, code: str | None
) -> None:
    complaint = again(request.getfixturevalue(fixture))

    found = tasks(merchant, member)

    assert [task.code for task in found] == ([code] if code else [])
    for task in found:
        assert task.url == f"/console/cases/{member.number}/complaints/{complaint.number}/"
        assert complaint.number in str(task.title)
        assert (task.due_at, bool(task.verb)) == (complaint.due_at, True)


def test_the_sub_account_is_asked_too_and_a_reader_is_not(
    filed: Complaint, member: Application, sub_account: User, stranger: User
) -> None:
    give_role(stranger, member, CompanyRole.READER)
    assert len(tasks(sub_account, member)) == 1
    assert tasks(stranger, member) == []


def test_an_answer_stands_out_on_its_last_day(
    filed: Complaint, member: Application, merchant: User, sleep_until: Callable[..., None]
) -> None:
    assert not tasks(merchant, member)[0].urgent
    sleep_until(filed.due_at, -3600)
    assert tasks(merchant, member)[0].urgent


def test_what_is_too_late_is_not_asked_for(
    filed: Complaint, member: Application, merchant: User, sleep_until: Callable[..., None]
) -> None:
    sleep_until(filed.due_at, 1)
    assert tasks(merchant, member) == []


def test_who_has_handed_everything_in_is_not_asked_for_more(
    contested: Complaint, member: Application, merchant: User
) -> None:
    complaints.finish_evidence(contested.pk, actor=merchant)
    assert tasks(merchant, member) == []


def test_who_has_nothing_to_gain_is_not_told_to_appeal(
    undecided: Complaint, member: Application, merchant: User, ops: User
) -> None:
    decide(undecided, ops, "not_liable", "0.00")
    assert tasks(merchant, member) == []


def test_several_stand_in_the_order_of_their_ends(
    filed: Complaint, member: Application, merchant: User, customer: User, move_clock: Callable[..., None]
) -> None:
    move_clock(hours=1)
    later = file(member, customer)
    due = [task.due_at for task in tasks(merchant, member)]
    assert due == [filed.due_at, later.due_at]
    assert later.due_at and filed.due_at and later.due_at - filed.due_at >= dt.timedelta(hours=1)


def test_an_expelled_company_is_still_asked(
    filed: Complaint, member: Application, merchant: User, second_ops: User, third_ops: User
) -> None:
    expel(member, second_ops, third_ops)
    assert len(tasks(merchant, member)) == 1
