"""One sandbox process for the folder's tests, emptied before each; no database of the portal is used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.process import Receiver, Sandbox
from tests.sandbox.wire import Alipay, Top

QUICK_GAPS = 1 / 2400


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    running_sandbox.set_clock(0)
    running_sandbox.post("reset")
    running_sandbox.post("settings", notify_gap_scale=QUICK_GAPS)
    return running_sandbox


@pytest.fixture
def alipay(sandbox: Sandbox) -> Alipay:
    return Alipay(sandbox.url, sandbox.keys)


@pytest.fixture
def top(sandbox: Sandbox) -> Top:
    return Top(sandbox.url)


@pytest.fixture
def merchant() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
