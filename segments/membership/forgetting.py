"""How long it is kept who entered and left which segment."""

import time
from datetime import timedelta
from typing import Final

import structlog
from django.db import connection
from django.utils import timezone

from segments.models import Segment

log = structlog.get_logger("membership")

KEPT: Final = timedelta(days=430)
"""The charts of sizes count back over 400 days at most (`segments.sizes.LONGEST`); a month longer, as nights on which
the machine stood still are filled in afterwards. Sizes that are written down stay."""
BUDGET_SECONDS: Final = 60.0  # of a run, each night; what is left over goes with the next ones
AT_ONCE: Final = 10_000

# By the index on (segment, at).
_FORGET = """
DELETE FROM segments_segmentpassage
 WHERE id IN (SELECT id FROM segments_segmentpassage WHERE segment_id = %s AND at < %s ORDER BY at LIMIT %s)
"""


def forget_old() -> int:
    """A daily chore; returns how many passages went. In small portions, so that a killed one has done whole ones."""
    until, before, n = time.monotonic() + BUDGET_SECONDS, timezone.now() - KEPT, 0
    for segment_id in Segment.objects.order_by("pk").values_list("pk", flat=True):
        gone = AT_ONCE
        while gone == AT_ONCE and time.monotonic() < until:
            with connection.cursor() as cursor:
                cursor.execute(_FORGET, [segment_id, before, AT_ONCE])
                gone = cursor.rowcount
            n += gone
    if n:
        log.info("passages_forgotten", n=n)
    return n
