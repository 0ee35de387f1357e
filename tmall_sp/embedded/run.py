"""`make run`: everything that the portal needs, on this machine, until Ctrl-C.

1. Refuses to start where another one runs in the same RUN_DIR, or a port is taken.
2. Embedded PostgreSQL and Redis, unless DATABASE_URL and REDIS_URL name others.
3. The sandbox's keys, migrations, static files; the sandbox; a small demo if the database is empty.
4. Web, worker and beat; waits until they answer, then prints addresses and log-ins.
5. Ctrl-C, SIGTERM, SIGHUP or the death of a part stops all of it.

Exit code: 1 when a part failed, 2 for a wrong call, else 128 plus the number of the signal.
"""

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg2

from tmall_sp.embedded import environment, locks, parts, services
from tmall_sp.embedded.errors import EmbeddedError
from tmall_sp.embedded.supervisor import Console, Supervisor

PROVIDERS = 14
SANDBOX_OFFSET = 10
SMTP_OFFSET = 11
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop; BaseException, so that no handler of errors swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> int:
    """Run until stopped; returns the exit code."""
    environment.load_env_file()
    console = Console()
    for number in SIGNALS:
        signal.signal(number, _raise_stopped)
    try:
        port = _port()
        if os.environ.get("TMALL_SP_ENV", "production") != "demo":
            raise EmbeddedError("`make run` is the demo; TMALL_SP_ENV (in .env) must be `demo`.")
        with _only_one(environment.default_run_dir(), port):
            _run(environment.default_run_dir(), port, console)
    except EmbeddedError as error:
        console.say(f"\nmake run: {error}")
        return 1
    except Stopped as stopped:
        console.say("\nEverything is stopped.")
        return 128 + stopped.number
    return 0


def _run(run_dir: Path, port: int, console: Console) -> None:
    environ = environment.compose(
        run_dir=run_dir,
        port=port,
        sandbox_port=port + SANDBOX_OFFSET,
        smtp_port=port + SMTP_OFFSET,
        env="demo",
    )
    environ.setdefault("LOG_LEVEL", "WARNING")  # the terminal shows what matters
    _refuse_taken_ports(port)
    with contextlib.ExitStack() as stack:
        embedded = services.not_configured()
        if embedded:
            console.say(f"Starting {' and '.join(services.SERVERS[name].NAME for name in embedded)} …")
        stack.enter_context(services.running(run_dir, servers=embedded))
        # Not to be interrupted: the servers stop after everybody that uses them.
        stack.callback(_ignore_signals)
        run_once("The sandbox's keys", parts.sandbox_keys(), environ)
        console.say("Migrating …")
        run_once("migrate", parts.manage("migrate", "--verbosity", "0"), environ)
        _collect_static(run_dir, environ, console)
        environ["SANDBOX_TOTP_SECRETS"] = json.dumps(totp_secrets(environ))
        supervisor = stack.enter_context(Supervisor(environ, console))
        stack.callback(_hurry_on_signals, supervisor)
        _bring_up(supervisor, port)
        console.say(_welcome(environ))
        supervisor.watch()


def _bring_up(supervisor: Supervisor, port: int) -> None:
    environ = supervisor.environ
    supervisor.wait_until_answers(supervisor.start(parts.sandbox(environ)))
    unfinished = Path(environ["RUN_DIR"]) / "seed-unfinished"
    if _is_empty(environ):
        unfinished.touch()
        supervisor.console.say(f"Seeding a demo of {PROVIDERS} providers …")
        run_once("seed", parts.manage("seed", "--providers", str(PROVIDERS)), environ)
        unfinished.unlink()
    elif unfinished.exists():
        supervisor.console.say(
            f"Note: the demo was not seeded to its end; remove {unfinished.parent} for a new one."
        )
    portal = (parts.web(environ, port), parts.worker(environ), parts.beat(environ))
    for child in [supervisor.start(part) for part in portal]:
        supervisor.wait_until_answers(child)


def _port() -> int:
    given = os.environ.get("PORT", "8000")
    if not given.isdecimal() or not 1024 <= int(given) <= 65535 - SMTP_OFFSET:
        raise EmbeddedError(f"PORT={given} is no port from 1024 to {65535 - SMTP_OFFSET}.")
    return int(given)


@contextlib.contextmanager
def _only_one(run_dir: Path, port: int) -> Iterator[None]:
    """Hold RUN_DIR for this run; the file says to a second one where the first is found."""
    path = run_dir / "run.lock"
    lock = locks.FileLock(path)
    if not lock.try_take():
        raise EmbeddedError(f"it runs already, at {path.read_text().strip()}.")
    try:
        path.write_text(f"http://{environment.HOST}:{port}/ (process {os.getpid()})\n")
        yield
    finally:
        lock.close()


def _refuse_taken_ports(port: int) -> None:
    uses = {
        port: "the portal",
        port + SANDBOX_OFFSET: "the sandbox",
        port + SMTP_OFFSET: "the sandbox's mail server",
    }
    for number, user in uses.items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((environment.HOST, number))
            except OSError as error:
                raise EmbeddedError(
                    f"port {number}, for {user}, is taken ({error.strerror}). Try another: PORT=9000 make run"
                ) from error


def run_once(what: str, command: list[str], environ: Mapping[str, str]) -> str:
    """Run a command to its end and return its output; its last lines are in the error when it fails."""
    done = subprocess.run(
        command,
        cwd=environment.PROJECT,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,  # Ctrl-C is ours to handle
    )
    if done.returncode != 0:
        lines = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-12:])
        raise EmbeddedError(f"{what} failed (exit code {done.returncode}):\n{lines}")
    return done.stdout


def _collect_static(run_dir: Path, environ: Mapping[str, str], console: Console) -> None:
    """Collect the static files when one of ours, or a dependency, has changed since."""
    digest = hashlib.sha256((environment.PROJECT / "requirements.lock").read_bytes())
    for path in sorted(environment.PROJECT.glob("tmall_sp/**/static/**/*")):
        if path.is_file():
            digest.update(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n".encode())
    stamp = run_dir / "static.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    console.say("Collecting static files …")
    run_once(
        "collectstatic", parts.manage("collectstatic", "--noinput", "--clear", "--verbosity", "0"), environ
    )
    stamp.write_text(digest.hexdigest())


def totp_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Login → secret of the demo's staff, so that a page of the sandbox can be their authenticator."""
    logins = json.loads(run_once("demo_logins", parts.manage("demo_logins", "--json"), environ))
    return {login["login"]: login["totp"] for login in logins if login.get("totp")}


def _is_empty(environ: Mapping[str, str]) -> bool:
    connection = psycopg2.connect(environ["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT FROM accounts_user)")
            row = cursor.fetchone()
    finally:
        connection.close()
    return bool(row and row[0])


def _welcome(environ: Mapping[str, str]) -> str:
    rule = "─" * 78
    lines = [
        rule,
        f"  Portal   {environ['SITE_URL']}/",
        f"  Staff    {environ['SITE_URL']}/admin/",
        f"  Sandbox  {environ['SANDBOX_URL']}/   (Taobao, Alipay, mail, authenticator)",
        "",
        run_once("demo_logins", parts.manage("demo_logins"), environ).rstrip(),
        "",
        "  Ctrl-C stops everything; the data stays.",
        rule,
    ]
    return "\n".join(lines)


def _raise_stopped(number: int, frame: object) -> None:
    raise Stopped(number)


def _hurry_on_signals(supervisor: Supervisor) -> None:
    for number in SIGNALS:
        signal.signal(number, lambda *_: supervisor.hurry())


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
