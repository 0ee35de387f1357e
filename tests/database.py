"""Tests as the application: migrations and flushes run as the owner, everything else as `tmall_sp_app`."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models import Model

# What migrations load (rules, the programme's text) and a transactional test's flush takes away.
REFERENCE_MODELS = ("core.RuleVersion", "applications.Agreement", "compliance.QuestionCode")

_owners = 0
_reference_rows: list[Model] = []


@contextlib.contextmanager
def application_role() -> Iterator[None]:
    """New connections have the application's rights inside the block."""
    connections.close_all()
    connection_created.connect(_become_application)
    try:
        yield
    finally:
        connection_created.disconnect(_become_application)
        connections.close_all()


@contextlib.contextmanager
def owner_role() -> Iterator[None]:
    """This thread's connections have the owner's rights inside the block, for what production never does."""
    global _owners
    _owners += 1
    try:
        _set_role("NONE")
        yield
    finally:
        _owners -= 1
        if not _owners:
            _set_role(settings.APP_ROLE)


def remember_reference_rows() -> None:
    """Keep what the migrations loaded, once the test database is made."""
    for name in REFERENCE_MODELS:
        _reference_rows.extend(apps.get_model(name)._default_manager.all())


def restore_reference_rows() -> None:
    """Load it again after a flush."""
    for row in _reference_rows:
        if not type(row)._default_manager.filter(pk=row.pk).exists():
            row.save(force_insert=True)


def _become_application(sender: type, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if not _owners and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {settings.APP_ROLE}")


def _set_role(role: str) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {role}")
