"""Messages that broke the schema which their event is pinned to: counted by the digest, charted for people."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from django.db import connection
from django.utils import timezone

from ingestion.landing import Unusable
from ingestion.messages import Reason
from ingestion.models import PlanViolation
from ingestion.plan import schema

STEP: Final = timedelta(minutes=5)
KEPT: Final = timedelta(days=35)

_UPSERT = """
INSERT INTO ingestion_planviolation AS v (event, source_id, rule, at, n)
SELECT event, source_id, rule, at, n
  FROM json_to_recordset(%s::json) AS t(event text, source_id bigint, rule text, at timestamptz, n int)
 ORDER BY event, source_id, rule, at
    ON CONFLICT (event, source_id, rule, at) DO UPDATE SET n = v.n + EXCLUDED.n
"""


def write(items: Iterable[Unusable]) -> None:
    """Count those that go to quarantine because of the plan, in the current transaction. One statement, or none."""
    found = Counter(
        (item.event, item.batch.source_id, rule_of(item.detail), start_of_step(item.batch.received_at))
        for item in items
        if item.reason == Reason.PLAN
    )
    if found:
        rows = [
            {"event": event, "source_id": source_id, "rule": rule, "at": at, "n": n}
            for (event, source_id, rule, at), n in found.items()
        ]
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [msgspec.json.encode(rows).decode()])


def rule_of(detail: str) -> str:
    """The rule that was broken, from the problem's text: all names that the plan does not know are one rule."""
    path, _colon, expected = detail.rpartition(": ")
    if expected == schema.NOT_PLANNED:
        return f"{path.rpartition('.')[0]}.*: {expected}"
    return detail[:300]


def start_of_step(moment: datetime) -> datetime:
    """The beginning of the five minutes that the moment lies in."""
    return datetime.fromtimestamp(moment.timestamp() // STEP.total_seconds() * STEP.total_seconds(), tz=UTC)


def forget_old() -> int:
    """A daily chore: violations are charted over a week, and kept some longer; returns how many rows went."""
    deleted, _by_model = PlanViolation.objects.before(timezone.now() - KEPT).delete()
    return deleted
