"""A month's totals: what moved by kind, and each account from opening to closing, by Shanghai's calendar."""

import csv
import datetime as dt
import io
import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from applications.models import Application
from deposits.books import ledger, monthly
from deposits.books.accounts import Account, Kind
from deposits.books.monthly import Month, Totals
from deposits.models import ZERO, Deposit, LedgerTransfer
from tests.deposits.conftest import deposit_of
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

SEPTEMBER, OCTOBER, NOVEMBER = Month.parse("2026-09"), Month.parse("2026-10"), Month.parse("2026-11")
SHANGHAI, UTC = clock.SHANGHAI, dt.UTC

PAGE = reverse("admin:deposits_ledgertransfer_totals")
PRINTED = reverse("admin:deposits_ledgertransfer_printed_totals")


def cny(amount: str) -> Decimal:
    return Decimal(amount)


@pytest.fixture
def deposit(approved: Application) -> Deposit:
    return deposit_of(approved)


@pytest.fixture
def edges(deposit: Deposit) -> Deposit:
    """A row at each side of both edges of October, where UTC would put two of them into another month."""
    rows = [
        (
            "last of September",
            Kind.PAYMENT,
            "100000.00",
            dt.datetime(2026, 9, 30, 23, 59, 59, 999999, SHANGHAI),
        ),
        ("first of October", Kind.FREEZE, "300.00", dt.datetime(2026, 10, 1, 0, 0, 0, 0, SHANGHAI)),
        ("in October", Kind.PENALTY, "20.50", dt.datetime(2026, 10, 15, 12, 0, 0, 0, SHANGHAI)),
        ("again in October", Kind.PENALTY, "4.50", dt.datetime(2026, 10, 16, 12, 0, 0, 0, SHANGHAI)),
        ("last of October", Kind.RELEASE, "100.00", dt.datetime(2026, 10, 31, 23, 59, 59, 0, SHANGHAI)),
        # 31 October 16:00 in Greenwich.
        ("first of November", Kind.BREACH, "7.00", dt.datetime(2026, 10, 31, 16, 0, 0, 0, UTC)),
    ]
    for key, kind, amount, at in rows:
        case = "complaint:1" if kind in (Kind.FREEZE, Kind.RELEASE) else ""
        ledger.post(kind, cny(amount), key=key, deposit=deposit, case=case, at=at)
    return deposit


def moved(totals: Totals) -> dict[str, tuple[int, Decimal]]:
    return {line.kind.value: (line.count, line.amount) for line in totals.moved}


def account(totals: Totals, name: Account) -> tuple[Decimal, Decimal, Decimal]:
    [line] = [line for line in totals.accounts if line.account == name]
    return line.opening, line.moved, line.closing


def test_each_kind_is_counted_and_summed_within_the_month_of_shanghai(edges: Deposit) -> None:
    assert moved(monthly.totals(SEPTEMBER)) == {"payment": (1, cny("100000.00"))}
    assert moved(monthly.totals(OCTOBER)) == {
        "freeze": (1, cny("300.00")),
        "release": (1, cny("100.00")),
        "penalty": (2, cny("25.00")),
    }
    assert moved(monthly.totals(NOVEMBER)) == {"breach": (1, cny("7.00"))}


def test_each_account_goes_from_its_opening_to_its_closing(edges: Deposit) -> None:
    october = monthly.totals(OCTOBER)

    assert account(october, Account.ALIPAY_CASH) == (cny("100000.00"), ZERO, cny("100000.00"))
    assert account(october, Account.DEPOSIT_AVAILABLE) == (
        cny("100000.00"),
        cny("-225.00"),
        cny("99775.00"),
    )
    assert account(october, Account.DEPOSIT_FROZEN) == (ZERO, cny("200.00"), cny("200.00"))
    assert account(october, Account.PENALTY_INCOME) == (ZERO, cny("25.00"), cny("25.00"))


def test_an_account_that_grows_by_debit_moves_upwards_with_a_payment(edges: Deposit) -> None:
    assert account(monthly.totals(SEPTEMBER), Account.ALIPAY_CASH) == (
        ZERO,
        cny("100000.00"),
        cny("100000.00"),
    )


def test_a_month_closes_as_the_next_one_opens_and_as_the_ledger_says(edges: Deposit) -> None:
    months = [monthly.totals(month) for month in (SEPTEMBER, OCTOBER, NOVEMBER)]

    for earlier, later in itertools.pairwise(months):
        assert [line.closing for line in earlier.accounts] == [line.opening for line in later.accounts]
    assert all(totals.agrees for totals in months)
    now = ledger.totals()
    assert {line.account: line.closing for line in months[-1].accounts} == dict(now)


def test_the_books_balance_in_every_month(edges: Deposit) -> None:
    """What the accounts hold that grow by debit is what the others hold."""
    for month in (SEPTEMBER, OCTOBER, NOVEMBER):
        sums = {line.account: line.closing for line in monthly.totals(month).accounts}
        held = sums[Account.ALIPAY_CASH] + sums[Account.GATEWAY_FEES] + sums[Account.BANK_WITHDRAWAL]
        assert held == sum(sums.values()) - held


def test_reversals_of_different_rows_are_told_apart(edges: Deposit) -> None:
    for key in ("in October", "first of November"):
        row = LedgerTransfer.objects.get(key=key)
        ledger.reverse(row, Kind.BANK_RETURN, note="")

    current = monthly.totals(monthly.current())

    returned = {line.debit: line.amount for line in current.moved if line.kind == Kind.BANK_RETURN}
    assert returned == {Account.PENALTY_INCOME: cny("20.50"), Account.BREACH_INCOME: cny("7.00")}
    assert account(current, Account.PENALTY_INCOME)[2] == cny("4.50")
    assert current.agrees


def test_a_row_from_the_future_shows_as_a_difference(edges: Deposit) -> None:
    ledger.post(Kind.PENALTY, cny("1.00"), key="later", deposit=edges, at=clock.now() + dt.timedelta(days=40))

    current = monthly.totals(monthly.current())

    assert not current.agrees
    assert {line.account for line in current.accounts if not line.agrees} == {
        Account.DEPOSIT_AVAILABLE,
        Account.PENALTY_INCOME,
    }


def test_an_empty_ledger_has_the_current_month_only(db: None) -> None:
    assert monthly.known() == [monthly.current()]
    totals = monthly.totals(monthly.current())
    assert (totals.moved, totals.agrees) == ([], True)


def test_months_are_known_from_the_first_row_on(edges: Deposit) -> None:
    assert str(monthly.known()[-1]) == "2026-09"
    assert monthly.known()[0] == monthly.current()


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-1", "1999-01", "9999-12", "2026-11-01", "latest", "２０２６-11"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Month.parse(text)


# The page ------------------------------------------------------------------------------------------


@pytest.fixture
def desk(finance: User) -> Client:
    return staff_client(finance)


def test_the_page_shows_the_current_month_and_says_that_it_agrees(desk: Client, edges: Deposit) -> None:
    answer = desk.get(PAGE)

    assert answer.status_code == 200
    assert answer.context["month"] == monthly.current()
    assert "核对一致" in answer.content.decode()


def test_the_page_of_a_month_leads_to_the_rows_that_it_adds_up(desk: Client, edges: Deposit) -> None:
    october = desk.get(PAGE, {"month": "2026-10"})
    [url] = [url for line, url in october.context["moved"] if line.kind == Kind.PENALTY]

    rows = desk.get(url)

    assert (rows.context["count"], rows.context["sum"]) == (2, cny("25.00"))
    assert {row.key for row in rows.context["cl"].result_list} == {"in October", "again in October"}


def test_a_difference_is_said_on_the_page(desk: Client, edges: Deposit) -> None:
    ledger.post(Kind.PENALTY, cny("1.00"), key="later", deposit=edges, at=clock.now() + dt.timedelta(days=40))

    text = desk.get(PAGE).content.decode()

    assert "核对一致" not in text
    assert text.count("desk-differs") == 2


@pytest.mark.parametrize(("month", "words"), [("2093-01", "尚未开始"), ("never", "月份无效")])
def test_a_month_to_come_and_no_month_at_all_say_so(
    desk: Client, edges: Deposit, month: str, words: str
) -> None:
    for address in (PAGE, PRINTED):
        answer = desk.get(address, {"month": month})
        assert (answer.status_code, words in answer.content.decode()) == (404, True)
    for extension in ("csv", "xlsx"):
        address = reverse("admin:deposits_ledgertransfer_totals_file", args=[extension])
        assert desk.get(address, {"month": month}).status_code == 404


def test_a_month_before_the_first_row_is_empty(desk: Client, edges: Deposit) -> None:
    answer = desk.get(PAGE, {"month": "2024-02"})

    assert answer.status_code == 200
    assert answer.context["moved"] == []
    assert "没有发生额" in answer.content.decode()


def test_the_printed_page_has_the_same_figures_and_no_menu(desk: Client, edges: Deposit) -> None:
    text = desk.get(PRINTED, {"month": "2026-10"}).content.decode()

    assert "¥99,775.00" in text
    assert "2026-10-01 – 2026-10-31" in text
    assert "nav-sidebar" not in text


def table(desk: Client, extension: str) -> list[list[Any]]:
    address = reverse("admin:deposits_ledgertransfer_totals_file", args=[extension])
    content = desk.get(address, {"month": "2026-10"}).content
    if extension == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_both_files_have_every_kind_and_every_account(desk: Client, edges: Deposit) -> None:
    as_csv, as_xlsx = table(desk, "csv"), table(desk, "xlsx")

    assert len(as_csv) == len(as_xlsx) == 1 + 3 + len(Account)
    penalty = next(row for row in as_csv if row[1] == str(Kind.PENALTY.label) and row[4])
    assert (penalty[4], penalty[5]) == ("2", "25.00")
    available = next(
        row for row in as_xlsx if row[1] == str(Account.DEPOSIT_AVAILABLE.label) and row[2] is None
    )
    assert available[6:10] == [100000, -225, 99775, 99775]


def test_the_page_costs_the_same_for_many_rows(desk: Client, edges: Deposit) -> None:
    def cost() -> int:
        desk.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            desk.get(PAGE)
        return len(queries)

    few = cost()
    for number in range(30):
        ledger.post(Kind.PENALTY, cny("1.00"), key=f"more {number}", deposit=edges)

    assert cost() == few <= 11
