"""The sandbox's clock: the system's, moved by the offset that the portal follows too."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

BEIJING = ZoneInfo("Asia/Shanghai")
WIRE_FORMAT = "%Y-%m-%d %H:%M:%S"


def now() -> datetime:
    """The instant it is, aware, UTC; with `offset_seconds` of CLOCK_FILE added where that file exists."""
    return datetime.now(UTC) + timedelta(seconds=_offset())


def _offset() -> float:
    try:
        return float(json.loads(settings.CLOCK_FILE.read_text(encoding="utf-8"))["offset_seconds"])
    except (FileNotFoundError, ValueError, KeyError):
        return 0.0


def wire(instant: datetime) -> str:
    """An instant as both gateways write it: Beijing time, no zone."""
    return instant.astimezone(BEIJING).strftime(WIRE_FORMAT)


def parse_wire(text: str) -> datetime:
    """The instant of `yyyy-MM-dd HH:mm:ss` (or `…HH:mm`) in Beijing time; ValueError otherwise."""
    for form in (WIRE_FORMAT, "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=BEIJING)
        except ValueError:
            continue
    raise ValueError(f"not a date and time: {text!r}")


def serial_number(prefix: str = "") -> str:
    """A number of 28 digits in Alipay's manner: day, kind, then digits that don't repeat."""
    width = 28 - 8 - len(prefix)
    return f"{now().astimezone(BEIJING):%Y%m%d}{prefix}{secrets.randbelow(10**width):0{width}d}"
