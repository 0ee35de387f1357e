"""Sends work to Celery without depending on it.

Every job is a row first (a queued mail, check or refund). Publishing its id only makes it start
sooner; a beat sweep finds the row anyway. So a broker that is down or hangs fails no request.
"""

import logging
import time
from functools import partial
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction
from kombu import Connection

logger = logging.getLogger(__name__)

# After a failed publish the broker is left alone for this long, so that one hung Redis
# costs a process one time-out and not one for each request.
PAUSE_SECONDS = 10.0
PUBLISH_TIMEOUT_SECONDS = 1.0

_paused_until = 0.0


def enqueue(task: Task, *args: int) -> None:
    """Publish `task(*args)` once the running transaction has committed; errors are logged only.

    Args are ids of committed rows, never values.
    """
    transaction.on_commit(partial(_publish, task, *args), robust=True)


def _publish(task: Task, *args: Any) -> None:
    global _paused_until
    if time.monotonic() < _paused_until:
        return
    try:
        with _connection() as connection:
            task.apply_async(args=args, connection=connection, retry=False)
    except Exception as error:
        _paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("Could not publish %s%r, the sweep will do it: %r", task.name, args, error)


def _connection() -> Connection:
    """A connection of its own: the worker's must wait long for news, a request's must not."""
    options = {
        **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        "socket_timeout": PUBLISH_TIMEOUT_SECONDS,
        "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS,
        "max_retries": 0,
    }
    return Connection(settings.CELERY_BROKER_URL, transport_options=options)
