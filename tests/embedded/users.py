"""Other processes that use embedded servers, and questions about what runs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tmall_sp.embedded import environment, processes

PROGRAM = """
import sys
from pathlib import Path
from tmall_sp.embedded import services
with services.running(Path(sys.argv[1]), servers=sys.argv[2].split(","), throw_away=True):
    print("up", flush=True)
    sys.stdin.read()
print("down", flush=True)
"""


class User:
    """A process that uses servers until its input is closed."""

    def __init__(self, run_dir: Path, servers: str, environ: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(run_dir), servers],
            cwd=environment.PROJECT,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until_up(self) -> None:
        assert self.process.stdout is not None and self.process.stderr is not None
        if self.process.stdout.readline() != "up\n":
            raise AssertionError(self.process.stderr.read())

    def leave(self) -> None:
        output, errors = self.process.communicate(timeout=60)
        assert output == "down\n", errors

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@contextlib.contextmanager
def user(run_dir: Path, servers: str = "redis", environ: dict[str, str] | None = None) -> Iterator[User]:
    """A user that has its servers; killed at the end if it has not left."""
    started = User(run_dir, servers, environ)
    try:
        started.wait_until_up()
        yield started
    finally:
        if started.process.poll() is None:
            started.kill()


def processes_of(run_dir: Path) -> list[str]:
    """The command lines of living processes that name this RUN_DIR, other than this one."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        line = processes.command_line(int(entry.name))
        if str(run_dir) in line and int(entry.name) != os.getpid():
            found.append(line)
    return found


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Fail when it does not become true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)
