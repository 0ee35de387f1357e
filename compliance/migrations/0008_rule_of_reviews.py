"""The new steps are only written, never changed; and how long after its end a relation can be reviewed."""

import datetime as dt

from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

FIRST = dt.datetime(2020, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
# Natural days; an assumption, as no source gives the figure.
NAME, DAYS = "review.days_after_end", 30


def load(apps, schema_editor):
    RuleVersion = apps.get_model("core", "RuleVersion")
    RuleVersion.objects.get_or_create(name=NAME, version=1, defaults={"value": DAYS, "valid_from": FIRST})


class Migration(migrations.Migration):
    dependencies = [("compliance", "0007_steps_of_declarations_and_reviews"), ("core", "0004_first_rules")]

    operations = [
        revoke_writes("compliance_declarationstep", "compliance_reviewstep"),
        # The reverse leaves the row: rules are append-only.
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
