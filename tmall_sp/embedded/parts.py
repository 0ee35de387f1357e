"""The processes of a whole stack: their command lines, and how to tell that each one answers."""

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tmall_sp.embedded.environment import HOST, PROJECT

ANSWER_SECONDS = 120
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """One process: its name for people, its command, and the question whether it does its work."""

    name: str
    command: list[str]
    answers: Callable[[Environment], bool]


def sandbox(environ: Environment) -> Part:
    """The stand-in for Taobao and Alipay, with its mail server."""
    url = f"{environ['SANDBOX_URL']}/control/health"
    return Part("sandbox", _python("-m", "tmall_sp.sandbox", "serve"), lambda _: _http_ok(url))


def web(environ: Environment, port: int) -> Part:
    """The portal."""
    command = _python("-m", "gunicorn", "tmall_sp.wsgi", "--bind", f"{HOST}:{port}")
    command += ["--workers", "2", "--worker-class", "gthread", "--threads", "4", "--graceful-timeout", "10"]
    command += ["--worker-tmp-dir", environ["RUN_DIR"], "--no-control-socket"]
    return Part("web", command, lambda _: _http_ok(f"{environ['SITE_URL']}/healthz"))


def worker(environ: Environment, concurrency: int = 2, name: str = "worker") -> Part:
    """A Celery worker; several side by side have different names."""
    command = _python(
        "-m", "celery", "--quiet", "-A", "tmall_sp", "worker", "--loglevel", _log_level(environ)
    )
    command += ["--concurrency", str(concurrency), "--hostname", f"{name}@%h"]
    command += ["--without-mingle", "--without-gossip"]
    return Part(name, command, partial(_worker_answers, name))


def beat(environ: Environment) -> Part:
    """The clock that calls the sweeps. It has no question to answer; living is enough."""
    schedule = str(Path(environ["RUN_DIR"]) / "celerybeat-schedule")
    command = _python("-m", "celery", "--quiet", "-A", "tmall_sp", "beat", "-s", schedule, "--pidfile=")
    command += ["--loglevel", _log_level(environ)]
    return Part("beat", command, lambda _: True)


def sandbox_keys() -> list[str]:
    """The command that makes the sandbox's keys and certificates, and keeps those that are there."""
    return _python("-m", "tmall_sp.sandbox", "keys")


def manage(*arguments: str) -> list[str]:
    """A manage.py command."""
    return _python("manage.py", *arguments)


def _log_level(environ: Environment) -> str:
    return environ.get("LOG_LEVEL", "INFO")


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _http_ok(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _worker_answers(name: str, environ: Environment) -> bool:
    command = _python("-m", "celery", "-A", "tmall_sp", "inspect", "ping", "--timeout", "2")
    command += ["--destination", f"{name}@{socket.gethostname()}"]
    asked = subprocess.run(command, cwd=PROJECT, env=dict(environ), capture_output=True, timeout=60)
    return asked.returncode == 0
