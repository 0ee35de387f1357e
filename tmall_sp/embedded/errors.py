"""What an embedded part says when it can't run."""

from pathlib import Path


class EmbeddedError(Exception):
    """A part can't start; the message is for a person and says which and why."""


def last_lines(log: Path, since: int = 0, count: int = 12) -> str:
    """The last lines that were written to a log after the byte `since`."""
    try:
        with log.open("rb") as stream:
            stream.seek(since)
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return "(no log)"
    return "\n".join(lines[-count:]) or "(the log is empty)"
