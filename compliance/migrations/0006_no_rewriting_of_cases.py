"""Cases, their evidence and history, relations and scores stay: the application's role deletes none of it."""

from django.conf import settings
from django.db import migrations

from tmall_sp.core.append_only import revoke_writes

HISTORY = [
    f"compliance_{name}"
    for name in ("complaintstatement", "complaintfile", "complaintstep", "appealfile")
]
KEPT = ", ".join(
    f"compliance_{name}"
    for name in (
        "complaint",
        "violation",
        "sanction",
        "violationappeal",
        "servedshop",
        "declaration",
        "ratingrun",
        "scoredispute",
        "review",
    )
)


class Migration(migrations.Migration):
    dependencies = [("compliance", "0005_rules_of_cases")]

    operations = [
        revoke_writes(*HISTORY),
        migrations.RunSQL(
            f"REVOKE DELETE, TRUNCATE ON {KEPT} FROM {settings.APP_ROLE}",
            f"GRANT DELETE ON {KEPT} TO {settings.APP_ROLE}",
        ),
    ]
