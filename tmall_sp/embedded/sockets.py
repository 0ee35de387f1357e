"""Where the servers' Unix sockets are: in RUN_DIR, or in a short folder where that is too long."""

import hashlib
import os
import socket
import stat
from pathlib import Path

from tmall_sp.embedded import identity
from tmall_sp.embedded.errors import EmbeddedError

LONGEST_PATH = 107
LONGEST_NAME = ".s.PGSQL.5432"
# Not tempfile.gettempdir(): TMPDIR differs between processes and can itself be too long for a socket.
SHORT_PARENT = Path("/tmp")  # noqa: S108 - the folder in it is private, and its owner is checked


def folder(run_dir: Path) -> Path:
    """The folder of the sockets of a RUN_DIR; the same for every process, nothing is created."""
    run_dir = run_dir.resolve()
    inside = run_dir / "sockets"
    fits = len(os.fsencode(inside / LONGEST_NAME)) <= LONGEST_PATH
    if fits and identity.server_user() is None:
        return inside
    digest = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:12]
    return SHORT_PARENT / f"tmall-sp-{os.geteuid()}-{digest}"


def prepare(run_dir: Path) -> Path:
    """Create the folder for its owner alone; refuse one that somebody else has put there."""
    path = folder(run_dir)
    owner = identity.server_uid()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise EmbeddedError(f"{path} belongs to somebody else; remove it or choose another RUN_DIR.")
    path.chmod(0o700)
    if found.st_uid != owner:
        os.chown(path, owner, -1)
    return path


def remove_if_short(run_dir: Path) -> None:
    """Take away the folder outside RUN_DIR, which `make clean` would not find, once it is empty."""
    path = folder(run_dir)
    if path.parent == SHORT_PARENT:
        try:
            path.rmdir()
        except OSError:
            return


def answers(path: Path) -> bool:
    """Whether a process listens on this socket; a stale file does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(str(path))
        except TimeoutError:
            return True  # somebody listens, but is too busy (or stopped) to accept
        except OSError:
            return False
    return True
