"""How much a source sends: charts as lists of bars that a template draws as SVG, or lists as a table."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ingestion.health.querysets import AccountQuerySet
from ingestion.models import AccountRow, Source

# The drawing's own units; the page scales it.
WIDTH, HEIGHT = 720, 120
SPARK_WIDTH, SPARK_HEIGHT = 96, 24
LABELLED: Final = 6  # bars with their time below


class Span(TextChoices):
    """Over which time a chart goes."""

    HOUR = "hour", _("Last hour")
    DAY = "day", _("24 hours")
    WEEK = "week", _("7 days")

    @classmethod
    def read(cls, text: str) -> Self:
        """From an address; anything else means a day."""
        return cls(text) if text in cls.values else cls("day")

    @property
    def unit(self) -> str:
        """What a bar stands for."""
        return "minute" if self == Span.HOUR else "hour"

    @property
    def bars(self) -> int:
        return {Span.HOUR: 60, Span.DAY: 24, Span.WEEK: 7 * 24}[self]

    def moments(self) -> list[datetime]:
        """Beginnings of its minutes or hours in the company's time zone, up to the one that goes on."""
        now = timezone.localtime()
        step = timedelta(minutes=1) if self == Span.HOUR else timedelta(hours=1)
        last = now.replace(second=0, microsecond=0)
        if self != Span.HOUR:
            last = last.replace(minute=0)
        # Steps of real time: a day on which the clocks change has 23 or 25 hours.
        return [timezone.localtime(last.astimezone(UTC) - step * n) for n in reversed(range(self.bars))]


@dataclass(frozen=True, slots=True)
class Bar:
    """What came in one minute or hour; x, y and heights in the drawing's units, `held` the quarantined part."""

    at: datetime
    received: int
    quarantined: int
    x: float
    width: float
    y: float
    height: float
    held_y: float
    held_height: float
    is_labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Chart:
    span: Span
    bars: tuple[Bar, ...]
    highest: int
    received: int
    quarantined: int


def chart(source: Source, span: Span) -> Chart:
    """What a source sent over the span. One query."""
    moments = span.moments()
    rows = AccountRow.objects.of_source(source).received_since(moments[0]).received_by(span.unit)
    found = {moment: (received, quarantined) for _source, moment, received, quarantined in rows}
    values = [found.get(moment, (0, 0)) for moment in moments]
    highest = max(received for received, _held in values)
    scale = HEIGHT / highest if highest else 0.0
    pace = WIDTH / len(moments)
    label_every = len(moments) // LABELLED
    bars = []
    for n, (moment, (received, held)) in enumerate(zip(moments, values, strict=True)):
        height = round(received * scale, 1)
        held_height = round(held * scale, 1)
        bars.append(
            Bar(
                at=moment,
                received=received,
                quarantined=held,
                x=round(n * pace + pace * 0.1, 1),
                width=round(pace * 0.8, 1),
                y=round(HEIGHT - height, 1),
                height=height,
                held_y=round(HEIGHT - held_height, 1),
                held_height=held_height,
                is_labelled=n % label_every == label_every // 2,
            )
        )
    return Chart(
        span, tuple(bars), highest, sum(received for received, _held in values), sum(held for _received, held in values)
    )


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The last 24 hours of a source in a row of the list: `points` of an SVG polyline."""

    points: str
    received: int


def sparklines(received: AccountQuerySet) -> Callable[[int], Sparkline]:
    """Source id → its line over the last 24 hours, each on a scale of its own. One query."""
    moments = Span.DAY.moments()
    found: dict[int, dict[datetime, int]] = {}
    for source, moment, n, _held in received.received_since(moments[0]).received_by("hour"):
        found.setdefault(source, {})[moment] = n

    def line(source: int) -> Sparkline:
        values = [found.get(source, {}).get(moment, 0) for moment in moments]
        highest = max(values) or 1
        pace = SPARK_WIDTH / (len(values) - 1)
        usable = SPARK_HEIGHT - 2  # the stroke is not cut off
        points = " ".join(f"{n * pace:.1f},{1 + usable * (1 - value / highest):.1f}" for n, value in enumerate(values))
        return Sparkline(points, sum(values))

    return line
