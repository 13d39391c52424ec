"""Every place where a value of a person could lie: database, statistics, the files of both, data folder, logs.

Nothing is changed, and nothing is said of a value but which one of the list it is.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from psycopg import sql

from consent.erasure.traces import Canaries, Found
from ingestion.files import store
from ingestion.files.problems import FileProblem

MEBIBYTE: Final = 1024 * 1024
# Read at once of a file that is searched as it is; and how much of the end before is looked at again.
WINDOW: Final = 8 * MEBIBYTE
OVERLAP: Final = 4096
# Files up to this size are undressed; larger ones are the database's own, or logs.
UNDRESSED_UP_TO: Final = 64 * MEBIBYTE
MOST_OF_ONE_PLACE: Final = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A value of the list (its number from 1) in a place, and the dress in which it was."""

    place: str
    value: int
    dress: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: value {self.value}" + (f" ({' in '.join(reversed(self.dress))})" if self.dress else "")


def scan(values: Iterable[str], *, logs: Sequence[Path] = (), with_server_files: bool = True) -> list[Hit]:
    """All places in which a value is found, at most twenty of one table, statistic or file.

    Args:
        values: what must not be found; see `Canaries`.
        logs: further files and folders, such as those of the web server or of PostgreSQL's log.
        with_server_files: read the server's data files as well, where they lie on this machine.

    Raises:
        ValueError: there is nothing to look for.
    """
    canaries = Canaries(values)
    hits = [*_tables(canaries), *_statistics(canaries), *_folder(canaries, Path(settings.CDP_DATA), _own_files())]
    hits += _folder(canaries, settings.ERASURE_LEDGER.parent, ())
    for path in logs:
        hits += _folder(canaries, path, ())
    if with_server_files:
        hits += _server(canaries)
    return list(dict.fromkeys(hits))


# --- the database ----------------------------------------------------------------------------------------------------

_TABLES = """
SELECT c.oid::regclass::text, array_agg(a.attname ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 GROUP BY c.oid ORDER BY 1
"""


def _tables(canaries: Canaries) -> Iterator[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        for table, columns in cursor.fetchall():
            found: set[Hit] = set()
            for values in _rows(cursor, table, columns):
                for column, value in zip(columns, values, strict=True):
                    if value:
                        found |= {Hit(f"{table}.{column}", one.value, one.dress) for one in canaries.within(value)}
                if len(found) >= MOST_OF_ONE_PLACE:
                    break
            yield from sorted(found, key=str)


def _rows(cursor: object, table: str, columns: Sequence[str]) -> Iterator[list[bytes | None]]:
    """Rows of a table as bytes: text as it is, bytea unescaped."""
    names = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, sql.SQL(table))
    with cursor.copy(statement) as copy:  # type: ignore[attr-defined]
        for row in copy.rows():
            yield [None if value is None else _bytes(value) for value in row]


def _bytes(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    if data.startswith(b"\\x"):
        try:
            return bytes.fromhex(data[2:].decode())
        except ValueError:
            return data
    return data


_STATISTICS = """
SELECT schemaname || '.' || tablename || '.' || attname,
       concat_ws(' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text)
  FROM pg_stats WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema'
 UNION ALL
SELECT schemaname || '.' || statistics_name, most_common_vals::text FROM pg_stats_ext
"""


def _statistics(canaries: Canaries) -> Iterator[Hit]:
    """What the planner remembers of the most common values; also `bytea`, which stands there in hexadecimal."""
    with connection.cursor() as cursor:
        cursor.execute(_STATISTICS)
        for place, text in cursor.fetchall():
            if text:
                yield from _hits(f"statistics of {place}", canaries.within(text.encode()))


# --- files -----------------------------------------------------------------------------------------------------------


def _own_files() -> tuple[Path, ...]:
    """Not of the data folder's own: the embedded server's files are read as such, keys are no customer's."""
    data = Path(settings.CDP_DATA)
    return (data / "postgres", data / "test", data / "secrets.json")


def _folder(canaries: Canaries, path: Path, left_out: Sequence[Path]) -> Iterator[Hit]:
    for file in _files(path, left_out):
        try:
            yield from _file(canaries, file)
        except FileNotFoundError:
            continue  # went meanwhile


def _files(path: Path, left_out: Sequence[Path]) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if here / name not in left_out)
        yield from (here / name for name in sorted(names) if here / name not in left_out and (here / name).is_file())


def _file(canaries: Canaries, file: Path) -> Iterator[Hit]:
    yield from _hits(str(file), canaries.within(file.name.encode()))
    if file.suffix == ".sealed":
        yield from _hits(str(file), _in_sealed(canaries, file))
    elif file.stat().st_size <= UNDRESSED_UP_TO:
        yield from _hits(str(file), canaries.within(file.read_bytes()))
    else:
        yield from _as_it_is(canaries, file, str(file))


def _in_sealed(canaries: Canaries, file: Path) -> set[Found]:
    """A file of the import store; one that cannot be opened with our keys says nothing to anybody."""
    try:
        data = b"".join(store.read(file.stem, room=file.parent.name))
    except FileProblem:
        return set()
    return {Found(one.value, ("sealed", *one.dress)) for one in canaries.within(data)}


def _as_it_is(canaries: Canaries, file: Path, place: str) -> Iterator[Hit]:
    """Without undressing: files of the database, which have been read decoded."""
    found: set[Found] = set()
    with file.open("rb") as opened:
        tail = b""
        while data := opened.read(WINDOW):
            found |= canaries.plain_in(tail + data)
            tail = data[-OVERLAP:]
    yield from _hits(place, found)


def _hits(place: str, found: Iterable[Found]) -> list[Hit]:
    return [Hit(place, one.value, one.dress) for one in sorted(found, key=lambda one: (one.value, one.dress))]


# --- the server's own files ------------------------------------------------------------------------------------------

_SERVER = """
SELECT current_setting('data_directory'), pg_relation_filepath('pg_class'),
       CASE WHEN current_setting('logging_collector')::bool THEN current_setting('log_directory') END
"""


def server_folders() -> list[Path]:
    """Where the server keeps this database, its log of writes, what all databases share, and its messages; none when
    the server is elsewhere or does not say."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(current_user, 'pg_read_all_settings', 'usage')")
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(_SERVER)
        data, relation, log = cursor.fetchone()
    cluster = Path(data)
    if not os.access(cluster, os.R_OK | os.X_OK):
        return []
    folders = [(cluster / relation).parent, cluster / "global", cluster / "pg_wal", cluster / "pg_stat"]
    messages = cluster / log if log else cluster.parent / "server.log"
    return [folder for folder in (*folders, messages) if folder.exists()]


_RELATIONS = """
SELECT pg_relation_filepath(oid), oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'i', 't', 'm', 'S')
"""


def _server(canaries: Canaries) -> Iterator[Hit]:
    """The server's files as they are, with the table or index that each one is of."""
    with connection.cursor() as cursor:
        cursor.execute(_RELATIONS)
        relations = {path.rsplit("/", 1)[-1]: name for path, name in cursor.fetchall() if path}
    for folder in server_folders():
        for file in _files(folder, ()):
            relation = relations.get(re.split(r"[._]", file.name)[0]) if folder.parent.name == "base" else None
            try:
                yield from _as_it_is(canaries, file, f"{file} ({relation})" if relation else str(file))
            except (FileNotFoundError, PermissionError):
                continue
