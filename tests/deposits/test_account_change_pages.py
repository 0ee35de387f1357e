"""The pages on which another bound account is asked for, decided and followed: portal and desk."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from applications.models import Application
from deposits import tasks
from deposits.bound_account import changes as account_changes
from deposits.incoming import payments
from deposits.models import AccountChange
from tests.deposits.conftest import BOUND, reload
from tests.deposits.test_account_changes import NEW, again, agree, ask, evidence
from tests.people import PDF
from tests.portal.markup import Markup
from tests.races.together import posting, together
from tests.sandbox_client import SandboxClient
from tests.staff_login import staff_client
from tmall_sp.accounts.models import CompanyRole, Membership, User

MoveClock = Callable[..., None]


def browser(person: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return client


def page(application: Application) -> str:
    return reverse("deposits:account", args=[application.number])


def cancel_url(change: AccountChange) -> str:
    return reverse("deposits:account_cancel", args=[change.application.number, change.pk])


def evidence_url(change: AccountChange) -> str:
    return reverse("deposits:account_evidence", args=[change.application.number, change.pk])


def read(client: Client, address: str) -> Markup:
    answer = Markup(client.get(address))
    assert answer.status == 200, answer.html
    return answer


def filled(**other: Any) -> dict[str, Any]:
    """The form as somebody fills it in; None leaves a field out."""
    values = {
        "account_id": NEW,
        "reason": "原账户即将注销",
        "file": evidence(),
        "own_name": "on",
        "seen": BOUND,
    } | other
    return {name: value for name, value in values.items() if value is not None}


# The company's page --------------------------------------------------------------------------------


def test_the_deposits_page_leads_there(approved: Application, merchant: User) -> None:
    deposit = reverse("deposits:detail", args=[approved.number])
    assert page(approved) in read(browser(merchant), deposit).links


def test_the_form_asks(approved: Application, merchant: User) -> None:
    client = browser(merchant)
    shown = read(client, page(approved))
    assert shown.problems() == []
    assert BOUND in shown.text and "7 more days" in shown.text

    answer = client.post(page(approved), filled(account_id=" 2088 1021 4622 5999 "), follow=True)

    change = AccountChange.objects.get()
    assert (change.state, change.new_account_id, change.requested_by) == ("requested", NEW, merchant)
    assert change.requested_from == "127.0.0.1"
    text = Markup(answer).text
    for word in (NEW, merchant.display_name, "127.0.0.1", "原账户即将注销", "Evidence checked"):
        assert word in text
    assert "own_name" not in Markup(answer).form_values()
    assert Markup(answer).problems() == []


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"account_id": "13800138000"}, "account_id", "login name"),
        ({"account_id": "208810214622599"}, "account_id", "16 digits"),
        ({"account_id": BOUND}, "account_id", "bound already"),
        ({"reason": " "}, "reason", "required"),
        ({"own_name": None}, "own_name", "own name"),
        ({"file": None}, "file", "required"),
        ({"file": SimpleUploadedFile("a.png", b"MZ")}, "file", "Hand in a JPEG"),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_keeps_what_was_typed(
    approved: Application, merchant: User, wrong: dict[str, Any], field: str, words: str
) -> None:
    answer = Markup(browser(merchant).post(page(approved), filled(**wrong)))

    assert answer.status == 422
    assert words in answer.error_of(f"id_{field}")
    typed = answer.form_values()
    assert typed["account_id"] == wrong.get("account_id", NEW)
    assert typed["reason"].strip() == wrong.get("reason", "原账户即将注销").strip()
    assert answer.problems() == []
    assert not AccountChange.objects.exists()


def test_a_page_from_before_another_change_says_so_and_shows_the_account_of_now(
    approved: Application, merchant: User, ops: User, finance: User, move_clock: MoveClock
) -> None:
    agree(ask(approved), ops, finance)
    move_clock(days=7)
    tasks.sweep_account_changes()

    answer = Markup(browser(merchant).post(page(approved), filled(account_id=BOUND)))

    assert answer.status == 422
    assert "Another account has been bound meanwhile" in answer.text
    assert answer.form_values()["seen"] == NEW
    assert AccountChange.objects.count() == 1


def test_who_asks_while_a_change_is_open_sees_it(approved: Application, merchant: User) -> None:
    ask(approved)
    answer = browser(merchant).post(page(approved), filled(account_id="2088102146225998"), follow=True)
    assert "A change of the bound account is open already." in Markup(answer).text
    assert AccountChange.objects.count() == 1


def test_a_sub_account_sees_and_stops_it_but_cant_ask(
    approved: Application, sub_account: User, merchant: User
) -> None:
    client = browser(sub_account)
    assert "A sub-account can't" in read(client, page(approved)).text
    assert client.post(page(approved), filled()).status_code == 403
    change = ask(approved)

    shown = read(client, page(approved))
    assert NEW in shown.text
    assert client.post(cancel_url(change)).status_code == 302
    assert again(change).state == "cancelled"


def test_a_reader_can_only_look(approved: Application, stranger: User) -> None:
    assert approved.company is not None
    Membership.objects.create(company=approved.company, user=stranger, role=CompanyRole.READER)
    change = ask(approved)
    client = browser(stranger)
    assert cancel_url(change) not in read(client, page(approved)).html
    assert client.post(cancel_url(change)).status_code == 403
    assert again(change).state == "requested"


def test_a_stranger_finds_nothing(approved: Application, stranger: User) -> None:
    change, client = ask(approved), browser(stranger)
    assert client.get(page(approved)).status_code == 404
    assert client.post(page(approved), filled()).status_code == 404
    assert client.post(cancel_url(change)).status_code == 404
    assert client.get(evidence_url(change)).status_code == 404
    assert again(change).state == "requested"


def test_another_memberships_change_has_no_page_here(approved: Application, draft: Application) -> None:
    change = ask(approved)
    address = reverse("deposits:account_cancel", args=[approved.number, change.pk + 1])
    assert browser(approved.applicant).post(address).status_code == 404


def test_cancelling_wants_a_post_and_happens_once(approved: Application, merchant: User) -> None:
    change, client = ask(approved), browser(merchant)
    assert client.get(cancel_url(change)).status_code == 405

    for words in ("has been cancelled", "decided meanwhile"):
        assert words in Markup(client.post(cancel_url(change), follow=True)).text
    assert read(client, page(approved)).form_values()["seen"] == BOUND


def test_the_page_shows_each_step_and_its_date(
    approved: Application,
    merchant: User,
    ops: User,
    finance: User,
    alipay: SandboxClient,
    move_clock: MoveClock,
) -> None:
    change, client = agree(ask(approved), ops, finance), browser(merchant)
    shown = read(client, page(approved)).text
    assert "in 6 days" in shown or "in 7 days" in shown
    assert ops.display_name not in shown and finance.display_name not in shown

    payments.open_order(approved.pk, actor=merchant)
    move_clock(days=7)
    tasks.sweep_account_changes()
    assert "A payment has been begun" in read(client, page(approved)).text

    account_changes.refuse(change.pk, actor=ops, reason="截图主体与执照不一致", seen="cooling")
    shown = read(client, page(approved)).text
    assert "截图主体与执照不一致" in shown
    assert ops.display_name not in shown


def test_after_the_end_nothing_can_be_asked_for(exited: Application, merchant: User) -> None:
    shown = read(browser(merchant), page(exited))
    assert "can't be changed now" in shown.text
    assert "account_id" not in shown.form_values()
    answer = browser(merchant).post(page(exited), filled(), follow=True)
    assert "can't be changed now" in Markup(answer).text


def test_a_picture_is_shown_and_a_pdf_is_saved(approved: Application, merchant: User) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    change, client = ask(approved, evidence=evidence(picture.getvalue(), "截图.png")), browser(merchant)
    assert client.get(evidence_url(change))["Content-Disposition"].startswith("inline")
    assert client.get(evidence_url(change) + "?download")["Content-Disposition"].startswith("attachment")
    account_changes.cancel(change.pk, actor=merchant)

    answer = client.get(evidence_url(ask(approved)))
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer) == PDF
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_looking_changes_nothing(approved: Application, merchant: User) -> None:
    change = ask(approved)
    before = (reload(approved).version, again(change).state)
    browser(merchant).get(page(approved))
    browser(merchant).get(evidence_url(change))
    assert (reload(approved).version, again(change).state) == before


# The desk ------------------------------------------------------------------------------------------

LIST = "admin:deposits_accountchange_changelist"


def desk_url(change: AccountChange, name: str = "change") -> str:
    return reverse(f"admin:deposits_accountchange_{name}", args=[change.pk])


def desk(person: User) -> Client:
    client = staff_client(person)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    person.language = "en"
    person.save(update_fields=["language"])
    return client


def take(client: Client, change: AccountChange, step: str, **typed: Any) -> Any:
    """Open the step's page, tick every box, send it."""
    form = client.get(desk_url(change, step)).context["form"]
    ticked = {box.html_name: "on" for box in form.boxes()}
    return client.post(desk_url(change, step), {"seen": form["seen"].value(), **ticked, **typed})


def test_two_people_decide_on_their_pages(approved: Application, ops: User, finance: User) -> None:
    change = ask(approved)
    assert take(desk(ops), change, "check").status_code == 302
    assert take(desk(finance), change, "confirm").status_code == 302
    change = again(change)
    assert (change.state, change.checked_by, change.confirmed_by) == ("cooling", ops, finance)


def test_the_page_shows_evidence_licence_and_accounts(approved: Application, ops: User) -> None:
    change, client = ask(approved), desk(ops)
    for name in ("change", "check", "refuse"):
        text = client.get(desk_url(change, name)).content.decode()
        for word in (approved.company_name, BOUND, NEW, "203.0.113.7", desk_url(change, "evidence")):
            assert word in text, (name, word)
        licence = approved.documents.get()
        assert reverse("admin:applications_application_document", args=[approved.pk, licence.pk]) in text


def test_the_consequence_names_the_day(approved: Application, ops: User, finance: User) -> None:
    change = ask(approved)
    account_changes.check(change.pk, actor=ops, seen="requested")
    answer = desk(finance).get(desk_url(change, "confirm"))
    lines = " ".join(answer.context["consequences"])
    account_changes.confirm(change.pk, actor=finance, seen="checked")
    effective = again(change).effective_at
    assert effective is not None
    assert f"{effective:%Y-%m}" in lines and NEW in lines and BOUND in lines


def test_every_box_has_to_be_ticked(approved: Application, ops: User) -> None:
    change = ask(approved)
    answer = desk(ops).post(desk_url(change, "check"), {"seen": "requested", "name": "on"})
    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {"account", "genuine"}
    assert again(change).state == "requested"


def test_what_is_not_this_persons_is_not_offered(
    approved: Application, ops: User, second_ops: User, finance: User, auditor: User, superuser: User
) -> None:
    change = ask(approved)

    def offered(person: User) -> list[str]:
        return [step.name for step in desk(person).get(desk_url(change)).context["steps"]]

    assert offered(ops) == offered(finance) == ["check", "refuse"]
    assert offered(auditor) == offered(superuser) == []
    account_changes.check(change.pk, actor=finance, seen="requested")
    assert offered(finance) == offered(second_ops) == ["refuse"]

    for person, step in ((finance, "confirm"), (second_ops, "confirm"), (auditor, "refuse")):
        answer = desk(person).post(
            desk_url(change, step), {"seen": "checked", "reason": "x", "evidence": "on"}
        )
        assert answer.status_code == 403, (person, step)
    assert again(change).state == "checked"


def test_an_old_page_is_shown_again_as_it_is_now(
    approved: Application, ops: User, finance: User, second_finance: User
) -> None:
    change = ask(approved)
    account_changes.check(change.pk, actor=ops, seen="requested")
    account_changes.confirm(change.pk, actor=finance, seen="checked")

    answer = desk(second_finance).post(
        desk_url(change, "refuse"), {"seen": "checked", "reason": "截图主体与执照不一致"}
    )

    assert answer.status_code == 409
    text = answer.content.decode()
    assert "decided meanwhile" in text and "截图主体与执照不一致" in text
    assert answer.context["form"]["seen"].value() == "cooling"
    assert again(change).state == "cooling"


def test_a_refusal_is_read_by_the_company(approved: Application, ops: User, merchant: User) -> None:
    change = ask(approved)
    assert take(desk(ops), change, "refuse", reason="截图主体与执照不一致").status_code == 302
    assert "截图主体与执照不一致" in read(browser(merchant), page(approved)).text


def test_the_evidence_is_shown_to_staff_and_runs_nothing(
    approved: Application, ops: User, reviewer: User, merchant: User
) -> None:
    change = ask(approved)
    answer = desk(ops).get(desk_url(change, "evidence"))
    assert answer.getvalue() == PDF
    assert answer["Content-Disposition"].startswith("inline")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    for outsider in (reviewer, merchant):
        assert staff_client(outsider).get(desk_url(change, "evidence")).status_code == 403


def test_the_queue_shows_what_waits_for_whom(
    approved: Application, ops: User, finance: User, second_finance: User
) -> None:
    change = ask(approved)

    def waiting(person: User) -> int:
        answer = desk(person).get(reverse(LIST) + "?tab=for_me")
        [task] = [
            task
            for task in desk(person).get(reverse("admin:index")).context["tasks"]
            if task.url == reverse(LIST) + "?tab=for_me"
        ]
        assert answer.context["cl"].result_count == task.count
        return int(task.count)

    assert (waiting(ops), waiting(finance)) == (1, 1)
    account_changes.check(change.pk, actor=finance, seen="requested")
    assert (waiting(ops), waiting(finance), waiting(second_finance)) == (0, 0, 1)


# Costs and races -----------------------------------------------------------------------------------


def cost(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_pages_cost_the_same_whatever_happened_before(
    approved: Application, merchant: User, ops: User, finance: User
) -> None:
    company, staff = browser(merchant), desk(ops)
    change = ask(approved)
    costs = {
        "portal": cost(company, page(approved)),
        "change": cost(staff, desk_url(change)),
        "check": cost(staff, desk_url(change, "check")),
        "list": cost(staff, reverse(LIST)),
    }
    assert costs == {"portal": 8, "change": 14, "check": 12, "list": 8}

    for _time in range(3):
        account_changes.refuse(change.pk, actor=finance, reason="与执照不符", seen="requested")
        change = ask(approved)

    assert cost(company, page(approved)) == costs["portal"]
    assert cost(staff, desk_url(change)) == costs["change"]
    assert cost(staff, desk_url(change, "check")) == costs["check"]
    assert cost(staff, reverse(LIST)) == costs["list"]


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_the_same_moment_are_one_change(approved: Application, merchant: User) -> None:
    answers = together(
        *(posting(merchant, page(approved), **filled()) for _time in range(6)),
    )
    assert answers == [302] * 6
    assert AccountChange.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(3))
def test_cancelling_and_confirming_at_the_same_moment(
    approved: Application, merchant: User, ops: User, finance: User, second_finance: User, _round: int
) -> None:
    change = ask(approved)
    account_changes.check(change.pk, actor=ops, seen="requested")

    together(
        posting(merchant, cancel_url(change)),
        lambda: account_changes.confirm(change.pk, actor=finance, seen="checked"),
        posting(merchant, cancel_url(change)),
        lambda: account_changes.confirm(change.pk, actor=second_finance, seen="checked"),
    )

    # A cancellation that comes second still stops what was confirmed.
    change = again(change)
    assert change.state == "cancelled"
    assert change.confirmed_by in (None, finance, second_finance)
    assert reload(approved).alipay_account_id == BOUND


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_cancellation_on_its_day(
    approved: Application, merchant: User, ops: User, finance: User, move_clock: MoveClock
) -> None:
    change = agree(ask(approved), ops, finance)
    move_clock(days=7)

    together(
        lambda: account_changes.take_effect(change.pk),
        posting(merchant, cancel_url(change)),
        lambda: account_changes.take_effect(change.pk),
    )

    change = again(change)
    bound = reload(approved).alipay_account_id
    assert (change.state, bound) in (("done", NEW), ("cancelled", BOUND))
    steps = approved.transitions.filter(name="rebind_account").count()
    assert steps == (1 if change.state == "done" else 0)
