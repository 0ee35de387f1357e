"""Steps of declarations and reviews; invitations that are withdrawn; what an owner authorised stays."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0007_rule_of_suspensions'),
        ('compliance', '0006_no_rewriting_of_cases'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DeclarationStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=10, verbose_name='step')),
                ('at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='time')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='note')),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('declaration', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='compliance.declaration')),
            ],
            options={
                'verbose_name': 'step of a declaration',
                'verbose_name_plural': 'steps of declarations',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ReviewStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=10, verbose_name='step')),
                ('at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='time')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='compliance.review')),
            ],
            options={
                'verbose_name': 'step of a review',
                'verbose_name_plural': 'steps of reviews',
                'ordering': ['at', 'pk'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='servedshop',
            name='lawful_edges',
        ),
        migrations.RemoveConstraint(
            model_name='servedshop',
            name='served_shop_state_known',
        ),
        migrations.AlterField(
            model_name='servedshop',
            name='state',
            field=models.CharField(choices=[('invited', 'invited'), ('serving', 'served'), ('ended', 'ended'), ('declined', 'declined'), ('expired', 'invitation expired'), ('revoked', 'invitation withdrawn')], default='invited', max_length=8, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='declaration',
            constraint=models.UniqueConstraint(condition=models.Q(('served_shop__isnull', True), ('state', 'declared')), fields=('application', 'input'), name='one_figure_waits_per_input'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('hidden_at__isnull', True), models.Q(('hidden_by__isnull', False), models.Q(('hidden_reason', ''), _negated=True)), _connector='OR'), name='review_hidden_by_somebody_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='servedshop',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['invited', 'serving', 'ended', 'declined', 'expired', 'revoked'])), name='served_shop_state_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='servedshop',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{invited:declined,invited:expired,invited:revoked,invited:serving,serving:ended}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='b90ce02bed66c66cacc23f9abd4bc5d2bd97378e', operation='UPDATE', pgid='pgtrigger_lawful_edges_d43ad', table='compliance_servedshop', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='servedshop',
            trigger=pgtrigger.compiler.Trigger(name='authorised_for_good', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state IN ('serving', 'ended') AND (\n                    NEW.owner_id IS DISTINCT FROM OLD.owner_id\n                    OR NEW.owner_taobao_user_id IS DISTINCT FROM OLD.owner_taobao_user_id\n                    OR NEW.shop_name IS DISTINCT FROM OLD.shop_name\n                    OR NEW.begins_on IS DISTINCT FROM OLD.begins_on\n                    OR (OLD.ends_on IS NOT NULL AND NEW.ends_on IS DISTINCT FROM OLD.ends_on)\n                ) THEN\n                RAISE EXCEPTION 'what the owner authorised stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='d08709b3b831075edd73b9d2509870e62eec9edb', operation='UPDATE', pgid='pgtrigger_authorised_for_good_90944', table='compliance_servedshop', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='declarationstep',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b7472ab18d2fd9856650b72237019f60cce627cb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_0f20c', table='compliance_declarationstep', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reviewstep',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='eb4f4858493c5ac39c5788a79297ac963253131a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_10cc9', table='compliance_reviewstep', when='BEFORE')),
        ),
    ]
