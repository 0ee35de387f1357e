"""Early pytest plugin: the servers and the environment of a test run, before Django's settings are read.

The process that starts pytest starts a throw-away PostgreSQL and Redis, unless DATABASE_URL and
REDIS_URL name others; xdist's workers find them in the environment. Every process has its own RUN_DIR,
clock, ports, sandbox and Redis key prefix. Whatever way the run ends, the servers end with it.
"""

import contextlib
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from tmall_sp.embedded import environment, postgres, services

BASE = "TMALL_SP_TEST_DIR"
EMBEDDED = "TMALL_SP_TEST_EMBEDDED"
WORKER = "PYTEST_XDIST_WORKER"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before pytest-django reads the settings."""
    if WORKER not in os.environ:
        cleanup = contextlib.ExitStack()
        early_config.add_cleanup(cleanup.close)
        _start_servers(cleanup)
    run_dir = base_dir() / worker_name()
    run_dir.mkdir()
    port, sandbox_port, smtp_port = free_ports(3)
    os.environ.update(
        environment.compose(
            run_dir=run_dir, port=port, sandbox_port=sandbox_port, smtp_port=smtp_port, env="test"
        )
    )
    # So that SITE_URL is where pytest-django's live_server answers.
    os.environ["DJANGO_LIVE_TEST_SERVER_ADDRESS"] = f"{environment.HOST}:{port}"
    os.environ["TMALL_SP_REDIS_PREFIX"] = f"{base_dir().name}:{worker_name()}:"


def base_dir() -> Path:
    """The folder of this whole test run."""
    return Path(os.environ[BASE])


def worker_name() -> str:
    """gw0, gw1, … under xdist; `main` otherwise."""
    return os.environ.get(WORKER, "main")


def is_embedded(server: str) -> bool:
    """Whether the run's `postgres` or `redis` is its own."""
    return server in os.environ[EMBEDDED].split(",")


def free_ports(count: int) -> list[int]:
    """Loopback ports on which nobody listens at this moment."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((environment.HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def _start_servers(cleanup: contextlib.ExitStack) -> None:
    environment.load_env_file()
    base = Path(tempfile.mkdtemp(prefix="tmall-sp-test-"))
    cleanup.callback(shutil.rmtree, base, ignore_errors=True)
    os.environ[BASE] = str(base)
    embedded = services.not_configured()
    os.environ[EMBEDDED] = ",".join(embedded)
    if "postgres" in embedded:
        cleanup.callback(postgres.discard, base)
    cleanup.enter_context(services.running(base, servers=embedded, throw_away=True))
    urls = environment.compose(run_dir=base, port=0, sandbox_port=0, smtp_port=0, env="test")
    os.environ["DATABASE_URL"] = urls["DATABASE_URL"]
    os.environ["REDIS_URL"] = urls["REDIS_URL"]
