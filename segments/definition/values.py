"""What the values in people's JSON mean when a definition compares them. `compile` says the same in SQL.

A stored value is JSON: a text, a number, a truth value, a list of those, an object, or null.

*Known* is everything but null, the empty text, the empty list and the empty object. A *reading* is one scalar of
the value: itself, or each scalar of a list; an object has none. A positive operator holds when one reading matches.
A negative one holds when there is a reading and none matches: "city is not Bangkok" is a statement about a city, so
it does not hold for someone whose city nobody knows. Whoever wants those too says "none of: city is Bangkok".

Texts are compared without regard to case, by the simple lower-case mapping of Unicode (one letter to one letter, as
PostgreSQL's `pg_c_utf8` does); stored texts and the definition's own are NFC already. A text that reads as a number
counts as one where numbers are compared, since files deliver only texts; a number counts as its plain decimal text
where texts are compared.
"""

import calendar
import datetime as dt
import operator as op
import re
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any as Json

from segments.definition.nodes import NEGATIVE, Comparison, Operator

NUMBER_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
LONGEST_NUMBER = 400
"""Characters of a text that is still read as a number: the longest float written plainly has some 330."""
DATE_PATTERN = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_CLOCK = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
MOMENT_PATTERN = rf"^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
LOCAL_MOMENT_PATTERN = rf"^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}{_CLOCK}$"
"""What reads as a number, a day, a moment with its zone, a moment on the company's own clock. The same patterns stand
in the SQL, so that the two engines cannot differ in what they try to read."""

_NUMBER, _DATE, _MOMENT, _LOCAL_MOMENT = (
    re.compile(pattern.removeprefix("^").removesuffix("$"))
    for pattern in (NUMBER_PATTERN, DATE_PATTERN, MOMENT_PATTERN, LOCAL_MOMENT_PATTERN)
)


@dataclass(frozen=True)
class Reading:
    """One scalar of a stored value: its text, its number if it has one, and `key`, which two have in common when they
    are the same value: texts without regard to case, numbers by what they count (5 is 5.0)."""

    text: str
    number: Decimal | None
    key: str


def is_known(value: Json) -> bool:
    return not (value is None or value in ("", [], {}))


def scalars(value: Json) -> list[Json]:
    """The scalars of a value, blanks left out: itself, or those of a list."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if part != "" and isinstance(part, bool | int | float | Decimal | str)]


def readings(value: Json) -> Iterator[Reading]:
    """The same, read."""
    for one in scalars(value):
        match one:
            case bool():
                text = "true" if one else "false"
                yield Reading(text, None, text)
            case int() | float() | Decimal():
                text = number_text(one)
                yield Reading(text, Decimal(text), plain(text))
            case str():
                is_number = len(one) <= LONGEST_NUMBER and _NUMBER.fullmatch(one)
                yield Reading(one, Decimal(one) if is_number else None, fold(one))


def number_text(number: int | float | Decimal) -> str:
    """A JSON number as PostgreSQL prints it: plain decimals, no exponent, no negative zero."""
    written = format(number if isinstance(number, Decimal) else Decimal(repr(number)), "f")
    return written.lstrip("-") if not Decimal(written) else written


def plain(number: str) -> str:
    """A number's text without zeros that say nothing: 5.00 → 5."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def fold(text: str) -> str:
    """Lower case, letter by letter. U+0130 is the one letter whose full mapping is longer than its simple one."""
    if text.isascii():
        return text.lower()
    return "".join("i" if letter == "\u0130" else letter.lower() for letter in text)


def as_date(text: str, time_zone: zoneinfo.ZoneInfo) -> dt.date | None:
    """The day that a text names; of a moment, its day in the company's time zone."""
    try:
        if _MOMENT.fullmatch(text):
            return dt.datetime.fromisoformat(text).astimezone(time_zone).date()
        if _DATE.fullmatch(text) or _LOCAL_MOMENT.fullmatch(text):
            return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None
    return None


def matches(value: Json, comparison: Comparison, *, today: dt.date, time_zone: zoneinfo.ZoneInfo) -> bool:
    """Whether a stored value satisfies a comparison. `today` is the company's day of the evaluation."""
    operator = comparison.operator
    if operator is Operator.KNOWN:
        return is_known(value)
    if operator is Operator.UNKNOWN:
        return not is_known(value)
    found = list(readings(value))
    if operator in NEGATIVE:
        positive = Comparison(NEGATIVE[operator], comparison.value)
        return bool(found) and not any(_reading_matches(one, positive, today, time_zone) for one in found)
    return any(_reading_matches(one, comparison, today, time_zone) for one in found)


def _reading_matches(reading: Reading, comparison: Comparison, today: dt.date, time_zone: zoneinfo.ZoneInfo) -> bool:
    if comparison.operator in _DAY_BOUNDS or comparison.operator in _SEASONS:
        day = as_date(reading.text, time_zone)
        return day is not None and day_holds(day, comparison, today)
    return text_holds(reading.text, comparison) or (
        reading.number is not None and number_holds(reading.number, comparison)
    )


def text_holds(text: str, comparison: Comparison) -> bool:
    """Whether a text satisfies one of the comparisons of texts and truth values; False for the other kinds."""
    folded = fold(text)
    match comparison.operator, comparison.value:
        case (Operator.IS, bool() as value):
            return folded == ("true" if value else "false")
        case (Operator.IS, str() as value):
            return folded == fold(value)
        case (Operator.IN, tuple() as choices):
            return any(isinstance(choice, str) and folded == fold(choice) for choice in choices)
        case (Operator.CONTAINS, str() as value):
            return fold(value) in folded
        case (Operator.STARTS_WITH, str() as value):
            return folded.startswith(fold(value))
    return False


_ORDERS: Mapping[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.IS: op.eq,
    Operator.MORE_THAN: op.gt,
    Operator.LESS_THAN: op.lt,
    Operator.AT_LEAST: op.ge,
    Operator.AT_MOST: op.le,
}


def number_holds(number: Decimal, comparison: Comparison) -> bool:
    """Whether a number satisfies one of the comparisons of numbers; False for the other kinds."""
    match comparison.operator, comparison.value:
        case (operator, Decimal() as value) if operator in _ORDERS:
            return _ORDERS[operator](number, value)
        case (Operator.BETWEEN, (Decimal() as low, Decimal() as high)):
            return low <= number <= high
        case (Operator.IN, tuple() as choices):
            return number in choices
    return False


ONE_DAY = dt.timedelta(days=1)
Days = tuple[dt.date | None, dt.date | None]
"""First and last day, both inside; None: no end on that side."""

_DAY_BOUNDS: Mapping[Operator, Callable[[Json, dt.date], Days]] = {
    Operator.ON: lambda value, today: (value, value),
    Operator.BEFORE: lambda value, today: (None, value - ONE_DAY),
    Operator.AFTER: lambda value, today: (value + ONE_DAY, None),
    Operator.BETWEEN_DATES: lambda value, today: value,
    Operator.IN_LAST_DAYS: lambda n, today: (today - (n - 1) * ONE_DAY, today),
    Operator.IN_NEXT_DAYS: lambda n, today: (today, today + (n - 1) * ONE_DAY),
    Operator.MORE_THAN_DAYS_AGO: lambda n, today: (None, today - (n + 1) * ONE_DAY),
}


def day_bounds(comparison: Comparison, today: dt.date) -> Days | None:
    """The days that a comparison of dates lets through; None for the other kinds of comparison.

    "In the last 7 days" is today and the 6 days before it, "in the next 7 days" today and the 6 after it, "more than
    7 days ago" every day before the one that was 7 days ago.
    """
    bounds = _DAY_BOUNDS.get(comparison.operator)
    return None if bounds is None else bounds(comparison.value, today)


_SEASONS: Mapping[Operator, Callable[[Json, dt.date], tuple[dt.date, dt.date]]] = {
    Operator.ANNIVERSARY_TODAY: lambda _none, today: (today, today),
    Operator.ANNIVERSARY_IN_NEXT_DAYS: lambda n, today: (today, today + (n - 1) * ONE_DAY),
    Operator.ANNIVERSARY_IN_LAST_DAYS: lambda n, today: (today - (n - 1) * ONE_DAY, today),
    Operator.ANNIVERSARY_THIS_MONTH: lambda _none, today: (
        today.replace(day=1),
        today.replace(day=calendar.monthrange(today.year, today.month)[1]),
    ),
}


def anniversaries(comparison: Comparison, today: dt.date) -> Mapping[int, Sequence[str]] | None:
    """The days of the year (MMDD) whose anniversaries a comparison lets through, by the year in which they are kept;
    None for the other kinds of comparison.

    "Today", "in the next 7 days" (today and the 6 after it), "in the last 7 days" (today and the 6 before it), "this
    month" (all of it, what has passed included). The 29th of February is kept on the 28th in a common year: it stays in
    its month, and nobody is passed over. A day is no anniversary of itself: the first is kept in the year after.
    """
    season = _SEASONS.get(comparison.operator)
    return None if season is None else _days_of_year(*season(comparison.value, today))


@lru_cache(maxsize=64)
def _days_of_year(first: dt.date, last: dt.date) -> Mapping[int, Sequence[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for n in range((last - first).days + 1):
        day = first + n * ONE_DAY
        found[day.year].append(f"{day:%m%d}")
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            found[day.year].append("0229")
    return dict(found)


def day_holds(day: dt.date, comparison: Comparison, today: dt.date) -> bool:
    """Whether a day satisfies one of the comparisons of dates; False for the other kinds."""
    kept = anniversaries(comparison, today)
    if kept is not None:
        return any(day.year < year and f"{day:%m%d}" in days for year, days in kept.items())
    bounds = day_bounds(comparison, today)
    if bounds is None:
        return False
    first, last = bounds
    return (first is None or first <= day) and (last is None or day <= last)
