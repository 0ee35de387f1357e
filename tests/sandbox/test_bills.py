"""Bills: both types, GBK in a ZIP, from the next day on, through a link of 30 seconds (protocols B9)."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.process import Sandbox
from tests.sandbox.wire import BEIJING, Alipay

COMPANY = "2088101000000101"
METHOD = "alipay.data.dataservice.bill.downloadurl.query"
DAY = 86400


def _today() -> datetime:
    return datetime.now(UTC).astimezone(BEIJING)


def _move_to(sandbox: Sandbox, alipay: Alipay, *, days: int, hour: int) -> None:
    then = _today().replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
    alipay.offset = then - _today()
    sandbox.set_clock(alipay.offset.total_seconds())


def _rows(content: bytes, name: str) -> list[dict[str, str]]:
    archive = zipfile.ZipFile(io.BytesIO(content), metadata_encoding="gbk")
    inner = next(entry for entry in archive.namelist() if entry.endswith(f"_{name}.csv"))
    lines = [line for line in archive.read(inner).decode("gbk").splitlines() if not line.startswith("#")]
    return [{k: v.strip() for k, v in row.items()} for row in csv.DictReader(lines)]


@pytest.fixture
def day(sandbox: Sandbox, alipay: Alipay) -> str:
    """A day with a payment, a partial refund and a transfer; it is the next day, 11 o'clock."""
    sandbox.post("settings", fee_basis_points=10)
    alipay.open_cashier("D1")
    sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)
    alipay.call("alipay.trade.refund", out_trade_no="D1", refund_amount="40000.00", out_request_no="R1")
    alipay.call(
        "alipay.fund.trans.uni.transfer",
        out_biz_no="T1",
        trans_amount="500.00",
        product_code="TRANS_ACCOUNT_NO_PWD",
        biz_scene="DIRECT_TRANSFER",
        payee_info={"identity": COMPANY, "identity_type": "ALIPAY_USER_ID"},
    )
    today = f"{_today():%Y-%m-%d}"
    _move_to(sandbox, alipay, days=1, hour=11)
    return today


def test_the_trade_bill_has_payments_and_refunds(alipay: Alipay, day: str) -> None:
    link = alipay.call(METHOD, bill_type="trade", bill_date=day)["bill_download_url"]

    payment, refund = _rows(alipay.http.get(link).content, "业务明细")

    assert (payment["商户订单号"], payment["业务类型"], payment["订单金额（元）"]) == (
        "D1",
        "交易",
        "100000.00",
    )
    assert payment["服务费（元）"] == "-100.00"
    assert (refund["退款批次号/请求号"], refund["业务类型"], refund["订单金额（元）"]) == (
        "R1",
        "退款",
        "-40000.00",
    )


def test_the_balance_bill_has_every_movement(sandbox: Sandbox, alipay: Alipay, day: str) -> None:
    link = alipay.call(METHOD, bill_type="signcustomer", bill_date=day)["bill_download_url"]

    rows = _rows(alipay.http.get(link).content, "账务明细")

    changes = [(row["业务类型"], row["收入金额（+元）"], row["支出金额（-元）"]) for row in rows]
    assert changes == [
        ("在线支付", "100000.00", "0.00"),
        ("收费", "0.00", "-100.00"),
        ("交易退款", "0.00", "-40000.00"),
        ("转账", "0.00", "-500.00"),
    ]
    assert rows[-1]["账户余额（元）"] == sandbox.get("books")["seller_balance"]
    assert [row["商户订单号"] for row in rows] == ["D1", "D1", "R1", "T1"]


def test_a_bill_is_not_there_before_its_time(sandbox: Sandbox, alipay: Alipay, day: str) -> None:
    ready = alipay.call(METHOD, bill_type="trade", bill_date=day)
    _move_to(sandbox, alipay, days=1, hour=9)
    early = alipay.call(METHOD, bill_type="trade", bill_date=day)
    same_day = alipay.call(METHOD, bill_type="trade", bill_date=f"{_today() + timedelta(days=1):%Y-%m-%d}")

    assert ready["code"] == "10000"
    assert early["sub_code"] == "BILL_NOT_EXIST"
    assert same_day["sub_code"] == "INVALID_PARAMETER"


def test_a_day_without_trades_has_no_bill(sandbox: Sandbox, alipay: Alipay) -> None:
    answer = alipay.call(METHOD, bill_type="trade", bill_date=f"{_today() - timedelta(days=3):%Y-%m-%d}")

    assert answer["sub_code"] == "BILL_NOT_EXIST"


def test_a_link_ends(sandbox: Sandbox, alipay: Alipay, day: str) -> None:
    sandbox.post("settings", bill_url_seconds=-1)
    link = alipay.call(METHOD, bill_type="trade", bill_date=day)["bill_download_url"]

    assert alipay.http.get(link).status_code == 403
    assert alipay.http.get(link.replace("token=", "token=x")).status_code == 403
