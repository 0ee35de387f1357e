"""What Alipay says when it is asked about a row of ours that its bill lacks."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deposits', '0015_no_rewriting_of_reconciliation'),
    ]

    operations = [
        migrations.AddField(
            model_name='difference',
            name='answer',
            field=models.CharField(blank=True, choices=[('known', 'Alipay has it, with our amount'), ('other_amount', 'Alipay has it, with another amount'), ('under_way', 'Alipay is still working on it'), ('returned', 'Alipay has it, and a bank has sent it back'), ('nothing', 'Alipay knows nothing of it')], max_length=12, verbose_name="Alipay's answer"),
        ),
        migrations.AddField(
            model_name='difference',
            name='asked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='asked'),
        ),
    ]
