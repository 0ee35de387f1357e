"""`make run`: what it says, what it leaves behind, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import services as test_services
from tests.embedded.users import processes_of, wait_until
from tmall_sp.embedded import environment, processes, run


def environ_for(run_dir: Path, port: int) -> dict[str, str]:
    """A newcomer's environment: a demo, nothing configured."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return own | {"TMALL_SP_ENV": "demo", "RUN_DIR": str(run_dir), "PORT": str(port)}


def free_port() -> int:
    """A port whose neighbours for the sandbox are free too."""
    for port in test_services.free_ports(20):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            for number in (port, port + run.SANDBOX_OFFSET, port + run.SMTP_OFFSET):
                stack.enter_context(socket.socket()).bind((environment.HOST, number))
            return port
    raise AssertionError("no free ports")


@contextlib.contextmanager
def started(run_dir: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    log = run_dir.parent / f"run-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tmall_sp.embedded.run"],
            cwd=environment.PROJECT,
            env=environ_for(run_dir, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


def said(run_dir: Path, port: int) -> str:
    return (run_dir.parent / f"run-{port}.log").read_text()


def wait_until_welcome(run_dir: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: "Ctrl-C stops" in said(run_dir, port) or process.poll() is not None, 120)
    assert process.poll() is None, said(run_dir, port)


def test_a_taken_port_is_named_and_nothing_is_started(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket() as other:
        other.bind((environment.HOST, port + run.SANDBOX_OFFSET))
        other.listen()
        with started(tmp_path / "var", port) as process:
            assert process.wait(30) == 1

    assert f"port {port + run.SANDBOX_OFFSET}, for the sandbox, is taken" in said(tmp_path / "var", port)
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("port", ["http", "80", "65530"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, port: str) -> None:
    environ = environ_for(tmp_path / "var", 0) | {"PORT": port}
    done = subprocess.run(
        [sys.executable, "-m", "tmall_sp.embedded.run"],
        cwd=environment.PROJECT,
        env=environ,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout.strip()) == (
        1,
        f"make run: PORT={port} is no port from 1024 to 65524.",
    )


@pytest.mark.slow
def test_everything_answers_and_ctrl_c_stops_all_of_it_and_a_part_that_dies_too(tmp_path: Path) -> None:
    run_dir, port = tmp_path / "var", free_port()
    with started(run_dir, port) as process:
        wait_until_welcome(run_dir, port, process)
        for url in (f"http://127.0.0.1:{port}/healthz", f"http://127.0.0.1:{port + 10}/control/health"):
            assert httpx.get(url, trust_env=False).status_code == 200

        # A second one, on other ports, would share the data.
        with started(run_dir, other := free_port()) as second:
            assert second.wait(30) == 1
        assert f"it runs already, at http://127.0.0.1:{port}/" in said(run_dir, other)

        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 128 + signal.SIGINT
    assert processes_of(tmp_path) == []
    assert "Seeding" in said(run_dir, port)

    with started(run_dir, port) as process:
        wait_until_welcome(run_dir, port, process)
        assert "Seeding" not in said(run_dir, port)

        os.kill(_beat_of(run_dir), signal.SIGKILL)
        assert process.wait(60) == 1
    assert "beat stopped (killed by SIGKILL)" in said(run_dir, port)
    assert processes_of(tmp_path) == []


def _beat_of(run_dir: Path) -> int:
    numbers = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return next(number for number in numbers if f"beat -s {run_dir}" in processes.command_line(number))
