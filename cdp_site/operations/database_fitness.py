"""Refuses a database that cannot carry the platform: too old, or blind to Thai letters."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from cdp_site.embedded_postgres import DatabaseProblem

OLDEST_MAJOR = 17  # the builtin C.UTF-8 locale came with it
THAI_NAME = "สมชาย"


def ensure_thai_trigrams(connection: Any) -> None:
    """Return quietly when the database fits. One or two queries; nothing stays changed.

    Args:
        connection: a Django or psycopg connection outside of a transaction.

    Raises:
        DatabaseProblem: with the reason and the mend.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
            " current_database(), EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')"
        )
        version, major, database, has_extension = cursor.fetchone()
        if major < OLDEST_MAJOR:
            raise DatabaseProblem(
                f"The database server is PostgreSQL {version}; the platform needs {OLDEST_MAJOR} or newer.",
                "Upgrade the server, or unset DATABASE_URL to use the PostgreSQL that comes with the project.",
            )
        trigrams = _trigrams(cursor) if has_extension else _trigrams_of_trial_extension(cursor)
    if not trigrams:
        raise DatabaseProblem(
            f"The database {database} is blind to Thai: pg_trgm finds no letters in a Thai name, because the"
            " database was made with LC_CTYPE=C. No Thai name could be searched.",
            f"Make the database anew: CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';",
        )


def _trigrams(cursor: Any) -> int:
    cursor.execute("SELECT cardinality(show_trgm(%s))", [THAI_NAME])
    return int(cursor.fetchone()[0])


def _trigrams_of_trial_extension(cursor: Any) -> int:
    """With an extension that is made for the question and gone after it: the first migration has not run yet."""
    cursor.execute("BEGIN")
    try:
        cursor.execute("CREATE EXTENSION pg_trgm")
        return _trigrams(cursor)
    finally:
        cursor.execute("ROLLBACK")


@register(Tags.database)
def database_carries_the_platform(*, databases: Sequence[str] | None, **_: Any) -> list[CheckMessage]:
    """Runs with `migrate` and with `check --database default`."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            ensure_thai_trigrams(connections[alias])
        except DatabaseProblem as problem:
            messages.append(Error(problem.reason, hint=problem.mend, id="operations.E001"))
    return messages
