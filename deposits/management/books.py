"""What the commands about money need first."""

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError, connection, models


def require_tables(model: type[models.Model]) -> None:
    """CommandError where the database was never migrated: a fresh one lacks even the role that we connect as."""
    try:
        tables = connection.introspection.table_names()
    except OperationalError as error:
        if settings.APP_ROLE not in str(error):
            raise
        tables = []
    if model._meta.db_table not in tables:
        raise CommandError("There are no books yet: run `manage.py migrate` first.")
