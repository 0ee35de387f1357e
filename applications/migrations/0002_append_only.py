from django.db import migrations

from tmall_sp.core.append_only import revoke_writes


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_initial")]

    operations = [
        revoke_writes(
            "applications_transition",
            "applications_shopevidence",
            "applications_shopbinding",
            "applications_agreement",
            "applications_agreementacceptance",
        ),
    ]
