"""What a member reads on its deposit's page in each situation, and finds on its to-do list."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import gettext

from applications import services as applications
from applications import suspensions, todo
from applications.door import clock_text
from applications.lifecycle import State
from applications.models import Application
from deposits import proposals, tasks
from deposits.duties import cases
from deposits.models import LedgerTransfer, ProposalKind, TopUpDemand
from tests.deposits.conftest import Pay, deposit_of, expel, leave, reload, settle
from tests.people import make_merchant
from tests.portal.markup import Markup
from tmall_sp.accounts.models import CompanyRole, Membership, User

MoveClock = Callable[..., None]

REASON = "未按约定时效上门安装"


def page(person: User, application: Application, name: str = "detail", *args: object) -> Markup:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return Markup(client.get(reverse(f"deposits:{name}", args=[application.number, *args])))


def penalise(application: Application, amount: str, case: str = "violation:7") -> None:
    cases.penalise(application.pk, case=case, amount=Decimal(amount), reason=REASON, actor=None)


def pay_address(application: Application) -> str:
    return reverse("deposits:pay", args=[application.number])


def has_button(shown: Markup, application: Application) -> bool:
    return any(form.get("action") == pay_address(application) for form in shown.all("form"))


@pytest.fixture
def short(member: Application) -> Application:
    """Penalised: 2,500 are missing."""
    penalise(member, "2500.00")
    return reload(member)


@pytest.fixture
def owing(member: Application) -> Application:
    """60,000 are frozen; the penalty took the rest and leaves a debt of 5,000."""
    cases.freeze(member.pk, case="complaint:C1", claimed=Decimal("60000.00"))
    penalise(member, "45000.00")
    return reload(member)


# The page ------------------------------------------------------------------------------------------


def test_a_full_deposit_says_so_and_asks_for_nothing(member: Application, merchant: User) -> None:
    shown = page(merchant, member)
    assert "The deposit is full" in shown.text
    assert not has_button(shown, member)


def test_a_short_deposit_says_how_much_until_when_and_what_follows(
    short: Application, merchant: User
) -> None:
    shown = page(merchant, short)
    demand = TopUpDemand.objects.get()
    for words in ("¥2,500.00", clock_text(demand.due_at), "left", "suspended", short.alipay_account_id):
        assert words in shown.text
    assert has_button(shown, short)


def test_a_debt_is_shown_with_its_case_reason_date_and_what_is_paid_of_it(
    owing: Application, merchant: User
) -> None:
    shown = page(merchant, owing)
    for words in ("¥45,000.00", "¥5,000.00", "¥60,000.00", "Violation 7", "Complaint C1", REASON):
        assert words in shown.text
    assert "still owed" in shown.text


def test_a_suspended_member_reads_how_it_ends_and_can_pay(
    short: Application, merchant: User, move_clock: MoveClock
) -> None:
    move_clock(days=15, seconds=1)
    tasks.sweep_overdue_demands()
    shown = page(merchant, short)
    exit_due = short.suspensions.get().exit_due_at
    assert exit_due is not None
    assert "ends by itself" in shown.text
    assert clock_text(exit_due) in shown.text
    assert has_button(shown, short)


def test_a_member_suspended_for_something_else_is_not_told_that_money_helps(
    short: Application, merchant: User
) -> None:
    suspensions.suspend(short.pk, cause="sanction", reason="违规", case="violation:9")
    assert "ends by itself" not in page(merchant, short).text


def test_one_that_leaves_and_owes_is_told_to_pay_that_alone(owing: Application, merchant: User) -> None:
    applications.request_exit(owing.pk, actor=merchant)
    shown = page(merchant, owing)
    assert "until then the exit can't be completed" in shown.text
    assert has_button(shown, owing)
    assert shown.text.count("¥45,000.00") == 0


def test_one_that_leaves_and_owes_nothing_has_nothing_to_pay(short: Application, merchant: User) -> None:
    applications.request_exit(short.pk, actor=merchant)
    shown = page(merchant, short)
    assert "nothing is to be paid any more" in shown.text
    assert not has_button(shown, short)


def test_one_that_has_left_reads_where_its_money_goes(member: Application, merchant: User) -> None:
    leave(member)
    shown = page(merchant, member)
    assert "left the programme" in shown.text
    assert not has_button(shown, member)


def test_a_refund_that_two_people_look_at_says_why(short: Application, merchant: User) -> None:
    leave(short)
    shown = page(merchant, short)
    assert "something was deducted from the deposit" in shown.text


def test_one_that_was_expelled_reads_what_is_forfeited_and_what_is_frozen(
    owing: Application, merchant: User, ops: User, second_ops: User
) -> None:
    expel(owing, ops, second_ops)
    shown = page(merchant, owing)
    assert "is forfeited" in shown.text
    assert "What is frozen waits for the decision" in shown.text
    assert not has_button(shown, owing)


def test_an_application_that_lapsed_owes_nothing(
    approved: Application, merchant: User, move_clock: MoveClock
) -> None:
    move_clock(days=16)
    tasks.sweep_unpaid()
    assert reload(approved).state == State.LAPSED
    shown = page(merchant, approved)
    assert "no deposit is due" in shown.text
    assert not has_button(shown, approved)


def test_a_sub_account_sees_what_is_missing_and_cant_pay(short: Application, sub_account: User) -> None:
    shown = page(sub_account, short)
    assert "¥2,500.00" in shown.text
    assert not has_button(shown, short)


@pytest.mark.parametrize("fixture", ["member", "short", "owing"])
@pytest.mark.parametrize("name", ["detail", "statement"])
def test_the_pages_are_sound(merchant: User, request: pytest.FixtureRequest, fixture: str, name: str) -> None:
    assert page(merchant, request.getfixturevalue(fixture), name).problems() == []


# Statement and receipts ----------------------------------------------------------------------------


def test_the_statement_has_every_movement_with_what_stood_there_afterwards(
    owing: Application, merchant: User
) -> None:
    shown = page(merchant, owing, "statement")
    for words in ("¥100,000.00", "¥60,000.00", "−¥40,000.00", "Complaint C1", REASON, owing.credit_code):
        assert words in shown.text
    for extension in ("csv", "xlsx"):
        address = reverse("deposits:statement_file", args=[owing.number, extension])
        assert any(link.get("href") == address for link in shown.all("a"))


def test_a_deduction_has_a_receipt_with_case_and_reason(short: Application, merchant: User) -> None:
    row = LedgerTransfer.objects.get(kind="penalty")
    shown = page(merchant, short, "receipt", row.pk)
    for words in ("¥2,500.00", "Violation 7", REASON):
        assert words in shown.text


def test_the_receipt_of_a_corrected_deduction_says_so(
    short: Application, merchant: User, finance: User, second_finance: User
) -> None:
    row = LedgerTransfer.objects.get(kind="penalty")
    correction = proposals.propose(ProposalKind.CORRECT_ENTRY, actor=finance, reason="误扣", target=row)
    proposals.accept(correction.pk, actor=second_finance)

    assert "reversed on" in page(merchant, short, "receipt", row.pk).text
    assert "误扣" not in page(merchant, short, "statement").text, "what finance wrote is finance's"


def test_a_strangers_statement_is_not_found(short: Application, stranger: User) -> None:
    assert page(stranger, short, "statement").status == 404


# To do ---------------------------------------------------------------------------------------------


def the_task(person: User, application: Application) -> todo.Task:
    [task] = todo.tasks_for(person, reload(application))
    return task


def test_a_top_up_stands_on_the_list_with_its_date(short: Application, merchant: User) -> None:
    task = the_task(merchant, short)
    assert (task.code, task.due_at, task.urgent) == ("top_up", TopUpDemand.objects.get().due_at, False)
    assert "2,500.00" in str(task.title)
    assert task.url == reverse("deposits:detail", args=[short.number])


def test_near_its_date_and_after_it_a_top_up_is_urgent(
    short: Application, merchant: User, move_clock: MoveClock
) -> None:
    move_clock(days=12, seconds=1)
    assert the_task(merchant, short).urgent
    move_clock(days=4)
    tasks.sweep_overdue_demands()
    assert the_task(merchant, short).urgent


def test_what_is_urgent_stands_first(short: Application, merchant: User, move_clock: MoveClock) -> None:
    Application.objects.filter(pk=short.pk).update(licence_valid_until="2020-01-01")
    move_clock(days=13)
    codes = [task.code for task in todo.tasks_for(merchant, reload(short))]
    assert codes[0] == "top_up" and len(codes) > 1


def test_one_that_leaves_finds_its_debts_on_the_list(owing: Application, merchant: User) -> None:
    applications.request_exit(owing.pk, actor=merchant)
    [debts, leaving] = todo.tasks_for(merchant, reload(owing))
    assert (debts.code, leaving.code) == ("obligations", "exit")
    assert "5,000.00" in str(debts.title)


def test_a_full_deposit_leaves_nothing_to_do(member: Application, merchant: User) -> None:
    assert todo.tasks_for(merchant, member) == []


def test_a_sub_account_is_told_who_pays(short: Application, sub_account: User) -> None:
    text = gettext("The main Taobao account pays it; a sub-account can't.")
    assert the_task(sub_account, short).text == text


def test_a_payer_finds_the_top_up_too(short: Application) -> None:
    assert short.company is not None
    payer = make_merchant("财务", "700000009")
    Membership.objects.create(company=short.company, user=payer, role=CompanyRole.PAYER)
    assert the_task(payer, short).code == "top_up"


# Cost ----------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_whatever_was_deducted(owing: Application, merchant: User) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(merchant)

    def costs() -> list[int]:
        counted = []
        for name in ("deposits:detail", "deposits:statement", "compliance:exit"):
            address = reverse(name, args=[owing.number])
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counted.append(len(queries))
        return counted

    before = costs()
    for number in range(8, 20):
        penalise(owing, "100.00", f"violation:{number}")

    assert costs() == before == [14, 8, 10]


def test_a_payment_shows_at_once_that_the_deposit_is_full(
    short: Application, merchant: User, pay: Pay
) -> None:
    settle(pay(short))
    assert deposit_of(short).shortfall == 0
    assert "The deposit is full" in page(merchant, short).text
