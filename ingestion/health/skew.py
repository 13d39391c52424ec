"""How far the clocks of senders are from ours: by what their last batches say of when they were sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from ingestion import wording

WINDOW: Final = timedelta(days=1)
LAST_BATCHES: Final = 50
FEWEST_BATCHES: Final = 3
# A batch travels for seconds; what is off by more than that is the clock.
IS_OFF: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Skew:
    """Of half of the last batches; positive is ahead of us."""

    seconds: float

    @property
    def is_off(self) -> bool:
        return abs(self.seconds) >= IS_OFF.total_seconds()

    @property
    def span(self) -> str:
        return wording.span(abs(self.seconds))


_SKEWS = """
SELECT wanted.source_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY last.ahead)
  FROM unnest(%(sources)s::bigint[]) AS wanted(source_id), LATERAL (
    SELECT extract(epoch FROM sent_at - received_at) AS ahead
      FROM ingestion_inboundbatch AS batch
     WHERE batch.source_id = wanted.source_id AND received_at >= %(since)s AND sent_at IS NOT NULL AND door = 'api'
     ORDER BY received_at DESC LIMIT %(last)s) AS last
 GROUP BY wanted.source_id HAVING count(*) >= %(fewest)s
"""


def of_sources(source_ids: Collection[int]) -> dict[int, Skew]:
    """Source id → the skew of its last batches of the event API; without those that sent too few. One query."""
    parameters: dict[str, Any] = {
        "sources": list(source_ids),
        "since": timezone.now() - WINDOW,
        "last": LAST_BATCHES,
        "fewest": FEWEST_BATCHES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SKEWS, parameters)
        return {source: Skew(float(seconds)) for source, seconds in cursor.fetchall()}
