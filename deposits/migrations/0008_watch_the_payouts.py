"""What a bank may return, what Alipay said, and guards: held and released by two, done as its legs and the ledger say."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('deposits', '0007_payment_reminders'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='fixed',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payout',
            name='released_with_its_refund',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='refund',
            name='released_by_two',
        ),
        migrations.AddField(
            model_name='payout',
            name='asked_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='asked'),
        ),
        migrations.AddField(
            model_name='payout',
            name='last_answer',
            field=models.CharField(blank=True, db_default='', max_length=200, verbose_name="in Alipay's words"),
        ),
        migrations.AddField(
            model_name='payout',
            name='unpaid_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='surely not executed since'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='payee_is_named_once', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state <> 'waiting' AND (\n                    (NEW.payee_identity, NEW.payee_identity_type, NEW.payee_name)\n                    IS DISTINCT FROM (OLD.payee_identity, OLD.payee_identity_type, OLD.payee_name)\n                ) THEN\n                RAISE EXCEPTION 'the payee of a compensation under way stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='42b8d75e6104a228ebb9a5c5823f8ed70ac89ebd', operation='UPDATE', pgid='pgtrigger_payee_is_named_once_09e91', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='done_with_its_legs', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'done' AND OLD.state <> 'done' AND (\n                EXISTS (SELECT 1 FROM deposits_payout p WHERE p.compensation_id = NEW.id AND p.state NOT IN ('done', 'replaced')) OR NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.compensation_id = NEW.id AND p.state = 'done')\n            ) THEN\n                RAISE EXCEPTION 'it is done once all of its payouts are' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='63e0075cb7b46303d09c21ed5fdf11b2127b9b27', operation='UPDATE', pgid='pgtrigger_done_with_its_legs_8d711', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='compensation',
            trigger=pgtrigger.compiler.Trigger(name='reopened_by_a_return', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'done' AND NEW.state <> 'done' AND NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.compensation_id = NEW.id AND p.state = 'returned') THEN\n                RAISE EXCEPTION 'what is done is reopened only when a bank returns it' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='351537d6f47cc8dcb6a2482b5bf1e19418e997cf', operation='UPDATE', pgid='pgtrigger_reopened_by_a_return_21dc7', table='deposits_compensation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."refund_id" IS DISTINCT FROM (NEW."refund_id") OR OLD."returned_id" IS DISTINCT FROM (NEW."returned_id") OR OLD."compensation_id" IS DISTINCT FROM (NEW."compensation_id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."method" IS DISTINCT FROM (NEW."method") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."payee_identity" IS DISTINCT FROM (NEW."payee_identity") OR OLD."payee_identity_type" IS DISTINCT FROM (NEW."payee_identity_type") OR OLD."payee_name" IS DISTINCT FROM (NEW."payee_name") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b8102b9da2a7fe441d88e89e33cb114b8f3ddb6d', operation='UPDATE', pgid='pgtrigger_fixed_893ef', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='held_with_its_refund', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state <> 'held' AND EXISTS (\n                    SELECT 1 FROM deposits_refund r WHERE r.id = NEW.refund_id AND r.state = 'held'\n                ) THEN\n                RAISE EXCEPTION 'a leg of a refund that is held stays held' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='58d46ee9c172f54949f19e128fb757b9a6ab546b', operation='INSERT OR UPDATE', pgid='pgtrigger_held_with_its_refund_16e61', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='held_before_the_first_attempt', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'held' AND OLD.state <> 'held' AND NEW.attempts > 0 THEN\n                RAISE EXCEPTION 'what a worker has claimed is held no more' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='aa9c41ba3737cbf88c5d30414fb1bf9d4f14aab9', operation='UPDATE', pgid='pgtrigger_held_before_the_first_attempt_cb154', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='replaced_when_surely_unpaid', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'attention' AND NEW.state = 'replaced' AND NEW.unpaid_at IS NULL THEN\n                RAISE EXCEPTION 'Alipay may still execute this payout' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='07f5179e81b19db22c8129186941badc889264d1', operation='UPDATE', pgid='pgtrigger_replaced_when_surely_unpaid_6e437', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='replaced_by_its_amount', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF EXISTS (\n                    SELECT 1 FROM deposits_payout p\n                    WHERE p.id IN (NEW.id, NEW.replaces_id)\n                      AND COALESCE((SELECT SUM(r.amount) FROM deposits_payout r WHERE r.replaces_id = p.id), 0)\n                          <> CASE p.state WHEN 'replaced' THEN p.amount ELSE 0 END\n                ) THEN\n                RAISE EXCEPTION 'what replaces a payout is of the same amount' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='8c99f49d17843b32b56734df76a92101aef4d038', operation='INSERT OR UPDATE', pgid='pgtrigger_replaced_by_its_amount_41820', table='deposits_payout', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='done_is_booked', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n            IF NEW.state = 'done' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_ledgertransfer t\n                    WHERE t.payout_id = NEW.id AND t.credit = 'alipay_cash' AND t.amount = NEW.amount\n                ) THEN\n                RAISE EXCEPTION 'a payout that is done stands in the ledger' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NULL;\n        ", hash='b8fac34637c98d6e5ab937712f092447f3fd87b0', operation='INSERT OR UPDATE', pgid='pgtrigger_done_is_booked_458db', table='deposits_payout', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payout',
            trigger=pgtrigger.compiler.Trigger(name='return_is_booked', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'returned' AND OLD.state <> 'returned' AND NOT EXISTS (\n                    SELECT 1 FROM deposits_ledgertransfer t\n                    WHERE t.payout_id = NEW.id AND t.kind = 'bank_return' AND t.amount = NEW.amount\n                ) THEN\n                RAISE EXCEPTION 'a payout that came back stands in the ledger' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='59fc3f7b30031adfbc277e213c1548f03cb50c7d', operation='UPDATE', pgid='pgtrigger_return_is_booked_34929', table='deposits_payout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='held_and_released_by_two', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF (OLD.state = 'held') <> (NEW.state = 'held') AND (\n                    SELECT p.kind FROM deposits_proposal p\n                    WHERE p.refund_id = NEW.id AND p.state = 'accepted'\n                      AND p.kind IN ('release_refund', 'hold_refund')\n                    ORDER BY p.decided_at DESC, p.id DESC LIMIT 1\n                ) IS DISTINCT FROM (CASE NEW.state WHEN 'held' THEN 'hold_refund' ELSE 'release_refund' END) THEN\n                RAISE EXCEPTION 'two people hold a refund, and two release it' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='0d9ff53a96e32f35870b5faa89470df14b2cc008', operation='UPDATE', pgid='pgtrigger_held_and_released_by_two_86485', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='done_with_its_legs', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'done' AND OLD.state <> 'done' AND (\n                EXISTS (SELECT 1 FROM deposits_payout p WHERE p.refund_id = NEW.id AND p.state NOT IN ('done', 'replaced')) OR NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.refund_id = NEW.id AND p.state = 'done')\n            ) THEN\n                RAISE EXCEPTION 'it is done once all of its payouts are' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='fe1ce9058c79973e931cefea5567c494b73d2e72', operation='UPDATE', pgid='pgtrigger_done_with_its_legs_94aa1', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='reopened_by_a_return', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'done' AND NEW.state <> 'done' AND NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.refund_id = NEW.id AND p.state = 'returned') THEN\n                RAISE EXCEPTION 'what is done is reopened only when a bank returns it' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='1cd5812714c6f3751c19700e8adb2b350c69e594', operation='UPDATE', pgid='pgtrigger_reopened_by_a_return_67362', table='deposits_refund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnedpayment',
            trigger=pgtrigger.compiler.Trigger(name='done_with_its_legs', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.state = 'done' AND OLD.state <> 'done' AND (\n                EXISTS (SELECT 1 FROM deposits_payout p WHERE p.returned_id = NEW.id AND p.state NOT IN ('done', 'replaced')) OR NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.returned_id = NEW.id AND p.state = 'done')\n            ) THEN\n                RAISE EXCEPTION 'it is done once all of its payouts are' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='575d48a843f0b01a8939e36258b96cdbaf1dec96', operation='UPDATE', pgid='pgtrigger_done_with_its_legs_e01c1', table='deposits_returnedpayment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnedpayment',
            trigger=pgtrigger.compiler.Trigger(name='reopened_by_a_return', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.state = 'done' AND NEW.state <> 'done' AND NOT EXISTS (SELECT 1 FROM deposits_payout p WHERE p.returned_id = NEW.id AND p.state = 'returned') THEN\n                RAISE EXCEPTION 'what is done is reopened only when a bank returns it' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='54ef1cf13dcf26757e82796f6c77eba804b07d27', operation='UPDATE', pgid='pgtrigger_reopened_by_a_return_ac136', table='deposits_returnedpayment', when='BEFORE')),
        ),
    ]
