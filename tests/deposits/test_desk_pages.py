"""Finance's pages of one deposit: its figures, everything about it, its statement; and where they are found."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from applications.models import Application
from deposits.books import ledger
from deposits.books.accounts import Kind
from deposits.duties import cases, obligations
from deposits.models import (
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
    ReturnedPayment,
)
from deposits.proposals import propose
from tests.admin.pages import PAGE as APPLICATION_PAGE
from tests.deposits.conftest import NAME, OTHER_COMPANY, deposit_of, leave
from tests.deposits.desk import cost, url
from tests.deposits.trades import pay_what_is_due
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def cny(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.fixture
def desk(finance: User) -> Client:
    return staff_client(finance)


def busy(application: Application, number: int, proposer: User) -> None:
    """A frozen case, an award, a debt, a decision that waits, a refund with two legs, a refused payment."""
    deposit = deposit_of(application)
    cases.freeze(application.pk, case=f"complaint:open{number}", claimed=cny("1.00"))
    cases.settle_case(
        application.pk, case=f"complaint:{number}", award=cny("2.00"), reason="赔付", actor=None
    )
    obligations.owe(deposit, Kind.PENALTY, cny("200000.00"), case=f"violation:{number}", key=f"o{number}")
    debt = deposit.obligations.get(key=f"o{number}")
    propose(ProposalKind.WAIVE_OBLIGATION, actor=proposer, reason="小额", target=debt)
    order = pay_what_is_due(application, buyer_user_id=OTHER_COMPANY)
    refund = Refund.objects.create(deposit=deposit, amount=cny("3.00"), key=f"r{number}", reason="多缴")
    for _leg in range(2):
        Payout.objects.create(refund=refund, order=order, method="trade_refund", amount=cny("1.50"))


# The page ------------------------------------------------------------------------------------------


def test_the_page_shows_the_figures_and_what_stands_behind_them(
    desk: Client, member: Application, second_finance: User
) -> None:
    cases.freeze(member.pk, case="complaint:C1", claimed=cny("250.00"))
    cases.penalise(member.pk, case="violation:7", amount=cny("99800.00"), reason="刷单", actor=None)
    debt = Obligation.objects.get()
    propose(ProposalKind.WAIVE_OBLIGATION, actor=second_finance, reason="小额", target=debt)

    answer = desk.get(url(deposit_of(member), "change"))

    text = answer.content.decode()
    assert "¥100,000.00" in text, "required"
    assert text.count("¥250.00") >= 2, "frozen, and its case"
    assert "投诉 C1" in text
    assert text.count("¥50.00") >= 2, "owed"
    assert answer.context["payable"] == cny("99800.00")
    assert "¥99,800.00" in text
    assert "催告补缴" in text
    assert "豁免欠款" in text
    dossier = answer.context["dossier"]
    assert [(part.case, part.amount) for part in dossier.frozen] == [("complaint:C1", cny("250.00"))]
    assert list(dossier.obligations) == [debt]
    assert dossier.demand is not None


def test_what_a_case_has_given_up_is_no_longer_frozen(desk: Client, member: Application) -> None:
    cases.freeze(member.pk, case="complaint:C1", claimed=cny("250.00"))
    cases.settle_case(member.pk, case="complaint:C1", award=cny("100.00"), reason="赔付", actor=None)

    assert desk.get(url(deposit_of(member), "change")).context["dossier"].frozen == []


def test_the_latest_movements_end_at_what_stands_there_now(desk: Client, member: Application) -> None:
    for number in range(15):
        cases.freeze(member.pk, case=f"complaint:{number}", claimed=cny("1.00"))

    deposit = deposit_of(member)
    latest = list(desk.get(url(deposit, "change")).context["dossier"].latest)

    assert len(latest) == 10
    assert (latest[0].after_available, latest[0].after_frozen) == (deposit.available, deposit.frozen)
    assert [row.after_frozen for row in latest[:3]] == [cny("15.00"), cny("14.00"), cny("13.00")]


def test_a_deposit_that_nobody_paid_has_a_page(desk: Client, approved: Application) -> None:
    text = desk.get(url(deposit_of(approved), "change")).content.decode()

    assert "暂无收支" in text


@pytest.mark.parametrize("name", ["waive", "release", "name_payee"])
def test_what_can_be_begun_is_linked_beside_its_row(
    name: str, desk: Client, auditor: User, member: Application
) -> None:
    cases.settle_case(member.pk, case="complaint:1", award=cny("2.00"), reason="赔付", actor=None)
    row: Model = Compensation.objects.get()
    if name == "waive":
        cases.penalise(member.pk, case="violation:7", amount=cny("100050.00"), reason="刷单", actor=None)
        row = Obligation.objects.get()
    if name == "release":
        leave(member)
        row = Refund.objects.get()
    page, link = url(deposit_of(member), "change"), url(row, name)

    assert link in desk.get(page).content.decode()
    assert link not in staff_client(auditor).get(page).content.decode()


def test_what_waits_already_is_not_linked(desk: Client, member: Application, second_finance: User) -> None:
    cases.penalise(member.pk, case="violation:7", amount=cny("100050.00"), reason="刷单", actor=None)
    debt = Obligation.objects.get()
    propose(ProposalKind.WAIVE_OBLIGATION, actor=second_finance, reason="小额", target=debt)

    assert url(debt, "waive") not in desk.get(url(debt.deposit, "change")).content.decode()


def test_the_page_costs_the_same_whatever_it_shows(
    desk: Client, member: Application, second_finance: User
) -> None:
    deposit = deposit_of(member)
    busy(member, 0, second_finance)
    few = cost(desk, url(deposit, "change"))

    for number in range(1, 5):
        busy(member, number, second_finance)

    assert Proposal.objects.count() == 5
    assert cost(desk, url(deposit, "change")) == few <= 24


@pytest.mark.parametrize(
    ("model", "most"),
    [
        (Refund, 12),
        (Payout, 12),
        (ReturnedPayment, 9),
        (Compensation, 9),
        (Obligation, 10),
        (Proposal, 9),
        (LedgerTransfer, 10),
    ],
)
def test_each_page_of_a_row_costs_the_same(
    model: type[Model], most: int, desk: Client, member: Application, second_finance: User
) -> None:
    busy(member, 0, second_finance)
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    few = cost(desk, url(row, "change"))

    for number in range(1, 4):
        busy(member, number, second_finance)
    refund = Refund.objects.order_by("pk").first()
    for _leg in range(5):
        Payout.objects.create(
            refund=refund, order=deposit_of(member).orders.first(), method="trade_refund", amount=cny("1.00")
        )

    assert cost(desk, url(row, "change")) == few <= most


# The statement -------------------------------------------------------------------------------------


@pytest.fixture
def deposit(approved: Application) -> Deposit:
    """Paid in September, a freeze at the last instant of it, a penalty at the first of October."""
    deposit = deposit_of(approved)
    Deposit.objects.filter(pk=deposit.pk).update(opened_at=dt.datetime(2026, 9, 1, tzinfo=clock.SHANGHAI))

    def at(time: str) -> dt.datetime:
        return dt.datetime.fromisoformat(f"2026-{time}+08:00")

    ledger.post(Kind.PAYMENT, cny("100000.00"), key="p", deposit=deposit, at=at("09-02T09:30:00"))
    ledger.post(
        Kind.FREEZE, cny("300.00"), key="f", deposit=deposit, case="complaint:C1", at=at("09-30T23:59:59")
    )
    ledger.post(Kind.PENALTY, cny("20.00"), key="v", deposit=deposit, note="=1+1", at=at("10-01T00:00:00"))
    return deposit_of(approved)


def test_the_statement_names_company_number_and_period_and_balances(desk: Client, deposit: Deposit) -> None:
    answer = desk.get(url(deposit, "statement"))

    text = answer.content.decode()
    application = deposit.application
    for words in (NAME, application.credit_code, application.number, "2026-09-01", str(clock.today())):
        assert words in text
    statement = answer.context["statement"]
    assert (statement.opening.together, statement.closing.together) == (0, cny("99980.00"))
    assert (statement.came, statement.went) == (cny("100000.00"), cny("20.00"))
    assert statement.closing.available == deposit.available
    assert statement.closing.frozen == deposit.frozen
    assert "nav-sidebar" not in text, "a page of its own"
    assert "desk/print" in text


def test_a_period_begins_and_ends_at_midnight_in_shanghai(desk: Client, deposit: Deposit) -> None:
    def shown(first: str, last: str) -> list[str]:
        answer = desk.get(url(deposit, "statement"), {"first": first, "last": last})
        assert answer.status_code == 200
        return [line.row.key for line in answer.context["statement"].lines]

    assert shown("2026-09-01", "2026-09-30") == ["p", "f"]
    assert shown("2026-10-01", "2026-10-01") == ["v"]
    assert shown("2026-10-02", "2026-10-03") == []
    october = desk.get(url(deposit, "statement"), {"first": "2026-10-01", "last": "2026-10-31"})
    assert october.context["statement"].opening.frozen == cny("300.00")
    assert "¥99,700.00" in october.content.decode()


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("2026-10-02", "2026-10-01", "last"), ("yesterday", "2026-10-01", "first"), ("2026-10-02", "", "last")],
)
def test_a_period_that_is_none_is_refused_beside_its_field(
    desk: Client, deposit: Deposit, first: str, last: str, field: str
) -> None:
    query = {"first": first, "last": last}

    answer = desk.get(url(deposit, "statement"), query)

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [field]
    assert answer.context["form"]["first"].value() == first
    assert desk.get(url(deposit, "statement_file", "csv"), query).status_code == 400


def test_the_statement_comes_as_csv_and_xlsx(desk: Client, deposit: Deposit) -> None:
    query = {"first": "2026-09-01", "last": "2026-09-30"}
    as_csv = desk.get(url(deposit, "statement_file", "csv"), query)
    as_xlsx = desk.get(url(deposit, "statement_file", "xlsx"), query)

    rows = list(csv.reader(io.StringIO(as_csv.content.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(as_xlsx.content)).worksheets[0]
    assert len(rows) == sheet.max_row == 3
    assert rows[1][0] == "2026-09-02 09:30:00"
    assert "100000.00" in rows[1]
    assert f"{deposit.application.number}-20260901-20260930.csv" in as_csv["Content-Disposition"]
    assert f"{deposit.application.number}-20260901-20260930.xlsx" in as_xlsx["Content-Disposition"]


def test_a_note_is_no_formula_in_the_file(desk: Client, deposit: Deposit) -> None:
    text = desk.get(url(deposit, "statement_file", "csv")).content.decode("utf-8-sig")

    assert "'=1+1" in text


def test_there_is_no_other_kind_of_file(desk: Client, deposit: Deposit) -> None:
    assert desk.get(url(deposit, "statement_file", "exe")).status_code == 404


def test_a_statement_is_read_only(desk: Client, deposit: Deposit) -> None:
    assert desk.post(url(deposit, "statement")).status_code == 405
    assert desk.post(url(deposit, "statement_file", "csv")).status_code == 405


def test_a_statement_costs_the_same_for_many_rows(desk: Client, deposit: Deposit) -> None:
    few = cost(desk, url(deposit, "statement"))
    for number in range(40):
        ledger.post(Kind.PENALTY, cny("1.00"), key=f"n{number}", deposit=deposit)

    assert cost(desk, url(deposit, "statement")) == few <= 8


# Where they are found ------------------------------------------------------------------------------


def test_the_page_of_an_application_shows_its_deposit(
    desk: Client, reviewer: User, member: Application
) -> None:
    page = reverse(APPLICATION_PAGE, args=[member.pk])
    link = url(deposit_of(member), "change")

    assert link in desk.get(page).content.decode()
    assert link not in staff_client(reviewer).get(page).content.decode()


def waiting(person: User) -> dict[str, int]:
    """What the staff's first page lists of money, by the list that it leads to."""
    tasks = staff_client(person).get(reverse("admin:index")).context["tasks"]
    found = {}
    for task in tasks:
        if "/deposits/" in task.url:
            address, _mark, tab = task.url.partition("?tab=")
            found[f"{address.split('/')[-2]} {tab}"] = task.count
    return found


def test_finances_first_page_lists_what_waits(
    finance: User,
    second_finance: User,
    ops: User,
    auditor: User,
    member: Application,
    move_clock: Callable[..., None],
) -> None:
    cases.settle_case(member.pk, case="complaint:1", award=cny("2.00"), reason="赔付", actor=None)
    cases.penalise(member.pk, case="violation:7", amount=cny("100050.00"), reason="刷单", actor=None)
    debt = Obligation.objects.get()
    propose(ProposalKind.WAIVE_OBLIGATION, actor=second_finance, reason="小额", target=debt)
    order = pay_what_is_due(member, buyer_user_id=OTHER_COMPANY)
    order.returned.payouts.update(state="calling", attempts=1)
    order.returned.payouts.update(state="attention")

    money = waiting(finance)

    assert money["proposal for_me"] == 1
    assert money["payout attention"] == 1
    assert money["refund held"] == 0
    assert money["compensation waiting"] == 1
    assert money["topupdemand overdue"] == 0
    assert waiting(second_finance)["proposal for_me"] == 0
    assert "payout attention" not in waiting(ops)
    assert "topupdemand overdue" in waiting(ops)
    assert not any(name in waiting(auditor) for name in money)

    move_clock(days=16)

    assert waiting(finance)["topupdemand overdue"] == waiting(ops)["topupdemand overdue"] == 1


def test_each_task_leads_to_as_many_rows_as_it_says(
    desk: Client, finance: User, second_finance: User, member: Application
) -> None:
    cases.settle_case(member.pk, case="complaint:1", award=cny("2.00"), reason="赔付", actor=None)
    leave(member)
    assert Refund.objects.get().state == "held"

    for task in desk.get(reverse("admin:index")).context["tasks"]:
        if "?tab=" in task.url:
            assert len(desk.get(task.url).context["cl"].result_list) == task.count, task.url


def test_the_menu_lists_what_the_person_may_read(finance: User, ops: User, reviewer: User) -> None:
    totals = reverse("admin:deposits_ledgertransfer_totals")

    def menu(person: User) -> str:
        return staff_client(person).get(reverse("admin:index")).content.decode()

    assert totals in menu(finance) and url(Payout, "changelist") in menu(finance)
    assert url(Deposit, "changelist") in menu(ops)
    assert totals not in menu(ops) and url(Payout, "changelist") not in menu(ops)
    assert "/deposits/" not in menu(reviewer)
