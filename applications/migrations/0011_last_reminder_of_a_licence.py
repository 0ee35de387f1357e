"""Which reminder of a licence was the last, instead of how many there were: a new rule then repeats none."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("applications", "0010_bans_lifted_by_two")]

    operations = [migrations.RenameField("application", "licence_reminders", "licence_reminded_at")]
