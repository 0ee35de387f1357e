"""A row for each reason of a suspension, exits that were required, and who decides as the first of two.

Safe beside the release before: it writes neither the new columns nor the new steps.
"""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0004_name_the_proofs_of_tenure'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('shortfall', 'deposit not filled up'), ('sanction', 'sanction'), ('licence_expired', 'business licence expired'), ('ops', 'decision of operations')], max_length=15, verbose_name='cause')),
                ('case', models.CharField(blank=True, max_length=60, verbose_name='case')),
                ('reason', models.TextField(verbose_name='reason')),
                ('opened_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='since')),
                ('exit_due_at', models.DateTimeField(blank=True, null=True, verbose_name='to be cured by')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted')),
                ('lift_reason', models.TextField(blank=True, verbose_name='reason for lifting it')),
            ],
            options={
                'verbose_name': 'suspension',
                'verbose_name_plural': 'suspensions',
                'ordering': ['opened_at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='application',
            name='exit_required',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name='transition',
            name='proposed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='transition',
            name='reported_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='required_exit_stays', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."exit_required" AND OLD."state" = \'exiting\' AND (NOT (NEW."state" IN (\'exiting\', \'exited\', \'expelled\')) OR NOT NEW."exit_required"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='aa9b2d1a4b94976f2b57e742ee0de40a3f1e8388', operation='UPDATE', pgid='pgtrigger_required_exit_stays_28963', table='applications_application', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='transition',
            constraint=models.CheckConstraint(condition=models.Q(('proposed_by__isnull', True), models.Q(('actor__isnull', False), models.Q(('actor', models.F('proposed_by')), _negated=True)), _connector='OR'), name='transition_decided_by_a_second_person'),
        ),
        migrations.AddConstraint(
            model_name='transition',
            constraint=models.CheckConstraint(condition=models.Q(('reported_by__isnull', True), ('proposed_by__isnull', True), models.Q(models.Q(('reported_by', models.F('actor')), _negated=True), models.Q(('reported_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='transition_not_decided_by_its_reporter'),
        ),
        migrations.AddField(
            model_name='suspension',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='applications.application', verbose_name='application'),
        ),
        migrations.AddField(
            model_name='suspension',
            name='lifted_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='lifted by'),
        ),
        migrations.AddField(
            model_name='suspension',
            name='opened_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='opened by'),
        ),
        migrations.AddIndex(
            model_name='suspension',
            index=models.Index(condition=models.Q(('exit_due_at__isnull', False), ('lifted_at__isnull', True)), fields=['exit_due_at'], name='suspension_exit_due'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['shortfall', 'sanction', 'licence_expired', 'ops'])), name='suspension_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='suspension_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cause', 'ops'), _negated=True), ('opened_by__isnull', False), _connector='OR'), name='suspension_by_operations_has_a_person'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(('exit_due_at__isnull', True), models.Q(('cause__in', ('shortfall', 'licence_expired')), ('exit_due_at__gte', models.F('opened_at'))), _connector='OR'), name='suspension_exit_only_with_a_cure'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lift_reason', ''), ('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__gte', models.F('opened_at')), ('lifted_at__isnull', False), models.Q(models.Q(('cause__in', ('sanction', 'ops')), _negated=True), ('lifted_by__isnull', False), _connector='OR')), _connector='OR'), name='suspension_lifted_by_whoever_may'),
        ),
        migrations.AddConstraint(
            model_name='suspension',
            constraint=models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('application', 'cause', 'case'), name='one_open_suspension_per_cause_and_case'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='suspension',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."application_id" IS DISTINCT FROM (NEW."application_id") OR OLD."cause" IS DISTINCT FROM (NEW."cause") OR OLD."case" IS DISTINCT FROM (NEW."case") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."exit_due_at" IS DISTINCT FROM (NEW."exit_due_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4bd85d6df3225e1cb24c78c267dcb4aa38382d9b', operation='UPDATE', pgid='pgtrigger_fixed_5b5be', table='applications_suspension', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='suspension',
            trigger=pgtrigger.compiler.Trigger(name='lifted_for_good', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."lifted_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2c1eeeee8d9263f133380bcca83f450752b5260e', operation='UPDATE', pgid='pgtrigger_lifted_for_good_83842', table='applications_suspension', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='transition',
            trigger=pgtrigger.compiler.Trigger(name='decided_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.proposed_by_id IS NULL AND (\n                        NEW.name IN ('overturn_expulsion', 'revoke_approval')\n                        OR (NEW.name = 'require_exit' AND NEW.actor_id IS NOT NULL)\n                    ) THEN\n                        RAISE EXCEPTION 'two people decide on %', NEW.name USING ERRCODE = 'check_violation';\n                    END IF;\n                    RETURN NEW;\n                ", hash='811798ea96f8c50276cb0206dedd694967f29a9b', operation='INSERT', pgid='pgtrigger_decided_by_two_c7d54', table='applications_transition', when='BEFORE')),
        ),
    ]
