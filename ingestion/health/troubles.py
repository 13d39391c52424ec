"""What went wrong at a source lately: held-back messages, refused requests, a clock that is off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion import wording
from ingestion.models import FutureHour, QuarantinedItem, RejectedHour, Source

WINDOW: Final = timedelta(days=7)
CLOCK_WINDOW: Final = timedelta(hours=1)
# A batch travels for seconds; what is off by more than that is the clock.
CLOCK_IS_OFF: Final = timedelta(minutes=5)
STATUSES: Final[Mapping[int, Text]] = {
    400: _("could not be read"),
    401: _("wrong or revoked key"),
    403: _("not allowed from there"),
    411: _("without its length"),
    413: _("too large"),
    429: _("too many at once"),
    503: _("we could not take it"),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Requests that got one HTTP status within WINDOW."""

    status: int
    text: Text
    n: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The message that was held back last."""

    reason: str
    text: Text
    at: datetime


@dataclass(frozen=True, slots=True)
class Skew:
    """How far the clock of the sender is from ours, of half of its last batches; positive is ahead."""

    seconds: float
    batches: int

    @property
    def is_off(self) -> bool:
        return abs(self.seconds) >= CLOCK_IS_OFF.total_seconds()

    @property
    def span(self) -> str:
        return wording.span(abs(self.seconds))


@dataclass(frozen=True, slots=True)
class Future:
    """Messages within WINDOW that are dated more than `clocks.FUTURE` after their receipt."""

    n: int
    furthest_days: int


@dataclass(frozen=True, slots=True)
class Troubles:
    held: Held | None
    refused: Sequence[Refused]
    skew: Skew | None
    future: Future | None

    @property
    def are_none(self) -> bool:
        return not (self.held or self.refused or self.future or (self.skew and self.skew.is_off))


def of_source(source: Source) -> Troubles:
    """Four queries."""
    return Troubles(_held(source), refused(source), skew(source), future(source, since=timezone.now() - WINDOW))


def _held(source: Source) -> Held | None:
    item = QuarantinedItem.objects.of_source(source).open().without_payload().newest_first().first()
    return Held(item.reason, wording.reason(item.reason), item.at) if item else None


def refused(source: Source | None) -> list[Refused]:
    """By HTTP status, the latest first; without a source those whose key nobody knows. One query."""
    rows = RejectedHour.objects.of_source(source) if source else RejectedHour.objects.without_source()
    return [
        Refused(row["status"], STATUSES.get(row["status"], ""), row["total"], row["last"])
        for row in rows.since(timezone.now() - WINDOW).by_status()
    ]


_SKEW = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM sent_at - received_at)), count(*)
  FROM ingestion_inboundbatch
 WHERE source_id = %s AND received_at >= %s AND sent_at IS NOT NULL AND door = 'api'
"""


def skew(source: Source) -> Skew | None:
    """Of the batches of the last hour that say when they were sent; None when there are none. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SKEW, [source.pk, timezone.now() - CLOCK_WINDOW])
        seconds, batches = cursor.fetchone()
    return Skew(float(seconds), batches) if batches else None


def future(source: Source, *, since: datetime) -> Future | None:
    """None when there are none. One query."""
    found = FutureHour.objects.of_source(source).summary(since)
    if not found["n"]:
        return None
    return Future(found["n"], max(1, found["furthest"].days))
