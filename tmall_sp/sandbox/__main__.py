"""`python -m tmall_sp.sandbox serve` or `keys`."""

from __future__ import annotations

import argparse
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tmall_sp.sandbox", description="Stand-in for Taobao and Alipay."
    )
    parser.add_argument(
        "command", choices=["serve", "keys"], help="serve, or only make the keys where they are absent"
    )
    command = parser.parse_args().command
    os.environ["DJANGO_SETTINGS_MODULE"] = "tmall_sp.sandbox.settings"
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"sandbox: {error}")
    from . import keys, server

    if command == "keys":
        keys.make_if_absent()
    else:
        server.serve()


if __name__ == "__main__":
    main()
