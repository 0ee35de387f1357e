"""Why a member was suspended stays: the application's role deletes none of it."""

from django.conf import settings
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("applications", "0005_suspensions")]

    operations = [
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON applications_suspension FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON applications_suspension TO {settings.APP_ROLE}",
        ),
    ]
