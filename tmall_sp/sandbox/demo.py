"""The demo's Taobao sellers and Alipay accounts, loaded when the books are empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from . import books, clock
from .models import AlipayAccount, ServiceOrder, TaobaoUser

ARTICLE_CODE = "FW_GOODS-1000001"
LONG_AGO = datetime(2018, 1, 1, tzinfo=UTC)
LOW_SCORES = {
    "level": 3,
    "score": 180,
    "total_num": 260,
    "good_num": 180,
    "item_score": "4.1",
    "service_score": "3.9",
    "delivery_score": "4.0",
}
# id, nick, opened (ISO date or days before the first start), what differs from a good shop, note
SELLERS: tuple[tuple[int, str, str | int | None, dict[str, Any], str], ...] = (
    (2200606100001, "杭州云栖电商服务", "2019-03-12", {}, "合格：开店多年，评分良好"),
    (2200606100002, "宁波海曙售后中心", "2020-07-01", {"level": 14}, "合格：开店多年，评分良好"),
    (
        2200606100003,
        "广州粤通客服外包",
        "2021-11-20",
        {"level": 11, "item_score": "4.8"},
        "合格：开店多年，评分良好",
    ),
    (2200606100004, "苏州新禾电商", 61, {}, "不合格：开店仅两个月"),
    (2200606100005, "义乌小溪百货", "2020-05-18", LOW_SCORES, "不合格：评分低"),
    (2200606100006, "成都锦里数码", "2019-09-09", {"status": "supervise"}, "不合格：账号处于监管状态"),
    (
        2200606100007,
        "南京钟山科技",
        None,
        {"has_shop": False, "sid": 0, "shop_title": ""},
        "不合格：没有店铺",
    ),
    (
        2200606100008,
        "青岛海蓝电商",
        "2020-02-02",
        {"legacy": "refused"},
        "旧版店铺接口无权限：开店日期取不到",
    ),
    (2200606100009, "厦门鹭岛服务", "2021-04-30", {"legacy": "bare"}, "旧版店铺接口不含开店日期与评分"),
    (2200606100011, "武汉江城个体店", "2022-08-08", {"shop_type": "C"}, "合格：集市店铺"),
)
SUB_ACCOUNT = (2200606100010, "杭州云栖电商服务:客服主管", 2200606100001)
# user id, name, kind, login id, opening balance in yuan, note
ACCOUNTS = (
    (
        "2088101000000101",
        "杭州云栖电商服务有限公司",
        "CORPORATE",
        "finance@yunqi-ec.example.com",
        1_000_000,
        "",
    ),
    (
        "2088101000000102",
        "宁波海曙售后服务有限公司",
        "CORPORATE",
        "caiwu@haishu.example.com",
        1_000_000,
        "",
    ),
    (
        "2088101000000103",
        "广州粤通客服外包有限公司",
        "CORPORATE",
        "pay@yuetong.example.com",
        1_000_000,
        "",
    ),
    (
        "2088101000000104",
        "苏州新禾电子商务有限公司",
        "CORPORATE",
        "zhifu@xinhe.example.com",
        1_000_000,
        "",
    ),
    (
        "2088101000000105",
        "青岛海蓝电子商务有限公司",
        "CORPORATE",
        "caiwu@hailan.example.com",
        1_000_000,
        "",
    ),
    (
        "2088101000000199",
        "上海旁路贸易有限公司",
        "CORPORATE",
        "money@panglu.example.com",
        1_000_000,
        "与申请公司不符",
    ),
    (
        "2088101000000190",
        "常州薄利商贸有限公司",
        "CORPORATE",
        "boli@example.com",
        10,
        "余额只有 10 元",
    ),
    ("2088102000000201", "张三", "PRIVATE", "13800138000", 500_000, ""),
    ("2088102000000202", "李四", "PRIVATE", "lisi@example.com", 500_000, ""),
)
SELLER_OPENING_YUAN = 500_000


def load_if_empty() -> bool:
    """Load the demo where there is no Taobao account and no Alipay account; True when it was loaded."""
    with transaction.atomic():
        if TaobaoUser.objects.exists() or AlipayAccount.objects.exists():
            return False
        _load_sellers()
        _load_accounts()
    return True


def _load_sellers() -> None:
    now = clock.now()
    for number, nick, opened, differs, note in SELLERS:
        values = {"sid": number - 2200500000000, "shop_title": f"{nick}旗舰店"} | differs
        TaobaoUser.objects.create(
            taobao_user_id=number, nick=nick, opened_at=_opened(opened, now), note=note, **values
        )
    number, nick, main = SUB_ACCOUNT
    TaobaoUser.objects.create(
        taobao_user_id=number, nick=nick, main_id=main, has_shop=False, note="子账号：只能加入主账号的公司"
    )
    for number, days in ((2200606100001, 45), (2200606100009, 80)):
        start = now - timedelta(days=days)
        ServiceOrder.objects.create(
            user_id=number,
            article_code=ARTICLE_CODE,
            item_code=f"{ARTICLE_CODE}-1",
            created_at=start,
            cycle_start=start,
            cycle_end=start + timedelta(days=365),
            fee_fen=120_000,
        )


def _opened(opened: str | int | None, now: datetime) -> datetime | None:
    if opened is None:
        return None
    if isinstance(opened, int):
        return now - timedelta(days=opened)
    return datetime.fromisoformat(f"{opened}T10:00:00").replace(tzinfo=clock.BEIJING)


def _load_accounts() -> None:
    books.open_account(
        user_id=settings.ALIPAY_SELLER_ID,
        name="天猫服务商保证金专户",
        kind="CORPORATE",
        at=LONG_AGO,
        logon_id="deposit@tmall-sp.example.com",
        balance_fen=SELLER_OPENING_YUAN * 100,
        note="平台收款账号",
    )
    for user_id, name, kind, logon_id, balance, note in ACCOUNTS:
        books.open_account(
            user_id=user_id,
            name=name,
            kind=kind,
            logon_id=logon_id,
            balance_fen=balance * 100,
            note=note,
            open_id=f"0{user_id[4:]}{user_id[::-1]}",
            at=LONG_AGO,
        )
