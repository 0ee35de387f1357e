"""Statements as files: what stands in them, in Excel too, and nothing in them that Excel would carry out."""

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from applications.models import Application
from deposits.duties import cases
from deposits.models import LedgerTransfer
from deposits.statements.table_files import Cell, Table, as_csv, as_xlsx
from tests.deposits.conftest import Pay, settle
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

MALICIOUS = '=HYPERLINK("http://evil.example","退款")'


def cells(content: bytes) -> list[list[Any]]:
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def table(*row: Cell) -> Table:
    return Table("表", [f"列 {number}" for number, _cell in enumerate(row)], [row])


def ask(person: User, application: Application, extension: str) -> HttpResponse:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(person)
    address = reverse("deposits:statement_file", args=[application.number, extension])
    return client.get(address)  # type: ignore[return-value]


@pytest.fixture
def penalised(active: Application, pay: Pay) -> Application:
    """Frozen, penalised for a reason that somebody made up, and topped up."""
    cases.freeze(active.pk, case="complaint:C1", claimed=Decimal("1000.00"))
    cases.penalise(active.pk, case="violation:7", amount=Decimal("2500.50"), reason=MALICIOUS, actor=None)
    settle(pay(active))
    return active


# Any table -----------------------------------------------------------------------------------------


def test_a_csv_is_utf8_with_the_mark_by_which_excel_knows_it() -> None:
    content = as_csv(table("保证金"))
    assert content.startswith(b"\xef\xbb\xbf")
    assert lines(content) == [["列 0"], ["保证金"]]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", " =1", "　=1", "＝1+1", "＠A1"]
)
def test_what_looks_like_a_formula_stays_text(text: str) -> None:
    [_head, [in_csv]] = lines(as_csv(table(text)))
    assert in_csv.startswith("'")
    sheet = load_workbook(io.BytesIO(as_xlsx(table(text)))).worksheets[0]
    assert sheet["A2"].data_type == "s"


def test_amounts_and_times_are_numbers_and_times_to_excel() -> None:
    moment = dt.datetime(2026, 11, 24, 23, 30, 5, tzinfo=clock.SHANGHAI)
    content = as_xlsx(table(Decimal("-2500.50"), moment, moment.date(), 3, None))

    assert cells(content)[1] == [
        -2500.5,
        dt.datetime(2026, 11, 24, 23, 30, 5),
        dt.datetime(2026, 11, 24),
        3,
        None,
    ]
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    assert sheet["A2"].number_format == "#,##0.00"


def test_a_negative_amount_in_a_csv_stays_a_number() -> None:
    assert lines(as_csv(table(Decimal("-2500.50"))))[1] == ["-2500.50"]


def test_no_digit_of_a_long_number_is_lost() -> None:
    number = "2026112422001412345678901234"
    assert lines(as_csv(table(number)))[1] == [f"{number}\t"]
    assert cells(as_xlsx(table(number)))[1] == [number]


def test_times_are_those_of_shanghai() -> None:
    utc = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
    assert lines(as_csv(table(utc)))[1] == ["2026-11-25 01:00:00"]
    assert cells(as_xlsx(table(utc)))[1] == [dt.datetime(2026, 11, 25, 1, 0)]


def test_a_title_with_the_signs_of_a_header_code_is_printed_as_it_is() -> None:
    content = as_xlsx(Table("A&B 公司 &D", ["列"], []))
    header = load_workbook(io.BytesIO(content)).worksheets[0].oddHeader
    assert header is not None and header.left.text == "A&&B 公司 &&D"


# The statement of a deposit ------------------------------------------------------------------------


def test_both_files_say_what_the_ledger_says(penalised: Application, merchant: User) -> None:
    rows = list(LedgerTransfer.objects.order_by("at", "pk"))

    in_csv = lines(ask(merchant, penalised, "csv").content)
    in_xlsx = cells(ask(merchant, penalised, "xlsx").content)

    assert in_csv[0] == in_xlsx[0]
    for line, sheet_line, row in zip(in_csv[1:], in_xlsx[1:], rows, strict=True):
        assert Decimal(line[4]) == Decimal(str(sheet_line[4])) == row.amount
        assert line[1] == sheet_line[1] == row.get_kind_display()
    assert [Decimal(line[9]) for line in in_csv[1:]] == [
        Decimal("100000.00"),
        Decimal("100000.00"),
        Decimal("97499.50"),
        Decimal("100000.00"),
    ]
    assert [Decimal(line[8]) for line in in_csv[1:]] == [0, 1000, 1000, 1000]


def test_a_deduction_names_its_case_and_its_reason_harmlessly(penalised: Application, merchant: User) -> None:
    line = lines(ask(merchant, penalised, "csv").content)[3]
    assert line[2].endswith("7")
    assert line[3] == f"'{MALICIOUS}"
    assert cells(ask(merchant, penalised, "xlsx").content)[3][3] == MALICIOUS


def test_the_numbers_of_alipay_and_of_the_receipts_stand_there(
    penalised: Application, merchant: User
) -> None:
    line = lines(ask(merchant, penalised, "csv").content)[1]
    row = LedgerTransfer.objects.get(kind="payment")
    assert row.order is not None
    assert line[10].strip() == row.order.trade_no
    assert line[11] == f"{penalised.number}-{row.pk:06d}"


@pytest.mark.parametrize(
    ("extension", "content_type"),
    [("csv", "text/csv"), ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")],
)
def test_a_file_is_a_download_that_nobody_keeps(
    penalised: Application, merchant: User, extension: str, content_type: str
) -> None:
    answer = ask(merchant, penalised, extension)
    assert answer["Content-Type"].split(";")[0] == content_type
    assert answer["Content-Disposition"].startswith("attachment")
    assert f"{penalised.number}-" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]


def test_there_are_no_other_kinds_of_files(penalised: Application, merchant: User) -> None:
    assert ask(merchant, penalised, "pdf").status_code == 404


def test_a_stranger_gets_no_file(penalised: Application, stranger: User) -> None:
    assert ask(stranger, penalised, "csv").status_code == 404
