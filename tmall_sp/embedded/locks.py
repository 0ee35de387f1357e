"""File locks between processes. The kernel drops them with the process, so a kill -9 leaves none behind."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class FileLock:
    """One process's view of a lock file. Forked children share it; started programs don't."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab")

    def share(self) -> None:
        """Wait for a place beside other sharers."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def take(self) -> None:
        """Wait until nobody else holds it, and hold it alone."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def try_take(self) -> bool:
        """Hold it alone if nobody else holds it. A share held before is lost when this fails."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait for the lock, and hold it for the block."""
    lock = FileLock(path)
    try:
        lock.take()
        yield
    finally:
        lock.close()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock at this moment."""
    lock = FileLock(path)
    try:
        return not lock.try_take()
    finally:
        lock.close()
