"""Windows of time: from when to when a condition looks. No Django."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from segments.definition.checked import Checked, Flaw, date_flaws, whole_flaws

MAX_WINDOW = dt.timedelta(days=3660)


@dataclass(frozen=True)
class Span:
    """Instants from `start` up to, but not including, `end`. `start` None: since ever."""

    start: dt.datetime | None
    end: dt.datetime

    def holds(self, moment: dt.datetime) -> bool:
        return (self.start is None or moment >= self.start) and moment < self.end


TICK = dt.timedelta(microseconds=1)
"""The smallest step that Python and PostgreSQL both know: turns "later than" into "from", "until" into "before"."""


class Unit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


def _one(unit: Unit) -> dt.timedelta:
    return dt.timedelta(**{unit.value: 1})


@dataclass(frozen=True)
class Ever:
    """Everything that has happened up to now. Nothing dated in the future counts, in any window."""

    def span(self, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> Span:
        return Span(None, now + TICK)


@dataclass(frozen=True)
class Rolling(Checked):
    """The last `n` minutes, hours or days of 24 hours, ending now.

    What happened exactly `n` units ago is out: at that instant a membership of "at least" ends.
    """

    n: int
    unit: Unit

    def _flaws(self) -> Iterator[Flaw]:
        yield from whole_flaws("n", self.n, 1, MAX_WINDOW // _one(self.unit))

    @property
    def length(self) -> dt.timedelta:
        return self.n * _one(self.unit)

    def span(self, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> Span:
        return Span(now - self.length + TICK, now + TICK)


@dataclass(frozen=True)
class Within(Checked):
    """How far two touchpoints lie apart at most: `n` minutes, hours or days of 24 hours, and not a moment more."""

    n: int
    unit: Unit

    def _flaws(self) -> Iterator[Flaw]:
        yield from whole_flaws("n", self.n, 1, MAX_WINDOW // _one(self.unit))

    @property
    def length(self) -> dt.timedelta:
        return self.n * _one(self.unit)


@dataclass(frozen=True)
class CalendarDays(Checked):
    """Today and the `n - 1` days before it, from midnight in the company's time zone; `n` = 1 is today."""

    n: int

    def _flaws(self) -> Iterator[Flaw]:
        yield from whole_flaws("n", self.n, 1, MAX_WINDOW.days)

    def span(self, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> Span:
        first = now.astimezone(time_zone).date() - dt.timedelta(days=self.n - 1)
        return Span(_midnight(first, time_zone), now + TICK)


@dataclass(frozen=True)
class Between(Checked):
    """From the midnight that begins `first` to the one that ends `last`, in the company's time zone."""

    first: dt.date
    last: dt.date

    def _flaws(self) -> Iterator[Flaw]:
        flaws = [Flaw(key, flaw.code, flaw.parameters) for key, day in self._days() for flaw in date_flaws(day)]
        yield from flaws
        if not flaws and self.first > self.last:
            yield Flaw("first", "range-reversed")

    def _days(self) -> Iterator[tuple[str, object]]:
        yield "first", self.first
        yield "last", self.last

    def span(self, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> Span:
        end = _midnight(self.last + dt.timedelta(days=1), time_zone)
        return Span(_midnight(self.first, time_zone), min(end, now + TICK))


Window = Ever | Rolling | CalendarDays | Between


def _midnight(day: dt.date, time_zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), time_zone).astimezone(dt.UTC)
