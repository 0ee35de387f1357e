"""Tables that only grow: history, evidence, money.

Two guards, each enough alone: a trigger refuses UPDATE and DELETE to everybody, and the
application's database role has no right to UPDATE, DELETE or TRUNCATE.
"""

from typing import Any

import pgtrigger
from django.conf import settings
from django.db import connections, migrations


def protect() -> pgtrigger.Protect:
    """The trigger, for `Meta.triggers` of an append-only model."""
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


def revoke_writes(*tables: str) -> migrations.RunSQL:
    """The migration operation that takes the writing rights from the application's role."""
    names = ", ".join(tables)
    return migrations.RunSQL(
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {names} FROM {settings.APP_ROLE}",
        f"GRANT UPDATE, DELETE ON {names} TO {settings.APP_ROLE}",
    )


def forbid_ignoring_triggers(using: str, **kwargs: Any) -> None:
    """Take away pgtrigger's switch: any role could set `pgtrigger.ignore` and pass every trigger by.

    After each migrate, because installing a trigger makes the function anew.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name)"
            " RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false'"
        )
