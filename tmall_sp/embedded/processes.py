"""Small facts about processes that need not be our children."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


def command_line(pid: int) -> str:
    """The command line of a living process; empty when there is none."""
    listing = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return listing.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return shown.stdout.strip()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one of our own children that has ended is collected."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    return command_line(pid) != ""


def collect_ended() -> None:
    """Collect our children that have ended: a zombie would pass for a running server."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def stop(pid: int, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait its seconds, until the process is gone."""
    for number, seconds in signals:
        try:
            os.kill(pid, number)
            os.kill(pid, signal.SIGCONT)  # a stopped process would never see it
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(0.02)


def read_pid(path: Path) -> int | None:
    """The number on the first line of a pid file."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
