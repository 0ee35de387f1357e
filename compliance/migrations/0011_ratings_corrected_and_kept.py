"""Runs that name the quarter before, scores that are never rewritten, and what corrects them."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0010_rules_of_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ScoreCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('inputs', models.JSONField(verbose_name='inputs')),
                ('parts', models.JSONField(verbose_name='parts')),
                ('deductions', models.DecimalField(decimal_places=2, max_digits=5, verbose_name='deductions')),
                ('score', models.DecimalField(decimal_places=2, max_digits=5, verbose_name='score')),
                ('average', models.DecimalField(decimal_places=2, max_digits=5, verbose_name='half-year average')),
                ('gmv', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='GMV of the served shops')),
                ('level', models.PositiveSmallIntegerField(verbose_name='stars')),
                ('at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='time')),
            ],
            options={
                'verbose_name': 'correction of a score',
                'verbose_name_plural': 'corrections of scores',
                'ordering': ['original', 'pk'],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='ratingrun',
            name='fixed',
        ),
        migrations.AddField(
            model_name='ratingrun',
            name='cancelled_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ratingrun',
            name='previous',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.ratingrun', verbose_name='quarter before'),
        ),
        migrations.AddField(
            model_name='ratingrun',
            name='told_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='providers told'),
        ),
        migrations.AddField(
            model_name='ratingrun',
            name='told_cursor',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='scoredispute',
            name='corrected',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='right value'),
        ),
        migrations.AlterField(
            model_name='score',
            name='gmv',
            field=models.DecimalField(decimal_places=2, max_digits=16, verbose_name='GMV of the served shops'),
        ),
        migrations.AlterField(
            model_name='scoredispute',
            name='score',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='compliance.score', verbose_name='score'),
        ),
        migrations.AddIndex(
            model_name='ratingrun',
            index=models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['state'], name='rating_to_do'),
        ),
        migrations.AddIndex(
            model_name='ratingrun',
            index=models.Index(condition=models.Q(('published_at__isnull', False), ('told_at__isnull', True)), fields=['published_at'], name='rating_to_tell'),
        ),
        migrations.AddIndex(
            model_name='scoredispute',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['at'], name='dispute_waiting'),
        ),
        migrations.AddConstraint(
            model_name='ratingrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'published'), _negated=True), models.Q(('published_at__isnull', False), ('published_by__isnull', False), ('scored_at__isnull', False)), _connector='OR'), name='rating_published_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='ratingrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['scored', 'published']), _negated=True), ('done', models.F('total')), _connector='OR'), name='rating_scored_when_all_are'),
        ),
        migrations.AddConstraint(
            model_name='scoredispute',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'open'), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decision_reason', ''), _negated=True)), _connector='OR'), name='dispute_decided_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='scoredispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrected__gte', 0), ('corrected__isnull', False), ('state', 'upheld')), models.Q(models.Q(('state', 'upheld'), _negated=True), ('corrected__isnull', True)), _connector='OR'), name='dispute_upheld_with_the_right_value'),
        ),
        migrations.AddConstraint(
            model_name='scoredispute',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('by')), _negated=True), _connector='OR'), name='dispute_not_decided_by_its_author'),
        ),
        migrations.AddField(
            model_name='scorecorrection',
            name='dispute',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='compliance.scoredispute'),
        ),
        migrations.AddField(
            model_name='scorecorrection',
            name='original',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='compliance.score'),
        ),
        migrations.AddConstraint(
            model_name='scorecorrection',
            constraint=models.UniqueConstraint(fields=('original', 'dispute'), name='one_correction_per_dispute'),
        ),
        migrations.AddConstraint(
            model_name='scorecorrection',
            constraint=models.CheckConstraint(condition=models.Q(('average__gte', 0), ('average__lte', 100), ('score__gte', 0), ('score__lte', 100)), name='correction_within_a_hundred'),
        ),
        migrations.AddConstraint(
            model_name='scorecorrection',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', [0, 3, 4, 5, 6])), name='correction_level_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ratingrun',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."period" IS DISTINCT FROM (NEW."period") OR OLD."is_preview" IS DISTINCT FROM (NEW."is_preview") OR OLD."rule_version" IS DISTINCT FROM (NEW."rule_version") OR OLD."rule" IS DISTINCT FROM (NEW."rule") OR OLD."previous_id" IS DISTINCT FROM (NEW."previous_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1c5de4f93ae6c89c6f8dc12049c6517e93446926', operation='UPDATE', pgid='pgtrigger_fixed_c0d82', table='compliance_ratingrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ratingrun',
            trigger=pgtrigger.compiler.Trigger(name='published_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'published' AND (\n                    NEW.total <> OLD.total OR NEW.done <> OLD.done OR NEW.cursor <> OLD.cursor\n                    OR NEW.scored_at <> OLD.scored_at OR NEW.published_at <> OLD.published_at\n                    OR NEW.published_by_id <> OLD.published_by_id\n                ) THEN\n                RAISE EXCEPTION 'what was published stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='84f983d37f78588de57cd8541297a0d78e1ba37e', operation='UPDATE', pgid='pgtrigger_published_stays_f7cbf', table='compliance_ratingrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='score',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0d52247914e8a7d0875c540d877c34c1f4bdb860', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_50bb4', table='compliance_score', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='score',
            trigger=pgtrigger.compiler.Trigger(name='while_its_run_is_scored', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NOT EXISTS (\n                    SELECT 1 FROM compliance_ratingrun r WHERE r.id = NEW.run_id AND r.state = 'running'\n                ) THEN\n                RAISE EXCEPTION 'a score is written while its run is scored' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='7ea270581a79f1249953299add9559f3af21038d', operation='INSERT', pgid='pgtrigger_while_its_run_is_scored_1a9bd', table='compliance_score', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scoredispute',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."score_id" IS DISTINCT FROM (NEW."score_id") OR OLD."input" IS DISTINCT FROM (NEW."input") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."at" IS DISTINCT FROM (NEW."at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='29e7ffb83bf06bca97977c167455ed1c710c4085', operation='UPDATE', pgid='pgtrigger_fixed_a4de0', table='compliance_scoredispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scoredispute',
            trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state <> 'open' AND (\n                    NEW.corrected IS DISTINCT FROM OLD.corrected\n                    OR NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id\n                    OR NEW.decided_at IS DISTINCT FROM OLD.decided_at\n                    OR NEW.decision_reason <> OLD.decision_reason\n                ) THEN\n                RAISE EXCEPTION 'a decision on a dispute stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='5fc6b17d03d4e895c36d28bf4d8fc97b3fe2614b', operation='UPDATE', pgid='pgtrigger_decided_once_41c70', table='compliance_scoredispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scorecorrection',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6ed9898c4d75a332227ec6702c28c53bb286b086', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e6806', table='compliance_scorecorrection', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='scorecorrection',
            trigger=pgtrigger.compiler.Trigger(name='after_an_upheld_dispute', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NOT EXISTS (\n                    SELECT 1 FROM compliance_scoredispute d WHERE d.id = NEW.dispute_id AND d.state = 'upheld'\n                ) THEN\n                RAISE EXCEPTION 'a score is corrected by an upheld dispute' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='c74b76dd98fb94f1d039b459b2536fc976b258f1', operation='INSERT', pgid='pgtrigger_after_an_upheld_dispute_924c6', table='compliance_scorecorrection', when='BEFORE')),
        ),
    ]
