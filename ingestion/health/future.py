"""Messages that are dated far in the future: shown at their time, counted here so that somebody mends the clock."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection

from ingestion.clocks import Clocks

_ADD = """
INSERT INTO ingestion_futurehour AS kept (source_id, hour, n, furthest)
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::int[], %s::interval[])
ON CONFLICT (source_id, hour) DO UPDATE
   SET n = kept.n + excluded.n, furthest = greatest(kept.furthest, excluded.furthest)
"""


def note(stored: Iterable[tuple[int, Clocks]]) -> None:
    """Count those of the (source id, clocks) that are in the future, in the caller's transaction. No statement when
    there are none, as almost always; sorted, so that two digests cannot deadlock."""
    found: dict[tuple[int, datetime], list[timedelta]] = {}
    for source_id, clocks in stored:
        if clocks.is_future:
            hour = clocks.received_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            found.setdefault((source_id, hour), []).append(clocks.occurred_at - clocks.received_at)
    if not found:
        return
    rows = [(source, hour, len(ahead), max(ahead)) for (source, hour), ahead in sorted(found.items())]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [list(column) for column in zip(*rows, strict=True)])
