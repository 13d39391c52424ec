"""A formula in plain Python, about one person as one viewer sees them. `statement` says the same in SQL."""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from typing import Any as Json

from segments.definition import nodes
from segments.definition.evaluate import Moment, Person, lines_of, picked
from segments.definition.next_change import midnight, of_filters, passing, turns
from segments.definition.values import Reading, readings, scalars
from segments.traits.formula import (
    MAX_LISTED,
    Calculation,
    Formula,
    channel_in,
    days_since,
    field_name,
    number,
    rounded,
    slug_of,
    stamp,
)

C = Calculation
ChannelOf = Callable[[str, str], str]
"""(event, short name of a source) → channel; of an order the event is empty."""
_EXACT = Context(prec=2_000)


@dataclass(frozen=True)
class _Row:
    """What is calculated with: a touchpoint or an order. `what`: the value of its property, or the amount."""

    at: dt.datetime
    what: Json
    channel: str


def value(formula: Formula, person: Person, moment: Moment, channel_of: ChannelOf) -> Json:
    """The value as it is stored; None: unknown. With channels: channel → value, without those that have none."""
    rows = _rows(formula, person, moment, channel_of)
    if not formula.per_channel:
        return _calculated(formula.calculation, rows)
    by_channel: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_channel[row.channel].append(row)
    found = {channel: _calculated(formula.calculation, of_it) for channel, of_it in by_channel.items()}
    return {channel: one for channel, one in found.items() if one is not None} or None


def as_compared(stored: Json, formula: Formula, channel: str, moment: Moment) -> Json:
    """A stored value as definitions compare it: of one channel, days as a number, of nothing the value of nothing."""
    one = stored.get(channel) if formula.per_channel and isinstance(stored, dict) else stored
    if one is None:
        return formula.of_none
    if formula.calculation is C.DAYS_SINCE:
        return days_since(one, moment.today, moment.time_zone)
    return one


@dataclass(frozen=True)
class Worked:
    """The computed traits of a person (`evaluate.Computed`): `formulas` by slug."""

    person: Person
    formulas: Mapping[str, Formula]
    channel_of: ChannelOf

    def value(self, name: str, moment: Moment) -> Json:
        formula = self._formula(name)
        if formula is None:
            return None
        stored = value(formula, self.person, moment, self.channel_of)
        return as_compared(stored, formula, channel_in(name), moment)

    def instants(
        self, condition: nodes.AttributeCondition, now: dt.datetime, time_zone: zoneinfo.ZoneInfo
    ) -> Iterator[dt.datetime]:
        formula = self._formula(condition.trait)
        if formula is None:
            return
        today = now.astimezone(time_zone).date()
        happened: list[dt.datetime] = []
        for pick in formula.picks:
            if isinstance(pick, nodes.TouchpointCondition):
                taken = [one for one in self.person.touchpoints if one.event == pick.event]
                times = [one.occurred_at for one in taken]
                yield from of_filters(pick.filters, [one.properties for one in taken], today, time_zone)
            else:
                times = [order.placed_at for order in self.person.orders]
            yield from passing(times, pick.window, time_zone)
            happened += times
        if formula.lines is not None:
            lines = [line.properties for order in self.person.orders for line in order.lines]
            yield from of_filters(formula.lines.filters, lines, today, time_zone)
        yield from turns(condition.comparison, [stamp(at) for at in happened], today, time_zone)
        if formula.calculation is C.DAYS_SINCE:
            yield from _after_days(condition.comparison.value, happened, time_zone)

    def _formula(self, name: str) -> Formula | None:
        return self.formulas.get(slug_of(name) or "")


def _after_days(
    wanted: nodes.Value, happened: Iterable[dt.datetime], time_zone: zoneinfo.ZoneInfo
) -> Iterator[dt.datetime]:
    """The midnights at which a number of days is reached, and left."""
    numbers = [n for n in (wanted if isinstance(wanted, tuple) else (wanted,)) if isinstance(n, Decimal)]
    for at in happened:
        day = at.astimezone(time_zone).date()
        for n in numbers:
            yield from (midnight(day + dt.timedelta(days=int(n) + more), time_zone) for more in (0, 1))


def knowing(
    person: Person, formulas: Mapping[str, Formula], channels: Iterable[str], moment: Moment, channel_of: ChannelOf
) -> Person:
    """The person with computed traits (slug → formula), and with their values at a moment among the attributes, as
    definitions name them."""
    worked = Worked(person, formulas, channel_of)
    names = [
        field_name(slug, formula, channel)
        for slug, formula in formulas.items()
        for channel in (channels if formula.per_channel else [""])
    ]
    known = {name: worked.value(name, moment) for name in names}
    return replace(person, attributes={**person.attributes, **known}, computed=worked)


def _rows(formula: Formula, person: Person, moment: Moment, channel_of: ChannelOf) -> list[_Row]:
    orders = formula.orders
    if orders is not None:
        span = orders.window.span(moment.now, moment.time_zone)
        return [
            _Row(order.placed_at, order.total - order.refunded, channel_of("", order.source))
            for order in person.orders
            if order.stands and order.currency == orders.currency and span.holds(order.placed_at)
        ]
    lines = formula.lines
    if lines is not None:
        return [
            _Row(order.placed_at, line.properties.get(formula.property_name), channel_of("", order.source))
            for order, line in lines_of(lines, person, moment)
        ]
    taken = {id(one): one for pick in formula.touchpoints for one in picked(pick, pick.window, person, moment)}
    return [
        _Row(one.occurred_at, one.properties.get(formula.property_name), channel_of(one.event, one.source))
        for one in taken.values()
    ]


def _calculated(calculation: Calculation, rows: Sequence[_Row]) -> Json:
    times = [row.at for row in rows]
    match calculation:
        case C.COUNT:
            return len(rows) or None
        case C.FIRST_TIME:
            return stamp(min(times)) if times else None
        case C.LAST_TIME | C.DAYS_SINCE:
            return stamp(max(times)) if times else None
        case C.SUM | C.AVERAGE | C.SMALLEST | C.LARGEST:
            return _amount(calculation, [one.number for row in rows for one in _read(row) if one.number is not None])
    return _different(calculation, rows)


def _read(row: _Row) -> list[Reading]:
    return list(readings(row.what))


def _amount(calculation: Calculation, numbers: Sequence[Decimal]) -> Json:
    if not numbers:
        return None
    with localcontext(_EXACT):
        total = sum(numbers, Decimal(0))
        match calculation:
            case C.SUM:
                return number(total)
            case C.AVERAGE:
                return number(rounded(total / len(numbers)))
            case C.SMALLEST:
                return number(min(numbers))
            case _:
                return number(max(numbers))


_Seen = tuple[dt.datetime, str, str, Json]
"""When a reading was seen, its text, its type and the scalar itself: what has the same text differs by its type."""


@dataclass(frozen=True)
class _Same:
    """Readings that are one value."""

    seen: Sequence[_Seen]

    def written(self, *, first: bool) -> tuple[str, str, Json]:
        """The text, the type and the scalar of the first or the last of them."""
        wanted = self.first_at if first else self.last_at
        _at, text, kind, scalar = min((one for one in self.seen if one[0] == wanted), key=lambda one: one[1:3])
        return text, kind, scalar

    @property
    def first_at(self) -> dt.datetime:
        return min(one[0] for one in self.seen)

    @property
    def last_at(self) -> dt.datetime:
        return max(one[0] for one in self.seen)


def _different(calculation: Calculation, rows: Sequence[_Row]) -> Json:
    together: dict[str, list[_Seen]] = defaultdict(list)
    for row in rows:
        for one, scalar in zip(_read(row), scalars(row.what), strict=True):
            together[one.key].append((row.at, one.text, _type_of(scalar), scalar))
    same = [_Same(seen) for seen in together.values()]
    if not same:
        return None
    match calculation:
        case C.DISTINCT:
            return len(same)
        case C.UNIQUE_LIST:
            # Two sorts, the second of which keeps the order of the first among equals.
            by_text = sorted(same, key=lambda one: one.written(first=False)[:2])
            by_time = sorted(by_text, key=lambda one: one.last_at, reverse=True)
            return [_json(one.written(first=False)[2]) for one in by_time[:MAX_LISTED]]
        case C.FIRST:
            foremost = [one for one in same if one.first_at == min(other.first_at for other in same)]
        case C.LAST:
            foremost = [one for one in same if one.last_at == max(other.last_at for other in same)]
        case _:
            best = max((len(one.seen), one.last_at) for one in same)
            foremost = [one for one in same if (len(one.seen), one.last_at) == best]
    written = sorted((one.written(first=calculation is C.FIRST) for one in foremost), key=lambda found: found[:2])
    values = [_json(scalar) for _text, _kind, scalar in written]
    return values[0] if len(values) == 1 else values


def _type_of(scalar: Json) -> str:
    """As PostgreSQL calls it."""
    if isinstance(scalar, bool):
        return "boolean"
    return "string" if isinstance(scalar, str) else "number"


def _json(scalar: Json) -> Json:
    """A column of an order's line holds decimals."""
    return number(scalar) if isinstance(scalar, Decimal) else scalar


def needed_events(formulas: Iterable[Formula]) -> set[str]:
    """Event types whose touchpoints a person has to bear so that the formulas can be asked."""
    return {event for formula in formulas for event in formula.events}
