"""Where a row with a state begins."""

import pgtrigger


def begins_in(*states: str) -> pgtrigger.Trigger:
    """The trigger that lets the application's role INSERT in these states only.

    The owner role, which loads histories, may begin elsewhere.
    """
    allowed = ", ".join(f"'{state}'" for state in states)
    return pgtrigger.Trigger(
        name=f"begins_{states[0]}",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        func=f"""
            IF NEW.state NOT IN ({allowed}) AND NOT EXISTS (
                SELECT 1 FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                WHERE c.oid = TG_RELID AND r.rolname = current_user
            ) THEN
                RAISE EXCEPTION '% does not begin in state %', TG_TABLE_NAME, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """,  # noqa: S608 -- the states are words of our own
    )
