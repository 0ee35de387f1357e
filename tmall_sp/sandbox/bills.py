"""Bills (B9): a day or a month of trades or of balance movements, as GBK CSV files in a ZIP."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing as django_signing
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from . import books, clock, options
from .models import Movement

TRADE_COLUMNS = (
    *("支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号", "门店名称"),
    *("操作员", "终端号", "对方账户", "订单金额（元）", "商家实收（元）", "支付宝红包（元）", "集分宝（元）"),
    *("支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）", "券名称", "商家红包消费金额（元）"),
    *("卡消费金额（元）", "退款批次号/请求号", "服务费（元）", "分润（元）", "备注"),
)
FUND_COLUMNS = (
    *("账务流水号", "业务流水号", "商户订单号", "商品名称", "发生时间", "对方账号", "收入金额（+元）"),
    *("支出金额（-元）", "账户余额（元）", "交易渠道", "业务类型", "备注"),
)
FUND_KINDS = {
    "opening": "其它",
    "adjustment": "其它",
    "payment": "在线支付",
    "fee": "收费",
    "refund": "交易退款",
    "transfer": "转账",
    "transfer_return": "转账退回",
}
MONTH_READY_DAY = 4

_signer = django_signing.TimestampSigner(salt="bill-download")


def download_url(bill_type: str, bill_date: str) -> str:
    """A link to the bill, good for `bill_url_seconds`. `Refused` where there is no such bill (yet)."""
    if bill_type not in ("trade", "signcustomer"):
        raise books.Refused("INVALID_PARAMETER", "bill_type 不正确")
    begin, end = _period(bill_date)
    if not _movements(bill_type, begin, end).exists():
        raise books.Refused("BILL_NOT_EXIST", "账单不存在")
    token = _signer.sign(f"{bill_type}|{bill_date}")
    return f"{settings.SANDBOX_URL}/bills/download?{urlencode({'token': token})}"


def _period(bill_date: str) -> tuple[datetime, datetime]:
    """First instant and end of the billed day or month; `Refused` while it can't be had."""
    now = clock.now().astimezone(clock.BEIJING)
    try:
        day = date.fromisoformat(bill_date if len(bill_date) == 10 else f"{bill_date}-01")
    except ValueError:
        raise books.Refused("INVALID_PARAMETER", "bill_date 格式不正确") from None
    begin = datetime(day.year, day.month, day.day, tzinfo=clock.BEIJING)
    if re.fullmatch(r"\d{4}-\d{2}", bill_date):
        following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        end = datetime(following.year, following.month, 1, tzinfo=clock.BEIJING)
        ready = end + timedelta(days=MONTH_READY_DAY - 1)
    else:
        end = begin + timedelta(days=1)
        ready = end + timedelta(hours=float(options.get("bill_ready_hour")))
    if now < end:
        raise books.Refused("INVALID_PARAMETER", "不能查询当日或当月账单")
    if now < ready:
        raise books.Refused("BILL_NOT_EXIST", "账单尚未生成")
    return begin, end


def _movements(bill_type: str, begin: datetime, end: datetime) -> QuerySet[Movement]:
    chosen = Movement.objects.filter(account_id=settings.ALIPAY_SELLER_ID, at__gte=begin, at__lt=end)
    if bill_type == "trade":
        chosen = chosen.filter(Q(kind="payment") | Q(kind="refund"))
    return chosen.select_related("trade", "refund", "transfer", "counterparty").order_by("at", "id")


@require_GET
def download(request: HttpRequest) -> HttpResponse:
    """The ZIP of a link that is not older than `bill_url_seconds`."""
    try:
        text = _signer.unsign(request.GET.get("token", ""), max_age=int(options.get("bill_url_seconds")))
    except django_signing.BadSignature:
        return HttpResponse("下载链接无效或已过期", status=403, content_type="text/plain; charset=utf-8")
    bill_type, bill_date = text.split("|")
    begin, end = _period(bill_date)
    rows = list(_movements(bill_type, begin, end))
    files = _trade_files(rows, begin, end) if bill_type == "trade" else _fund_files(rows, begin, end)
    stem = f"{settings.ALIPAY_SELLER_ID}0156_{bill_date.replace('-', '')}"
    answer = HttpResponse(
        _zip({f"{stem}_{name}.csv": content for name, content in files.items()}),
        content_type="application/octet-stream",
    )
    answer["Content-Disposition"] = f'attachment; filename="{stem}.csv.zip"'
    return answer


def _trade_files(rows: list[Movement], begin: datetime, end: datetime) -> dict[str, bytes]:
    fees = {
        m.trade_id: -m.delta_fen
        for m in Movement.objects.filter(kind="fee", trade__in=[r.trade_id for r in rows])
    }
    lines = [_trade_line(row, fees) for row in rows]
    paid = [row.delta_fen for row in rows if row.kind == "payment"]
    refunded = [row.delta_fen for row in rows if row.kind == "refund"]
    totals = [
        f"交易合计：{len(paid)}笔，商家实收共{books.yuan(sum(paid))}元",
        f"退款合计：{len(refunded)}笔，共{books.yuan(sum(refunded))}元",
    ]
    return {
        "业务明细": _sheet("业务明细", begin, end, TRADE_COLUMNS, lines, totals),
        "业务明细(汇总)": _sheet("业务汇总", begin, end, ["合计"], [[total] for total in totals], []),
    }


def _trade_line(row: Movement, fees: dict[str | None, int]) -> list[str]:
    trade, refund = row.trade, row.refund
    if trade is None:
        raise ValueError("a trade bill has trades only")
    amount = books.yuan(row.delta_fen)
    fee = 0 if refund else fees.get(trade.pk, 0)
    values = {name: "0.00" for name in TRADE_COLUMNS if name.endswith("（元）")} | {
        "支付宝交易号": f"{trade.trade_no}\t",
        "商户订单号": f"{trade.out_trade_no}\t",
        "业务类型": "退款\t" if refund else "交易\t",
        "商品名称": trade.subject,
        "创建时间": clock.wire(trade.created_at),
        "完成时间": clock.wire(row.at),
        "对方账户": _other_side(row),
        "订单金额（元）": amount,
        "商家实收（元）": amount,
        "退款批次号/请求号": f"{refund.out_request_no}\t" if refund else "\t",
        "服务费（元）": books.yuan(-fee),
    }
    return [values.get(name, "") for name in TRADE_COLUMNS]


def _fund_files(rows: list[Movement], begin: datetime, end: datetime) -> dict[str, bytes]:
    before = Movement.objects.filter(account_id=settings.ALIPAY_SELLER_ID, at__lt=begin)
    balance = before.aggregate(total=Sum("delta_fen"))["total"] or 0
    lines = []
    for row in rows:
        balance += row.delta_fen
        lines.append(_fund_line(row, balance))
    out = [row.delta_fen for row in rows if row.delta_fen < 0]
    into = [row.delta_fen for row in rows if row.delta_fen > 0]
    totals = [
        f"支出合计：{len(out)}笔，共{books.yuan(sum(out))}元",
        f"收入合计：{len(into)}笔，共{books.yuan(sum(into))}元",
    ]
    return {
        "账务明细": _sheet("账务明细", begin, end, FUND_COLUMNS, lines, totals),
        "账务明细(汇总)": _sheet("账务汇总", begin, end, ["合计"], [[total] for total in totals], []),
    }


def _fund_line(row: Movement, balance: int) -> list[str]:
    number, ours, title = row.serial, "", ""
    if row.trade is not None:
        number, ours, title = row.trade.trade_no, row.trade.out_trade_no, row.trade.subject
    if row.refund is not None:
        ours = row.refund.out_request_no
    if row.transfer is not None:
        number, ours, title = row.transfer.pay_fund_order_id, row.transfer.out_biz_no, row.transfer.title
    return [
        f"{row.serial}\t",
        f"{number}\t",
        f"{ours}\t",
        f"{title}\t",
        clock.wire(row.at),
        _other_side(row),
        books.yuan(max(row.delta_fen, 0)),
        books.yuan(min(row.delta_fen, 0)),
        books.yuan(balance),
        "支付宝",
        FUND_KINDS.get(row.kind, "其它"),
        "",
    ]


def _other_side(row: Movement) -> str:
    other = row.counterparty
    return "\t" if other is None else f"*{other.name[1:]}({other.masked_logon_id})\t"


def _sheet(
    title: str,
    begin: datetime,
    end: datetime,
    columns: Iterable[str],
    lines: Iterable[list[str]],
    totals: Iterable[str],
) -> bytes:
    text = io.StringIO()
    form = "%Y年%m月%d日 %H:%M:%S"
    text.write(f"#支付宝{title}查询\r\n#账号：[{settings.ALIPAY_SELLER_ID}0156]\r\n")
    text.write(f"#起始日期：[{begin.strftime(form)}]   终止日期：[{end.strftime(form)}]\r\n")
    text.write(f"#{'-' * 41}{title}列表{'-' * 40}\r\n")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(lines)
    text.write(f"#{'-' * 40}{title}列表结束{'-' * 37}\r\n")
    for total in totals:
        text.write(f"#{total}\r\n")
    text.write(f"#导出时间：[{clock.now().astimezone(clock.BEIJING).strftime(form)}]\r\n")
    return text.getvalue().encode("gbk", errors="replace")


class _GbkName(zipfile.ZipInfo):
    """Names in GBK without the UTF-8 flag, as Alipay's archives have them."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = _GbkName(name, date_time=clock.now().astimezone(clock.BEIJING).timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
