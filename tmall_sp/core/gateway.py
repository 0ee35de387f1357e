"""What the clients of outside systems share: one error type, one way out, and no call in a transaction.

Every call to Taobao or Alipay goes through `send`, so that time-outs, proxies and the meaning of a lost
connection are decided once.
"""

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import httpx
from django.db import connections

# One call may take this long from start to end, in seconds.
BUDGET = 10.0
# Far above any answer of the two gateways, far below what hurts a worker.
MAX_ANSWER = 2 * 1024 * 1024
AGENT = {"User-Agent": "tmall-sp"}


class Kind(StrEnum):
    """What is known about the call that failed."""

    NOT_EXECUTED = "not_executed"
    """Surely not executed: the same call may be made again later."""
    UNKNOWN = "unknown"
    """It may have been executed. Where money moves: query first, then repeat with the same number."""
    REFUSED = "refused"
    """Surely not executed, and repeating it unchanged brings nothing."""
    REAUTHORISE = "reauthorise"
    """The Taobao session is missing, invalid or expired: the merchant must log in again."""


class GatewayError(Exception):
    """A call to an outside system did not bring a believed success.

    `code` is the gateway's own code (Alipay: the sub_code, else the code; Taobao: the number as text) or
    one of ours in lower case: connection, timeout, dropped, http_status, malformed, unsigned, bad_signature,
    cert_changed, key_files, no_session. `message` is English, for logs and staff; it holds no secret, no
    personal data and none of the gateway's prose. That stands in `prose` (see plain_text), for a page of
    staff and for no log: nobody promises what is in it.
    """

    def __init__(self, code: str, message: str, *, kind: Kind, prose: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.kind = kind
        self.prose = prose

    @property
    def retryable(self) -> bool:
        """Whether the job is worth another try later; with Kind.UNKNOWN the try begins with a query."""
        return self.kind in {Kind.NOT_EXECUTED, Kind.UNKNOWN}


class CallInTransaction(RuntimeError):
    """A programming error: a gateway was about to be called while a database transaction is open."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def assert_no_transaction() -> None:
    """Raise CallInTransaction while this thread has a transaction open on any database.

    A gateway may be slow, and a lock that waits for it stops everybody else; a rollback can't call back
    what the gateway has done. The block in which Django wraps a test is not counted.
    """
    for connection in connections.all(initialized_only=True):
        blocks = connection.atomic_blocks
        ours = [block for block in blocks if not getattr(block, "_from_testcase", False)]
        manual = connection.connection is not None and not blocks and not connection.autocommit
        if ours or manual:
            raise CallInTransaction(f"Gateway call inside a transaction on database {connection.alias!r}.")


def send(
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    budget: float = BUDGET,
    max_answer: int = MAX_ANSWER,
) -> Answer:
    """One HTTP exchange, never repeated, never redirected, never through a proxy of the environment.

    The caller holds no transaction. Raises GatewayError: NOT_EXECUTED if the connection was never made,
    UNKNOWN if it was and no complete answer came within `budget` seconds.
    """
    assert_no_transaction()
    deadline = time.monotonic() + budget
    headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"} if form is not None else {}
    body = bytearray()
    try:
        with (
            httpx.Client(verify=_tls(), timeout=budget, trust_env=False, headers=AGENT) as client,
            client.stream(method, url, data=form, params=query, headers=headers) as response,
        ):
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > max_answer:
                    raise GatewayError("malformed", "the answer is too long", kind=Kind.UNKNOWN)
                if time.monotonic() > deadline:
                    raise GatewayError("timeout", "the answer came too slowly", kind=Kind.UNKNOWN)
            return Answer(response.status_code, bytes(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise GatewayError("connection", type(error).__name__, kind=Kind.NOT_EXECUTED) from None
    except httpx.TimeoutException as error:
        raise GatewayError("timeout", type(error).__name__, kind=Kind.UNKNOWN) from None
    except httpx.HTTPError as error:
        raise GatewayError("dropped", type(error).__name__, kind=Kind.UNKNOWN) from None


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the list of authorities takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


def json_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object that an answer consists of; raises GatewayError (UNKNOWN) for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("the answer is not JSON") from None
    if not isinstance(content, dict):
        raise malformed("the answer is not a JSON object")
    return content


def malformed(what: str) -> GatewayError:
    """The error for an answer that can't be understood; `what` names our expectation, not the content."""
    return GatewayError("malformed", what, kind=Kind.UNKNOWN)


def plain_text(value: object) -> str:
    """A gateway's prose fit for a column and a page: one line of printable characters, at most 200."""
    text = value if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())[:200]


def plain_code(value: object) -> str:
    """A gateway's code fit for logs and columns: its safe characters, at most 64, or `unknown`."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "", str(value or ""))[:64] or "unknown"
