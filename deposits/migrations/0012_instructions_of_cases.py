"""Let a case have each thing done once with a deposit, and what is available pay what is owed first."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('deposits', '0011_account_by_procedure'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Instruction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.CharField(max_length=60, verbose_name='case')),
                ('kind', models.CharField(choices=[('freeze', 'freeze what is claimed'), ('settle', 'final decision on what is frozen'), ('penalty', 'penalty'), ('breach', 'damages for breach')], max_length=7, verbose_name='kind')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('payee_identity', models.CharField(blank=True, max_length=128, verbose_name='payee')),
                ('payee_identity_type', models.CharField(blank=True, max_length=16)),
                ('payee_name', models.CharField(blank=True, max_length=200, verbose_name='name of the payee')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='time')),
                ('deposit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='instructions', to='deposits.deposit', verbose_name='deposit')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'instruction of a case',
                'verbose_name_plural': 'instructions of cases',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='instruction',
            constraint=models.UniqueConstraint(fields=('case', 'kind'), name='instruction_once_per_case'),
        ),
        migrations.AddConstraint(
            model_name='instruction',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['freeze', 'settle', 'penalty', 'breach'])), name='instruction_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='instruction',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='instruction_amount_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='instruction',
            constraint=models.CheckConstraint(condition=models.Q(('case', ''), _negated=True), name='instruction_names_its_case'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='instruction',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='423b1f0ca36b0e5fb55d8b87ac1fbd8886fe2a78', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_02ed8', table='deposits_instruction', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deposit',
            trigger=pgtrigger.compiler.Trigger(name='debts_first', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF EXISTS (\n                    SELECT 1 FROM deposits_deposit d WHERE d.id = NEW.id AND d.owed > 0 AND d.available > 0\n                ) THEN\n                RAISE EXCEPTION 'what is available pays what is owed first' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='471347eb4daa040c504ddcab81bf79fc180a155d', operation='INSERT OR UPDATE', pgid='pgtrigger_debts_first_eaf6f', table='deposits_deposit', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
    ]
