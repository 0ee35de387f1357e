"""Tests as the application: migrations and flushes run as the owner, everything else as `tmall_sp_app`."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_owners = 0


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


def _become_application(sender: type, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if not _owners and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {settings.APP_ROLE}")


def _set_role(role: str) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute(f"SET ROLE {role}")
