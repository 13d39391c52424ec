"""Requests that a door refused, counted by source, hour and HTTP status.

Refusing has to stay cheap under a flood of bad requests, so a process sums up in memory and writes every few
seconds. What a killed process had not written yet is lost: these numbers explain, they are no part of the account.
"""

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import structlog
from django.db import Error, connection

from cdp_site.core import memory
from ingestion.models import RejectedHour, Source

log = structlog.get_logger("tracking")

WRITE_EVERY: Final = 5.0  # seconds
DAYS: Final = 90


class _Tally:
    """What this process has refused since it last wrote."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[int | None, datetime, int]] = Counter()
        self._last: dict[tuple[int | None, datetime, int], datetime] = {}
        self._written_at = float("-inf")

    def add(self, source_id: int | None, status: int) -> None:
        now = datetime.now(UTC)
        key = (source_id, now.replace(minute=0, second=0, microsecond=0), status)
        with self._lock:
            self._counts[key] += 1
            self._last[key] = now

    def take_due(self) -> list[RejectedHour]:
        """What is to be written now, by one thread at a time; nothing between two times."""
        with self._lock:
            if not self._counts or time.monotonic() - self._written_at < WRITE_EVERY:
                return []
            return self._take()

    def take_all(self) -> list[RejectedHour]:
        with self._lock:
            return self._take()

    def _take(self) -> list[RejectedHour]:
        keys = sorted(self._counts, key=lambda key: (key[0] or 0, key[1], key[2]))
        rows = [
            RejectedHour(source_id=key[0], hour=key[1], status=key[2], n=self._counts[key], last_at=self._last[key])
            for key in keys
        ]
        self._counts.clear()
        self._last.clear()
        self._written_at = time.monotonic()
        return rows


_tally = _Tally()

# Sorted rows: two processes that write at once cannot deadlock.
_ADD = """
INSERT INTO ingestion_rejectedhour AS kept (source_id, hour, status, n, last_at)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::smallint[], %s::int[], %s::timestamptz[])
ON CONFLICT (source_id, hour, status) DO UPDATE
   SET n = kept.n + excluded.n, last_at = greatest(kept.last_at, excluded.last_at)
"""


def note(source: Source | int | None, status: int) -> None:
    """A request was refused; `source` as far as its key says. At most one statement in WRITE_EVERY seconds; never
    raises what the database does: the answer to the client matters more."""
    _tally.add(source.pk if isinstance(source, Source) else source, status)
    _write(_tally.take_due())


def flush() -> None:
    """Write what this process has counted, at its end and in tests."""
    _write(_tally.take_all())


@memory.forgets
def forget() -> None:
    """Drop what is not written: its sources may be another database's."""
    _tally.take_all()


def _write(rows: list[RejectedHour]) -> None:
    if not rows:
        return
    columns = [[getattr(row, name) for row in rows] for name in ("source_id", "hour", "status", "n", "last_at")]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, columns)
    except Error:
        log.warning("rejections.lost", n=sum(row.n for row in rows))
