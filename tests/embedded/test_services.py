"""The embedded servers live as long as somebody uses them, whatever happens to the users."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from tests.embedded.users import User, processes_of, user, wait_until
from tmall_sp.embedded import environment, identity, postgres, processes, redis, services, sockets
from tmall_sp.embedded.errors import EmbeddedError

AS_ROOT = os.geteuid() == 0


def query(run_dir: Path, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(postgres.dsn(run_dir))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def test_both_servers_answer_inside_the_block_and_are_gone_after_it(tmp_path: Path) -> None:
    with services.running(tmp_path, throw_away=True):
        assert query(tmp_path, "SELECT current_user") == [(postgres.OWNER,)]
        assert redis.is_running(tmp_path)

    assert not postgres.is_running(tmp_path)
    assert not redis.is_running(tmp_path)
    assert processes_of(tmp_path) == []


def test_the_owner_is_no_superuser_but_makes_roles_and_databases(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        rights = query(
            tmp_path,
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user",
        )
        encoding = query(tmp_path, "SELECT pg_encoding_to_char(encoding), datlocale FROM pg_database")

    assert rights == [(False, True, True)]
    assert set(encoding) == {("UTF8", "C.UTF-8")}


def test_postgresql_listens_on_no_port(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        assert query(tmp_path, "SHOW listen_addresses") == [("",)]


def test_data_are_there_again_after_a_restart(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"]):
        query(tmp_path, "CREATE TABLE kept AS SELECT 7 AS number")

    with services.running(tmp_path, servers=["postgres"]):
        assert query(tmp_path, "SELECT number FROM kept") == [(7,)]


def test_a_second_user_joins_and_the_last_one_stops_the_server(tmp_path: Path) -> None:
    with user(tmp_path) as first, user(tmp_path) as second:
        before = redis.pid(tmp_path)
        first.leave()
        assert redis.pid(tmp_path) == before

        second.leave()
        assert not redis.is_running(tmp_path)


def test_two_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    users = [User(tmp_path, "postgres,redis") for _ in range(3)]
    try:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(User.wait_until_up, users))
        servers = [line for line in processes_of(tmp_path) if "bin/postgres -D" in line]
        assert len(servers) == 1
        for each in users:
            each.leave()
    finally:
        for each in users:
            each.kill()
    assert processes_of(tmp_path) == []


def test_servers_stop_when_their_only_user_is_killed(tmp_path: Path) -> None:
    with user(tmp_path, "postgres,redis") as only:
        only.kill()

        wait_until(lambda: processes_of(tmp_path) == [])


def test_servers_stay_for_others_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    with user(tmp_path) as first, user(tmp_path) as second:
        before = redis.pid(tmp_path)
        first.kill()
        with user(tmp_path) as third:
            assert redis.pid(tmp_path) == before
            third.leave()

        second.leave()
        assert processes_of(tmp_path) == []


def test_a_user_killed_while_the_server_starts_leaves_nothing(tmp_path: Path) -> None:
    starting = User(tmp_path, "postgres")
    wait_until((tmp_path / "postgres").exists)
    starting.kill()

    wait_until(lambda: processes_of(tmp_path) == [])
    with user(tmp_path, "postgres") as next_one:
        next_one.leave()


def test_a_server_whose_keeper_was_killed_is_kept_by_the_next(tmp_path: Path) -> None:
    with user(tmp_path) as first:
        before = redis.pid(tmp_path)
        keeper = next(
            line for line in _pids_of(tmp_path) if "embedded.keeper" in processes.command_line(line)
        )
        os.kill(keeper, signal.SIGKILL)
        with user(tmp_path) as second:
            assert redis.pid(tmp_path) == before
            first.leave()
            second.leave()

    assert processes_of(tmp_path) == []


def test_ctrl_c_in_the_terminal_reaches_the_servers_only_through_their_user(tmp_path: Path) -> None:
    with user(tmp_path) as only:
        os.killpg(only.process.pid, signal.SIGINT)
        only.process.communicate()

        wait_until(lambda: processes_of(tmp_path) == [])


def test_a_pid_file_whose_number_belongs_to_another_program_is_no_obstacle(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        pid_file = identity.postgres_home(tmp_path) / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines(keepends=True)
    pid_file.write_text("".join([f"{os.getppid()}\n", *lines[1:]]))

    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        assert query(tmp_path, "SELECT 1") == [(1,)]


def test_a_server_that_was_killed_starts_again(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        pid = processes.read_pid(identity.postgres_home(tmp_path) / "data" / "postmaster.pid")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        assert query(tmp_path, "SELECT 1") == [(1,)]


def test_a_frozen_redis_is_stopped_all_the_same(tmp_path: Path) -> None:
    with user(tmp_path) as only:
        pid = redis.pid(tmp_path)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

        only.leave()
        assert processes_of(tmp_path) == []


def test_what_keeps_a_server_from_starting_is_said(tmp_path: Path) -> None:
    with services.running(tmp_path, servers=["postgres"], throw_away=True):
        pass
    configuration = identity.postgres_home(tmp_path) / "data" / "postgresql.conf"
    configuration.write_text(configuration.read_text() + "\nno_such_setting = 1\n")

    with (
        pytest.raises(EmbeddedError, match=r'(?s)PostgreSQL did not start:.*"no_such_setting"'),
        services.running(tmp_path, servers=["postgres"], throw_away=True),
    ):
        pass
    assert processes_of(tmp_path) == []


def test_a_deep_folder_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("deep-" * 30) / "var"
    with services.running(deep, throw_away=True):
        folder = sockets.folder(deep)
        assert query(deep, "SELECT 1") == [(1,)]
        assert not folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o777 == 0o700

    assert not folder.exists()


def test_no_folder_above_changes_its_mode(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    run_dir = home / "clone" / "var"
    run_dir.mkdir(parents=True, mode=0o700)
    watched = [run_dir, *run_dir.parents, *Path(sys.executable).parents, *Path(identity.__file__).parents]
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in watched]

    with services.running(run_dir, throw_away=True):
        assert [(path, path.stat().st_mode, path.stat().st_uid) for path in watched] == before
        private = [identity.postgres_home(run_dir), sockets.folder(run_dir), run_dir / "redis"]
        assert [path.stat().st_mode & 0o777 for path in private] == [0o700, 0o700, 0o700]


@pytest.mark.skipif(not AS_ROOT or not os.environ.get("CI"), reason="makes a system user: in CI as root only")
def test_root_without_namespaces_runs_postgresql_as_a_system_user(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    refusal = tools / "unshare"
    refusal.write_text("#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n")
    refusal.chmod(0o755)
    run_dir = tmp_path / "closed" / "var"
    run_dir.mkdir(parents=True)
    run_dir.parent.chmod(0o700)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}

    with user(run_dir, "postgres", environ) as only:
        asked = subprocess.run(
            [sys.executable, "-c", ASK_AS_SYSTEM_USER, str(run_dir)],
            cwd=environment.PROJECT,
            env=environ,
            capture_output=True,
            text=True,
        )
        only.leave()
        discard = [sys.executable, "-c", DISCARD, str(run_dir)]
        subprocess.run(discard, cwd=environment.PROJECT, env=environ, check=True)

    assert asked.stdout.split() == [identity.SYSTEM_USER, "1"], asked.stderr
    assert run_dir.parent.stat().st_mode & 0o777 == 0o700


ASK_AS_SYSTEM_USER = """
import pwd, sys
from pathlib import Path
import psycopg2
from tmall_sp.embedded import identity, postgres
run_dir = Path(sys.argv[1])
data = identity.postgres_home(run_dir) / "data"
print(pwd.getpwuid(data.stat().st_uid).pw_name)
connection = psycopg2.connect(postgres.dsn(run_dir))
cursor = connection.cursor()
cursor.execute("SELECT 1")
print(cursor.fetchone()[0])
connection.close()
"""

DISCARD = """
import sys
from pathlib import Path
from tmall_sp.embedded import postgres
postgres.discard(Path(sys.argv[1]))
"""


def test_without_any_redis_server_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(EmbeddedError, match="install redis-server") as refused:
        redis.start(tmp_path)
    assert "\n" not in str(refused.value)


def _pids_of(run_dir: Path) -> list[int]:
    numbers = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return [number for number in numbers if str(run_dir) in processes.command_line(number)]
