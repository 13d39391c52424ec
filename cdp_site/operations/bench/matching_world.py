"""A million people in a database of the benchmarks' own, each with one record and its blocking keys, by a model that
was trained on a thousand.

Each is made one by one, which takes some minutes: names are as common and blocks as full as among a million, and nobody
is a copy of somebody else, whom neither a model nor a person could tell from the first.
"""

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from django.db import connection
from psycopg import sql

from cdp_site.core.ids import uuid7
from cdp_site.operations.bench import database, matching_people
from cdp_site.operations.bench.matching_people import Described, Stated
from ingestion.models import Source
from profiles import intake
from profiles.matching import block_keys
from profiles.matching.learned import LearnedMatcher

SOURCE = "bench"
_AT_ONCE = 2_500
_PROCESSES = 2

_TABLES = {
    "profiles_profile": "id, public_id, kind, state, golden, sort_name, created_at, changed_at",
    "profiles_sourcerecord": "id, source_id, kind, external_id, birth_profile_id, attributes, attribute_times,"
    " content_hash, first_seen_at, last_seen_at, received_at",
    "profiles_membership": "record_id, profile_id, valid_from",
    "profiles_identifier": "kind, namespace, value, raw, record_id, profile_id, is_evidence, problem, is_current,"
    " valid_from, last_stated_at",
    "profiles_blockkey": "key, record_id",
}


def name_of(people: int) -> str:
    """Of the database of so many people."""
    return f"cdp_bench_match_{people}"


def use(people: int) -> LearnedMatcher:
    """Point this process at the database of so many people, making it when it is not there; returns the model by which
    the keys were made. Person `number` is record and profile `number + 1`."""

    def fill(now: datetime) -> None:
        source = Source.objects.create(slug=SOURCE, name=SOURCE)
        document = matching_people.learn().to_json()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE bench_model AS SELECT %s::text AS document", [msgspec.json.encode(document).decode()]
            )
        connection.close()  # not to be shared with the processes
        with (
            _without_constraints(),
            multiprocessing.get_context("spawn").Pool(
                _PROCESSES, initializer=matching_people.begin, initargs=(document,)
            ) as pool,
        ):
            portions = (range(start, min(start + _AT_ONCE, people)) for start in range(0, people, _AT_ONCE))
            for portion in pool.imap(matching_people.describe, portions):
                _copy(portion, source, now)
        with connection.cursor() as cursor:
            for table in ("profiles_profile", "profiles_sourcerecord"):
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, people])

    database.keep(name_of(people), fill)
    return matcher()


def matcher() -> LearnedMatcher:
    """The model of the database that this process is pointed at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT document FROM bench_model")
        return LearnedMatcher.from_json(msgspec.json.decode(cursor.fetchone()[0]))


# --- filling ----------------------------------------------------------------------------------------------------------


def _copy(people: Sequence[Described], source: Source, now: datetime) -> None:
    portion = [(number + 1, stated, keys) for number, stated, keys in people]
    rows: Mapping[str, Iterable[Sequence[Any]]] = {
        "profiles_profile": ((n, uuid7(), "identified", "live", "{}", "", now, now) for n, _stated, _keys in portion),
        "profiles_sourcerecord": (record_row(n, stated, source.pk, n, now) for n, stated, _keys in portion),
        "profiles_membership": ((n, n, now) for n, _stated, _keys in portion),
        "profiles_identifier": chain.from_iterable(identifier_rows(n, stated, n, now) for n, stated, _keys in portion),
        "profiles_blockkey": ((block_keys.hashed(key), n) for n, _stated, keys in portion for key in keys),
    }
    with connection.cursor() as cursor:
        for table, of_table in rows.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(_TABLES[table]))
            with cursor.copy(statement) as copy:
                for row in of_table:
                    copy.write_row(row)


def record_row(number: int, stated: Stated, source_id: int, profile: int, now: datetime) -> tuple[Any, ...]:
    attributes = stated[0]
    text = msgspec.json.encode(attributes).decode()
    hashed = intake.content_hash(attributes)
    return number, source_id, "identified", f"B{number}", profile, text, "{}", hashed, now, now, now


def identifier_rows(number: int, stated: Stated, profile: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    for kind, value in stated[1]:
        yield kind, "global", value, value, number, profile, True, "", True, now, now


@contextmanager
def _without_constraints() -> Iterator[None]:
    """Foreign keys and unique ones are checked once for all rows, not row by row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype IN ('f', 'u') AND conrelid = ANY(%s::regclass[])",
            [list(_TABLES)],
        )
        found = cursor.fetchall()
        for table, name, _definition in found:
            cursor.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
            )
    yield
    with connection.cursor() as cursor:
        for table, name, definition in found:
            cursor.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                    sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)
                )
            )
