#!/usr/bin/env python
"""Django's commands, each in a fresh clone too: what DATABASE_URL and REDIS_URL don't name starts here.

Commands that make or load tables run as the database's owner; all others have the application's rights.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from tmall_sp.embedded import environment, services
from tmall_sp.embedded.errors import EmbeddedError

OWNER_COMMANDS = {
    "createcachetable",
    "dbshell",
    "flush",
    "loaddata",
    "makemigrations",
    "migrate",
    "pgtrigger",
    "seed",
    "sqlflush",
    "sqlmigrate",
}


def main() -> None:
    """Run the command line inside whatever servers it needs."""
    environment.load_env_file()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tmall_sp.settings")
    if sys.argv[1:2] and sys.argv[1] in OWNER_COMMANDS:
        os.environ["TMALL_SP_DB_ROLE"] = "owner"

    # Not at the top: Django must not be loaded before the environment is complete.
    from django.core.management import execute_from_command_line

    with _servers():
        execute_from_command_line(sys.argv)


def _servers() -> AbstractContextManager[None]:
    if os.environ.get("TMALL_SP_ENV", "production") == "production":
        return nullcontext()
    return services.running(environment.default_run_dir(), servers=services.not_configured())


if __name__ == "__main__":
    try:
        main()
    except EmbeddedError as error:
        sys.exit(f"manage.py: {error}")
