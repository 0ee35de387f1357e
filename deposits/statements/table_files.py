"""A table as a file for Excel: CSV and XLSX, safe to open whatever somebody typed into a cell."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias
from urllib.parse import quote

import xlsxwriter
from django.http import HttpResponse

from tmall_sp.core import clock

# Numbers and times stay such; text is never a formula.
Cell: TypeAlias = str | int | Decimal | dt.datetime | dt.date | None

# What makes Excel, WPS or LibreOffice read a cell as a formula; the wide forms count, too.
FORMULA_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
# Longer numbers lose their last digits when a program reads them as numbers.
EXACT_DIGITS = 15

WIDEST = 48


@dataclass(frozen=True)
class Table:
    """`title` is printed above the pages of an XLSX; each row has a cell for each column."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def as_csv(table: Table) -> bytes:
    """UTF-8 with the mark by which Excel knows it; amounts plain, times in Shanghai."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_plain(column) for column in table.columns])
    writer.writerows([_plain(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case dt.datetime():
            return f"{cell.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"
        case str():
            return _harmless(cell)
    return str(cell)


def _harmless(text: str) -> str:
    """An apostrophe before what looks like a formula, and a tab after a long number, as Alipay's bills have it."""
    if text.lstrip(" \ufeff\u00a0\u3000").startswith(FORMULA_BEGINS):
        return f"'{text}"
    if len(text) > EXACT_DIGITS and text.isdecimal():
        return f"{text}\t"
    return text


def as_xlsx(table: Table) -> bytes:
    """One sheet: amounts and times as such, text as text; fit to print on pages of one table's width."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    head = book.add_format({"bold": True, "bg_color": "#f2f3f6", "bottom": 1})
    formats = {
        Decimal: book.add_format({"num_format": "#,##0.00"}),
        dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        dt.date: book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    widths = [_width(column) for column in table.columns]
    for number, column in enumerate(table.columns):
        sheet.write_string(0, number, column, head)
    for line, row in enumerate(table.rows, start=1):
        for number, cell in enumerate(row):
            widths[number] = max(widths[number], _width(_plain(cell)))
            match cell:
                case dt.datetime():
                    local = cell.astimezone(clock.SHANGHAI).replace(tzinfo=None, microsecond=0)
                    sheet.write_datetime(line, number, local, formats[dt.datetime])
                case dt.date():
                    sheet.write_datetime(line, number, cell, formats[dt.date])
                case int() | Decimal():
                    sheet.write_number(line, number, cell, formats.get(type(cell)))
                case str():
                    sheet.write_string(line, number, cell)
    for number, width in enumerate(widths):
        sheet.set_column(number, number, min(width + 2, WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    # In a header `&` begins a code.
    sheet.set_header(f"&L{table.title.replace('&', '&&')[:200]}&R{clock.now():%Y-%m-%d %H:%M}")
    sheet.set_footer("&C&P / &N")
    book.close()
    return out.getvalue()


def _width(text: str) -> int:
    """In Latin letters; a Chinese one takes two."""
    return sum(1 if letter < "\u1100" else 2 for letter in text)


@dataclass(frozen=True)
class Format:
    content_type: str
    write: Callable[[Table], bytes]


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", as_csv),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}


def download(table: Table, *, name: str, extension: str) -> HttpResponse:
    """The table as a download called `name.extension`; KeyError for an extension that is not in FORMATS."""
    file_format = FORMATS[extension]
    answer = HttpResponse(file_format.write(table), content_type=file_format.content_type)
    answer["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}.{extension}')}"
    answer["Cache-Control"] = "private, no-store"
    return answer
