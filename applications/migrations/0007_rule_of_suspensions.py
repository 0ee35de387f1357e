"""The first version of the rule about suspensions that nobody cures; an assumption, as no source gives it."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def load(apps, schema_editor):
    apps.get_model("core", "RuleVersion").objects.get_or_create(
        name="suspension.exit_days", version=1, defaults={"value": 30, "valid_from": FIRST}
    )


class Migration(migrations.Migration):
    dependencies = [("applications", "0006_suspensions_stay"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the row: the table is append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
