"""Running the sandbox: books, demo, web server, mail server, and the thread that sends notifications."""

from __future__ import annotations

import ctypes
import signal
import socket
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections
from gunicorn.app.base import BaseApplication

from . import books, demo, keys, notifications

THREADS = 24
PR_SET_PDEATHSIG = 1


class Server(BaseApplication):
    """Gunicorn with one worker of many threads; background threads live in the worker."""

    def load_config(self) -> None:
        chosen = {
            "bind": f"{settings.LISTEN_HOST}:{settings.LISTEN_PORT}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": 1,
            "keepalive": 5,
            "loglevel": "warning",
            "post_fork": _die_with_parent,
            "post_worker_init": _start_threads,
            "control_socket_disable": True,
            "proc_name": "tmall-sp-sandbox",
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from .wsgi import application

        return application


def serve() -> None:
    """Prepare keys, schema and demo, then serve until a signal; exit with a sentence where a port is taken."""
    for port in (settings.LISTEN_PORT, settings.SMTP_PORT):
        _require_free(port)
    keys.make_if_absent()
    call_command("migrate", verbosity=0, interactive=False)
    demo.load_if_empty()
    connections.close_all()
    sys.argv = sys.argv[:1]
    Server().run()


def _require_free(port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.LISTEN_HOST else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.LISTEN_HOST, port))
        except OSError as error:
            sys.exit(f"sandbox: port {port} on {settings.LISTEN_HOST} can't be used: {error.strerror}")


def _die_with_parent(arbiter: object, worker: object) -> None:
    """A killed parent takes its worker along, so that the port is free for the next start (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start_threads(worker: object) -> None:
    from . import mailbox

    mailbox.start_server()
    notifications.Sender().start()
    threading.Thread(target=_close_expired, name="trade-closer", daemon=True).start()


def _close_expired() -> None:
    while True:
        time.sleep(0.5)
        try:
            books.close_expired_trades()
        except DatabaseError:
            # Busy books: the next round tries again, and every reader closes what it meets.
            continue
