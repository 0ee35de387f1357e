"""Believable companies: names, valid credit codes, contacts. The same number gives the same company."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Any

from stdnum.cn import uscc

# City, province, region code of the registration (GB/T 2260), telephone prefix in use.
CITIES = (
    ("杭州", "33", "330106"),
    ("广州", "44", "440106"),
    ("上海", "31", "310115"),
    ("苏州", "32", "320506"),
    ("成都", "51", "510107"),
    ("厦门", "35", "350203"),
    ("青岛", "37", "370202"),
    ("武汉", "42", "420106"),
    ("长沙", "43", "430104"),
    ("深圳", "44", "440305"),
    ("宁波", "33", "330203"),
    ("北京", "11", "110105"),
)
NAMES = (
    "云帆",
    "汇邻",
    "凯诚",
    "悦达",
    "锐新",
    "百川",
    "优倍",
    "恒泽",
    "乐知",
    "盛隆",
    "嘉禾",
    "启明",
    "瑞祥",
    "天诺",
    "博远",
)
TRADES = ("电子商务", "网络科技", "信息技术", "售后服务", "品牌管理", "供应链管理")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "磊",
    "军",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀英",
    "志强",
    "晓东",
)
SCOPES = (
    "家电、家居类目的售后安装与维修派单，退换货处理，投诉响应",
    "旗舰店整店运营，活动报名，客服外包，数据分析",
    "服饰类目售前售后客服，仓配协同，质检与退货处理",
    "母婴、个护类目的店铺运营与会员营销",
)


@dataclass(frozen=True)
class DemoCompany:
    """What a company types, and the Taobao and Alipay accounts that it has."""

    taobao_user_id: int
    nick: str
    data: dict[str, Any]

    @property
    def alipay_account_id(self) -> str:
        return str(self.data["alipay_account_id"])


def company(number: int) -> DemoCompany:
    """The demo's company of that number (from 0)."""
    dice = random.Random(f"tmall_sp demo {number}")  # noqa: S311 - the same company each time, no secret
    city, province, region = CITIES[number % len(CITIES)]
    name = NAMES[(number // len(CITIES) * 7 + number) % len(NAMES)]
    trade = dice.choice(TRADES)
    contact, legal = _person(dice), _person(dice)
    sid = 36_000_000 + number
    return DemoCompany(
        taobao_user_id=2_200_700_000_000 + number,
        nick=f"{city}{name}{number + 1:02d}",
        data={
            "company_name": f"{city}{name}{trade}有限公司",
            "credit_code": credit_code(region, number),
            "licence_valid_until": dt.date(2035, 1, 1) + dt.timedelta(days=dice.randrange(3000)),
            "legal_representative": legal,
            "region": province,
            "address": f"{city}市高新区创新路 {dice.randrange(1, 300)} 号",
            "contact_name": contact,
            "contact_phone": f"+86{dice.choice(['138', '139', '158', '186'])}{dice.randrange(10**8):08d}",
            "contact_email": f"contact{number + 1:02d}@company.example.com",
            "onboarding_link": f"https://shop{sid}.taobao.com/",
            "service_scope": dice.choice(SCOPES),
            "alipay_account_id": f"2088{700_000_000_000 + number}",
        },
    )


def credit_code(region: str, number: int) -> str:
    """A valid unified social credit code of an enterprise (9 1, region, organisation code, check digit)."""
    organisation = f"MA{number:06d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit, 36) for weight, digit in zip(weights, organisation, strict=True))
    check = "0123456789X0"[(11 - total % 11)]
    body = f"91{region}{organisation}{check}"
    return body + uscc.calc_check_digit(body)


def _person(dice: random.Random) -> str:
    return dice.choice(SURNAMES) + dice.choice(GIVEN)
