"""Where a row with a state begins."""

import pgtrigger


def begins_in(state: str) -> pgtrigger.Trigger:
    """The trigger that lets the application's role INSERT in this state only.

    The owner role, which loads histories, may begin elsewhere.
    """
    return pgtrigger.Trigger(
        name=f"begins_{state}",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        func=f"""
            IF NEW.state <> '{state}' AND NOT EXISTS (
                SELECT 1 FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                WHERE c.oid = TG_RELID AND r.rolname = current_user
            ) THEN
                RAISE EXCEPTION '% begins in state {state}, not %', TG_TABLE_NAME, NEW.state
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """,  # noqa: S608 -- the state is a word of our own
    )
