"""Who closed a change, where it was asked from; what was decided about it stays as it was decided."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0004_name_the_proofs_of_tenure'),
        ('deposits', '0009_deposit_reminders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='accountchange',
            name='fixed',
        ),
        migrations.RemoveConstraint(
            model_name='accountchange',
            name='change_confirmed_by_two',
        ),
        migrations.AddField(
            model_name='accountchange',
            name='closed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='closed by'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='old_open_id',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='requested_from',
            field=models.GenericIPAddressField(blank=True, null=True, verbose_name='network address'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountchange',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."application_id" IS DISTINCT FROM (NEW."application_id") OR OLD."old_account_id" IS DISTINCT FROM (NEW."old_account_id") OR OLD."new_account_id" IS DISTINCT FROM (NEW."new_account_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."evidence" IS DISTINCT FROM (NEW."evidence") OR OLD."evidence_name" IS DISTINCT FROM (NEW."evidence_name") OR OLD."evidence_type" IS DISTINCT FROM (NEW."evidence_type") OR OLD."evidence_sha256" IS DISTINCT FROM (NEW."evidence_sha256") OR OLD."requested_by_id" IS DISTINCT FROM (NEW."requested_by_id") OR OLD."requested_at" IS DISTINCT FROM (NEW."requested_at") OR OLD."requested_from" IS DISTINCT FROM (NEW."requested_from"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='239fc9f601785bab89d1ff45a2afb08474c1f3f6', operation='UPDATE', pgid='pgtrigger_fixed_9226a', table='deposits_accountchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountchange',
            trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF (OLD.checked_by_id IS NOT NULL\n                    AND (NEW.checked_by_id, NEW.checked_at) IS DISTINCT FROM (OLD.checked_by_id, OLD.checked_at))\n                OR (OLD.confirmed_by_id IS NOT NULL\n                    AND (NEW.confirmed_by_id, NEW.confirmed_at, NEW.effective_at)\n                        IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at, OLD.effective_at))\n                OR OLD.closed_at IS NOT NULL THEN\n                RAISE EXCEPTION 'what was decided about an account stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='2605b39a2a5b9ca48a7d81bd73b7fc4d3b162545', operation='UPDATE', pgid='pgtrigger_decided_once_4c705', table='deposits_accountchange', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['cooling', 'done']), _negated=True), models.Q(('checked_by__isnull', False), ('confirmed_at__isnull', False), ('confirmed_by__isnull', False), ('effective_at__gte', models.F('confirmed_at')), ('effective_at__isnull', False)), _connector='OR'), name='change_confirmed_by_two'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'checked'), _negated=True), ('checked_by__isnull', False), _connector='OR'), name='change_checked_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['requested', 'checked', 'cooling']), ('closed_at__isnull', True)), models.Q(models.Q(('state__in', ['requested', 'checked', 'cooling']), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='change_closed_at_its_end'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('closed_at__gte', models.F('effective_at')), _connector='OR'), name='change_not_before_its_time'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('decision_reason', ''), _negated=True), _connector='OR'), name='change_refused_with_reason'),
        ),
    ]
