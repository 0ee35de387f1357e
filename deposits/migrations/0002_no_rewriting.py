"""The application's role adds to the books, and rewrites none of them."""

from django.conf import settings
from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

KEPT = ", ".join(
    f"deposits_{name}"
    for name in ("deposit", "paymentorder", "alipaynotification", "returnedpayment", "refund", "payout")
)


class Migration(migrations.Migration):
    dependencies = [("deposits", "0001_initial")]

    operations = [
        revoke_writes("deposits_ledgertransfer"),
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON {KEPT} FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON {KEPT} TO {settings.APP_ROLE}",
        ),
    ]
