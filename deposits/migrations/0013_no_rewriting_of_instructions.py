"""What a case has had done stays: neither guard alone lets the application rewrite it."""

from django.db import migrations

from tmall_sp.core.append_only import revoke_writes


class Migration(migrations.Migration):

    dependencies = [('deposits', '0012_instructions_of_cases')]

    operations = [revoke_writes('deposits_instruction')]
