"""Rows for each day's reconciliation with Alipay's bills: runs, lines, differences, explanations."""

from decimal import Decimal

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('deposits', '0013_no_rewriting_of_instructions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BillLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bill', models.CharField(choices=[('trade', 'trade bill'), ('signcustomer', 'fund bill')], max_length=12, verbose_name='bill')),
                ('key', models.CharField(max_length=140, verbose_name='number of the line')),
                ('sort', models.CharField(choices=[('payment', 'payment'), ('refund', 'refund'), ('transfer', 'transfer'), ('return', 'transfer that came back'), ('fee', "Alipay's fee"), ('funding', 'money put in'), ('withdrawal', 'withdrawal'), ('other', 'other movement')], max_length=10, verbose_name='kind')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('fee', models.DecimalField(decimal_places=2, default=Decimal('0.00'), max_digits=12, verbose_name='fee')),
                ('balance', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='balance')),
                ('business', models.CharField(blank=True, max_length=200, verbose_name="Alipay's word for it")),
                ('number', models.CharField(blank=True, max_length=64, verbose_name='our number')),
                ('numbers', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, default=list, size=None)),
                ('trade_no', models.CharField(blank=True, max_length=64, verbose_name="Alipay's number")),
                ('title', models.CharField(blank=True, max_length=200, verbose_name='title')),
                ('other_side', models.CharField(blank=True, max_length=200, verbose_name='other side')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='note')),
                ('entry', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bill_line', to='deposits.ledgertransfer', verbose_name='ledger entry')),
                ('offset_by', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='offsets', to='deposits.billline')),
                ('order', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bill_line', to='deposits.paymentorder', verbose_name='payment')),
                ('payout', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bill_line', to='deposits.payout', verbose_name='payout')),
            ],
            options={
                'verbose_name': 'line of a bill',
                'verbose_name_plural': 'lines of bills',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Difference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('bill', models.CharField(choices=[('trade', 'trade bill'), ('signcustomer', 'fund bill')], max_length=12, verbose_name='bill')),
                ('key', models.CharField(editable=False, max_length=40, unique=True)),
                ('mismatch', models.CharField(choices=[('theirs_only', 'at Alipay only'), ('ours_only', 'with us only'), ('amount', 'another amount'), ('balance', "balances don't follow")], max_length=11, verbose_name='what differs')),
                ('cause', models.CharField(choices=[('unsettled_order', 'payment of an order of ours, not booked yet'), ('foreign_payment', 'payment that no order of ours asked for'), ('open_payout', 'payout of ours, not booked yet'), ('foreign_refund', 'refund that is not ours'), ('foreign_transfer', 'transfer that is not ours'), ('unbooked_return', 'transfer of ours that came back, not booked yet'), ('fee_returned', 'fee that Alipay gave back'), ('money_in', 'money that came in'), ('money_out', 'money that went out'), ('missing_payment', 'payment that the bill lacks'), ('missing_payout', 'payout that the bill lacks'), ('missing_return', "bank's return that the bill lacks"), ('missing_booking', 'booking that the bill lacks'), ('other_amount', 'the amounts differ'), ('balance_gap', "Alipay's balances don't follow one another")], max_length=16, verbose_name='what it is about')),
                ('number', models.CharField(blank=True, max_length=140, verbose_name='number')),
                ('their_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='at Alipay')),
                ('our_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='with us')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('found_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='found')),
                ('settled_at', models.DateTimeField(blank=True, null=True, verbose_name='settled')),
                ('entry', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='deposits.ledgertransfer', verbose_name='ledger entry')),
                ('line', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='deposits.billline', verbose_name='line of a bill')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='deposits.paymentorder', verbose_name='payment')),
                ('payout', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='deposits.payout', verbose_name='payout')),
            ],
            options={
                'verbose_name': 'difference',
                'verbose_name_plural': 'differences',
                'ordering': ['-run__date', 'at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note', models.TextField(verbose_name='note')),
                ('mismatch', models.CharField(choices=[('theirs_only', 'at Alipay only'), ('ours_only', 'with us only'), ('amount', 'another amount'), ('balance', "balances don't follow")], max_length=11, verbose_name='what differs')),
                ('their_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='at Alipay')),
                ('our_amount', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='with us')),
                ('at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='time')),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('difference', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='explanations', to='deposits.difference', verbose_name='difference')),
            ],
            options={
                'verbose_name': 'explanation',
                'verbose_name_plural': 'explanations',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='difference',
            name='explanation',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='deposits.explanation', verbose_name='explanation'),
        ),
        migrations.CreateModel(
            name='ReconciliationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('date', models.DateField(unique=True, verbose_name='day')),
                ('state', models.CharField(choices=[('waiting', 'waiting for the bill'), ('balanced', 'agrees'), ('different', 'has differences')], default='waiting', max_length=9, verbose_name='state')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='next attempt')),
                ('last_error', models.CharField(blank=True, max_length=64, verbose_name='last error')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='compared')),
                ('has_trade_bill', models.BooleanField(blank=True, null=True, verbose_name='trade bill')),
                ('has_fund_bill', models.BooleanField(blank=True, null=True, verbose_name='fund bill')),
                ('opening', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='opening balance at Alipay')),
                ('closing', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='closing balance at Alipay')),
                ('our_cash', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='closing balance by the ledger')),
                ('created_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='created')),
            ],
            options={
                'verbose_name': 'reconciliation',
                'verbose_name_plural': 'reconciliation',
                'ordering': ['-date'],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='run_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'balanced', 'different'])), name='run_state_known'), models.CheckConstraint(condition=models.Q(('state', 'waiting'), models.Q(('done_at__isnull', False), ('has_fund_bill__isnull', False), ('has_trade_bill__isnull', False)), _connector='OR'), name='run_compared_both_bills')],
            },
        ),
        migrations.AddField(
            model_name='difference',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='deposits.reconciliationrun', verbose_name='day'),
        ),
        migrations.AddField(
            model_name='billline',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='deposits.reconciliationrun', verbose_name='day'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationrun',
            trigger=pgtrigger.compiler.Trigger(name='begins_waiting', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('waiting') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='0c986ecd59ad4bb3e8f6ce208c1fce38508f6c78', operation='INSERT', pgid='pgtrigger_begins_waiting_e8072', table='deposits_reconciliationrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationrun',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{balanced:different,different:balanced,waiting:balanced,waiting:different}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6c79b28d84594e997d35c453e11d396e8f2bd4cd', operation='UPDATE', pgid='pgtrigger_lawful_edges_b360b', table='deposits_reconciliationrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationrun',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."date" IS DISTINCT FROM (NEW."date") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='428187a3bb1a134835e702ccf3c2efccf4a49944', operation='UPDATE', pgid='pgtrigger_fixed_6c7bb', table='deposits_reconciliationrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reconciliationrun',
            trigger=pgtrigger.compiler.Trigger(name='balanced_without_differences', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF EXISTS (\n                    SELECT 1 FROM deposits_reconciliationrun r JOIN deposits_difference d ON d.run_id = r.id\n                    WHERE r.id = NEW.id AND r.state = 'balanced' AND d.settled_at IS NULL\n                ) THEN\n                RAISE EXCEPTION 'a day with a difference does not agree' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='0db3ee500e75aeffb5f28d3f91e410cf8e5c4e0c', operation='INSERT OR UPDATE', pgid='pgtrigger_balanced_without_differences_d8612', table='deposits_reconciliationrun', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='explanation',
            constraint=models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='explanation_says_something'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='explanation',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='301363dfc4d54a8e2ca8d5fb9c1f6d14ed057ef6', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_25e57', table='deposits_explanation', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='difference',
            index=models.Index(condition=models.Q(('explanation__isnull', True), ('settled_at__isnull', True)), fields=['run'], name='difference_open'),
        ),
        migrations.AddConstraint(
            model_name='difference',
            constraint=models.CheckConstraint(condition=models.Q(('mismatch__in', ['theirs_only', 'ours_only', 'amount', 'balance'])), name='difference_mismatch_known'),
        ),
        migrations.AddConstraint(
            model_name='difference',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['unsettled_order', 'foreign_payment', 'open_payout', 'foreign_refund', 'foreign_transfer', 'unbooked_return', 'fee_returned', 'money_in', 'money_out', 'missing_payment', 'missing_payout', 'missing_return', 'missing_booking', 'other_amount', 'balance_gap'])), name='difference_cause_known'),
        ),
        migrations.AddConstraint(
            model_name='difference',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('mismatch', 'theirs_only'), ('our_amount__isnull', True), ('their_amount__isnull', False)), models.Q(('mismatch', 'ours_only'), ('our_amount__isnull', False), ('their_amount__isnull', True)), models.Q(('mismatch__in', ['amount', 'balance']), ('our_amount__isnull', False), ('their_amount__isnull', False)), _connector='OR'), name='difference_of_two_sides'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='difference',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."run_id" IS DISTINCT FROM (NEW."run_id") OR OLD."bill" IS DISTINCT FROM (NEW."bill") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."line_id" IS DISTINCT FROM (NEW."line_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='044a6a031dac5bc7970fd62ec086a0c813b91bab', operation='UPDATE', pgid='pgtrigger_fixed_49e64', table='deposits_difference', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='difference',
            trigger=pgtrigger.compiler.Trigger(name='explained_by_its_own', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.explanation_id IS NOT NULL AND NOT EXISTS (\n                    SELECT 1 FROM deposits_explanation e\n                    WHERE e.id = NEW.explanation_id AND e.difference_id = NEW.id AND e.mismatch = NEW.mismatch\n                      AND (e.their_amount, e.our_amount) IS NOT DISTINCT FROM (NEW.their_amount, NEW.our_amount)\n                ) THEN\n                RAISE EXCEPTION 'an explanation holds for the difference that it was given for, as it was' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='64287f42e1ed24480b741a7ba94fbd60dabfada2', operation='INSERT OR UPDATE', pgid='pgtrigger_explained_by_its_own_06dc7', table='deposits_difference', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='difference',
            trigger=pgtrigger.compiler.Trigger(name='told_by_its_day', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF EXISTS (\n                    SELECT 1 FROM deposits_difference d JOIN deposits_reconciliationrun r ON r.id = d.run_id\n                    WHERE d.id = NEW.id AND d.settled_at IS NULL AND r.state = 'balanced'\n                ) THEN\n                RAISE EXCEPTION 'a day with a difference does not agree' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='90b9cb925bb194d3e7e77a003342df3f087dd0c0', operation='INSERT OR UPDATE', pgid='pgtrigger_told_by_its_day_66f0f', table='deposits_difference', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='billline',
            index=models.Index(condition=models.Q(('entry__isnull', True), ('offset_by__isnull', True), ('order__isnull', True), ('payout__isnull', True)), fields=['bill'], name='line_unmatched'),
        ),
        migrations.AddConstraint(
            model_name='billline',
            constraint=models.CheckConstraint(condition=models.Q(('bill__in', ['trade', 'signcustomer'])), name='line_bill_known'),
        ),
        migrations.AddConstraint(
            model_name='billline',
            constraint=models.UniqueConstraint(fields=('bill', 'key'), name='line_once'),
        ),
        migrations.AddConstraint(
            model_name='billline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bill', 'signcustomer'), ('order__isnull', True), ('payout__isnull', True)), models.Q(('bill', 'trade'), ('entry__isnull', True), ('offset_by__isnull', True)), _connector='OR'), name='line_matched_by_its_bill'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billline',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."run_id" IS DISTINCT FROM (NEW."run_id") OR OLD."bill" IS DISTINCT FROM (NEW."bill") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."sort" IS DISTINCT FROM (NEW."sort") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."fee" IS DISTINCT FROM (NEW."fee") OR OLD."balance" IS DISTINCT FROM (NEW."balance") OR OLD."business" IS DISTINCT FROM (NEW."business") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."numbers" IS DISTINCT FROM (NEW."numbers") OR OLD."trade_no" IS DISTINCT FROM (NEW."trade_no") OR OLD."title" IS DISTINCT FROM (NEW."title") OR OLD."other_side" IS DISTINCT FROM (NEW."other_side") OR OLD."note" IS DISTINCT FROM (NEW."note"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a61d8417bee826d41cee63884183cbf527d262c6', operation='UPDATE', pgid='pgtrigger_fixed_af759', table='deposits_billline', when='BEFORE')),
        ),
    ]
