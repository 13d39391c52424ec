"""The database of a test run: a pytest plugin, loaded by `-p tests.database` before Django reads its settings.

Without DATABASE_URL the tests run on an embedded server of their own, in `.data/test`, with fsync off. Each run has
databases of its own name, so that several runs can go on at once in one tree; what a killed run left behind is dropped
by the next one. A migrated template per state of the migrations is kept on the server, and test databases are copies
of it: migrations run once, not once per process and run. A test that commits gets its database anew afterwards, in
memory where there is room: to copy the files of a thousand tables and indexes takes .03 s there, and .8 s on a disk.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import TransactionTestCase
from psycopg import sql

from cdp_site import bootstrap, embedded_postgres

ROOT = Path(__file__).resolve().parent.parent
RUN_LOCK = 20_261  # first half of the advisory locks' keys: nothing else on a test server uses it
TEMPLATE_LOCK = 20_262
KEPT_TEMPLATES = 3
RUN = re.compile(r"test_.*_r(?P<run>[0-9a-f]{8})(_gw\d+)?")
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory on every Linux
ENOUGH_MEMORY = 2 * 2**30  # bytes: a process has one database there, of some tens of megabytes
TABLESPACE = "CDP_TEST_TABLESPACE"  # environment variable: the tablespace in memory, for the processes of a run

_held = ExitStack()
"""What has to live as long as the run: our place among the server's users, and the run's advisory lock."""


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Runs around pytest-django's own hook, which imports the settings."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        _prepare_environment()
    return (yield)


def pytest_unconfigure() -> None:
    _held.close()


def _prepare_environment() -> None:
    data = bootstrap.data_folder() / "test"
    os.environ["CDP_DATA"] = str(data)  # a test never writes where a demo of this tree keeps its files
    bootstrap.export_secrets(data)
    if is_own := "DATABASE_URL" not in os.environ:
        server = embedded_postgres.serve(data / "postgres", profile=embedded_postgres.Profile.TEST)
        os.environ["DATABASE_URL"] = server.url()
        _held.callback(server.release)
    # A ledger for each run: what another run has erased is nobody here.
    folder = _held.enter_context(TemporaryDirectory(prefix="erasures-"))
    os.environ["ERASURE_LEDGER"] = str(Path(folder) / "ledger.jsonl")
    run = secrets.randbits(31)
    maintenance = _held.enter_context(psycopg.connect(url_with("postgres"), autocommit=True))
    maintenance.execute("SELECT pg_advisory_lock(%s, %s)", [RUN_LOCK, run])
    _drop_stale_databases(maintenance)
    if is_own and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY:
        os.environ[TABLESPACE] = f"test_memory_r{run:08x}"
        _held.callback(_drop, maintenance, run)
        _make_tablespace(maintenance, os.environ[TABLESPACE])
    os.environ["DATABASE_URL"] = url_with(f"{_database_name()}_r{run:08x}")


def _make_tablespace(maintenance: psycopg.Connection, name: str) -> None:
    folder = MEMORY / f"cdp_{name}"
    folder.mkdir(mode=0o700)
    server = maintenance.execute("SELECT current_setting('data_directory')").fetchone()
    owner = Path(server[0]).stat() if server else folder.stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    made = sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), sql.Literal(str(folder)))
    maintenance.execute(made)


def _drop_stale_databases(maintenance: psycopg.Connection) -> None:
    """Drop databases of runs whose lock nobody holds any more."""
    names = maintenance.execute("SELECT datname FROM pg_database UNION SELECT spcname FROM pg_tablespace").fetchall()
    for run in {int(found["run"], 16) for (name,) in names if (found := RUN.fullmatch(name))}:
        key = [RUN_LOCK, run]
        row = maintenance.execute("SELECT pg_try_advisory_lock(%s, %s)", key).fetchone()
        if row and row[0]:
            _drop(maintenance, run)
            maintenance.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def _drop(maintenance: psycopg.Connection, run: int) -> None:
    """What a run has left on the server: its databases, then their tablespace with its folder."""
    for (name,) in maintenance.execute("SELECT datname FROM pg_database").fetchall():
        if (found := RUN.fullmatch(name)) and int(found["run"], 16) == run:
            maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    tablespaces = "SELECT spcname, pg_tablespace_location(oid) FROM pg_tablespace WHERE spcname = %s"
    for name, folder in maintenance.execute(tablespaces, [f"test_memory_r{run:08x}"]).fetchall():
        maintenance.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))
        if Path(folder).exists():
            shutil.rmtree(folder)


def use_template() -> None:
    """Let Django copy its test database from a migrated template, which is made here if there is none yet."""
    template = f"cdp_template_{_migrations_digest()}"
    with psycopg.connect(url_with("postgres"), autocommit=True) as maintenance:
        maintenance.execute("SELECT pg_advisory_lock(%s, 0)", [TEMPLATE_LOCK])
        exists = maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone()
        if not exists:
            half_made = sql.Identifier(f"{template}_half_made")
            maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(half_made))
            maintenance.execute(sql.SQL("CREATE DATABASE {}").format(half_made))
            with _connected_to(f"{template}_half_made"):
                call_command("migrate", verbosity=0, interactive=False)
            maintenance.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(half_made, sql.Identifier(template)))
        _drop_old_templates(maintenance)
    connection.settings_dict["TEST"]["TEMPLATE"] = template
    TransactionTestCase._fixture_teardown = _restore_database


def _restore_database(_case: TransactionTestCase) -> None:
    """After a test that committed: the database anew from its template.

    Django would empty every table, with what the migrations put there, and append-only tables refuse that.
    """
    connections.close_all()
    name = connection.settings_dict["NAME"]
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
        sql.Identifier(name), sql.Identifier(connection.settings_dict["TEST"]["TEMPLATE"])
    )
    if TABLESPACE in os.environ:
        copy += sql.SQL(" TABLESPACE {}").format(sql.Identifier(os.environ[TABLESPACE]))
    with psycopg.connect(url_with("postgres"), autocommit=True) as maintenance:
        maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        maintenance.execute(copy)


def _drop_old_templates(maintenance: psycopg.Connection) -> None:
    names = maintenance.execute(
        "(SELECT datname FROM pg_database WHERE datname ~ '^cdp_template_[0-9a-f]+$' ORDER BY oid DESC OFFSET %s)"
        " UNION ALL SELECT datname FROM pg_database WHERE datname ~ '^cdp_template_[0-9a-f]+_half_made$'",
        [KEPT_TEMPLATES],
    ).fetchall()
    for (name,) in names:
        maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _connected_to(database: str) -> Iterator[None]:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _migrations_digest() -> str:
    """Changes with any migration of ours and with any package that could bring some."""
    digest = hashlib.sha256()
    for path in [ROOT / "uv.lock", *sorted(ROOT.glob("**/migrations/*.py"))]:
        if ".venv" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _database_name() -> str:
    return urlsplit(os.environ["DATABASE_URL"]).path.strip("/")


def url_with(name: str) -> str:
    """DATABASE_URL with another database's name."""
    return re.sub(r"^(\w+://[^/?]*)/?[^?]*", rf"\g<1>/{name}", os.environ["DATABASE_URL"])
