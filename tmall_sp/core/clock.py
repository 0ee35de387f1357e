"""The only clock of the portal: web, worker and beat ask it, and nothing else, for the time.

Outside production a file may hold an offset, which the sandbox reads too, so that deadlines of weeks
can be walked through in a test or a demo.
"""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.conf import settings

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> dt.datetime:
    """The present instant, aware, in Asia/Shanghai."""
    return dt.datetime.now(SHANGHAI) + _offset()


def today() -> dt.date:
    """The calendar day in Asia/Shanghai."""
    return now().date()


def day_start(day: dt.date) -> dt.datetime:
    """00:00 of a day in Asia/Shanghai."""
    return dt.datetime.combine(day, dt.time.min, SHANGHAI)


def add_months(day: dt.date, months: int) -> dt.date:
    """Calendar months later; a day that the target month lacks becomes its last day (design §2)."""
    return day + relativedelta(months=months)


def set_offset(offset: dt.timedelta) -> None:
    """Move the clock of every process that shares CLOCK_FILE. Refused in production."""
    if settings.CLOCK_FILE is None:
        raise RuntimeError("The clock can't be moved in production.")
    path = Path(settings.CLOCK_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"offset_seconds": offset.total_seconds()}))
    draft.replace(path)  # atomic: a reader sees the old offset or the new one


def offset() -> dt.timedelta:
    return _offset()


def _offset() -> dt.timedelta:
    if settings.CLOCK_FILE is None:
        return dt.timedelta()
    try:
        content = Path(settings.CLOCK_FILE).read_text()
    except FileNotFoundError:
        return dt.timedelta()
    return dt.timedelta(seconds=json.loads(content)["offset_seconds"])
