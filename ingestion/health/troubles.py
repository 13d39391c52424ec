"""What went wrong at a source lately: held-back messages, refused requests, a clock that is off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion import wording
from ingestion.health import skew
from ingestion.models import FutureHour, QuarantinedItem, RejectedHour, Source

WINDOW: Final = timedelta(days=7)
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
class Future:
    """Messages within WINDOW that are dated more than `clocks.FUTURE` after their receipt."""

    n: int
    furthest_days: int


@dataclass(frozen=True, slots=True)
class Troubles:
    held: Held | None
    refused: Sequence[Refused]
    skew: skew.Skew | None
    future: Future | None

    @property
    def are_none(self) -> bool:
        return not (self.held or self.refused or self.future or (self.skew and self.skew.is_off))


def of_source(source: Source) -> Troubles:
    """Four queries."""
    return Troubles(
        held=_held(source),
        refused=refused(source),
        skew=skew.of_sources([source.pk]).get(source.pk),
        future=future(source, since=timezone.now() - WINDOW),
    )


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


def future(source: Source, *, since: datetime) -> Future | None:
    """None when there are none. One query."""
    found = FutureHour.objects.of_source(source).summary(since)
    if not found["n"]:
        return None
    return Future(found["n"], max(1, found["furthest"].days))
