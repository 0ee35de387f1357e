"""`manage.py clock`: shows the portal's clock; outside production, moves it for portal and sandbox alike."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tmall_sp.core import clock


class Command(BaseCommand):
    help = "Show the clock; --days and --hours move it forwards, --reset goes back to the true time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=float, default=0)
        parser.add_argument("--hours", type=float, default=0)
        parser.add_argument("--reset", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        by = dt.timedelta(days=options["days"], hours=options["hours"])
        if (by or options["reset"]) and settings.CLOCK_FILE is None:
            raise CommandError("The clock can't be moved in production.")
        if options["reset"]:
            clock.set_offset(dt.timedelta())
        elif by:
            clock.set_offset(clock.offset() + by)
        self.stdout.write(f"{clock.now():%Y-%m-%d %H:%M:%S %z}")
