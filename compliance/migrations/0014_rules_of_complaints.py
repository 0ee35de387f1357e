"""First versions of two more rules about complaints; assumptions (programme.md §8)."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

VALUES = {
    # Hours before the end of its time at which the provider is reminded to respond.
    "complaint.reminder_hours": [24, 6],
    # Complaints that one Taobao account may file against one provider within 24 hours.
    "complaint.filed_a_day": 10,
}


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    for name, value in VALUES.items():
        RuleVersion.objects.get_or_create(
            name=name, version=1, defaults={"value": value, "valid_from": FIRST}
        )


class Migration(migrations.Migration):
    dependencies = [("compliance", "0013_complaint_alarms_and_findings"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the rows: rules are append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
