"""What was owed, decided and demanded stays: the application's role deletes none of it."""

from django.conf import settings
from django.db import migrations

KEPT = ", ".join(
    f"deposits_{name}" for name in ("obligation", "topupdemand", "compensation", "proposal", "accountchange")
)


class Migration(migrations.Migration):
    dependencies = [("deposits", "0004_debts_decisions_compensation")]

    operations = [
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON {KEPT} FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON {KEPT} TO {settings.APP_ROLE}",
        ),
    ]
