"""What the database's planner remembers: the most common values of each column are copies of customers' values.

ANALYZE replaces them, except for a table without rows, of which it keeps what it knew. So they are thrown away first.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection
from psycopg import sql

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder

NAME: Final = "core.statistics"
# After every store: what is remembered must be what is left.
ORDER: Final = 900

_KNOWN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = current_schema AND c.relkind = 'r'
   AND EXISTS (SELECT 1 FROM pg_statistic s
                WHERE s.starelid = c.oid
                   OR s.starelid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid))
 ORDER BY 1
"""
_KNOWN_TO_OTHERS = "SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = current_schema ORDER BY 1"
_FORGET = """
DELETE FROM pg_statistic s USING pg_class c
 WHERE c.oid = %s::regclass
   AND (s.starelid = c.oid OR s.starelid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.oid))
"""


def refresh() -> int:
    """Let the planner forget what it knows of every table, and look again at what is there; returns how many tables.

    A user of the database who is no superuser cannot throw anything away: there, the statistics of a table that has
    become empty stay until it has rows again.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        may_forget = bool(cursor.fetchone()[0])
        cursor.execute(_KNOWN if may_forget else _KNOWN_TO_OTHERS)
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            if may_forget:
                cursor.execute(_FORGET, [connection.ops.quote_name(table)])
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return len(tables)


class StatisticsHolder(BaseHolder):
    """Copies of values in the planner's statistics. They cannot be told apart by person: all are made anew."""

    name = NAME
    tables: tuple[str, ...] = ()

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        return {}

    def erase(self, subject: Subject) -> Outcome:
        refresh()
        return Outcome()


def register() -> None:
    register_holder(StatisticsHolder(), order=ORDER)
