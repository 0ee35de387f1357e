"""When approved companies are reminded of the deposit that is due; an assumption, as no source gives it."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))


def load(apps, schema_editor):
    # Days before the end of the time for the first payment.
    apps.get_model("core", "RuleVersion").objects.create(
        name="deposit.payment_reminder_days", version=1, value=[3, 1], valid_from=FIRST
    )


class Migration(migrations.Migration):
    dependencies = [("deposits", "0006_rules_of_money"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the row: the table is append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
