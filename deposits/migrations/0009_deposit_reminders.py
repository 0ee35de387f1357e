from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deposits", "0008_watch_the_payouts")]

    operations = [
        migrations.AddField(
            model_name="deposit",
            name="reminders",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="reminders"),
        ),
    ]
