"""When things happen in the sample company's year: days of the week, pay days, Songkran, double days, hours."""

from __future__ import annotations

from bisect import bisect
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import accumulate
from random import Random

from cdp_site.operations.company.people import LAST_DAY

#: Thailand's clock: seven hours ahead of UTC, never changed in summer.
BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

#: A visit that is drawn begins at least that long before the end, and is over by then.
_LONGEST_VISIT = HOUR

#: Weight of each hour 0–23 in which people shop on line, walk into a store, or call.
_HOURS = {
    "online": (6, 3, 2, 1, 1, 2, 5, 9, 11, 12, 13, 14, 20, 18, 13, 12, 12, 13, 16, 22, 30, 32, 25, 13),
    "store": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 12, 17, 15, 13, 13, 14, 18, 22, 20, 12, 0, 0, 0),
    "phone": (0, 0, 0, 0, 0, 0, 0, 0, 9, 16, 18, 15, 11, 13, 15, 14, 13, 11, 7, 4, 0, 0, 0, 0),
}
_HOUR_TOTALS = {key: tuple(accumulate(weights)) for key, weights in _HOURS.items()}

#: Monday to Sunday.
_WEEKDAYS = (0.9, 0.9, 0.95, 1.0, 1.1, 1.3, 1.3)


class Year:
    """The company's year: 365 days before ``end`` and, if ``end`` is not a midnight, the day that is not over yet.

    A moment is a whole number of milliseconds since the midnight (in Bangkok) that begins day 0.

    Args:
        end: an aware moment; everything lies before it.
    """

    def __init__(self, end: datetime) -> None:
        local_end = end.astimezone(BANGKOK)
        midnight = local_end.replace(hour=0, minute=0, second=0, microsecond=0)
        self.first_midnight = midnight - timedelta(days=LAST_DAY)
        self.first_date = self.first_midnight.date()
        self.end_iso = local_end.isoformat()
        self.end = int((local_end - self.first_midnight) / timedelta(milliseconds=1))
        self._iso_dates = tuple(self.date(day).isoformat() for day in range(-1, LAST_DAY + 1))
        self._utc_shift = DAY - 7 * HOUR  # Bangkok's midnight is 17:00 of the day before
        weights = [day_weight(self.first_date + timedelta(days=day), day / LAST_DAY) for day in range(LAST_DAY)]
        weights.append(weights[-1] * (self.end - LAST_DAY * DAY) / DAY)  # of the last day only what is over
        self._day_totals = tuple(accumulate(weights))

    def draw(self, rng: Random, first_day: int, last_day: int, hours: str) -> int:
        """Return a moment of the days given (both included), as the season and the hours of that channel have it."""
        totals = self._day_totals
        before = totals[first_day - 1] if first_day else 0.0
        reach = totals[min(last_day, LAST_DAY)] - before
        day = min(bisect(totals, before + rng.random() * reach), LAST_DAY)
        return self.on_day(rng, day, hours)

    def on_day(self, rng: Random, day: int, hours: str) -> int:
        """Return a moment of one day, as the hours of that channel have it."""
        hour_totals = _HOUR_TOTALS[hours]
        hour = bisect(hour_totals, rng.random() * hour_totals[-1])
        moment = day * DAY + hour * HOUR + int(rng.random() * HOUR)
        latest = self.end - _LONGEST_VISIT
        return moment if moment < latest else latest - int(rng.random() * 3 * HOUR)

    def iso(self, moment: int) -> str:
        """Return the moment as ISO 8601 in UTC with milliseconds (a table and four divisions: no datetime is made)."""
        day, rest = divmod(moment + self._utc_shift, DAY)
        seconds, milliseconds = divmod(rest, SECOND)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return f"{self._iso_dates[day]}T{hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}Z"

    def local(self, moment: int) -> datetime:
        """Return the moment in Bangkok, to the second."""
        return self.first_midnight + timedelta(seconds=moment // SECOND)

    def epoch(self, moment: int) -> int:
        """Return the moment in milliseconds since 1970, as LINE counts."""
        return int(self.first_midnight.timestamp()) * 1000 + moment

    def date(self, day: int) -> date:
        """Return the date of a day; days before the year count backwards."""
        return self.first_date + timedelta(days=day)


def end_of(day: date) -> datetime:
    """Return the moment at which ``day`` begins in Bangkok: a year that ends there holds whole days only."""
    return datetime(day.year, day.month, day.day, tzinfo=BANGKOK).astimezone(UTC)


def day_weight(day: date, progress: float) -> float:
    """Return how busy a day is (1 on average); ``progress`` 0–1 through the year, for the company grows."""
    weight = _WEEKDAYS[day.weekday()] * (0.8 + 0.4 * progress)
    if day.day >= 25 or day.day <= 3:  # pay days
        weight *= 1.25
    if is_sale(day):
        weight *= 3.5 if day.month >= 11 else 1.9
    if (day.month, day.day) in {(4, 13), (4, 14), (4, 15), (1, 1), (12, 31)}:  # Songkran and New Year: people travel
        weight *= 0.45
    elif day.month == 4 and 6 <= day.day <= 12:  # gifts and clothes for Songkran
        weight *= 1.5
    return weight


def is_sale(day: date) -> bool:
    """Return whether the day is a sale: a double day (3.3 to 12.12)."""
    return day.month == day.day and day.month >= 3


def sale_percent(day: date) -> int:
    """Return by how much list prices are lowered on a day, in percent."""
    if is_sale(day):
        return 30 if day.month >= 11 else 20
    if day.month == 4 and 6 <= day.day <= 15:
        return 15
    return 10 if day.day == 25 else 0
