"""Alipay's bills as they come: what is read in every shape of them, and what is refused (protocols B9)."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal

import pytest

from applications.models import Application
from deposits.gateways.alipay import Alipay, BillType
from deposits.reconciliation import bills
from deposits.reconciliation.bills import Bill
from tests.deposits.conftest import NAME, leave, pay_out
from tests.sandbox_client import SandboxClient
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError

DAY = dt.date(2026, 11, 23)
ACCOUNT = "2088000000000001"

FUND_HEAD = (
    "#支付宝账务明细查询",
    f"#账号：[{ACCOUNT}0156]",
    "#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]",
    "#-----------------------------------------账务明细列表----------------------------------------",
)
FUND_COLUMNS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,"
    "收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"
)
PAID = "501\t,2026112322001\t,D1\t,保证金\t,2026-11-23 09:00:00,张*(a***@example.com)\t,100.00,0.00,600.00,支付宝,在线支付,"
FEE = "502\t,2026112322001\t,D1\t,保证金\t,2026-11-23 09:00:00,\t,0.00,-0.60,599.40,支付宝,收费,"
SENT = "503\t,0706\t,T1\t,退款\t,2026-11-23 10:30:00,\t,0.00,-50.00,549.40,支付宝,转账,"
FUND_TOTALS = ("#支出合计：2笔，共-50.60元", "#收入合计：1笔，共100.00元")
FUND_END = ("#----------------------------------------账务明细列表结束-------------------------------------",)

TRADE_COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def trade_line(
    trade_no: str, ours: str, kind: str, amount: str, request: str = "", received: str = ""
) -> str:
    cells = [f"{trade_no}\t", f"{ours}\t", kind, "保证金", "2026-11-23 08:59:00", "2026-11-23 09:00:00"]
    cells += ["", "", "", "", "张*", amount, received or amount, *["0.00"] * 5, "", "0.00", "0.00"]
    return ",".join([*cells, f"{request}\t", "-0.60", "0.00", ""])


TRADE_HEAD = ("#支付宝业务明细查询", f"#账号：[{ACCOUNT}0156]", "#---业务明细列表---")
TRADE_LINES = (
    trade_line("220001", "D1", "交易", "100.00"),
    trade_line("220001", "D1", "退款", "-40.00", "R1"),
)
TRADE_TOTALS = (
    "#---业务明细列表结束---",
    "#交易合计：1笔，商家实收共100.00元，商家优惠共0.00元",
    "#退款合计：1笔，商家实收退款共-40.00元，商家优惠退款共0.00元",
    "#导出时间：[2026年11月24日 09:12:00]",
)


def packed(*files: str | bytes, encoding: str = "gbk") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(files):
            data = content if isinstance(content, bytes) else content.encode(encoding)
            archive.writestr(f"{ACCOUNT}0156_20261123_{number}.csv", data)
    return buffer.getvalue()


def sheet(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


def fund_sheet(*lines: str, totals: tuple[str, ...] = FUND_TOTALS, columns: str = FUND_COLUMNS) -> str:
    return sheet(*FUND_HEAD, columns, *lines, *FUND_END, *totals, "#导出时间：[2026年11月24日 09:10:00]")


def fund(*files: str | bytes, encoding: str = "gbk") -> Bill:
    return bills.read(BillType.SIGNCUSTOMER, DAY, packed(*files, encoding=encoding), account=ACCOUNT)


def trade(*lines: str) -> Bill:
    return bills.read(BillType.TRADE, DAY, packed(sheet(*TRADE_HEAD, TRADE_COLUMNS, *lines)), account=ACCOUNT)


def refused(*files: str | bytes, encoding: str = "gbk") -> str:
    with pytest.raises(GatewayError) as refusal:
        fund(*files, encoding=encoding)
    assert refusal.value.code == "malformed"
    return refusal.value.message


def amounts(bill: Bill) -> list[str]:
    return [str(line.amount) for line in bill.lines]


# As the sandbox makes them -------------------------------------------------------------------------


def test_the_bills_of_a_real_day_are_read(
    active: Application, alipay: SandboxClient, move_clock: Callable[..., None]
) -> None:
    """A payment, its refund by trade, and nothing that the other bill doesn't have."""
    leave(active)
    pay_out()
    day = clock.today()
    move_clock(days=1, hours=11)

    gateway = Alipay.from_settings()
    both = {}
    for kind in BillType:
        address = gateway.bill_url(kind, day)
        assert address is not None
        both[kind] = bills.read(kind, day, gateway.download_bill(address), account=ACCOUNT)

    paid, sent_back = both[BillType.TRADE].lines
    assert (paid.amount, sent_back.amount) == (Decimal("100000.00"), Decimal("-100000.00"))
    assert paid.numbers[0].startswith("D") and sent_back.numbers[0].startswith("R")
    assert paid.trade_no == sent_back.trade_no and paid.key != sent_back.key
    funds = both[BillType.SIGNCUSTOMER]
    assert [line.business for line in funds.lines] == ["在线支付", "交易退款"]
    assert (funds.opening, funds.closing, funds.is_continuous) == (Decimal(500_000), Decimal(500_000), True)
    assert NAME[1:] in funds.lines[0].other_side


# Shapes --------------------------------------------------------------------------------------------


def test_a_line_is_read_with_all_that_matters() -> None:
    bill = fund(fund_sheet(PAID, FEE, SENT))
    paid, fee, sent = bill.lines
    assert (paid.key, paid.trade_no, paid.numbers) == ("501", "2026112322001", ("D1",))
    assert paid.at == dt.datetime(2026, 11, 23, 9, tzinfo=clock.SHANGHAI)
    assert (paid.amount, paid.balance) == (Decimal("100.00"), Decimal("600.00"))
    assert (fee.amount, fee.business) == (Decimal("-0.60"), "收费")
    assert (sent.numbers, sent.amount) == (("T1",), Decimal("-50.00"))


def test_a_refund_and_its_payment_are_two_lines_of_the_trade_bill() -> None:
    bill = trade(*TRADE_LINES, *TRADE_TOTALS)
    assert [(line.key, line.numbers, line.amount) for line in bill.lines] == [
        ("220001", ("D1",), Decimal("100.00")),
        ("220001:R1", ("R1", "D1"), Decimal("-40.00")),
    ]
    assert bill.lines[0].fee == Decimal("-0.60")


def test_two_refunds_without_numbers_of_their_own_stay_two() -> None:
    same = trade_line("220001", "D1", "退款", "-20.00")
    bill = trade(same, same, "#交易合计：0笔，共0.00元", "#退款合计：2笔，共-40.00元")
    assert [line.key for line in bill.lines] == ["220001:", "220001:#2"]


def test_what_goes_out_is_written_with_a_sign_or_without() -> None:
    unsigned = SENT.replace("-50.00", "50.00")
    bill = fund(fund_sheet(unsigned, totals=("#支出合计：1笔，共50.00元", "#收入合计：0笔，共0.00元")))
    assert amounts(bill) == ["-50.00"]


def test_columns_are_found_by_their_names() -> None:
    columns = "备注,业务类型,发生时间,新的一列,支出金额(-元),收入金额(+元),账务流水号,商户订单号"
    line = "话,在线支付,2026/11/23 09:00:00,x,,100,501,D1"
    bill = fund(
        fund_sheet(line, totals=("#支出合计：0笔，共0元", "#收入合计：1笔，共100.00元"), columns=columns)
    )
    assert [(line.key, str(line.amount), line.note) for line in bill.lines] == [("501", "100.00", "话")]
    assert bill.opening is None and bill.closing is None


def test_numbers_of_newer_columns_are_kept() -> None:
    columns = FUND_COLUMNS + ",业务基础订单号,业务订单号"
    bill = fund(
        fund_sheet(
            SENT + ",D1\t,O:R7|M:2026112322001\t",
            totals=("#支出合计：1笔，共50.00元", "#收入合计：0笔，共0.00元"),
            columns=columns,
        )
    )
    assert bill.lines[0].numbers == ("T1", "R7", "2026112322001", "D1")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig"])
def test_gbk_and_what_calls_itself_otherwise(encoding: str) -> None:
    assert len(fund(fund_sheet(PAID, FEE, SENT), encoding=encoding).lines) == 3


def test_a_name_that_is_no_gbk_spoils_no_bill() -> None:
    whole = fund_sheet(PAID, FEE, SENT).encode("gbk").replace("张".encode("gbk"), b"\xff")
    assert len(fund(whole).lines) == 3


def test_a_summary_beside_the_details_is_left_out() -> None:
    summary = sheet("#支付宝账务汇总查询", "类型,笔数,金额", "在线支付,1,100.00", "收费,1,-0.60")
    assert len(fund(fund_sheet(PAID, FEE, SENT), summary).lines) == 3


def test_details_may_come_in_several_files() -> None:
    first = sheet(*FUND_HEAD, FUND_COLUMNS, PAID, FEE)
    second = fund_sheet(SENT)
    assert amounts(fund(first, second)) == ["100.00", "-0.60", "-50.00"]


@pytest.mark.parametrize(
    "empty",
    [
        "",
        sheet(*FUND_HEAD, FUND_COLUMNS, *FUND_END),
        fund_sheet(totals=("#支出合计：0笔，共0.00元", "#收入合计：0笔，共0.00元")),
        sheet(*FUND_HEAD, *FUND_END, "#支出合计：0笔，共0.00元,,,,", "#收入合计：0笔，共0.00元,,,,"),
    ],
)
def test_an_empty_day_is_a_bill_without_lines(empty: str) -> None:
    bill = fund(empty)
    assert bill.lines == () and bill.closing is None and bill.is_continuous


def test_a_bill_is_in_order_upwards_and_downwards() -> None:
    for lines in ((PAID, FEE, SENT), (SENT, FEE, PAID)):
        bill = fund(fund_sheet(*lines))
        assert [line.key for line in bill.in_order] == ["501", "502", "503"]
        assert (bill.opening, bill.closing) == (Decimal("500.00"), Decimal("549.40"))
        assert bill.is_continuous


def test_balances_that_skip_something_are_no_error_of_the_file() -> None:
    """Alipay promises no continuity: that is for a person to see, not for the reader to refuse."""
    bill = fund(fund_sheet(PAID, FEE, SENT.replace("549.40", "500.00")))
    assert not bill.is_continuous
    assert (bill.opening, bill.closing) == (Decimal("500.00"), Decimal("500.00"))


def test_the_words_of_totals_in_a_name_are_no_totals() -> None:
    mocking = PAID.replace("张*(a***@example.com)", "收入合计：9笔，共9.00元")
    assert len(fund(fund_sheet(mocking, FEE, SENT)).lines) == 3


# What is no bill -----------------------------------------------------------------------------------


def test_totals_must_be_those_of_the_lines() -> None:
    whole = fund_sheet(PAID, FEE, SENT)
    assert "totals" in refused(whole.replace("共100.00元", "共100.01元"))
    assert "totals" in refused(whole.replace("支出合计：2笔", "支出合计：3笔"))
    assert "totals" in refused(fund_sheet(PAID, SENT))


def test_a_bill_that_was_cut_short_is_no_bill() -> None:
    whole = fund_sheet(PAID, FEE, SENT)
    assert "cut short" in refused(whole[: whole.index("#支出合计")])
    assert "cut short" in refused(whole[: whole.index("#收入合计")])


@pytest.mark.parametrize(
    "amount", ["100.001", "1,00.00", "１００.00", "NaN", "1e2", "￥100.00", "99999999999.00"]
)
def test_an_amount_has_two_places(amount: str) -> None:
    assert "amount" in refused(fund_sheet(PAID.replace("100.00,", f'"{amount}",'), FEE, SENT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("100.00,0.00", "100.00,-1.00"),  # in and out at once
        ("100.00,0.00", "-100.00,0.00"),  # a gain below zero
        ("501\t", "\t"),  # nothing to know it by
        ("2026-11-23 09:00:00", "gestern"),
        (",支付宝,在线支付,", ",支付宝,在线支付,,多出来的"),
    ],
)
def test_a_line_that_is_none(old: str, new: str) -> None:
    refused(fund_sheet(PAID.replace(old, new, 1), FEE, SENT))


def test_columns_that_are_not_there() -> None:
    assert "header" in refused(fund_sheet(PAID, columns=FUND_COLUMNS.replace("账务流水号", "编号")))
    assert "columns" in refused(fund_sheet(PAID, columns=FUND_COLUMNS.replace("支出金额", "金额")))


def test_the_bill_of_another_account_or_day() -> None:
    whole = fund_sheet(PAID, FEE, SENT)
    assert "account" in refused(whole.replace(ACCOUNT, "2088000000000002"))
    assert "day" in refused(whole.replace("起始日期：[2026年11月23日", "起始日期：[2026年11月22日"))


def test_a_zip_that_is_none() -> None:
    good = packed(fund_sheet(PAID, FEE, SENT))
    damaged = bytearray(good)
    damaged[60] ^= 0xFF
    for content in (b"", b"PK\x03\x04", good[: len(good) // 2], bytes(damaged)):
        with pytest.raises(GatewayError):
            bills.read(BillType.SIGNCUSTOMER, DAY, content, account=ACCOUNT)


def test_a_zip_without_details() -> None:
    assert "details" in refused()
    assert "details" in refused(sheet("#支付宝账务汇总查询", "类型,笔数", "在线支付,1"))


def test_a_zip_that_grows_too_large_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = b"0" * (4 * 1024 * 1024)
    monkeypatch.setattr(bills, "MAX_UNPACKED", len(bomb) - 1)
    assert "large" in refused(bomb)
    monkeypatch.setattr(bills, "MAX_FILES", 1)
    assert "large" in refused("", "")


def test_a_locked_zip_is_refused() -> None:
    content = bytearray(packed(fund_sheet(PAID, FEE, SENT)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(GatewayError) as refusal:
        bills.read(BillType.SIGNCUSTOMER, DAY, bytes(content), account=ACCOUNT)
    assert refusal.value.code == "malformed"
