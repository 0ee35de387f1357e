import socket
from collections.abc import Iterator

import pytest

from tests.gateways import keys
from tests.gateways.loopback import Loopback, running


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with running() as server:
        yield server


@pytest.fixture
def refused_url() -> str:
    """An address on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def key_ring() -> keys.KeyRing:
    return keys.make()
