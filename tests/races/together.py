"""Several people, or a person and the system, at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.test import Client

from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do each in a thread of its own, all released at once: what it gives, or the code of the refusal.

    Any other exception fails the test.
    """
    gate = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)
    failures: list[Exception] = []

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(timeout=30)
            outcomes[place] = act()
        except DomainError as refusal:
            outcomes[place] = refusal.code
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other"
    if failures:
        raise failures[0]
    return outcomes


def posting(person: User, path: str, **data: Any) -> Callable[[], int]:
    """The person's browser sends a form: the status of the answer. What a page can't say is a 500."""
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return lambda: client.post(path, data).status_code
