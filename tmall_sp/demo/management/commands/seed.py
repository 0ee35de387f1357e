"""`manage.py seed --providers N`: the demo's staff and N companies, into an empty database of a demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from applications.models import Application
from tmall_sp.accounts.demo_staff import create_demo_staff
from tmall_sp.accounts.models import User
from tmall_sp.demo.cases import publish_the_last_rating
from tmall_sp.demo.companies import company
from tmall_sp.demo.stories import STORIES


class Command(BaseCommand):
    help = "Fill an empty demo database with staff and believable providers. The sandbox must be running."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--providers", type=int, default=14)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT != "demo":
            raise CommandError("Only a demo is seeded: TMALL_SP_ENV is not demo.")
        if Application.objects.exists() or User.objects.exists():
            raise CommandError("The database is not empty: nothing was seeded.")
        create_demo_staff()
        for number in range(options["providers"]):
            story = STORIES[number % len(STORIES)]
            story(company(number))
            self.stdout.write(f"{company(number).data['company_name']}: {story.__name__.replace('_', ' ')}")
        publish_the_last_rating()
        self.stdout.write(f"{options['providers']} companies and the staff are there.")
