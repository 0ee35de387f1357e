"""What Alipay's bills said, what differed and what people made of it stays: the application deletes none of it."""

from django.conf import settings
from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

KEPT = "deposits_reconciliationrun, deposits_billline, deposits_difference"


class Migration(migrations.Migration):

    dependencies = [('deposits', '0014_reconciliation')]

    operations = [
        revoke_writes('deposits_explanation'),
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON {KEPT} FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON {KEPT} TO {settings.APP_ROLE}",
        ),
    ]
