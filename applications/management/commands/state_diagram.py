"""`manage.py state_diagram` writes README's state diagram anew, from lifecycle.py; `--check` only compares."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from applications.lifecycle import ENDED, State, edges

BLOCK = re.compile(r"(<!-- state diagram -->\n).*?(<!-- end of state diagram -->)", re.DOTALL)


def mermaid() -> str:
    """The life of an application as a Mermaid diagram, one arrow for each edge."""
    with translation.override("zh-hans"):
        names = [f"    {state.value} : {state.label}" for state in State]
    arrows = [f"    {source} --> {target} : {name}" for name, source, target in edges()]
    ends = [f"    {state.value} --> [*]" for state in ENDED]
    lines = ["stateDiagram-v2", *names, f"    [*] --> {State.CREATED.value}", *arrows, *ends]
    return "\n".join(lines) + "\n"


class Command(BaseCommand):
    help = "Write the state diagram of README.md from applications/lifecycle.py."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail if the diagram is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        readme = Path(settings.BASE_DIR) / "README.md"
        before = readme.read_text()
        after = BLOCK.sub(lambda found: f"{found[1]}```mermaid\n{mermaid()}```\n{found[2]}", before)
        if options["check"] and before != after:
            raise CommandError("README's state diagram is stale: run manage.py state_diagram.")
        readme.write_text(after)
