"""How long messages took from receipt to their profile, as a histogram that survives the batches' rows.

A bucket's bounds grow by the root of two from 50 ms on, so a percentile is right within a fifth: exact enough to see
that things got slow, small enough (42 numbers) for a row each hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from ingestion import wording
from ingestion.health.rates import Span
from ingestion.models import Source

FIRST_BOUND: Final = 0.05  # seconds
BOUNDS: Final = [round(FIRST_BOUND * 2 ** (n / 2), 3) for n in range(41)]  # the last one is 14.6 hours
BUCKETS: Final = len(BOUNDS) + 1  # below the first bound … above the last


@dataclass(frozen=True, slots=True)
class Lag:
    """Of `messages` half took at most `p50` seconds, 95 of 100 at most `p95`."""

    p50: float
    p95: float
    messages: int


_HISTOGRAMS = """
SELECT bucket, moments.place, sum(n)::bigint
  FROM unnest(%(since)s::timestamptz[]) WITH ORDINALITY AS moments(since, place), (
    SELECT width_bucket(extract(epoch FROM processed_at - received_at)::float8, %(bounds)s::float8[]) AS bucket,
           received_at AS at, n_items::bigint AS n
      FROM ingestion_inboundbatch
     WHERE source_id = %(source)s AND status = 'digested' AND received_at >= %(first)s
     UNION ALL
    SELECT place - 1, hour, n
      FROM ingestion_receivedhour, unnest(lag) WITH ORDINALITY AS counted(n, place)
     WHERE source_id = %(source)s AND hour >= %(first)s AND n > 0) AS told
 WHERE told.at >= moments.since
 GROUP BY bucket, moments.place
"""


def of_source(source: Source, *, since: Sequence[datetime]) -> list[Lag | None]:
    """Of the messages received since each of the moments and digested; None when there are none. One query."""
    histograms = [[0] * BUCKETS for _moment in since]
    parameters: dict[str, Any] = {"bounds": BOUNDS, "source": source.pk, "since": list(since), "first": min(since)}
    with connection.cursor() as cursor:
        cursor.execute(_HISTOGRAMS, parameters)
        for bucket, place, n in cursor.fetchall():
            histograms[place - 1][bucket] = n
    return [Lag(percentile(one, 0.5), percentile(one, 0.95), sum(one)) if any(one) else None for one in histograms]


@dataclass(frozen=True, slots=True)
class LagRow:
    """The lag over a span in words; empty when nothing was processed."""

    span: Span
    p50: str = ""
    p95: str = ""


def in_words(source: Source) -> list[LagRow]:
    """For each span of the charts. One query."""
    found = of_source(source, since=[span.moments()[0] for span in Span])
    return [
        LagRow(span, wording.span(one.p50), wording.span(one.p95)) if one else LagRow(span)
        for span, one in zip(Span, found, strict=True)
    ]


def percentile(counts: Sequence[int], share: float) -> float:
    """The seconds within which that share of a histogram's messages lies: by its place in its bucket; of the last
    bucket, which has no end, the beginning."""
    wanted = share * sum(counts)
    below = 0.0
    for bucket, n in enumerate(counts):
        if n and below + n >= wanted:
            lower = BOUNDS[bucket - 1] if bucket else 0.0
            upper = BOUNDS[bucket] if bucket < len(BOUNDS) else lower
            return lower + (upper - lower) * (wanted - below) / n
        below += n
    return 0.0
