"""What one transfer to an enterprise account may be at most (protocols B8); more is split."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def load(apps, schema_editor):
    apps.get_model("core", "RuleVersion").objects.get_or_create(
        name="payout.transfer_limit",
        version=1,
        defaults={"value": "100000.00", "valid_from": FIRST},
    )


class Migration(migrations.Migration):
    dependencies = [("deposits", "0002_no_rewriting"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the row: the table is append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
