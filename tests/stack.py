"""The whole portal as it is deployed (web, worker, beat, sandbox), with a database and a Redis of its own."""

import contextlib
import datetime as dt
import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests import services as test_services
from tests.sandbox_client import SandboxClient
from tmall_sp.embedded import environment, locks, parts, redis, services
from tmall_sp.embedded.run import run_once, totp_secrets
from tmall_sp.embedded.supervisor import Child, Console, Supervisor


class Stack:
    """A running portal. `with Stack(run_dir) as stack:`; nothing of it is left at the end of the block."""

    def __init__(self, run_dir: Path, providers: int = 0, workers: int = 1) -> None:
        self.run_dir = run_dir
        self.providers = providers
        self.workers = ["worker", *(f"worker-{number}" for number in range(2, workers + 1))]
        self._own_redis = test_services.is_embedded("redis")
        self._server_url = os.environ["DATABASE_URL"]
        self._database = f"stack_{uuid.uuid4().hex[:12]}"
        self._port, sandbox_port, smtp_port = test_services.free_ports(3)
        base = dict(os.environ)
        base["DATABASE_URL"] = urlunsplit(urlsplit(self._server_url)._replace(path=f"/{self._database}"))
        base.pop("DATABASE_OWNER_URL", None)
        if self._own_redis:
            del base["REDIS_URL"]
        base["TMALL_SP_REDIS_PREFIX"] = f"{self._database}:"
        self.environ = environment.compose(
            run_dir=run_dir,
            port=self._port,
            sandbox_port=sandbox_port,
            smtp_port=smtp_port,
            env="demo",
            base=base,
        )
        self.url = self.environ["SITE_URL"]
        self.sandbox_url = self.environ["SANDBOX_URL"]
        self.sandbox = SandboxClient(self.sandbox_url)
        self._exit = contextlib.ExitStack()
        self._children: dict[str, Child] = {}

    def __enter__(self) -> "Stack":
        with contextlib.ExitStack() as building:
            self._build(building)
            self._exit = building.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._exit.close()

    def _build(self, building: contextlib.ExitStack) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        self._admin(f"CREATE DATABASE {self._database}")
        building.callback(self._admin, f"DROP DATABASE {self._database} WITH (FORCE)")
        if self._own_redis:
            building.enter_context(services.running(self.run_dir, servers=["redis"], throw_away=True))
        building.callback(self.sandbox.close)
        run_once("The sandbox's keys", parts.sandbox_keys(), self.environ)
        self.manage("migrate", "--verbosity", "0")
        self._share_static_files()
        self.environ["SANDBOX_TOTP_SECRETS"] = json.dumps(totp_secrets(self.environ))
        self._supervisor = building.enter_context(Supervisor(self.environ, Console(None)))
        self.start("sandbox")
        self.manage("seed", "--providers", str(self.providers))
        self.start("web", *self.workers, "beat")

    def _share_static_files(self) -> None:
        """Collected once for all stacks of a test run: it takes a while."""
        shared = test_services.base_dir() / "static"
        with locks.alone(shared.with_suffix(".lock")):
            (self.run_dir / "static").symlink_to(shared, target_is_directory=True)
            if not shared.exists():
                shared.mkdir()
                self.manage("collectstatic", "--noinput", "--verbosity", "0")

    # Its parts

    def start(self, *names: str, wait: bool = True) -> None:
        """Start `web`, `beat`, `sandbox` or one of the `workers`, and wait until each answers."""
        known = {
            "sandbox": parts.sandbox(self.environ),
            "web": parts.web(self.environ, self._port),
            "beat": parts.beat(self.environ),
            **{name: parts.worker(self.environ, name=name) for name in self.workers},
        }
        for name in names:
            self._children[name] = self._supervisor.start(known[name])
        for name in names if wait else ():
            self._supervisor.wait_until_answers(self._children[name])

    def kill(self, name: str) -> None:
        """SIGKILL to a part and all its children, as when the machine loses power."""
        child = self._children.pop(name)
        child.end()
        self._supervisor.children.remove(child)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part and its children: SIGSTOP freezes it, SIGCONT lets it go on."""
        os.killpg(self._children[name].process.pid, number)

    def children_of(self, name: str) -> list[int]:
        """The processes that a part has started, such as the worker's pool."""
        leader = self._children[name].process.pid
        running = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
        return [pid for pid in running if pid != leader and _group(pid) == leader]

    def log(self, name: str) -> str:
        """What a part has written since it was last started."""
        return (self.run_dir / "log" / f"{name}.log").read_text(errors="replace")

    # Its Redis

    def freeze_redis(self) -> None:
        """Redis accepts connections but never answers."""
        os.kill(self._redis_pid(), signal.SIGSTOP)

    def thaw_redis(self) -> None:
        os.kill(self._redis_pid(), signal.SIGCONT)

    def kill_redis(self) -> None:
        """Redis is gone, with everything in it."""
        redis.stop(self.run_dir)

    def start_redis(self) -> None:
        """Start Redis again; it is empty."""
        redis.start(self.run_dir, throw_away=True)

    def _redis_pid(self) -> int:
        if not self._own_redis:
            pytest.skip("REDIS_URL names a server that is not ours to stop")
        pid = redis.pid(self.run_dir)
        assert pid is not None, "Redis does not run"
        return pid

    # Its data

    def manage(self, *arguments: str) -> str:
        """Run a manage.py command with the stack's environment; its output."""
        return run_once(arguments[0], parts.manage(*arguments), self.environ)

    def python(self, code: str, *, as_owner: bool = False) -> str:
        """Run Python with Django set up (manage.py shell), as the application or the owner; its output."""
        role = {"TMALL_SP_DB_ROLE": "owner"} if as_owner else {}
        command = parts.manage("shell", "--verbosity", "0", "--command", code)
        return run_once("shell", command, self.environ | role)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run SQL in the stack's database as its owner; the rows, if it gives any."""
        return _execute(self.environ["DATABASE_URL"], statement, values)

    def logins(self) -> list[dict[str, Any]]:
        """The staff and merchants that `seed` made: login, password, totp, role."""
        logins: list[dict[str, Any]] = json.loads(self.manage("demo_logins", "--json"))
        return logins

    def set_clock(self, offset: dt.timedelta) -> None:
        """Move the clock of the portal and of the sandbox to `offset` from the real time."""
        path = Path(self.environ["CLOCK_FILE"])
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({"offset_seconds": offset.total_seconds()}))
        draft.replace(path)

    def _admin(self, statement: str) -> None:
        _execute(urlunsplit(urlsplit(self._server_url)._replace(path="/postgres")), statement, ())


def _group(pid: int) -> int | None:
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)
    return None


def _execute(url: str, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()
