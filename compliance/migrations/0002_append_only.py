from django.db import migrations

from tmall_sp.core.append_only import revoke_writes


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]

    operations = [
        revoke_writes("compliance_violationstep"),
    ]
