"""Working days of the review clock: Monday to Friday in Asia/Shanghai."""

import datetime as dt

from tmall_sp.core.clock import SHANGHAI


def add_working_days(start: dt.datetime, days: int) -> dt.datetime:
    """The same time of day, that many working days later; a start on a weekend counts from Monday 00:00."""
    moment = start.astimezone(SHANGHAI)
    while moment.weekday() >= 5:
        moment = (moment + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    while days > 0:
        moment += dt.timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment
