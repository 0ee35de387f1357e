"""Version 1 of the programme's rules, after the programme's own description."""

import datetime as dt

from django.db import migrations

BODY = """\
一、服务商
天猫服务商是指通过天猫资质审核，具有一定硬件和软件能力，为天猫店铺提供全部或部分电商外包运营服务的第三方公司。

二、入驻条件
1. 申请账号对应的店铺服务时间满半年，并通过系统考核；否则资质对应店铺校验为不合格，需在服务时间达到要求后重新申请。
2. 申请资料（公司名称、入驻淘宝开放平台用的淘宝账号、联系电话和入驻链接等）须真实、完整、有效。

三、保证金
1. 审核通过后，须通过服务商绑定的企业支付宝账户缴纳保证金人民币 100,000 元。
2. 保证金用于日常合作的投诉处理（含线上和线下订单）以及服务商违规或违约的处罚。
3. 保证金不足时须在通知后 15 天内补足。

四、严重违规
严重违规行为经查证属实的，立即清退出服务商池，并扣除已缴纳的全部保证金。

五、退出
没有未了结的投诉、违规或违约的服务商，退出后保证金原路返还；原支付渠道已无法退回的，返还至所绑定的企业支付宝账户。
"""


def load(apps, schema_editor):
    apps.get_model("applications", "Agreement").objects.create(
        version=1,
        title="天猫服务商管理规则",
        body=BODY,
        effective_from=dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8))),
    )


class Migration(migrations.Migration):
    dependencies = [("applications", "0002_append_only")]

    operations = [
        # The reverse leaves the row: the table goes with the first migration.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
