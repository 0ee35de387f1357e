"""First versions of the rules about reports of violations; assumptions (programme.md §8)."""

import datetime as dt

from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

VALUES = {
    # How many violations one merchant may report in a calendar day.
    "violation.reports_per_day": 3,
    # From so many upheld complaints, or complaints left unanswered, within so many days on, the system reports.
    "violation.automatic": {"complaints": 3, "complaint_days": 90, "silences": 2, "silence_days": 90},
}


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    for name, value in VALUES.items():
        RuleVersion.objects.get_or_create(
            name=name, version=1, defaults={"value": value, "valid_from": FIRST}
        )


class Migration(migrations.Migration):
    dependencies = [("compliance", "0009_sanctions_taken_back_for_good"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the rows: rules are append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
        revoke_writes("compliance_violationfile"),
    ]
