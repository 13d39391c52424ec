"""The same people in DuckDB, for `bench segment`: what an engine made for such questions takes for them.

Native means: the needed columns of the tables in a database of DuckDB's own format on disk, in an order that lets it
skip what is out of the window, the attributes and properties that are asked for as columns of their own and not as
JSON; 2 threads, one for each processor of the machine that the goals are set for, and 4 GB. Instants are UTC without a
zone.
"""

import datetime as dt
import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.db import connection
from psycopg import sql

from cdp_site.operations.bench.segment_questions import Dialect
from cdp_site.operations.progress import Progress

if TYPE_CHECKING:
    import duckdb

SQL = sql.SQL

NEEDED = "duckdb"
MISSING = (
    "DuckDB is not installed, so nothing is measured beside it: it comes with `uv sync --group dev` "
    "(or `pip install 'duckdb>=1.5'`)."
)
THREADS, MEMORY = 2, "4GB"


class Native(Dialect):
    """DuckDB, with a column for each attribute and property."""

    def attribute(self, name: str) -> sql.Composable:
        return sql.Identifier("p", name)

    def property(self, name: str) -> sql.Composable:
        return sql.Identifier("t", name)

    def instant(self, moment: dt.datetime) -> sql.Composable:
        return sql.Literal(moment.astimezone(dt.UTC).replace(tzinfo=None))


@dataclass(frozen=True)
class _Table:
    """A table: its columns in DuckDB, each with its type and by what PostgreSQL reads it; and the order of its rows."""

    name: str
    columns: Sequence[tuple[str, str, str]]
    order: str

    def select(self) -> sql.Composed:
        columns = SQL(", ").join(SQL(read) for _name, _type, read in self.columns)
        return SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT (FORMAT csv, NULL '\\N')").format(
            columns, sql.Identifier(self.name), SQL(self.order)
        )

    def create(self) -> sql.Composed:
        columns = SQL(", ").join(SQL("{} {}").format(sql.Identifier(name), SQL(kind)) for name, kind, _ in self.columns)
        return SQL("CREATE TABLE {} ({})").format(sql.Identifier(self.name), columns)

    def load(self, file: Path) -> sql.Composed:
        return SQL(
            "COPY {} FROM {} (FORMAT csv, AUTO_DETECT false, HEADER false, DELIM ',', QUOTE '\"', ESCAPE '\"', "
            "NULLSTR '\\N')"
        ).format(sql.Identifier(self.name), str(file))


def _same(name: str, kind: str) -> tuple[str, str, str]:
    return name, kind, name


def _instant(name: str) -> tuple[str, str, str]:
    return name, "TIMESTAMP", f"{name} AT TIME ZONE 'UTC'"


_TABLES = (
    _Table(
        "profiles_profile",
        (
            _same("id", "BIGINT"),
            _same("state", "VARCHAR"),
            _same("kind", "VARCHAR"),
            ("province", "VARCHAR", "golden ->> 'province'"),
            (
                "birth_date",
                "DATE",
                "CASE WHEN pg_input_is_valid(golden ->> 'birth_date', 'date') THEN (golden ->> 'birth_date')::date END",
            ),
        ),
        "id",
    ),
    _Table(
        "profiles_touchpoint",
        (
            _same("profile_id", "BIGINT"),
            _same("type_id", "SMALLINT"),
            _instant("occurred_at"),
            ("color", "VARCHAR", "properties ->> 'color'"),
            ("category", "VARCHAR", "properties ->> 'category'"),
        ),
        "type_id, occurred_at",
    ),
    _Table(
        "profiles_order",
        (
            _same("profile_id", "BIGINT"),
            _same("currency", "VARCHAR"),
            _same("status", "VARCHAR"),
            _instant("placed_at"),
            _same("total", "DECIMAL(14, 2)"),
            _same("refunded", "DECIMAL(14, 2)"),
        ),
        "placed_at",
    ),
    # What the rules of consent read.
    _Table(
        "profiles_membership",
        (_same("profile_id", "BIGINT"), _same("record_id", "BIGINT"), _instant("valid_to")),
        "record_id",
    ),
    _Table(
        "consent_consententry",
        (
            _same("id", "UUID"),
            _same("record_id", "BIGINT"),
            _same("purpose_id", "BIGINT"),
            _same("channel", "VARCHAR"),
            _same("address", "VARCHAR"),
            _same("state", "VARCHAR"),
            _instant("occurred_at"),
            _same("origin", "VARCHAR"),
            _instant("supersedes_until"),
        ),
        "purpose_id, channel, record_id",
    ),
    _Table("consent_voidentry", (_same("entry_id", "UUID"),), "entry_id"),
)


def is_installed() -> bool:
    return importlib.util.find_spec(NEEDED) is not None


@contextmanager
def copied(progress: Progress) -> Iterator["duckdb.DuckDBPyConnection"]:
    """The tables of this process' database in one of DuckDB, gone in the end."""
    import duckdb  # not there in production

    with TemporaryDirectory(prefix="bench-segment-") as name:
        folder = Path(name)
        settings: dict[str, str | bool | int | float | list[str]] = {"threads": THREADS, "memory_limit": MEMORY}
        with duckdb.connect(str(folder / "bench.duckdb"), config=settings) as native:
            with progress.step("Copying to DuckDB", total=len(_TABLES)) as advance:
                for table in _TABLES:
                    _copy(table, native, folder / f"{table.name}.csv")
                    advance(1)
            native.execute("CHECKPOINT")
            yield native


def _copy(table: _Table, native: "duckdb.DuckDBPyConnection", file: Path) -> None:
    with connection.cursor() as cursor, cursor.copy(table.select()) as rows, file.open("wb") as written:
        for part in rows:
            written.write(part)
    native.execute(table.create().as_string())
    native.execute(table.load(file).as_string())
    file.unlink()


def ids(native: "duckdb.DuckDBPyConnection", query: sql.Composable) -> set[int]:
    return {profile_id for (profile_id,) in native.execute(_text(query)).fetchall()}


def number(native: "duckdb.DuckDBPyConnection", query: sql.Composable) -> int:
    counted = native.execute(_text(SQL("SELECT count(*) FROM ({}) q").format(query))).fetchone()
    return int(counted[0]) if counted else 0


def _text(query: sql.Composable) -> str:
    """DuckDB wants something to be selected where the rules of consent select nothing."""
    return query.as_string().replace("(SELECT FROM ", "(SELECT 1 FROM ")
