"""Who proposed a rule, and who decided, stays: the application's role deletes none of it."""

from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0005_changes_of_rules")]

    operations = [
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON core_rulechange FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON core_rulechange TO {settings.APP_ROLE}",
        ),
    ]
