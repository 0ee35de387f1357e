"""The sandbox as a real process on free ports, which a test may kill and start again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from tests.sandbox.wire import http_client

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


class Sandbox:
    """One sandbox with a folder of its own."""

    def __init__(self, run_dir: Path, **environment: str) -> None:
        self.run_dir = run_dir
        port, self.smtp_port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TAOBAO_", "ALIPAY_"))}
        self.environment = inherited | {
            "TMALL_SP_ENV": "test",
            "RUN_DIR": str(run_dir),
            "CLOCK_FILE": str(run_dir / "clock.json"),
            "SANDBOX_URL": self.url,
            "SANDBOX_SMTP_PORT": str(self.smtp_port),
            "SITE_URL": "http://127.0.0.1:8000",
            "SANDBOX_TOTP_SECRETS": json.dumps({"li.shen": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}),
            **environment,
        }
        self.http = http_client(self.url)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def keys(self) -> Path:
        return self.run_dir / "sandbox" / "keys"

    def start(self) -> float:
        """Start and wait until it answers; the seconds that took."""
        begun = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tmall_sp.sandbox", "serve"], cwd=ROOT, env=self.environment
        )
        while time.monotonic() - begun < START_SECONDS:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/control/health").status_code == 200:
                    return time.monotonic() - begun
            assert self._process.poll() is None, "the sandbox ended at its start"
            time.sleep(0.05)
        raise AssertionError("the sandbox did not answer")

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def set_clock(self, seconds: float) -> None:
        (self.run_dir / "clock.json").write_text(json.dumps({"offset_seconds": seconds}))

    def get(self, path: str, /, **query: Any) -> Any:
        response = self.http.get(f"/control/{path}", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, /, **body: Any) -> Any:
        response = self.http.post(f"/control/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def fault(self, target: str, kind: str, times: int = 1, **params: Any) -> None:
        self.post("faults", target=target, kind=kind, times=times, params=params)

    def clear_faults(self) -> None:
        self.http.delete("/control/faults")


class Receiver:
    """A merchant's notify_url: keeps what is posted and answers what the test says."""

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.received.append(dict(parse_qsl(body, keep_blank_values=True)))
                status, answer = receiver.answers.pop(0) if receiver.answers else (200, b"success")
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alipay/notify/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, count: int, seconds: float = 10) -> list[dict[str, str]]:
        """The first `count` notifications; fails when fewer came in time."""
        end = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < end, f"only {len(self.received)} of {count} notifications came"
            time.sleep(0.02)
        return self.received[:count]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
