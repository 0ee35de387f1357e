"""The embedded PostgreSQL of a RUN_DIR: a Unix socket in a private folder, and no TCP port."""

import os
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

from tmall_sp.embedded import identity, processes, sockets
from tmall_sp.embedded.errors import EmbeddedError, last_lines

NAME = "PostgreSQL"
DATABASE = "tmall_sp"
OWNER = "tmall_sp_owner"
START_SECONDS = 60
THROW_AWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
SETTINGS = (
    "listen_addresses=",
    "max_connections=200",
    "log_line_prefix=%m [%p] ",
    "log_timezone=Asia/Shanghai",
)


def dsn(run_dir: Path, database: str = DATABASE) -> str:
    """The URL of a database of the embedded server, as its owner; starts nothing."""
    return f"postgres://{OWNER}@{quote(str(sockets.folder(run_dir)), safe='')}/{database}"


def log_file(run_dir: Path) -> Path:
    return run_dir / "log" / "postgres.log"


def is_running(run_dir: Path) -> bool:
    return sockets.answers(sockets.folder(run_dir) / sockets.LONGEST_NAME)


def start(run_dir: Path, *, throw_away: bool = False) -> None:
    """Start the server if it does not run, with its owner and database made.

    The caller holds the keeper's lock. throw_away: faster, and a power cut may cost the data.
    """
    log = log_file(run_dir)
    log.parent.mkdir(parents=True, exist_ok=True)
    socket_folder = sockets.prepare(run_dir)
    data = _initialised(run_dir)
    arguments = ["-D", str(data), "-k", str(socket_folder)]
    for setting in (*SETTINGS, *(THROW_AWAY if throw_away else ())):
        arguments += ["-c", setting]
    deadline = time.monotonic() + START_SECONDS
    since = log.stat().st_size if log.exists() else 0
    process = None
    while not _ready(run_dir):
        if process is None and not is_running(run_dir):
            _forget_dead_server(data, data / "postmaster.pid")
            _forget_dead_server(data, socket_folder / f"{sockets.LONGEST_NAME}.lock")
            process = identity.popen("postgres", arguments, log)
        if process is not None and process.poll() is not None:
            # Children of a server that was killed need a moment to leave its shared memory.
            if "still in use" not in last_lines(log, since) or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start:\n{last_lines(log, since)}")
            process = None
        if time.monotonic() > deadline:
            stop(run_dir)
            raise EmbeddedError(f"PostgreSQL did not answer in {START_SECONDS} s:\n{last_lines(log, since)}")
        time.sleep(0.05)
    _ensure_database(run_dir)


def stop(run_dir: Path) -> None:
    """Stop the server: break off sessions, write everything down."""
    data = identity.postgres_home(run_dir) / "data"
    pid = processes.read_pid(data / "postmaster.pid")
    if pid is not None and str(data) in processes.command_line(pid):
        processes.stop(pid, [(signal.SIGINT, 30), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)])
    sockets.remove_if_short(run_dir)


def discard(run_dir: Path) -> None:
    """Remove the data, also where it is kept outside RUN_DIR. The server must be stopped."""
    shutil.rmtree(identity.postgres_home(run_dir), ignore_errors=True)


def _initialised(run_dir: Path) -> Path:
    home = identity.prepare_postgres_home(run_dir)
    data, draft = home / "data", home / "data.new"
    if data.exists():
        found = (data / "PG_VERSION").read_text().strip()
        if found != identity.POSTGRES_VERSION:
            raise EmbeddedError(
                f"{data} was made by PostgreSQL {found}; this one is {identity.POSTGRES_VERSION}."
            )
        return data
    shutil.rmtree(draft, ignore_errors=True)
    log = log_file(run_dir)
    since = log.stat().st_size if log.exists() else 0
    options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    options += ["--builtin-locale=C.UTF-8", "--username=postgres", "--no-instructions", "--no-sync"]
    if identity.popen("initdb", [*options, "-D", str(draft)], log).wait(timeout=120) != 0:
        raise EmbeddedError(f"PostgreSQL's data can't be made:\n{last_lines(log, since)}")
    draft.rename(data)  # whole or not at all: an initdb that was killed leaves only a draft
    return data


def _forget_dead_server(data: Path, pid_file: Path) -> None:
    """Remove a pid file whose number is not our server's any more: PostgreSQL would refuse to start."""
    pid = processes.read_pid(pid_file)
    if pid is not None and str(data) not in processes.command_line(pid):
        pid_file.unlink()


def _ready(run_dir: Path) -> bool:
    import psycopg2

    try:
        psycopg2.connect(_superuser_dsn(run_dir), connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def _ensure_database(run_dir: Path) -> None:
    import psycopg2

    connection = psycopg2.connect(_superuser_dsn(run_dir))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE")
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    finally:
        connection.close()


def _superuser_dsn(run_dir: Path) -> str:
    return f"postgresql://postgres@{quote(os.fspath(sockets.folder(run_dir)), safe='')}/postgres"
