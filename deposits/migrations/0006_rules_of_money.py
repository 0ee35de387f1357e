"""First versions of the rules about top-ups, payouts and the bound account; assumptions, as no source gives them."""

import datetime as dt

from django.db import migrations

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))

VALUES = {
    # Days that members have when the required amount is raised.
    "deposit.raise_days": 30,
    # Days before the end of a top-up demand on which the company is reminded.
    "deposit.reminder_days": [7, 3, 1],
    # Days after a transfer during which the bank may still return it.
    "payout.watch_days": 7,
    # Days between the second person's word and the change of the bound account.
    "account_change.cooling_days": 7,
}


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    for name, value in VALUES.items():
        RuleVersion.objects.get_or_create(
            name=name, version=1, defaults={"value": value, "valid_from": FIRST}
        )


class Migration(migrations.Migration):
    dependencies = [("deposits", "0005_no_rewriting_of_decisions"), ("core", "0004_first_rules")]

    operations = [
        # The reverse leaves the rows: the table is append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
