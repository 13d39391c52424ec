"""What is counted and hashed of a database when it is backed up, to be found again when it is restored."""

from typing import Any, Final

import msgspec
from django.db import connection
from psycopg import sql

from cdp_site.operations.backup.postgres import LEFT_OUT

# Tables whose every row counts: consent, audit, and whatever else a trigger makes append-only.
_APPEND_ONLY: Final = (
    "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
    " WHERE t.tgname = 'append_only' AND NOT t.tgisinternal ORDER BY 1"
)
# An unlogged table holds what may be lost in a crash, and is not backed up either.
_TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    " AND relpersistence = 'p' ORDER BY 1"
)


class Proofs(msgspec.Struct, frozen=True):
    """`rows`: table → rows; `digests`: append-only table → a number that every one of its rows has a part in;
    `migrations`: app → those applied; `seal`: the audit's last link."""

    rows: dict[str, int]
    digests: dict[str, str]
    migrations: dict[str, list[str]]
    seal: str


def take() -> Proofs:
    """Of the database that Django is connected to, in the caller's transaction. Reads every row once."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL timezone = 'UTC'")
        cursor.execute("SET LOCAL extra_float_digits = 1")
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall() if name not in LEFT_OUT]
        rows = {name: int(_one(cursor, "SELECT count(*) FROM {}", name)) for name in tables}
        cursor.execute(_APPEND_ONLY)
        marked = [name for (name,) in cursor.fetchall()]
        digests = {
            name: str(_one(cursor, "SELECT coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} t", name))
            for name in marked
        }
        cursor.execute("SELECT app, array_agg(name ORDER BY name) FROM django_migrations GROUP BY app ORDER BY app")
        migrations = {app: list(names) for app, names in cursor.fetchall()}
        cursor.execute("SELECT encode(chain_hash, 'hex') FROM core_auditseal ORDER BY sequence DESC LIMIT 1")
        last = cursor.fetchone()
    return Proofs(rows=rows, digests=digests, migrations=migrations, seal=last[0] if last else "")


def _one(cursor: Any, statement: str, table: str) -> Any:
    cursor.execute(sql.SQL(statement).format(sql.Identifier(table)))
    return cursor.fetchone()[0]


def differences(stated: Proofs, found: Proofs) -> list[str]:
    """Names of the tables that are not what they were; never a value."""
    tables = sorted(stated.rows.keys() | found.rows.keys())
    wrong = [name for name in tables if stated.rows.get(name) != found.rows.get(name)]
    wrong += [name for name, digest in stated.digests.items() if found.digests.get(name) != digest]
    return sorted(set(wrong)) + ([] if stated.seal == found.seal else ["the audit's last seal"])
