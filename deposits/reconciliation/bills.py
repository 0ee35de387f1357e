"""Alipay's bills as they come: CSV files in GBK, in a ZIP (protocols B9).

Tolerant of what differs from bill to bill: lines of comment, tabs after numbers, the order of columns and new
ones, a summary beside the details, details in several files, an empty day. Strict where it counts: whose bill
of which day it is, amounts of two places, and the totals at the end, which a file cut short would lack. What
can't be read so is no bill: GatewayError `malformed`, and the bill is asked for again.
"""

import csv
import datetime as dt
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from deposits.gateways.alipay import BillType
from tmall_sp.core import clock
from tmall_sp.core.gateway import malformed, plain_text

# A day of a hundred thousand movements is about 30 MB.
MAX_UNPACKED = 128 * 1024 * 1024
MAX_FILES = 100

ZERO = Decimal("0.00")
AMOUNT = re.compile(r"[+-]?[0-9]{1,10}(\.[0-9]{1,2})?")
# Only where a line begins so: further on it is somebody's name or remark.
TOTAL = re.compile(
    r"[#\s]*(支出|收入|交易|退款)合计[：:]\s*([0-9]+)\s*笔.*?共\s*(-?[0-9]+(?:\.[0-9]{1,2})?)\s*元"
)
ACCOUNT = re.compile(r"账号[：:]\s*\[?(\d+)")
BEGINS = re.compile(r"起始日期[：:]\s*\[?(\d{4})年(\d{1,2})月(\d{1,2})日")
SUMMARY = "汇总"


@dataclass(frozen=True)
class Line:
    """One movement as a bill tells it. `amount` is signed: what our account gained; CNY, two places."""

    key: str
    """Unique among the bill's lines, and the same whenever the bill is read again."""
    at: dt.datetime
    amount: Decimal
    business: str
    """Alipay's word for the kind (业务类型)."""
    numbers: tuple[str, ...]
    """Ours, as far as Alipay repeats them: of the order, of the refund, of the transfer."""
    trade_no: str
    """Alipay's number of the trade or transfer."""
    balance: Decimal | None = None
    """Of our account after this movement; the fund bill only."""
    fee: Decimal = ZERO
    """As the trade bill has it: negative where we paid one. The fund bill has a line of its own for it."""
    title: str = ""
    other_side: str = ""
    note: str = ""


@dataclass(frozen=True)
class Bill:
    lines: tuple[Line, ...]

    @property
    def in_order(self) -> tuple[Line, ...]:
        """The lines in the order in which they happened, as far as the balances tell.

        Alipay writes them upwards or downwards, and several in one second.
        """
        for lines in (self.lines, self.lines[::-1]):
            if all(_follows(first, second) for first, second in pairwise(lines)):
                return lines
        return tuple(sorted(self.lines, key=lambda line: line.at))

    @property
    def is_continuous(self) -> bool:
        """Whether each balance is the one before it and the movement."""
        return all(_follows(first, second) for first, second in pairwise(self.in_order))

    @property
    def opening(self) -> Decimal | None:
        """Our account's balance before the first movement; None where the bill has no balances, or no lines."""
        first = next(iter(self.in_order), None)
        return first.balance - first.amount if first is not None and first.balance is not None else None

    @property
    def closing(self) -> Decimal | None:
        """Our account's balance after the last movement."""
        lines = self.in_order
        return lines[-1].balance if lines else None


def _follows(first: Line, second: Line) -> bool:
    if first.balance is None or second.balance is None:
        return first.at <= second.at
    return second.balance == first.balance + second.amount


def read(kind: BillType, day: dt.date, content: bytes, *, account: str) -> Bill:
    """The bill in a ZIP file, of that day and of our account (its 2088 id). GatewayError `malformed`."""
    details = [
        sheet
        for sheet in (_Sheet.of(text) for text in _files(content))
        if sheet.header is not None or not sheet.is_summary
    ]
    if not details:
        raise malformed("the bill has no details")
    for sheet in details:
        sheet.check(day, account)
    records = [record for sheet in details for record in sheet.records(_NEEDED[kind])]
    totals = [total for sheet in details for total in sheet.totals]
    lines = _unique(_trade_lines(records) if kind is BillType.TRADE else _fund_lines(records))
    _check_totals(kind, lines, [_received(record, kind) for record in records], totals)
    return Bill(tuple(lines))


# The ZIP -------------------------------------------------------------------------------------------


def _files(content: bytes) -> Iterator[str]:
    """The text of each CSV in it. Nothing is unpacked to disk, and never more than it says."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".csv")]
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise malformed("the bill is too large")
            for entry in entries:
                yield _text(archive.read(entry))
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError):
        raise malformed("the bill can't be unpacked") from None


def _text(content: bytes) -> str:
    """GBK, or UTF-8 where it says so. A sign that is neither stands in somebody's name, and no matter."""
    if content.startswith(b"\xef\xbb\xbf"):
        return content.decode("utf-8-sig", errors="replace")
    return content.decode("gb18030", errors="replace")


# The sheet -----------------------------------------------------------------------------------------

# A row with one of these is the header of details.
_KEYS = frozenset({"支付宝交易号", "账务流水号"})
_NEEDED = {
    BillType.TRADE: {"支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额"},
    BillType.SIGNCUSTOMER: {"账务流水号", "发生时间", "收入金额", "支出金额"},
}

Record = Mapping[str, str]


@dataclass
class _Sheet:
    """One CSV: its comments, its header, the rows below it, and the totals wherever they stand."""

    comments: list[str] = field(default_factory=list)
    header: list[str] | None = None
    rows: list[list[str]] = field(default_factory=list)
    totals: list[tuple[str, int, Decimal]] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> "_Sheet":
        sheet = cls()
        try:
            for row in csv.reader(io.StringIO(text, newline="")):
                sheet._take([_clean(cell) for cell in row])
        except csv.Error:
            raise malformed("the bill is not CSV") from None
        return sheet

    def _take(self, row: list[str]) -> None:
        if not any(row):
            return
        whole = ",".join(row)
        total = TOTAL.match(whole)
        if total is not None:
            self.totals.append((total[1], int(total[2]), Decimal(total[3])))
        elif row[0].startswith("#"):
            self.comments.append(whole)
        elif self.header is None and not _KEYS.isdisjoint(names := [_name(cell) for cell in row]):
            self.header = names
        else:
            self.rows.append(row)

    @property
    def is_summary(self) -> bool:
        return any(SUMMARY in comment for comment in self.comments)

    def check(self, day: dt.date, account: str) -> None:
        for comment in self.comments:
            if (found := ACCOUNT.search(comment)) and not found[1].startswith(account):
                raise malformed("the bill is of another account")
            if (found := BEGINS.search(comment)) and tuple(map(int, found.groups())) != (
                day.year,
                day.month,
                day.day,
            ):
                raise malformed("the bill is of another day")

    def records(self, needed: set[str]) -> Iterator[Record]:
        if self.header is None:
            if self.rows:
                raise malformed("the bill has no header that we know")
            return
        if not needed <= set(self.header):
            raise malformed("the bill lacks columns")
        for row in self.rows:
            if any(row[len(self.header) :]):
                raise malformed("a line of the bill has more cells than the header")
            yield dict(zip(self.header, row, strict=False))


def _clean(cell: str) -> str:
    """Without the tabs that keep Excel from rounding numbers."""
    return cell.strip(" \t\r\n`\ufeff")


def _name(cell: str) -> str:
    """A column's name without its unit, which is written （元）, (元), （+元） and so on."""
    return re.split(r"[（(]", cell, maxsplit=1)[0].strip()


# The lines -----------------------------------------------------------------------------------------


def _fund_lines(records: Iterable[Record]) -> Iterator[Line]:
    for record in records:
        into, out = _amount(record, "收入金额"), _amount(record, "支出金额")
        if into < 0 or (into and out):
            raise malformed("a line of the bill has no clear amount")
        serial = record.get("账务流水号", "")
        if not serial:
            raise malformed("a line of the bill has no number")
        yield Line(
            key=serial[:64],
            at=_moment(record, "发生时间"),
            # What goes out is written with a sign or without.
            amount=into - abs(out),
            business=plain_text(record.get("业务类型")),
            numbers=_numbers(record, "商户订单号", "业务订单号", "业务基础订单号"),
            trade_no=record.get("业务流水号", "")[:64],
            balance=_amount(record, "账户余额") if record.get("账户余额") else None,
            title=plain_text(record.get("商品名称")),
            other_side=plain_text(record.get("对方账号")),
            note=plain_text(record.get("备注") or record.get("业务描述")),
        )


def _trade_lines(records: Iterable[Record]) -> Iterator[Line]:
    for record in records:
        trade_no, request = record.get("支付宝交易号", ""), record.get("退款批次号/请求号", "")
        if not trade_no:
            raise malformed("a line of the bill has no number")
        business = plain_text(record.get("业务类型"))
        amount = _amount(record, "订单金额")
        is_refund = "退款" in business
        yield Line(
            key=(f"{trade_no}:{request}" if is_refund else trade_no)[:130],
            at=_moment(record, "完成时间"),
            amount=-abs(amount) if is_refund else amount,
            business=business,
            numbers=_numbers(record, "退款批次号/请求号", "商户订单号"),
            trade_no=trade_no[:64],
            fee=_amount(record, "服务费"),
            title=plain_text(record.get("商品名称")),
            other_side=plain_text(record.get("对方账户")),
            note=plain_text(record.get("备注")),
        )


def _unique(lines: Iterable[Line]) -> list[Line]:
    """Two refunds of one trade without a number of their own are two lines all the same."""
    found: dict[str, Line] = {}
    for line in lines:
        key, count = line.key, 1
        while key in found:
            count += 1
            key = f"{line.key}#{count}"
        found[key] = replace(line, key=key)
    return list(found.values())


def _numbers(record: Record, *columns: str) -> tuple[str, ...]:
    """Each once, in the order of the columns. Newer bills write `O:…` before the number of a business system."""
    found = (record.get(column, "") for column in columns)
    parts = (re.sub(r"^[A-Z][:：]", "", part.strip()) for cell in found for part in re.split(r"[,;|]", cell))
    return tuple(dict.fromkeys(part[:64] for part in parts if part))


def _amount(record: Record, column: str) -> Decimal:
    text = record.get(column, "")
    if not text:
        return ZERO
    if not AMOUNT.fullmatch(text):
        raise malformed(f"an amount of the bill is none ({column})")
    return Decimal(text).quantize(ZERO)


def _moment(record: Record, column: str) -> dt.datetime:
    text = record.get(column, "").replace("/", "-")
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=clock.SHANGHAI)
    except ValueError:
        raise malformed("a time of the bill is none") from None


# The totals ----------------------------------------------------------------------------------------


def _received(record: Record, kind: BillType) -> Decimal:
    """What the totals of a bill count: of trades what we received, which a discount of ours makes less."""
    if kind is BillType.TRADE:
        return abs(_amount(record, "商家实收" if record.get("商家实收") else "订单金额"))
    return abs(_amount(record, "收入金额") or _amount(record, "支出金额"))


def _check_totals(
    kind: BillType,
    lines: Sequence[Line],
    amounts: Sequence[Decimal],
    totals: Sequence[tuple[str, int, Decimal]],
) -> None:
    """Count and sum of what came in and of what went out, against the bill's own words. Signs vary there."""
    names = ("交易", "退款") if kind is BillType.TRADE else ("收入", "支出")
    for name in names:
        goes_out = name in ("退款", "支出")
        rows = [
            amount
            for line, amount in zip(lines, amounts, strict=True)
            if _is_out(line, kind) == goes_out and (amount or kind is BillType.TRADE)
        ]
        stated = [(count, total) for what, count, total in totals if what == name]
        if not stated and (rows or totals):
            raise malformed("the bill has no totals: it may be cut short")
        if stated and (
            sum(count for count, _total in stated) != len(rows)
            or abs(sum((total for _count, total in stated), ZERO)) != sum(rows, ZERO)
        ):
            raise malformed("the totals of the bill are not those of its lines")


def _is_out(line: Line, kind: BillType) -> bool:
    return "退款" in line.business if kind is BillType.TRADE else line.amount < 0
