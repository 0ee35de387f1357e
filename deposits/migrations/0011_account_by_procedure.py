"""The database asks for the procedure's row before a membership gets another account.

The table is that of `applications`, which knows nothing of the procedure; so this is SQL, not a trigger of a model.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION deposits_account_by_procedure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM deposits_accountchange c
        WHERE c.application_id = NEW.id
            AND c.state = 'cooling'
            AND c.old_account_id = OLD.alipay_account_id
            AND c.new_account_id = NEW.alipay_account_id
    ) THEN
        RAISE EXCEPTION 'the bound account changes by its procedure only' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER account_by_procedure
BEFORE UPDATE OF alipay_account_id ON applications_application
FOR EACH ROW WHEN (
    OLD.alipay_account_id IS DISTINCT FROM NEW.alipay_account_id
    AND OLD.state NOT IN ('created', 'shop_unqualified', 'shop_verified', 'changes_requested')
)
EXECUTE FUNCTION deposits_account_by_procedure();
"""

DROP = """
DROP TRIGGER account_by_procedure ON applications_application;
DROP FUNCTION deposits_account_by_procedure();
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0010_account_change_decided_once")]

    operations = [migrations.RunSQL(CREATE, DROP)]
