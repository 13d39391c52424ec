"""When time alone will change an answer. No Django.

An answer rests on instants: a touchpoint leaves a window of the last n days, a birthday comes, a midnight ends a
calendar day, something dated in the future happens. Between two of them nothing changes by itself. `next_change` asks
the reference engine at each of a person's coming instants until the answer is another.

`segments.definition.follow` says the same in SQL for everybody at once, a little early where the exact moment is dear.
"""

import calendar
import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any as Json

from segments.definition import nodes, values
from segments.definition.evaluate import COMPUTED, Moment, Person, holds
from segments.definition.nodes import Comparison, Operator

MOST_INSTANTS = 500
"""Coming instants that are asked for one person. Who has more is asked again at the last of them."""

BY_THE_DAY = frozenset(
    {
        Operator.IN_LAST_DAYS,
        Operator.IN_NEXT_DAYS,
        Operator.MORE_THAN_DAYS_AGO,
        Operator.ANNIVERSARY_TODAY,
        Operator.ANNIVERSARY_IN_NEXT_DAYS,
        Operator.ANNIVERSARY_IN_LAST_DAYS,
        Operator.ANNIVERSARY_THIS_MONTH,
    }
)
"""Operators whose answer depends on which day it is."""

_DAY = dt.timedelta(days=1)

COUNTS_DAYS = ".days"
"""How the name of a computed trait ends that counts days until today: midnight alone changes it."""


def next_change(
    where: nodes.Node, person: Person, now: dt.datetime, time_zone: zoneinfo.ZoneInfo
) -> dt.datetime | None:
    """The earliest moment after `now` at which time alone changes the answer about a person; None when it never does.

    Exact, unless the person has more than `MOST_INSTANTS` coming instants without a change: then the last one asked,
    before which nothing changes. Conditions on segments have to be resolved.
    """
    coming = sorted({instant for instant in _instants(where, person, now, time_zone) if instant > now})
    answer = holds(where, person, Moment(now, time_zone))
    for instant in islice(coming, MOST_INSTANTS):
        if holds(where, person, Moment(instant, time_zone)) != answer:
            return instant
    return coming[MOST_INSTANTS - 1] if len(coming) > MOST_INSTANTS else None


def looks_at_days(where: nodes.Node) -> bool:
    """Whether midnight can change answers: by windows of calendar days, or by comparisons with today."""
    return any(
        isinstance(getattr(condition, "window", None), nodes.CalendarDays)
        or (isinstance(condition, nodes.AttributeCondition) and condition.trait.endswith(COUNTS_DAYS))
        or any(comparison.operator in BY_THE_DAY for comparison in comparisons(condition))
        for condition in nodes.conditions(where)
    )


def comparisons(condition: nodes.Condition) -> Iterator[Comparison]:
    """Every comparison of a condition, its filters' included."""
    match condition:
        case nodes.AttributeCondition() | nodes.MeasureCondition() | nodes.OrderTotalCondition():
            yield condition.comparison
        case nodes.OrderLineCondition():
            yield condition.comparison
            yield from (one.comparison for one in condition.filters)
    for pick in nodes.picks(condition):
        yield from (one.comparison for one in pick.filters)


def midnight(day: dt.date, time_zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The instant at which a day begins in a time zone."""
    return dt.datetime.combine(day, dt.time(), time_zone).astimezone(dt.UTC)


def next_midnight(now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> dt.datetime:
    return midnight(now.astimezone(time_zone).date() + _DAY, time_zone)


def _instants(
    where: nodes.Node, person: Person, now: dt.datetime, time_zone: zoneinfo.ZoneInfo
) -> Iterator[dt.datetime]:
    """All instants at which anything that the answer rests on may change."""
    today = now.astimezone(time_zone).date()
    for condition in nodes.conditions(where):
        match condition:
            case nodes.AttributeCondition() if person.computed is not None and condition.trait.startswith(COMPUTED):
                yield from person.computed.instants(condition, now, time_zone)
            case nodes.AttributeCondition():
                yield from turns(condition.comparison, [person.attributes.get(condition.trait)], today, time_zone)
            case nodes.TouchpointCondition() | nodes.MeasureCondition() | nodes.SequenceCondition():
                yield from _of_touchpoints(condition, person, today, time_zone)
            case nodes.OrderTotalCondition():
                yield from passing((order.placed_at for order in person.orders), condition.window, time_zone)
            case nodes.OrderLineCondition():
                yield from passing((order.placed_at for order in person.orders), condition.window, time_zone)
                lines = [line.properties for order in person.orders for line in order.lines]
                yield from of_filters(condition.filters, lines, today, time_zone)


def _of_touchpoints(
    condition: nodes.TouchpointCondition | nodes.MeasureCondition | nodes.SequenceCondition,
    person: Person,
    today: dt.date,
    time_zone: zoneinfo.ZoneInfo,
) -> Iterator[dt.datetime]:
    for pick in nodes.picks(condition):
        picked = [one for one in person.touchpoints if one.event == pick.event]
        yield from passing((one.occurred_at for one in picked), condition.window, time_zone)
        properties = [one.properties for one in picked]
        yield from of_filters(pick.filters, properties, today, time_zone)
        if isinstance(condition, nodes.MeasureCondition):
            measured = [one.get(condition.property) for one in properties]
            yield from turns(condition.comparison, measured, today, time_zone)


def of_filters(
    filters: Iterable[nodes.PropertyFilter],
    properties: Iterable[Mapping[str, Json]],
    today: dt.date,
    time_zone: zoneinfo.ZoneInfo,
) -> Iterator[dt.datetime]:
    """The midnights at which filters that compare with today may turn about these rows."""
    said = list(properties)
    for one in filters:
        yield from turns(one.comparison, [row.get(one.property) for row in said], today, time_zone)


def passing(
    happened: Iterable[dt.datetime], window: nodes.Window, time_zone: zoneinfo.ZoneInfo
) -> Iterator[dt.datetime]:
    """When what happened comes into a window and when it goes out of it."""
    for moment in happened:
        yield moment
        match window:
            case nodes.Rolling():
                yield moment + window.length
            case nodes.CalendarDays():
                yield midnight(moment.astimezone(time_zone).date() + window.n * _DAY, time_zone)


def turns(
    comparison: Comparison, said: Iterable[Json], today: dt.date, time_zone: zoneinfo.ZoneInfo
) -> Iterator[dt.datetime]:
    """The midnights at which a comparison with today may turn about the values."""
    if comparison.operator not in BY_THE_DAY:
        return
    n = comparison.value if isinstance(comparison.value, int) else 1
    for value in said:
        for reading in values.readings(value):
            day = values.as_date(reading.text, time_zone)
            if day is not None:
                yield from (midnight(turn, time_zone) for turn in _turning_days(comparison.operator, day, n, today))


def _turning_days(operator: Operator, day: dt.date, n: int, today: dt.date) -> Iterator[dt.date]:
    match operator:
        case Operator.IN_LAST_DAYS:
            yield from (day, day + n * _DAY)
        case Operator.IN_NEXT_DAYS:
            yield from (day - (n - 1) * _DAY, day + _DAY)
        case Operator.MORE_THAN_DAYS_AGO:
            yield day + (n + 1) * _DAY
        case Operator.ANNIVERSARY_THIS_MONTH:
            for year in _years(day, today):
                yield dt.date(year, day.month, 1)
                yield (dt.date(year, day.month, 28) + 4 * _DAY).replace(day=1)
        case _:  # Each of the anniversary's days begins or ends one of the spells that the operators ask for.
            for year in _years(day, today):
                kept = _in_year(day, year)
                yield from (kept - (n - 1) * _DAY, kept, kept + _DAY, kept + n * _DAY)


def _years(day: dt.date, today: dt.date) -> Iterable[int]:
    """The years whose anniversaries can be the next ones."""
    first = max(today.year - 1, day.year)
    return range(first, first + 4)


def _in_year(day: dt.date, year: int) -> dt.date:
    """The day in a year; 29 February on the 28th where there is none."""
    return (
        dt.date(year, 2, 28)
        if (day.month, day.day) == (2, 29) and not calendar.isleap(year)
        else day.replace(year=year)
    )
