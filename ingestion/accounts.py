"""The account of a source: what became of everything that was received, and what of it was removed later.

Received = stored + duplicate + quarantined + suppressed + waiting, at every commit: `InboundBatch` and `ReceivedHour`
hold it by a constraint for each row, so it holds for any sum of rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion.equation import Equation
from ingestion.health import rates, standing
from ingestion.health.standing import Standing
from ingestion.models import AccountRow, InboundBatch, QuarantinedItem, RemovedByRetention, Source


class Period(TextChoices):
    """Over which messages an account goes, by our clock (`received_at`)."""

    TODAY = "today", _("Today")
    WEEK = "week", _("7 days")
    ALL = "all", _("All")

    @classmethod
    def read(cls, text: str) -> "Period":
        """From an address; anything else means all."""
        return cls(text) if text in cls.values else cls.ALL

    def begins(self) -> datetime | None:
        """Midnight of the company's day: today's, or six days before it; None is the beginning of time."""
        if self == Period.ALL:
            return None
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight if self == Period.TODAY else midnight - timedelta(days=6)


def total(equations: Iterable[Equation]) -> Equation:
    """The sum, which holds as its parts do."""
    rows = list(equations)
    return Equation(**{term.name: sum(getattr(row, term.name) for row in rows) for term in fields(Equation)})


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source in the list of sources."""

    source: Source
    equation: Equation
    last_received_at: datetime | None
    standing: Standing
    sparkline: rates.Sparkline


def rows(*, by: User) -> list[SourceRow]:
    """Every source that the user may see, with its account since the beginning, how it fares and what it sent in the
    last 24 hours. Four queries."""
    sources = list(Source.objects.visible_to(by).with_department())
    found = {row["source"]: row for row in AccountRow.objects.visible_to(by).equation_by_source()}
    sparklines = rates.sparklines(AccountRow.objects.visible_to(by))
    standings = standing.of_sources(sources, heard_of=found.keys())
    return [
        SourceRow(
            source,
            Equation.of_row(found[source.pk]) if source.pk in found else Equation(),
            found[source.pk]["last_received_at"] if source.pk in found else None,
            standings[source.pk],
            sparklines(source.pk),
        )
        for source in sources
    ]


@dataclass(frozen=True, slots=True)
class Door:
    """What came by one door."""

    name: Text
    equation: Equation


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a source's messages of a period, by door and altogether.

    `held` of the quarantined ones are still open; `removed` is what retention removed later, by
    `RemovedByRetention.Kind`: both of any period.
    """

    period: Period
    doors: tuple[Door, ...]
    total: Equation
    held: int
    removed: Mapping[str, int]


def of_source(source: Source, period: Period) -> Account:
    """Three queries."""
    received = AccountRow.objects.of_source(source)
    begins = period.begins()
    if begins is not None:
        received = received.received_since(begins)
    labels = dict(InboundBatch.Door.choices)
    doors = tuple(
        Door(labels.get(row["door"], row["door"]), Equation.of_row(row)) for row in received.equation_by_door()
    )
    return Account(
        period=period,
        doors=doors,
        total=total(door.equation for door in doors),
        held=QuarantinedItem.objects.of_source(source).open().count(),
        removed=RemovedByRetention.objects.of_source(source).by_kind(),
    )
