"""Obligations, demands, two people's decisions, compensation and the change of account.

The triggers come last: some speak of columns that this migration adds.
"""

from decimal import Decimal

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import tmall_sp.core.clock


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0004_name_the_proofs_of_tenure'),
        ('deposits', '0003_transfer_limit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('old_account_id', models.CharField(max_length=32, verbose_name='account until now')),
                ('new_account_id', models.CharField(max_length=16, verbose_name='new account')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('evidence', models.FileField(max_length=200, upload_to='account-changes/%Y/%m/', verbose_name='evidence')),
                ('evidence_name', models.CharField(max_length=200, verbose_name='name of the file')),
                ('evidence_type', models.CharField(max_length=40)),
                ('evidence_sha256', models.CharField(max_length=64)),
                ('requested_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='requested')),
                ('state', models.CharField(choices=[('requested', 'waiting to be checked'), ('checked', 'waiting for a second person'), ('cooling', 'confirmed, takes effect after the cooling-off'), ('done', 'done'), ('refused', 'refused'), ('cancelled', 'cancelled')], default='requested', max_length=9, verbose_name='state')),
                ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='checked')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed')),
                ('effective_at', models.DateTimeField(blank=True, null=True, verbose_name='takes effect')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
                ('decision_reason', models.CharField(blank=True, max_length=500, verbose_name='reason for the decision')),
            ],
            options={
                'verbose_name': 'change of the bound account',
                'verbose_name_plural': 'changes of the bound account',
                'ordering': ['-requested_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Compensation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.CharField(max_length=60, verbose_name='case')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('payee_identity', models.CharField(blank=True, max_length=128, verbose_name='payee')),
                ('payee_identity_type', models.CharField(blank=True, max_length=16)),
                ('payee_name', models.CharField(blank=True, max_length=200, verbose_name='name of the payee')),
                ('state', models.CharField(choices=[('waiting', 'waiting for a payee'), ('in_progress', 'under way'), ('done', 'done')], default='waiting', max_length=11, verbose_name='state')),
                ('created_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='created')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='done')),
            ],
            options={
                'verbose_name': 'compensation',
                'verbose_name_plural': 'compensations',
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Obligation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case', models.CharField(max_length=60, verbose_name='case')),
                ('kind', models.CharField(choices=[('payment', 'deposit paid'), ('top_up', 'deposit topped up'), ('refused_payment', 'payment received, not accepted'), ('refused_return', 'refused payment sent back'), ('freeze', 'frozen'), ('release', 'released'), ('compensation', 'compensation'), ('compensation_paid', 'compensation paid out'), ('penalty', 'penalty'), ('breach', 'damages for breach'), ('forfeiture', 'deposit forfeited'), ('refund', 'refund begun'), ('refund_paid', 'refund paid out'), ('bank_return', 'returned by the bank'), ('gateway_fee', "Alipay's fee"), ('funding', 'own money put in'), ('withdrawal', 'withdrawn to our bank'), ('opening_balance', 'opening balance'), ('correction', 'correction')], max_length=17, verbose_name='kind')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('settled', models.DecimalField(decimal_places=2, default=Decimal('0.00'), max_digits=12, verbose_name='settled')),
                ('state', models.CharField(choices=[('open', 'open'), ('settled', 'paid'), ('waived', 'waived')], default='open', max_length=8, verbose_name='state')),
                ('key', models.CharField(editable=False, max_length=100, unique=True)),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='reason')),
                ('created_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='created')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
            ],
            options={
                'verbose_name': 'obligation',
                'verbose_name_plural': 'obligations',
                'ordering': ['created_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Proposal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('waive_obligation', 'waive an obligation'), ('release_refund', 'release a refund'), ('hold_refund', 'hold a refund'), ('refund_by_hand', 'refund by hand'), ('redirect_payout', 'send a payout to another account'), ('settle_payout', 'record a payout as paid'), ('correct_entry', 'correct a ledger entry'), ('book_movement', 'book a movement at Alipay')], max_length=16, verbose_name='kind')),
                ('details', models.JSONField(blank=True, default=dict, verbose_name='details')),
                ('reason', models.TextField(verbose_name='reason')),
                ('proposed_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='proposed')),
                ('state', models.CharField(choices=[('open', 'waiting for a second person'), ('accepted', 'carried out'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='open', max_length=9, verbose_name='state')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('decision_reason', models.TextField(blank=True, verbose_name='reason for the decision')),
            ],
            options={
                'verbose_name': 'decision by two people',
                'verbose_name_plural': 'decisions by two people',
                'ordering': ['-proposed_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='TopUpDemand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('deduction', 'something was deducted'), ('raised', 'the required amount was raised')], max_length=9, verbose_name='cause')),
                ('opened_at', models.DateTimeField(default=tmall_sp.core.clock.now, verbose_name='opened')),
                ('due_at', models.DateTimeField(verbose_name='due')),
                ('reminders', models.PositiveSmallIntegerField(default=0, verbose_name='reminders')),
                ('lapsed_at', models.DateTimeField(blank=True, null=True, verbose_name='passed unpaid')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed')),
                ('outcome', models.CharField(blank=True, choices=[('met', 'filled up'), ('ended', 'the membership ended')], max_length=5, verbose_name='outcome')),
            ],
            options={
                'verbose_name': 'top-up demand',
                'verbose_name_plural': 'top-up demands',
                'ordering': ['-opened_at', '-pk'],
            },
        ),
        migrations.AlterModelOptions(
            name='deposit',
            options={'ordering': ['-opened_at', '-pk'], 'permissions': [('handle_money', 'Can decide on money')], 'verbose_name': 'deposit', 'verbose_name_plural': 'deposits'},
        ),
        migrations.RemoveConstraint(
            model_name='payout',
            name='payout_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='payout',
            name='payout_has_one_cause',
        ),
        migrations.RemoveConstraint(
            model_name='payout',
            name='payout_done_has_time',
        ),
        migrations.RemoveConstraint(
            model_name='refund',
            name='refund_state_known',
        ),
        migrations.AddField(
            model_name='deposit',
            name='owed',
            field=models.DecimalField(db_default=Decimal('0.00'), decimal_places=2, default=Decimal('0.00'), max_digits=12, verbose_name='owed'),
        ),
        migrations.AddField(
            model_name='payout',
            name='payee_name',
            field=models.CharField(blank=True, db_default='', max_length=200, verbose_name='name of the payee'),
        ),
        migrations.AddField(
            model_name='payout',
            name='watch_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='refund',
            name='hold_reason',
            field=models.CharField(blank=True, db_default='', max_length=200, verbose_name='held because'),
        ),
        migrations.AlterField(
            model_name='payout',
            name='method',
            field=models.CharField(choices=[('trade_refund', 'back the way it was paid'), ('transfer', 'transfer')], max_length=12, verbose_name='way'),
        ),
        migrations.AlterField(
            model_name='payout',
            name='state',
            field=models.CharField(choices=[('held', 'held with its refund'), ('queued', 'waiting to be sent'), ('calling', 'being sent'), ('dealing', 'being processed by Alipay'), ('done', 'paid out'), ('attention', 'being looked at by finance'), ('replaced', 'sent in another way'), ('returned', 'returned by the bank')], default='queued', max_length=9, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='refund',
            name='state',
            field=models.CharField(choices=[('held', 'waiting for two people'), ('in_progress', 'under way'), ('done', 'done')], default='in_progress', max_length=11, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='deposit',
            constraint=models.CheckConstraint(condition=models.Q(('owed__gte', 0)), name='deposit_owed_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['held', 'in_progress', 'done'])), name='refund_state_known'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'held'), _negated=True), models.Q(('hold_reason', ''), _negated=True), _connector='OR'), name='refund_held_with_reason'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='account_changes', to='applications.application', verbose_name='application'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='checked_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='checked by'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by'),
        ),
        migrations.AddField(
            model_name='accountchange',
            name='requested_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by'),
        ),
        migrations.AddField(
            model_name='compensation',
            name='deposit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='compensations', to='deposits.deposit', verbose_name='deposit'),
        ),
        migrations.AddField(
            model_name='compensation',
            name='entry',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='compensation', to='deposits.ledgertransfer', verbose_name='ledger entry'),
        ),
        migrations.AddField(
            model_name='payout',
            name='compensation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='deposits.compensation', verbose_name='compensation'),
        ),
        migrations.AddIndex(
            model_name='payout',
            index=models.Index(condition=models.Q(('watch_at__isnull', False)), fields=['watch_at'], name='payout_watched'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['held', 'queued', 'calling', 'dealing', 'done', 'attention', 'replaced', 'returned'])), name='payout_state_known'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('compensation__isnull', True), ('refund__isnull', False), ('returned__isnull', True)), models.Q(('compensation__isnull', True), ('refund__isnull', True), ('returned__isnull', False)), models.Q(('compensation__isnull', False), ('refund__isnull', True), ('returned__isnull', True)), _connector='OR'), name='payout_has_one_cause'),
        ),
        migrations.AddConstraint(
            model_name='payout',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['done', 'returned']), _negated=True), ('done_at__isnull', False), _connector='OR'), name='payout_done_has_time'),
        ),
        migrations.AddField(
            model_name='obligation',
            name='deposit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='obligations', to='deposits.deposit', verbose_name='deposit'),
        ),
        migrations.AddField(
            model_name='ledgertransfer',
            name='obligation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='deposits.obligation', verbose_name='obligation'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='deposit',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='deposits.deposit', verbose_name='deposit'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='entry',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='deposits.ledgertransfer', verbose_name='ledger entry'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='obligation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='deposits.obligation', verbose_name='obligation'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='payout',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='deposits.payout', verbose_name='payout'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='proposal',
            name='refund',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='deposits.refund', verbose_name='refund'),
        ),
        migrations.AddField(
            model_name='ledgertransfer',
            name='proposal',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='deposits.proposal', verbose_name='decision'),
        ),
        migrations.AddIndex(
            model_name='ledgertransfer',
            index=models.Index(condition=models.Q(('case', ''), _negated=True), fields=['deposit', 'case'], name='ledger_of_case'),
        ),
        migrations.AddField(
            model_name='topupdemand',
            name='deposit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='demands', to='deposits.deposit', verbose_name='deposit'),
        ),
        migrations.AddIndex(
            model_name='accountchange',
            index=models.Index(condition=models.Q(('state', 'cooling')), fields=['effective_at'], name='change_cooling'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'checked', 'cooling'])), fields=('application',), name='one_open_account_change'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'checked', 'cooling', 'done', 'refused', 'cancelled'])), name='change_state_known'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(('new_account_id__regex', '^2088[0-9]{12}$'), models.Q(('new_account_id', models.F('old_account_id')), _negated=True)), name='change_names_another_account'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['cooling', 'done']), _negated=True), models.Q(('checked_by__isnull', False), ('confirmed_by__isnull', False), ('effective_at__isnull', False)), _connector='OR'), name='change_confirmed_by_two'),
        ),
        migrations.AddConstraint(
            model_name='accountchange',
            constraint=models.CheckConstraint(condition=models.Q(('checked_by__isnull', True), ('confirmed_by__isnull', True), models.Q(('confirmed_by', models.F('checked_by')), _negated=True), _connector='OR'), name='change_confirmed_by_another'),
        ),
        migrations.AddIndex(
            model_name='compensation',
            index=models.Index(fields=['deposit', 'case'], name='compensation_of_case'),
        ),
        migrations.AddConstraint(
            model_name='compensation',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='compensation_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='compensation',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'waiting'), models.Q(('state__in', ['in_progress', 'done']), models.Q(('payee_identity', ''), _negated=True), models.Q(('payee_identity_type', ''), _negated=True)), _connector='OR'), name='compensation_sent_to_somebody'),
        ),
        migrations.AddIndex(
            model_name='obligation',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['deposit', 'created_at'], name='obligation_open'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['compensation', 'penalty', 'breach'])), name='obligation_of_a_deduction'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('settled__gte', 0), ('settled__lte', models.F('amount'))), name='obligation_settled_within_amount'),
        ),
        migrations.AddConstraint(
            model_name='obligation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('settled__lt', models.F('amount')), ('state', 'open')), models.Q(('closed_at__isnull', False), ('settled', models.F('amount')), ('state', 'settled')), models.Q(('closed_at__isnull', False), ('settled__lt', models.F('amount')), ('state', 'waived')), _connector='OR'), name='obligation_state_fits'),
        ),
        migrations.AddIndex(
            model_name='proposal',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['proposed_at'], name='proposal_open'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['waive_obligation', 'release_refund', 'hold_refund', 'refund_by_hand', 'redirect_payout', 'settle_payout', 'correct_entry', 'book_movement'])), name='proposal_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'accepted', 'refused', 'withdrawn'])), name='proposal_state_known'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='proposal_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'book_movement'), models.Q(('kind', 'waive_obligation'), ('obligation__isnull', False)), models.Q(('kind', 'release_refund'), ('refund__isnull', False)), models.Q(('kind', 'hold_refund'), ('refund__isnull', False)), models.Q(('deposit__isnull', False), ('kind', 'refund_by_hand')), models.Q(('kind', 'redirect_payout'), ('payout__isnull', False)), models.Q(('kind', 'settle_payout'), ('payout__isnull', False)), models.Q(('entry__isnull', False), ('kind', 'correct_entry')), _connector='OR'), name='proposal_names_its_target'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='proposal_decided_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('proposed_by')), ('state', 'withdrawn')), models.Q(models.Q(('state', 'withdrawn'), _negated=True), models.Q(('decided_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='proposal_decided_by_another'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('obligation__isnull', False), ('state', 'open')), fields=('kind', 'obligation'), name='one_open_proposal_per_obligation'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('refund__isnull', False), ('state', 'open')), fields=('kind', 'refund'), name='one_open_proposal_per_refund'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('payout__isnull', False), ('state', 'open')), fields=('kind', 'payout'), name='one_open_proposal_per_payout'),
        ),
        migrations.AddConstraint(
            model_name='proposal',
            constraint=models.UniqueConstraint(condition=models.Q(('entry__isnull', False), ('state', 'open')), fields=('kind', 'entry'), name='one_open_proposal_per_entry'),
        ),
        migrations.AddIndex(
            model_name='topupdemand',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['due_at'], name='demand_due'),
        ),
        migrations.AddConstraint(
            model_name='topupdemand',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True)), fields=('deposit',), name='one_open_demand_per_deposit'),
        ),
        migrations.AddConstraint(
            model_name='topupdemand',
            constraint=models.CheckConstraint(condition=models.Q(('due_at__gte', models.F('opened_at'))), name='demand_due_after_opened'),
        ),
        migrations.AddConstraint(
            model_name='topupdemand',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('outcome', '')), models.Q(('closed_at__isnull', False), ('outcome__in', ['met', 'ended'])), _connector='OR'), name='demand_closed_with_outcome'),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='deposit',
            name='balances_equal_rows',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='ledgertransfer',
            name='balances_equal_rows',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='ledgertransfer',
            name='reversal_mirrors',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='paymentorder',
            name='begins_open',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='begins_queued',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='lawful_edges',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='fixed',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refund',
            name='begins_in_progress',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refund',
            name='lawful_edges',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='returnedpayment',
            name='begins_in_progress',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='returnedpayment',
            name='lawful_edges',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='deposit',
            trigger=pgtrigger.compiler.Trigger(name='balances_equal_rows', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF \n    EXISTS (\n        SELECT 1\n        FROM deposits_deposit d\n        CROSS JOIN LATERAL (\n            SELECT\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_available' THEN t.amount\n                                  WHEN t.debit = 'deposit_available' THEN -t.amount ELSE 0 END), 0) AS available,\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_frozen' THEN t.amount\n                                  WHEN t.debit = 'deposit_frozen' THEN -t.amount ELSE 0 END), 0) AS frozen\n            FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id\n        ) rows\n        CROSS JOIN LATERAL (\n            SELECT COALESCE(SUM(o.amount - o.settled), 0) AS owed\n            FROM deposits_obligation o WHERE o.deposit_id = d.id AND o.state = 'open'\n        ) debts\n        WHERE d.id = NEW.id\n          AND (d.available <> rows.available OR d.frozen <> rows.frozen OR d.owed <> debts.owed)\n    )\n THEN\n                RAISE EXCEPTION 'the balances of a deposit are not the sum of its rows' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='3bef0958a826748996ea1d3d362b00bf40202b61', operation='INSERT OR UPDATE', pgid='pgtrigger_balances_equal_rows_a706f', table='deposits_deposit', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgertransfer',
            trigger=pgtrigger.compiler.Trigger(name='balances_equal_rows', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF \n    EXISTS (\n        SELECT 1\n        FROM deposits_deposit d\n        CROSS JOIN LATERAL (\n            SELECT\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_available' THEN t.amount\n                                  WHEN t.debit = 'deposit_available' THEN -t.amount ELSE 0 END), 0) AS available,\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_frozen' THEN t.amount\n                                  WHEN t.debit = 'deposit_frozen' THEN -t.amount ELSE 0 END), 0) AS frozen\n            FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id\n        ) rows\n        CROSS JOIN LATERAL (\n            SELECT COALESCE(SUM(o.amount - o.settled), 0) AS owed\n            FROM deposits_obligation o WHERE o.deposit_id = d.id AND o.state = 'open'\n        ) debts\n        WHERE d.id = NEW.deposit_id\n          AND (d.available <> rows.available OR d.frozen <> rows.frozen OR d.owed <> debts.owed)\n    )\n THEN\n                RAISE EXCEPTION 'the balances of a deposit are not the sum of its rows' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='813b6e85523579b19f9f8d030799ed202d0af4fb', operation='INSERT', pgid='pgtrigger_balances_equal_rows_c49df', table='deposits_ledgertransfer', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgertransfer',
            trigger=pgtrigger.compiler.Trigger(name='reversal_mirrors', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (\n                    SELECT 1 FROM deposits_ledgertransfer t\n                    WHERE t.id = NEW.reverses_id AND t.debit = NEW.credit AND t.credit = NEW.debit\n                      AND t.amount = NEW.amount AND t.deposit_id IS NOT DISTINCT FROM NEW.deposit_id\n                ) THEN\n                RAISE EXCEPTION 'a reversal mirrors the row that it reverses' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='a7cb84eeb9ea00b7ab9febb300f40334afc7f75f', operation='INSERT', pgid='pgtrigger_reversal_mirrors_55c6c', table='deposits_ledgertransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgertransfer',
            trigger=pgtrigger.compiler.Trigger(name='corrected_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.kind = 'correction' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_proposal p\n                    WHERE p.id = NEW.proposal_id AND p.entry_id = NEW.reverses_id\n                      AND p.kind = 'correct_entry' AND p.state = 'accepted'\n                ) AND NOT EXISTS (\n                    SELECT 1 FROM deposits_ledgertransfer t\n                    JOIN deposits_deposit d ON d.id = t.deposit_id\n                    JOIN applications_transition m ON m.application_id = d.application_id\n                    WHERE t.id = NEW.reverses_id AND t.kind = 'forfeiture'\n                      AND m.name = 'overturn_expulsion' AND m.at >= t.at\n                ) THEN\n                RAISE EXCEPTION 'two people correct a ledger entry, or overturn an expulsion' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='5084c6b2687c11b68cd7da5935c62cbd620571e0', operation='INSERT', pgid='pgtrigger_corrected_by_two_0863d', table='deposits_ledgertransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgertransfer',
            trigger=pgtrigger.compiler.Trigger(name='booked_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.kind IN ('funding', 'withdrawal') AND NOT EXISTS (\n                    SELECT 1 FROM deposits_proposal p\n                    WHERE p.id = NEW.proposal_id AND p.kind = 'book_movement' AND p.state = 'accepted'\n                ) THEN\n                RAISE EXCEPTION 'two people book money that we put in or take out' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='90b7f96ae94098f3536c1a165075e7e3507c67f3', operation='INSERT', pgid='pgtrigger_booked_by_two_70f00', table='deposits_ledgertransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgertransfer',
            trigger=pgtrigger.compiler.Trigger(name='frozen_by_its_case', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n            IF NEW.debit = \'deposit_frozen\' AND NEW.kind <> \'correction\' AND (\n                    SELECT COALESCE(SUM(CASE WHEN t.credit = \'deposit_frozen\' THEN t.amount\n                                             WHEN t.debit = \'deposit_frozen\' THEN -t.amount ELSE 0 END), 0)\n                    FROM deposits_ledgertransfer t\n                    WHERE t.deposit_id = NEW.deposit_id AND t."case" = NEW."case"\n                ) < NEW.amount THEN\n                RAISE EXCEPTION \'a case gives up no more than it froze\' USING ERRCODE = \'check_violation\';\n            END IF;\n            RETURN NEW;\n        ', hash='8cfa4659d86ec13405604685200385df0b9eebbb', operation='INSERT', pgid='pgtrigger_frozen_by_its_case_059e6', table='deposits_ledgertransfer', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentorder',
            trigger=pgtrigger.compiler.Trigger(name='begins_open', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('open') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='5504b4506de1d2d8713c7ce06e7f76707b46888a', operation='INSERT', pgid='pgtrigger_begins_open_eb19a', table='deposits_paymentorder', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='begins_queued', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('queued', 'held') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='a8b3bd7bb37fb1a9b5e017acc249df9e72b8d820', operation='INSERT', pgid='pgtrigger_begins_queued_6a953', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{attention:done,attention:queued,attention:replaced,calling:attention,calling:dealing,calling:done,calling:queued,calling:replaced,dealing:calling,done:returned,held:queued,queued:calling,queued:held,returned:replaced}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='9c9ac455e129bc6f1ec8cf9632dba421276f9f2d', operation='UPDATE', pgid='pgtrigger_lawful_edges_a4a01', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."refund_id" IS DISTINCT FROM (NEW."refund_id") OR OLD."returned_id" IS DISTINCT FROM (NEW."returned_id") OR OLD."compensation_id" IS DISTINCT FROM (NEW."compensation_id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."method" IS DISTINCT FROM (NEW."method") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."payee_identity" IS DISTINCT FROM (NEW."payee_identity") OR OLD."payee_name" IS DISTINCT FROM (NEW."payee_name") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5e5e593449a5ef103406c2ef66fca650cb7f86b8', operation='UPDATE', pgid='pgtrigger_fixed_893ef', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='released_with_its_refund', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'held' AND NEW.state <> 'held' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_refund r WHERE r.id = NEW.refund_id AND r.state = 'in_progress'\n                ) THEN\n                RAISE EXCEPTION 'a leg of a refund that is held stays held' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='a782421afdc142784a1582dc4755e7a215f494c5', operation='UPDATE', pgid='pgtrigger_released_with_its_refund_0f7cc', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='decided_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state IN ('attention', 'returned') AND NEW.state IN ('done', 'replaced') AND NOT EXISTS (\n                    SELECT 1 FROM deposits_proposal p\n                    WHERE p.payout_id = NEW.id AND p.state = 'accepted'\n                      AND p.kind IN ('settle_payout', 'redirect_payout')\n                ) THEN\n                RAISE EXCEPTION 'two people decide what becomes of a payout that did not go' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='10267850d28d4b419b06e996b8f29b942e758e9d', operation='UPDATE', pgid='pgtrigger_decided_by_two_a6ae8', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='begins_in_progress', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('in_progress', 'held') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='f9c600da1bff6af8a258c44c0607870abd73807a', operation='INSERT', pgid='pgtrigger_begins_in_progress_1dc7e', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{done:in_progress,held:in_progress,in_progress:done,in_progress:held}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='21c6d76a78626b622fa17fd66d33f8ee68de2f98', operation='UPDATE', pgid='pgtrigger_lawful_edges_14a9a', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='released_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'held' AND NEW.state <> 'held' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_proposal p\n                    WHERE p.refund_id = NEW.id AND p.kind = 'release_refund' AND p.state = 'accepted'\n                ) THEN\n                RAISE EXCEPTION 'two people release a refund that is held' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='ea4956f8c5ef2f7c14144894447d46f166eb496e', operation='UPDATE', pgid='pgtrigger_released_by_two_d775f', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnedpayment',
            trigger=pgtrigger.compiler.Trigger(name='begins_in_progress', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('in_progress') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='b022dab2d619166afd9b4c0f060d8a2114be142e', operation='INSERT', pgid='pgtrigger_begins_in_progress_8f0a6', table='deposits_returnedpayment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnedpayment',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{done:in_progress,in_progress:done}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e291c419d9e969ebd168f5998bdfb945b8f25cd8', operation='UPDATE', pgid='pgtrigger_lawful_edges_3f033', table='deposits_returnedpayment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountchange',
            trigger=pgtrigger.compiler.Trigger(name='begins_requested', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('requested') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='35ca02d6b1af128e0a1f33bca2c81bd9e90c7afb', operation='INSERT', pgid='pgtrigger_begins_requested_ff59f', table='deposits_accountchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountchange',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{checked:cancelled,checked:cooling,checked:refused,cooling:cancelled,cooling:done,cooling:refused,requested:cancelled,requested:checked,requested:refused}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='fc6772da05114183d3f3ba6d40cef25725b95dd1', operation='UPDATE', pgid='pgtrigger_lawful_edges_be3ca', table='deposits_accountchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountchange',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."application_id" IS DISTINCT FROM (NEW."application_id") OR OLD."old_account_id" IS DISTINCT FROM (NEW."old_account_id") OR OLD."new_account_id" IS DISTINCT FROM (NEW."new_account_id") OR OLD."evidence" IS DISTINCT FROM (NEW."evidence") OR OLD."evidence_sha256" IS DISTINCT FROM (NEW."evidence_sha256") OR OLD."requested_by_id" IS DISTINCT FROM (NEW."requested_by_id") OR OLD."requested_at" IS DISTINCT FROM (NEW."requested_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c3ce490011a1d3c655eabbb20cb04b69236dcc4e', operation='UPDATE', pgid='pgtrigger_fixed_9226a', table='deposits_accountchange', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='begins_waiting', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('waiting') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='7f487e1fd5bcc87e52b470ea2d5bce1407f7dfbf', operation='INSERT', pgid='pgtrigger_begins_waiting_0e33d', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{done:in_progress,in_progress:done,waiting:in_progress}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='c8457c48e50a486cb2129b7db5338acf3507229a', operation='UPDATE', pgid='pgtrigger_lawful_edges_78679', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deposit_id" IS DISTINCT FROM (NEW."deposit_id") OR OLD."case" IS DISTINCT FROM (NEW."case") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."entry_id" IS DISTINCT FROM (NEW."entry_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='45fa3fac86263a4799504cce24e2ab12bbb864d6', operation='UPDATE', pgid='pgtrigger_fixed_69f3d', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='begins_open', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('open') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='67a1db77fd02772813af9e37f95d1afcd040fa62', operation='INSERT', pgid='pgtrigger_begins_open_cdadb', table='deposits_obligation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:settled,open:waived}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='f9364ce67e81a5bd063e24d30897da9d4cf98970', operation='UPDATE', pgid='pgtrigger_lawful_edges_53b73', table='deposits_obligation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deposit_id" IS DISTINCT FROM (NEW."deposit_id") OR OLD."case" IS DISTINCT FROM (NEW."case") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='eee71a38d14344335d09acb2a8d9dfdae4c536ee', operation='UPDATE', pgid='pgtrigger_fixed_8fc67', table='deposits_obligation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='never_unsettled', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.settled < OLD.settled THEN\n                RAISE EXCEPTION 'what was settled stays settled' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='252e1bcc83d15675282333fb00bd725c1b3cd4df', operation='UPDATE', pgid='pgtrigger_never_unsettled_ba184', table='deposits_obligation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='waived_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'waived' AND OLD.state <> 'waived' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_proposal p\n                    WHERE p.obligation_id = NEW.id AND p.kind = 'waive_obligation' AND p.state = 'accepted'\n                ) THEN\n                RAISE EXCEPTION 'two people waive an obligation' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='bcb5c74c4bb9a65b416eec8203a719fd65a17923', operation='UPDATE', pgid='pgtrigger_waived_by_two_79f78', table='deposits_obligation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='obligation',
            trigger=pgtrigger.compiler.Trigger(name='balances_equal_rows', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF \n    EXISTS (\n        SELECT 1\n        FROM deposits_deposit d\n        CROSS JOIN LATERAL (\n            SELECT\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_available' THEN t.amount\n                                  WHEN t.debit = 'deposit_available' THEN -t.amount ELSE 0 END), 0) AS available,\n                COALESCE(SUM(CASE WHEN t.credit = 'deposit_frozen' THEN t.amount\n                                  WHEN t.debit = 'deposit_frozen' THEN -t.amount ELSE 0 END), 0) AS frozen\n            FROM deposits_ledgertransfer t WHERE t.deposit_id = d.id\n        ) rows\n        CROSS JOIN LATERAL (\n            SELECT COALESCE(SUM(o.amount - o.settled), 0) AS owed\n            FROM deposits_obligation o WHERE o.deposit_id = d.id AND o.state = 'open'\n        ) debts\n        WHERE d.id = NEW.deposit_id\n          AND (d.available <> rows.available OR d.frozen <> rows.frozen OR d.owed <> debts.owed)\n    )\n THEN\n                RAISE EXCEPTION 'the balances of a deposit are not the sum of its rows' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='2fad79b84ec8459dcef7a5a40c2f8910a1baedb8', operation='INSERT OR UPDATE', pgid='pgtrigger_balances_equal_rows_4bbdc', table='deposits_obligation', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='begins_open', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state NOT IN ('open') AND NOT EXISTS (\n                SELECT 1 FROM pg_catalog.pg_class c\n                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n                WHERE c.oid = TG_RELID AND r.rolname = current_user\n            ) THEN\n                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='8732f5908cb27739559a17cfd7a4afc78ee63e8b', operation='INSERT', pgid='pgtrigger_begins_open_2decc', table='deposits_proposal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='lawful_edges', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{open:accepted,open:refused,open:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cf4af7f10e35391694dae973d12d81d57bd45513', operation='UPDATE', pgid='pgtrigger_lawful_edges_7bebe', table='deposits_proposal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='proposal',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."deposit_id" IS DISTINCT FROM (NEW."deposit_id") OR OLD."obligation_id" IS DISTINCT FROM (NEW."obligation_id") OR OLD."refund_id" IS DISTINCT FROM (NEW."refund_id") OR OLD."payout_id" IS DISTINCT FROM (NEW."payout_id") OR OLD."entry_id" IS DISTINCT FROM (NEW."entry_id") OR OLD."details" IS DISTINCT FROM (NEW."details") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='811e8a2618e945f218971699b5c3c6d4c73043df', operation='UPDATE', pgid='pgtrigger_fixed_bfb3b', table='deposits_proposal', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='topupdemand',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deposit_id" IS DISTINCT FROM (NEW."deposit_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='02c2ec1593dc6195b56a835e92993fcd0b8b0ea1', operation='UPDATE', pgid='pgtrigger_fixed_57697', table='deposits_topupdemand', when='BEFORE')),
        ),
    ]
