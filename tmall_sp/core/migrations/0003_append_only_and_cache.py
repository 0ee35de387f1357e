from django.core.management import call_command
from django.db import migrations

from tmall_sp.core.append_only import revoke_writes


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("core", "0002_initial")]

    operations = [
        revoke_writes("core_ruleversion"),
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
        migrations.RunSQL(migrations.RunSQL.noop, "DROP TABLE IF EXISTS core_cache"),
    ]
