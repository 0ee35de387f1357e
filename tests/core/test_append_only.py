"""No setting of a session passes the triggers by."""

import pytest
from django.db import DatabaseError, connection, transaction

from applications.models import Application

SWITCH_OFF = """
    SELECT set_config('pgtrigger.ignore',
        (SELECT array_agg(tgname::text)::text FROM pg_trigger WHERE tgname LIKE 'pgtrigger%'), true)
"""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE applications_application SET state = 'active'",
        "UPDATE applications_transition SET name = 'x'",
        "UPDATE core_ruleversion SET value = '1'",
    ],
)
def test_the_application_cannot_switch_the_triggers_off(draft: Application, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SWITCH_OFF)
        cursor.execute(statement)
