"""The embedded servers while somebody uses them: the first user starts them, the last one stops them.

Each server has a keeper (see keeper.py), a process that starts it and stops it. The files that users
and keeper agree by, in RUN_DIR/keepers/<server>/:

- `users`: every user holds a share; a process that dies loses it, however it dies.
- `door`: held while somebody joins, leaves or closes, so that these happen one at a time.
- `alive`: held by the keeper as long as it lives.
- `state.json`: what the keeper has reached: {"pid": …, "error": null or text}.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tmall_sp.embedded import locks, postgres, processes, redis
from tmall_sp.embedded.errors import EmbeddedError, last_lines

SERVERS = {"postgres": postgres, "redis": redis}
KEEPER_SECONDS = 90
PROJECT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def running(
    run_dir: Path, *, servers: Sequence[str] = ("postgres", "redis"), throw_away: bool = False
) -> Iterator[None]:
    """The servers of a RUN_DIR answer inside the block; joined if they run, else started.

    The last user to leave stops them before it goes on; a user that is killed leaves by its death, and
    then the keeper stops them. They have sessions of their own: a Ctrl-C in the terminal reaches them
    only through their users.

    throw_away: faster servers that promise nothing after a power cut; decided by the first user.
    Raises EmbeddedError with the server's last log lines when one does not start.
    """
    with contextlib.ExitStack() as stack:
        for name in servers:
            stack.enter_context(_in_use(name, run_dir.resolve(), throw_away))
        yield


def not_configured() -> list[str]:
    """The servers that the environment names no URL for, and that therefore have to be embedded."""
    urls = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
    return [name for name, variable in urls.items() if not os.environ.get(variable)]


def seat(run_dir: Path, name: str) -> Path:
    """The folder of the files by which users and keeper agree."""
    return run_dir / "keepers" / name


@contextlib.contextmanager
def _in_use(name: str, run_dir: Path, throw_away: bool) -> Iterator[None]:
    place = seat(run_dir, name)
    users = locks.FileLock(place / "users")
    try:
        with locks.alone(place / "door"):
            users.share()
            _ensure_keeper(name, run_dir, throw_away)
        try:
            yield
        finally:
            with locks.alone(place / "door"):
                if users.try_take():
                    _dismiss_keeper(place)
    finally:
        users.close()


def _ensure_keeper(name: str, run_dir: Path, throw_away: bool) -> None:
    """Wait until a keeper has its server running; start one if there is none. The caller holds the door."""
    place = seat(run_dir, name)
    log = run_dir / "log" / f"keeper-{name}.log"
    started = None
    if not locks.is_held(place / "alive"):
        (place / "state.json").unlink(missing_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tmall_sp.embedded.keeper", name, str(run_dir)]
        with log.open("wb") as output:
            started = subprocess.Popen(
                [*command, *(["--throw-away"] if throw_away else [])],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    deadline = time.monotonic() + KEEPER_SECONDS
    while (state := _state(place)) is None:
        if started is not None and started.poll() is not None and not locks.is_held(place / "alive"):
            raise EmbeddedError(f"{SERVERS[name].NAME} has no keeper:\n{last_lines(log)}")
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"{SERVERS[name].NAME} is not ready after {KEEPER_SECONDS} s; see {log.parent}."
            )
        time.sleep(0.02)
    if state["error"] is not None:
        _wait_until_gone(place, state)
        raise EmbeddedError(str(state["error"]))


def _dismiss_keeper(place: Path) -> None:
    """Have the keeper stop its server, and wait until it has. The caller holds the door and all shares."""
    state = _state(place)
    if state is None or not locks.is_held(place / "alive"):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(str(state["pid"])), signal.SIGTERM)
    _wait_until_gone(place, state)


def _wait_until_gone(place: Path, state: dict[str, object]) -> None:
    """Wait for the end of a keeper that is stopping: first of its work, then of its process."""
    with locks.alone(place / "alive"):
        deadline = time.monotonic() + 5
        while processes.is_alive(int(str(state["pid"]))) and time.monotonic() < deadline:
            time.sleep(0.01)


def _state(place: Path) -> dict[str, object] | None:
    try:
        content: dict[str, object] = json.loads((place / "state.json").read_text())
    except FileNotFoundError:
        return None
    return content
