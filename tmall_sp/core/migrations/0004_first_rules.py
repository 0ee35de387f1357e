"""The first version of each rule, as they stand in core/rules.py when this was written."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

VALUES = {
    "shop_check.tenure_months": 6,
    "shop_check.score_floor": {"item_score": "4.6", "service_score": "4.6", "delivery_score": "4.6"},
    "shop_check.required": ["status", "promoted_type", "has_shop"],
    "shop_check.manual_per_hour": 3,
    "shop_check.retry_days": 7,
    "application.idle_days": 90,
    "application.changes_days": 15,
    "application.payment_days": 15,
    "review.working_days": 5,
    "deposit.required": "100000.00",
    "deposit.topup_days": 15,
    "exit.notice_days": 30,
    "ban.ordinary_months": 12,
}


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    RuleVersion.objects.bulk_create(
        RuleVersion(name=name, version=1, value=value, valid_from=FIRST) for name, value in VALUES.items()
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0003_append_only_and_cache")]

    operations = [
        # The reverse leaves the rows: the table goes with the migration before.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
