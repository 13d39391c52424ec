"""Rolling up: rows of digested batches become sums by the hour, in the statement that deletes them.

The account of a source (`AccountRow`) is batches and sums together, so it says the same before and after, and at
every commit in between. Sums of an import go to its own row besides.
"""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection

from ingestion.health.lag import BOUNDS, BUCKETS
from ingestion.models import InboundBatch, Source

# About 50 ms of one transaction.
BATCHES_AT_ONCE: Final = 2_000

# A batch stays while a replay could take a message out of its account or bring one back (`corrections.replaying`).
# Rows that a digest still holds are passed over; the groups are written in one order, so that two runs cannot deadlock.
# ARRAY collects the portion once: a join to the subquery may run it again, and each run takes other rows.
_ROLL_UP = """
WITH gone AS (
    DELETE FROM ingestion_inboundbatch
     WHERE id = ANY(ARRAY(
           SELECT id FROM ingestion_inboundbatch AS batch
            WHERE source_id = %(source)s AND status = 'digested' AND received_at < %(before)s
              AND NOT EXISTS (SELECT FROM ingestion_quarantineditem AS held
                               WHERE held.batch_id = batch.id AND held.status IN ('open', 'replayed'))
              AND NOT EXISTS (SELECT FROM ingestion_quarantineditem AS held
                               WHERE held.replayed_as = batch.id AND held.status = 'replayed')
            ORDER BY received_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
    RETURNING source_id, date_trunc('hour', received_at, %(zone)s) AS hour, door, received_at, file_import_id,
              n_items, n_stored, n_duplicate, n_quarantined, n_suppressed,
              width_bucket(extract(epoch FROM processed_at - received_at)::float8, %(bounds)s::float8[]) AS bucket
), slow AS (
    SELECT hour, door, bucket, sum(n_items) AS n FROM gone GROUP BY hour, door, bucket
), hours AS (
    INSERT INTO ingestion_receivedhour AS kept
           (source_id, hour, door, n_batches, last_received_at,
            n_items, n_stored, n_duplicate, n_quarantined, n_suppressed, lag)
    SELECT source_id, hour, door, count(*), max(received_at),
           sum(n_items), sum(n_stored), sum(n_duplicate), sum(n_quarantined), sum(n_suppressed),
           (SELECT array_agg(coalesce(slow.n, 0)::bigint ORDER BY place)
              FROM generate_series(0, %(last_bucket)s) AS place
              LEFT JOIN slow ON slow.bucket = place AND slow.hour = gone.hour AND slow.door = gone.door)
      FROM gone GROUP BY source_id, hour, door ORDER BY source_id, hour, door
    ON CONFLICT (source_id, hour, door) DO UPDATE
       SET n_batches = kept.n_batches + excluded.n_batches,
           last_received_at = greatest(kept.last_received_at, excluded.last_received_at),
           n_items = kept.n_items + excluded.n_items,
           n_stored = kept.n_stored + excluded.n_stored,
           n_duplicate = kept.n_duplicate + excluded.n_duplicate,
           n_quarantined = kept.n_quarantined + excluded.n_quarantined,
           n_suppressed = kept.n_suppressed + excluded.n_suppressed,
           lag = (SELECT array_agg(ours + theirs ORDER BY place)
                    FROM unnest(kept.lag, excluded.lag) WITH ORDINALITY AS both_lags(ours, theirs, place))
), imports AS (
    INSERT INTO ingestion_importrollup AS kept
           (file_import_id, n_items, n_stored, n_duplicate, n_quarantined, n_suppressed)
    SELECT file_import_id, sum(n_items), sum(n_stored), sum(n_duplicate), sum(n_quarantined), sum(n_suppressed)
      FROM gone WHERE file_import_id IS NOT NULL GROUP BY file_import_id ORDER BY file_import_id
    ON CONFLICT (file_import_id) DO UPDATE
       SET n_items = kept.n_items + excluded.n_items,
           n_stored = kept.n_stored + excluded.n_stored,
           n_duplicate = kept.n_duplicate + excluded.n_duplicate,
           n_quarantined = kept.n_quarantined + excluded.n_quarantined,
           n_suppressed = kept.n_suppressed + excluded.n_suppressed
)
SELECT count(*) FROM gone
"""


def roll_up(source: Source, *, before: datetime, at_most: int = BATCHES_AT_ONCE) -> int:
    """Sum up and delete the oldest digested batches received before then; returns how many. One statement."""
    parameters = {
        "source": source.pk,
        "before": before,
        "limit": at_most,
        "zone": settings.COMPANY_TIME_ZONE,
        "bounds": BOUNDS,
        "last_bucket": BUCKETS - 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, parameters)
        (n,) = cursor.fetchone()
    return int(n)


def pending(source: Source, *, before: datetime) -> int:
    """How many batches `roll_up` would take. One query."""
    return InboundBatch.objects.of_source(source).digested_before(before).count()
