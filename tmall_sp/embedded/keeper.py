"""Keeps one embedded server: `python -m tmall_sp.embedded.keeper postgres|redis RUN_DIR [--throw-away]`.

1. Holds `alive`, starts the server and writes down that it is ready, or why not.
2. Waits until no user holds a share of `users` any more, or until SIGTERM.
3. Stops the server, and ends.

A keeper that is killed leaves its server running; the next keeper finds it and keeps it.
"""

import argparse
import json
import os
import signal
import time
from pathlib import Path

from tmall_sp.embedded import locks, processes, services
from tmall_sp.embedded.errors import EmbeddedError

POLL_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", choices=sorted(services.SERVERS))
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--throw-away", action="store_true")
    arguments = parser.parse_args()
    keep(arguments.server, arguments.run_dir, throw_away=arguments.throw_away)


def keep(name: str, run_dir: Path, *, throw_away: bool) -> None:
    """Run the server until its last user has gone. Does nothing if another keeper is there."""
    place = services.seat(run_dir, name)
    server = services.SERVERS[name]
    alive = locks.FileLock(place / "alive")
    if not alive.try_take():
        return
    told_to_stop = False

    def stop_soon(number: int, frame: object) -> None:
        nonlocal told_to_stop
        told_to_stop = True

    signal.signal(signal.SIGTERM, stop_soon)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        server.start(run_dir, throw_away=throw_away)
    except (EmbeddedError, OSError) as error:
        server.stop(run_dir)
        _write_state(place, error=str(error))
        return
    _write_state(place, error=None)
    door, users = locks.FileLock(place / "door"), locks.FileLock(place / "users")
    while not told_to_stop:
        time.sleep(POLL_SECONDS)
        processes.collect_ended()
        # Door first: whoever is joining holds it before the share, and would find the server going down.
        if door.try_take():
            if users.try_take():
                break
            door.release()
    server.stop(run_dir)


def _write_state(place: Path, *, error: str | None) -> None:
    draft = place / "state.new"
    draft.write_text(json.dumps({"pid": os.getpid(), "error": error}))
    draft.replace(place / "state.json")


if __name__ == "__main__":
    main()
