"""Violations over time, as bars that a template draws as SVG or lists as a table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from ingestion.health.rates import HEIGHT, WIDTH, Span
from ingestion.plan import violations as violations_of
from ingestion.querysets_plan import PlanViolationQuerySet

# What a bar stands for, and how many there are.
_STEPS: Final = {
    Span.HOUR: (timedelta(minutes=5), 12),
    Span.DAY: (timedelta(hours=1), 24),
    Span.WEEK: (timedelta(hours=6), 28),
}
_LABELLED: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """Messages refused from `at` on; x, y and height in the drawing's units."""

    at: datetime
    n: int
    x: float
    width: float
    y: float
    height: float
    is_labelled: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Chart:
    span: Span
    bars: tuple[Bar, ...]
    highest: int
    total: int


def chart(violations: PlanViolationQuerySet, span: Span) -> Chart:
    """Of these violations over the span, up to now. One query."""
    step, n = _STEPS[span]
    begins = violations_of.start_of_step(timezone.now()) + violations_of.STEP - step * n
    values = [0] * n
    for row in violations.since(begins).by_time():
        values[min(int((row["at"] - begins) / step), n - 1)] += row["total"]
    highest = max(values)
    pace = WIDTH / n
    bars = []
    for number, value in enumerate(values):
        height = round(HEIGHT * value / highest, 1) if highest else 0.0
        bars.append(
            Bar(
                at=timezone.localtime(begins + step * number),
                n=value,
                x=round(number * pace + pace * 0.1, 1),
                width=round(pace * 0.8, 1),
                y=round(HEIGHT - height, 1),
                height=height,
                is_labelled=number % (n // _LABELLED) == n // _LABELLED // 2,
            )
        )
    return Chart(span, tuple(bars), highest, sum(values))
