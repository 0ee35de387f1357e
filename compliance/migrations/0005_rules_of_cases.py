"""First versions of the rules about cases, and the first catalogue of questions; assumptions (programme.md §8)."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

VALUES = {
    # Natural hours of each state of a complaint.
    "complaint.response_hours": 48,
    "complaint.evidence_hours": 72,
    "complaint.decision_hours": 168,
    "complaint.appeal_hours": 168,
    # Points of one violation, and how many in a calendar year count as a severe one.
    "violation.points": {"general": 6, "severe": 12, "year": 12},
    # Days in which the company may appeal against a verified violation.
    "violation.appeal_days": 7,
    # Days in which a shop's owner may accept a provider's invitation.
    "served_shop.invitation_days": 14,
}

QUESTIONS = [
    ("service", "服务未按约定提供", "没有做，或没有按约定的范围、标准去做"),
    ("response", "响应不及时", "联系不上，或长时间不处理"),
    ("delivery", "发货、物流或安装问题", "因服务商操作导致的迟发、错发、损坏"),
    ("after_sales", "售后处理不当", "退换、维修、退款未按规则处理"),
    ("operation", "运营操作失误", "改错价格、误下架、活动设置错误等"),
    ("charges", "收费不合理", "多收、重复收，或收取约定以外的费用"),
    ("data", "数据或隐私泄露", "泄露店铺数据或消费者信息"),
    ("other", "其他", "以上都不是"),
]


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    for name, value in VALUES.items():
        RuleVersion.objects.get_or_create(
            name=name, version=1, defaults={"value": value, "valid_from": FIRST}
        )
    QuestionCode = apps.get_model("compliance", "QuestionCode")
    for position, (code, title, help_text) in enumerate(QUESTIONS, start=1):
        QuestionCode.objects.get_or_create(
            code=code, defaults={"title": title, "help_text": help_text, "position": position}
        )


class Migration(migrations.Migration):
    dependencies = [("compliance", "0004_cases_shops_and_ratings"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the rows: rules are append-only, and the catalogue goes with its table.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
