"""Taking what was erased out of the database's files.

PostgreSQL marks a deleted row as dead and overwrites it some day; its log of writes holds the row as well, in files
that are renamed and used again. So every table is written anew, and the log is driven on until no old file is left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, User
from consent.erasure import statistics

log = structlog.get_logger("rewriting")

ACTION: Final = "storage.rewrite"
ACTOR: Final = "system:rewriting"
# A table is asked for as often as this, for a moment each: whoever works with it just now is not held up.
TRIES: Final = 5
PATIENCE: Final = "2s"

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND pg_relation_size(c.oid) > 0
 ORDER BY pg_relation_size(c.oid)
"""
_HAS_ORDER = "SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = %s::regclass AND indisclustered)"
# Values of customers lie in these as well.
_CATALOGUES: Final = ("pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What was done.

    Args:
        tables: how many were written anew.
        busy: those that somebody held all the time; the next run takes them.
        log_is_new: the server's log of writes holds nothing from before. False where the database's user may not
            see to that: the old files then go by themselves, after `max_wal_size` of writes.
    """

    tables: int
    busy: tuple[str, ...]
    log_is_new: bool

    @property
    def is_whole(self) -> bool:
        return not self.busy and self.log_is_new


def rewrite(*, by: User | str = ACTOR) -> Rewritten:
    """Write every table anew, with its indexes and statistics, then the log of writes. Each table is locked while it
    is written, so this belongs into the night. Must not run in a transaction."""
    statistics.refresh()
    is_superuser = _is_superuser()
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = [row[0] for row in cursor.fetchall()]
    busy = tuple(table for table in tables if not write_anew(table))
    if is_superuser:
        busy += tuple(table for table in _CATALOGUES if not write_anew(table))
        _renew_log()
    done = Rewritten(len(tables) - len(busy), busy, is_superuser)
    with transaction.atomic():
        fields = ["tables", *(["log"] if is_superuser else []), *(["busy"] if busy else [])]
        audit.record(action=ACTION, target=("core.Storage", "database"), by=by, fields=fields)
    log.info("storage_rewritten", tables=done.tables, busy=len(busy), log=is_superuser)
    return done


def is_due() -> bool:
    """Whether the last complete run was longer ago than REWRITE_STORAGE_DAYS."""
    since = timezone.now() - timedelta(days=settings.REWRITE_STORAGE_DAYS)
    recent = AuditEvent.objects.filter(action=ACTION, at__gte=since)
    return not any("busy" not in fields for fields in recent.values_list("fields", flat=True))


def rewrite_when_due() -> None:
    """Every night, by the clock; does something once in REWRITE_STORAGE_DAYS, and again the next night when a table
    was busy."""
    if is_due():
        rewrite()


def _is_superuser() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def write_anew(table: str) -> bool:
    """Write a table anew, in the order of the index that it is clustered on, if it is on one. Returns False when
    somebody holds it all the time. Must not run in a transaction.

    A plain VACUUM goes first: it alone removes every row that is dead to this database, while FULL and CLUSTER take
    along what a transaction of any other database of the server might still ask for."""
    with connection.cursor() as cursor:
        cursor.execute(_HAS_ORDER, [table])
        anew = "CLUSTER" if cursor.fetchone()[0] else "VACUUM (FULL)"
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [PATIENCE])
        try:
            return _try([f"VACUUM (INDEX_CLEANUP ON) {table}", f"{anew} {table}"], times=TRIES)
        finally:
            cursor.execute("RESET lock_timeout")


def _try(statements: Sequence[str], *, times: int) -> bool:
    for _attempt in range(times):
        try:
            _run(statements)
        except OperationalError as error:  # lock_not_available
            if getattr(error.__cause__, "sqlstate", "") != "55P03":
                raise
        else:
            return True
    return False


def _renew_log() -> None:
    """Files that are used again keep what stood in them, so meanwhile none is; those that lie ready for use are used
    up, each with a single record and zeros. The first checkpoint also lets go of the tables' old files."""
    try:
        _run(["ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()", "CHECKPOINT"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'")
            files = int(cursor.fetchone()[0])
        for _file in range(files + 1):
            _run(["SELECT pg_logical_emit_message(false, 'rewrite', '')", "SELECT pg_switch_wal()"])
        _run(["CHECKPOINT", "CHECKPOINT"])
    finally:
        _run(["ALTER SYSTEM RESET wal_recycle", "SELECT pg_reload_conf()"])


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
