"""Decisions and renewed licences stay; and when a member is reminded of its licence: an assumption."""

import datetime as dt

from django.conf import settings
from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
TABLES = "applications_decision, applications_licencerenewal"


def load(apps, schema_editor):
    # Days before the licence's last day.
    apps.get_model("core", "RuleVersion").objects.get_or_create(
        name="licence.reminder_days", version=1, defaults={"value": [30, 7, 1], "valid_from": FIRST}
    )


class Migration(migrations.Migration):
    dependencies = [("applications", "0008_licences_and_decisions"), ("core", "0004_first_rules")]

    operations = [
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON {TABLES} FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON {TABLES} TO {settings.APP_ROLE}",
        ),
        # The reverse leaves the row: the table is append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
