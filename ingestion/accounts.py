"""The account of a source: what became of everything that was received, and how long it took.

Received = stored + duplicate + quarantined + suppressed + waiting, at every commit: `InboundBatch` holds it by a
constraint for each batch, so it holds for any sum of batches.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion import wording
from ingestion.equation import Equation
from ingestion.models import InboundBatch, QuarantinedItem, Source

LAG_WINDOW = timedelta(hours=1)


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


def rows(*, by: User) -> list[SourceRow]:
    """Every source that the user may see, with its account since the beginning. Two queries."""
    found = {row["source"]: row for row in InboundBatch.objects.visible_to(by).equation_by_source()}
    return [
        SourceRow(
            source,
            Equation.of_row(found[source.pk]) if source.pk in found else Equation(),
            found[source.pk]["last_received_at"] if source.pk in found else None,
        )
        for source in Source.objects.visible_to(by).with_department()
    ]


@dataclass(frozen=True, slots=True)
class Door:
    """What came by one door."""

    name: Text
    equation: Equation


@dataclass(frozen=True, slots=True)
class Account:
    """What became of a source's messages of a period, by door and altogether; `held` of the quarantined ones are
    still open, of any period."""

    period: Period
    doors: tuple[Door, ...]
    total: Equation
    held: int


def of_source(source: Source, period: Period) -> Account:
    """Two queries."""
    batches = InboundBatch.objects.of_source(source)
    begins = period.begins()
    if begins is not None:
        batches = batches.received_since(begins)
    labels = dict(InboundBatch.Door.choices)
    doors = tuple(Door(labels[row["door"]], Equation.of_row(row)) for row in batches.equation_by_door())
    return Account(
        period=period,
        doors=doors,
        total=total(door.equation for door in doors),
        held=QuarantinedItem.objects.of_source(source).open().count(),
    )


@dataclass(frozen=True, slots=True)
class Lag:
    """How long batches took from receipt to the end of their processing: half of them at most `p50`, 95 of 100 at most
    `p95`; in words."""

    p50: str
    p95: str
    batches: int


def lag(source: Source) -> Lag | None:
    """Of the batches processed within LAG_WINDOW; None when there were none. One query."""
    found = InboundBatch.objects.of_source(source).lag_since(timezone.now() - LAG_WINDOW)
    if not found["batches"]:
        return None
    p50, p95 = (wording.span(found[name].total_seconds()) for name in ("p50", "p95"))
    return Lag(p50, p95, found["batches"])
