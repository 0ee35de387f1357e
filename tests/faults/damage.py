"""What a test breaks, counted, and made whole again after it."""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterator

import psycopg2

from tests.stack import Stack


class Damage:
    """Breaks parts of a stack. `done` counts what was broken; `repair` makes all of it whole."""

    def __init__(self, stack: Stack) -> None:
        self.done: Counter[str] = Counter()
        self._stack = stack
        self._dead: set[str] = set()
        self._frozen: set[str] = set()

    def kill(self, part: str) -> None:
        """SIGKILL to a part and all its children."""
        self._stack.kill(part)
        self._dead.add(part)
        self.done[f"{part} killed"] += 1

    def kill_children(self, part: str) -> None:
        """SIGKILL to a part's children alone, as when memory runs out."""
        children = self._stack.children_of(part)
        assert children
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        self.done[f"{part}'s children killed"] += 1

    def start(self, part: str, *, wait: bool = True) -> None:
        self._stack.start(part, wait=wait)
        self._dead.discard(part)

    def freeze(self, part: str) -> None:
        """It accepts connections, but never answers."""
        self._stack.signal(part, signal.SIGSTOP)
        self._frozen.add(part)
        self.done[f"{part} frozen"] += 1

    def thaw(self, part: str) -> None:
        self._stack.signal(part, signal.SIGCONT)
        self._frozen.discard(part)

    # Redis

    def kill_redis(self) -> None:
        """Redis is gone, with everything in it."""
        self._stack.kill_redis()
        self._dead.add("redis")
        self.done["redis killed"] += 1

    def start_redis(self) -> None:
        self._stack.start_redis()
        self._dead.discard("redis")

    def freeze_redis(self) -> None:
        self._stack.freeze_redis()
        self._frozen.add("redis")
        self.done["redis frozen"] += 1

    def thaw_redis(self) -> None:
        self._stack.thaw_redis()
        self._frozen.discard("redis")

    # The database

    def cut_connections(self) -> int:
        """The database ends every connection but this one; how many there were."""
        rows = self._stack.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self.done["connections cut"] += 1
        return len(rows)

    @contextlib.contextmanager
    def table_locked(self, table: str) -> Iterator[None]:
        """Whoever reads or writes the table inside the block waits for its end."""
        connection = psycopg2.connect(self._stack.environ["DATABASE_URL"])
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            self.done["table locked"] += 1
            yield
        finally:
            connection.close()

    # Afterwards

    def repair(self) -> None:
        """Start and thaw what the test has left broken, and let the sandbox behave."""
        if "redis" in self._frozen:
            self.thaw_redis()
        if "redis" in self._dead:
            self.start_redis()
        for part in [*self._frozen]:
            self.thaw(part)
        for part in [*self._dead]:
            self.start(part)
        self._stack.sandbox.clear_faults()
