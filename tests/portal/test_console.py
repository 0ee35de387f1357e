"""The console: what is to be done follows from the state; notices are read by POST."""

from collections.abc import Callable

import pytest

from applications import completeness, drafts, permissions, selectors, services, todo
from applications.lifecycle import State
from applications.models import Agreement, Application
from tests.database import owner_role
from tests.people import begin, make_merchant
from tests.portal.conftest import Browser, stored
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice


def codes(person: User, application: Application) -> list[str]:
    return [task.code for task in todo.tasks_for(person, application)]


# To do ---------------------------------------------------------------------------------------------


def test_a_new_draft_has_every_step_to_complete(merchant: User, draft: Application) -> None:
    assert codes(merchant, draft) == [
        "complete_company",
        "complete_contact",
        "complete_account",
        "licence_file",
    ]


def test_a_task_names_what_is_missing_and_leads_there(merchant: User, draft: Application) -> None:
    drafts.save_data(
        draft.pk, actor=merchant, data={"contact_name": "陈联系", "contact_phone": "+8613800138000"}
    )

    task = next(t for t in todo.tasks_for(merchant, stored(draft)) if t.code == "complete_contact")

    assert "contact e-mail" in str(task.text)
    assert "phone" not in str(task.text)
    assert task.url == f"/console/applications/{draft.number}/edit/contact/"


def test_an_unverified_address_and_an_expired_licence_are_tasks_of_their_own(
    merchant: User, verified: Application, move_clock: Callable[..., None]
) -> None:
    drafts.save_data(verified.pk, actor=merchant, data={"contact_email": "neu@example.com"})
    move_clock(days=365 * 20)

    assert codes(merchant, stored(verified)) == ["licence_expired", "email_unverified"]


def test_a_complete_draft_with_a_verified_shop_is_to_be_handed_in(
    merchant: User, verified: Application
) -> None:
    assert codes(merchant, verified) == ["submit"]


def test_a_session_that_ran_out_comes_first(
    merchant: User, draft: Application, check_state: Callable[..., None]
) -> None:
    check_state("reauthorise")

    assert codes(merchant, draft)[0] == "reauthorise"


def test_nothing_is_to_be_done_during_the_review(merchant: User, under_review: Application) -> None:
    assert codes(merchant, under_review) == []


def test_a_change_request_is_to_be_answered_until_its_deadline(
    merchant: User, changes_requested: Application
) -> None:
    task = todo.tasks_for(merchant, changes_requested)[0]

    assert task.code == "answer_changes"
    assert task.due_at == changes_requested.deadline_at


def test_the_owner_pays_and_a_sub_account_is_told_who_does(
    merchant: User, sub_account: User, approved: Application
) -> None:
    (mine,) = todo.tasks_for(merchant, approved)
    (theirs,) = todo.tasks_for(sub_account, approved)

    assert mine.code == "pay_deposit"
    assert "100,000.00" in str(mine.title)
    assert mine.url == f"/console/deposit/{approved.number}/"
    assert mine.due_at == theirs.due_at == approved.deadline_at
    assert theirs.code == "deposit_by_owner"
    assert theirs.url == ""


def test_a_payer_of_the_company_sees_the_deposit_only(approved: Application) -> None:
    assert approved.company is not None
    payer = make_merchant("财务", "700000002")
    Membership.objects.create(company=approved.company, user=payer, role=CompanyRole.PAYER)

    assert codes(payer, approved) == ["pay_deposit"]


def test_a_reader_is_told_what_is_due_but_has_nothing_to_do(approved: Application) -> None:
    assert approved.company is not None
    reader = make_merchant("看客", "700000003")
    Membership.objects.create(company=approved.company, user=reader, role=CompanyRole.READER)

    assert permissions.company_role(reader, approved) == CompanyRole.READER
    assert codes(reader, approved) == ["deposit_by_owner"]


def test_a_member_accepts_newer_rules_on_a_page_of_its_own(
    shop: Browser, merchant: User, approved: Application
) -> None:
    services.record_deposit(approved.pk)
    with owner_role():
        Agreement.objects.create(version=2, title="新规则", body="第二版", effective_from=clock.now())
    member = stored(approved)
    path = f"/console/applications/{member.number}/agreement/"
    assert path in [task.url for task in todo.tasks_for(merchant, member)]

    page = shop.get(path)
    assert "第二版" in page.text
    assert shop.post(path, page.form_values()).status == 422
    shop.post(path, page.form_values() | {"accept_rules": "on"})

    assert selectors.has_accepted_current_agreement(member)
    assert not completeness.missing_for_activation(member)
    assert stored(member).state == State.ACTIVE
    assert shop.get(path).location == "/rules/"


# The page ------------------------------------------------------------------------------------------


def test_a_newcomer_is_led_to_the_first_application(shop: Browser) -> None:
    assert "/console/applications/new/" in shop.get("/console/").links


def test_the_console_shows_state_tasks_dates_and_notices(
    shop: Browser, changes_requested: Application
) -> None:
    page = shop.get("/console/")

    assert "changes requested" in page.text
    assert "Answer the reviewer's change request" in page.text
    assert f"{changes_requested.deadline_at:%Y-%m-%d}" in page.text
    assert "left" in page.text
    assert Notice.objects.filter(recipient=changes_requested.applicant).latest("pk").subject in page.text
    current = [a for tag, a in page.elements if tag == "li" and a.get("aria-current") == "step"]
    assert [stage["class"] for stage in current] == ["trouble"]


def test_an_open_application_stands_before_an_ended_one(
    shop: Browser, merchant: User, draft: Application
) -> None:
    services.withdraw(draft.pk, actor=merchant)
    newer = begin(merchant)

    assert newer.number in shop.get("/console/").text


def test_an_ended_application_lets_a_new_one_begin(shop: Browser, merchant: User, draft: Application) -> None:
    services.withdraw(draft.pk, actor=merchant)

    page = shop.get("/console/")

    assert "withdrawn" in page.text
    assert "/console/applications/new/" in page.links


def test_a_list_shows_ones_own_applications_only(shop: Browser, draft: Application, stranger: User) -> None:
    other = begin(stranger)

    page = shop.get("/console/applications/")

    assert draft.number in page.text
    assert other.number not in page.text


# Notices -------------------------------------------------------------------------------------------


def test_opening_a_notice_marks_it_as_read_and_goes_where_it_leads(
    shop: Browser, merchant: User, under_review: Application
) -> None:
    notice = Notice.objects.filter(recipient=merchant).latest("pk")
    assert "unread" in shop.get("/console/notices/").text

    page = shop.post(f"/console/notices/{notice.pk}/open/")

    assert page.location == f"/console/applications/{under_review.number}/"
    notice.refresh_from_db()
    assert notice.read_at is not None


def test_looking_at_notices_marks_none_as_read(
    shop: Browser, merchant: User, under_review: Application
) -> None:
    shop.get("/console/notices/")
    assert shop.get(f"/console/notices/{Notice.objects.latest('pk').pk}/open/").status == 405

    assert not Notice.objects.filter(recipient=merchant, read_at__isnull=False).exists()


def test_all_notices_are_marked_as_read_at_once_but_nobody_elses(
    shop: Browser, merchant: User, under_review: Application, reviewer: User
) -> None:
    Notice.objects.create(recipient=reviewer, key="k", subject="s", body="b")

    shop.post("/console/notices/read/")

    unread = Notice.objects.filter(read_at__isnull=True)
    assert {notice.recipient for notice in unread} == {reviewer}
    assert "0 unread" not in shop.get("/").text


def test_another_persons_notice_is_not_there(other_shop: Browser, under_review: Application) -> None:
    notice = Notice.objects.filter(recipient=under_review.applicant).latest("pk")

    assert other_shop.post(f"/console/notices/{notice.pk}/open/").status == 404


@pytest.mark.parametrize("link", ["https://evil.example/", "//evil.example/", ""])
def test_a_notice_leads_to_our_own_pages_only(shop: Browser, merchant: User, link: str) -> None:
    notice = Notice.objects.create(recipient=merchant, key="k", subject="s", body="b", link=link)

    assert shop.post(f"/console/notices/{notice.pk}/open/").location == "/console/notices/"


def test_notices_come_in_pages(shop: Browser, merchant: User) -> None:
    for number in range(25):
        Notice.objects.create(recipient=merchant, key=f"k{number}", subject=f"Notice {number}.", body="b")

    first, second = shop.get("/console/notices/"), shop.get("/console/notices/?page=2")

    assert "Notice 24." in first.text and "Notice 4." not in first.text
    assert "Notice 4." in second.text
    assert "Notice 4." in shop.get("/console/notices/?page=99").text
