"""Prints the log-ins of the demo's staff; asks no database."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from tmall_sp.accounts.demo_staff import PASSWORD, STAFF, refuse_in_production


class Command(BaseCommand):
    help = "Print the demo's staff log-ins (not in production)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="a list of {login, name, role, password, totp (Base32)}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            refuse_in_production()
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_as_json() if options["json"] else _as_text())


def _as_json() -> str:
    return json.dumps(
        [
            {
                "login": member.login,
                "name": member.name,
                "role": member.role,
                "password": PASSWORD,
                "totp": member.totp,
            }
            for member in STAFF
        ],
        ensure_ascii=False,
    )


def _as_text() -> str:
    lines = [
        f"  Staff    password {PASSWORD}; codes: {settings.SANDBOX_URL}/authenticator/",
        *(f"             {member.login:<10}{member.name}  {member.role}" for member in STAFF),
        f"  Sellers  log in with Taobao at {settings.SITE_URL}/; the sandbox shows the demo's accounts",
    ]
    return "\n".join(lines)
