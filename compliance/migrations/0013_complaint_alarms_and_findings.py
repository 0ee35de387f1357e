"""When a complaint is looked at next, what each of its steps found, and who can never decide it."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0007_rule_of_suspensions"),
        ("compliance", "0012_rules_of_ratings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="complaint",
            name="fixed",
        ),
        migrations.AddField(
            model_name="complaint",
            name="alarm_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        # Cases that are open already are looked at from their next deadline on.
        migrations.RunSQL(
            "UPDATE compliance_complaint SET alarm_at = due_at WHERE due_at IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="complaintstep",
            name="award",
            field=models.DecimalField(
                blank=True, decimal_places=2, max_digits=12, null=True, verbose_name="award"
            ),
        ),
        migrations.AddField(
            model_name="complaintstep",
            name="liability",
            field=models.CharField(
                blank=True,
                choices=[
                    ("liable", "the provider is liable"),
                    ("shared", "liability is shared"),
                    ("not_liable", "the provider is not liable"),
                ],
                max_length=10,
                verbose_name="finding",
            ),
        ),
        migrations.AddIndex(
            model_name="complaint",
            index=models.Index(
                condition=models.Q(("alarm_at__isnull", False)), fields=["alarm_at"], name="complaint_alarm"
            ),
        ),
        migrations.AddIndex(
            model_name="complaint",
            index=models.Index(fields=["complainant", "filed_at"], name="complaint_of_complainant"),
        ),
        migrations.AddConstraint(
            model_name="complaint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by__isnull", True),
                        ("complainant__isnull", True),
                        models.Q(("decided_by", models.F("complainant")), _negated=True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("decided_by__isnull", True),
                        ("entered_by__isnull", True),
                        models.Q(("decided_by", models.F("entered_by")), _negated=True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("appeal_decided_by__isnull", True),
                        ("complainant__isnull", True),
                        models.Q(("appeal_decided_by", models.F("complainant")), _negated=True),
                        _connector="OR",
                    ),
                    models.Q(
                        ("appeal_decided_by__isnull", True),
                        ("entered_by__isnull", True),
                        models.Q(("appeal_decided_by", models.F("entered_by")), _negated=True),
                        _connector="OR",
                    ),
                ),
                name="complaint_decided_by_nobody_of_it",
            ),
        ),
        migrations.AddConstraint(
            model_name="complaint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("appeal_decided_by__isnull", True),
                        ("appealed_at__isnull", True),
                        ("appealed_side", ""),
                    ),
                    models.Q(
                        models.Q(
                            models.Q(("appeal_decided_by__isnull", True), ("state__in", ["appealed"])),
                            models.Q(("appeal_decided_by__isnull", False), ("state", "final")),
                            _connector="OR",
                        ),
                        ("appealed_at__isnull", False),
                        ("appealed_side__in", ["complainant", "provider"]),
                        models.Q(("appeal_text", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="complaint_appeal_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="complaint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "appealed"), _negated=True),
                    models.Q(("appealed_side", ""), _negated=True),
                    _connector="OR",
                ),
                name="complaint_appealed_by_a_side",
            ),
        ),
        migrations.AddConstraint(
            model_name="complaint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("appeal_decided_by__isnull", True),
                    models.Q(
                        ("appeal_decided_at__isnull", False), models.Q(("appeal_reason", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="complaint_appeal_decision_has_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="complaint",
            trigger=pgtrigger.compiler.Trigger(
                name="fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."application_id" IS DISTINCT FROM (NEW."application_id") OR OLD."relation" IS DISTINCT FROM (NEW."relation") OR OLD."complainant_id" IS DISTINCT FROM (NEW."complainant_id") OR OLD."complainant_name" IS DISTINCT FROM (NEW."complainant_name") OR OLD."entered_by_id" IS DISTINCT FROM (NEW."entered_by_id") OR OLD."served_shop_id" IS DISTINCT FROM (NEW."served_shop_id") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."order_number" IS DISTINCT FROM (NEW."order_number") OR OLD."order_value" IS DISTINCT FROM (NEW."order_value") OR OLD."question_id" IS DISTINCT FROM (NEW."question_id") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."claimed" IS DISTINCT FROM (NEW."claimed") OR OLD."filed_at" IS DISTINCT FROM (NEW."filed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="982b280bc481c4c623c7732fbcd1319d56b498ac",
                    operation="UPDATE",
                    pgid="pgtrigger_fixed_6f548",
                    table="compliance_complaint",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="complaint",
            trigger=pgtrigger.compiler.Trigger(
                name="not_by_who_admitted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                    SELECT 1 FROM applications_application a WHERE a.id = NEW.application_id\n                      AND a.approved_by_id IN (NEW.decided_by_id, NEW.appeal_decided_by_id)\n                ) THEN\n                RAISE EXCEPTION 'who admitted the company decides none of its complaints' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="2bd3e97beb5b9d0b08c1d4bf5ec4958f566f9b65",
                    operation="UPDATE",
                    pgid="pgtrigger_not_by_who_admitted_25bb6",
                    table="compliance_complaint",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="complaint",
            trigger=pgtrigger.compiler.Trigger(
                name="closed_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF OLD.closed_at IS NOT NULL AND (NEW.liability, NEW.award, NEW.decided_by_id, NEW.appealed_side, NEW.appeal_decided_by_id, NEW.closed_at) IS DISTINCT FROM (OLD.liability, OLD.award, OLD.decided_by_id, OLD.appealed_side, OLD.appeal_decided_by_id, OLD.closed_at) THEN\n                RAISE EXCEPTION 'money has moved on this finding: it stays' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="9b19f4b296c9280093fa2e0566628b3ef09badf3",
                    operation="UPDATE",
                    pgid="pgtrigger_closed_for_good_80938",
                    table="compliance_complaint",
                    when="BEFORE",
                ),
            ),
        ),
    ]
