"""The reference engine: says for one person, in plain Python, whether a definition holds.

Slow and obvious on purpose. `compile` must select the same people from the database; a generative test compares
the two, and `tests/spec/segments` writes the meaning down as tables.
"""

import datetime as dt
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from functools import cached_property, singledispatch
from typing import Any as Json
from typing import Protocol

from segments.definition import nodes
from segments.definition.nodes import ConsentState, LineMeasure, Measure, PropertyMeasure
from segments.definition.values import matches, number_holds, readings, scalars

_EXACT = Context(prec=2_000)
"""Sums are exact, as PostgreSQL's are: two of the longest numbers that are read differ by some 800 digits."""


@dataclass(frozen=True)
class Touchpoint:
    """`properties`: what it says, and what it does not say of its product as the catalogue does, `told` alone. `source`
    is the short name of the source that it came by."""

    event: str
    occurred_at: dt.datetime
    properties: Mapping[str, Json] = field(default_factory=dict)
    source: str = ""
    told: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderLine:
    """A line of an order: what it and the catalogue say of the product, how many pieces, and what was paid for them."""

    properties: Mapping[str, Json] = field(default_factory=dict)
    quantity: Decimal = Decimal(1)
    spent: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Order:
    """An order with what was given back of it. `source` is the short name of the source that it came by."""

    total: Decimal
    currency: str
    placed_at: dt.datetime
    refunded: Decimal = Decimal(0)
    is_cancelled: bool = False
    lines: tuple[OrderLine, ...] = ()
    source: str = ""
    discount: Decimal = Decimal(0)

    @property
    def is_discounted(self) -> bool:
        """Whether anything was taken off it: said of the whole, or of one of its lines."""
        return self.discount != 0 or any(line.discount != 0 for line in self.lines)

    @property
    def stands(self) -> bool:
        """Whether it counts at all: a cancelled order does not, nor one whose whole price was given back."""
        return not self.is_cancelled and (self.refunded == 0 or self.refunded < self.total)


COMPUTED = "computed."
"""How the names of computed traits begin in definitions; no source's trait has a point in its name."""


class Computed(Protocol):
    """The computed traits of a person (`segments.traits`), which time alone may change."""

    def value(self, name: str, moment: "Moment") -> Json:
        """The value of a trait at a moment; None: unknown."""

    def instants(
        self, condition: nodes.AttributeCondition, now: dt.datetime, time_zone: zoneinfo.ZoneInfo
    ) -> Iterable[dt.datetime]:
        """Instants at which a condition on a trait may come to hold, or end."""


@dataclass(frozen=True)
class Person:
    """A person as one viewer sees them: winning values, visible touchpoints and orders, current consent states.

    `consents`: (purpose, channel) → state; a pair that is absent was never asked. `reachable`: the pairs for which the
    gate lets an address through. `lists`: ids of the lists that one of the person's records is on. `computed`: what was
    worked out about the person; None where nothing asks for it.
    """

    id: int
    attributes: Mapping[str, Json] = field(default_factory=dict)
    touchpoints: tuple[Touchpoint, ...] = ()
    orders: tuple[Order, ...] = ()
    consents: Mapping[tuple[str, str], ConsentState] = field(default_factory=dict)
    reachable: frozenset[tuple[str, str]] = frozenset()
    lists: frozenset[str] = frozenset()
    computed: Computed | None = field(default=None, compare=False)

    def value(self, trait: str, moment: "Moment") -> Json:
        """What is known of a trait at a moment; None: nothing."""
        if self.computed is not None and trait.startswith(COMPUTED):
            return self.computed.value(trait, moment)
        return self.attributes.get(trait)


def members(
    definition: nodes.Definition, people: Iterable[Person], *, now: dt.datetime, time_zone: zoneinfo.ZoneInfo
) -> set[int]:
    """Ids of the people for whom the definition holds at `now`."""
    moment = Moment(now, time_zone)
    return {person.id for person in people if holds(definition.where, person, moment)}


@dataclass(frozen=True)
class Moment:
    """When, and in whose calendar, a definition is asked."""

    now: dt.datetime
    time_zone: zoneinfo.ZoneInfo

    @cached_property
    def today(self) -> dt.date:
        return self.now.astimezone(self.time_zone).date()


@singledispatch
def holds(node: nodes.Node, person: Person, moment: Moment) -> bool:
    """Whether one node holds for one person. Always yes or no: the unknown is decided where values are compared."""
    raise TypeError(f"no meaning for {type(node).__name__}")


@holds.register
def _(node: nodes.All, person: Person, moment: Moment) -> bool:
    return all(holds(member, person, moment) for member in node.of)


@holds.register
def _(node: nodes.Any, person: Person, moment: Moment) -> bool:
    return any(holds(member, person, moment) for member in node.of)


@holds.register
def _(node: nodes.Not, person: Person, moment: Moment) -> bool:
    return not any(holds(member, person, moment) for member in node.of)


@holds.register
def _(node: nodes.AttributeCondition, person: Person, moment: Moment) -> bool:
    return _matches(person.value(node.trait, moment), node.comparison, moment)


@holds.register
def _(node: nodes.TouchpointCondition, person: Person, moment: Moment) -> bool:
    return node.count.holds(len(counted(node, person, moment)))


@holds.register
def _(node: nodes.MeasureCondition, person: Person, moment: Moment) -> bool:
    found = measured_property(node, person, moment)
    if isinstance(found, Decimal | None):
        return found is not None and number_holds(found, node.comparison)
    return _matches(found, node.comparison, moment)


@holds.register
def _(node: nodes.SequenceCondition, person: Person, moment: Moment) -> bool:
    return bool(sequences(node, person, moment))


@holds.register
def _(node: nodes.OrderTotalCondition, person: Person, moment: Moment) -> bool:
    amount = measured(node, person, moment)
    return amount is not None and number_holds(amount, node.comparison)


@holds.register
def _(node: nodes.OrderLineCondition, person: Person, moment: Moment) -> bool:
    return number_holds(measured_lines(node, person, moment), node.comparison)


@holds.register
def _(node: nodes.ConsentCondition, person: Person, moment: Moment) -> bool:
    return person.consents.get((node.purpose, node.channel), ConsentState.NEVER) == node.state


@holds.register
def _(node: nodes.ReachableCondition, person: Person, moment: Moment) -> bool:
    return (node.purpose, node.channel) in person.reachable


@holds.register
def _(node: nodes.SegmentCondition, person: Person, moment: Moment) -> bool:
    return holds(node.meaning, person, moment) is node.is_in


@holds.register
def _(node: nodes.ListCondition, person: Person, moment: Moment) -> bool:
    return (node.list in person.lists) is node.is_in


# ── what conditions rest on ──────────────────────────────────────────────────────────────────────────────────────────


def counted(
    node: nodes.TouchpointCondition | nodes.MeasureCondition, person: Person, moment: Moment
) -> list[Touchpoint]:
    """The touchpoints that a condition counts or measures."""
    return picked(node, node.window, person, moment)


def picked(node: nodes.OnTouchpoints, window: nodes.Window, person: Person, moment: Moment) -> list[Touchpoint]:
    """The touchpoints of an event type that pass the filters, come by one of the sources and lie in the window."""
    span = window.span(moment.now, moment.time_zone)
    return [
        touchpoint
        for touchpoint in person.touchpoints
        if touchpoint.event == node.event
        and span.holds(touchpoint.occurred_at)
        and (not node.sources or touchpoint.source in node.sources)
        and _passes(touchpoint.properties, node.filters, moment)
    ]


def measured_property(node: nodes.MeasureCondition, person: Person, moment: Moment) -> Decimal | list[Json] | None:
    """What a condition compares: an amount, None for the average, smallest or largest of nothing; or the values that
    are the first, the last or the most frequent one, none where there is none."""
    found = [
        (touchpoint.occurred_at, scalar)
        for touchpoint in counted(node, person, moment)
        for scalar in scalars(touchpoint.properties.get(node.property))
    ]
    if node.measure is PropertyMeasure.DISTINCT:
        return Decimal(len(_by_key(found)))
    if node.measure.is_number:
        numbers = [one.number for _at, scalar in found for one in readings(scalar)]
        return _amount(node.measure, [number for number in numbers if number is not None])
    if node.measure is PropertyMeasure.MOST_FREQUENT:
        return _most_frequent(found)
    instants = [at for at, _scalar in found]
    wanted = min(instants, default=None) if node.measure is PropertyMeasure.FIRST else max(instants, default=None)
    return [scalar for at, scalar in found if at == wanted]


def _amount(measure: PropertyMeasure, numbers: Sequence[Decimal]) -> Decimal | None:
    with localcontext(_EXACT):
        total = sum(numbers, Decimal(0))
        match measure:
            case PropertyMeasure.SUM:
                return total
            case PropertyMeasure.AVERAGE:
                return total / len(numbers) if numbers else None
            case PropertyMeasure.SMALLEST:
                return min(numbers, default=None)
            case _:
                return max(numbers, default=None)


_Found = Sequence[tuple[dt.datetime, Json]]


def _by_key(found: _Found) -> Mapping[str, _Found]:
    """The values that are the same, together."""
    together: dict[str, list[tuple[dt.datetime, Json]]] = defaultdict(list)
    for at, scalar in found:
        for one in readings(scalar):
            together[one.key].append((at, scalar))
    return together


def _most_frequent(found: _Found) -> list[Json]:
    ranks = {key: (len(same), max(at for at, _scalar in same)) for key, same in _by_key(found).items()}
    return [scalar for key, same in _by_key(found).items() if ranks[key] == max(ranks.values()) for _at, scalar in same]


def sequences(node: nodes.SequenceCondition, person: Person, moment: Moment) -> list[tuple[Touchpoint, Touchpoint]]:
    """The pairs of touchpoints for which a sequence holds: the first step and the one that followed."""
    first, then = (picked(step, node.window, person, moment) for step in (node.first, node.then))
    between = [] if node.without is None else picked(node.without, node.window, person, moment)
    return [
        (before, after)
        for before in first
        for after in then
        if before.occurred_at < after.occurred_at <= before.occurred_at + node.within.length
        and any(
            not any(
                before.occurred_at < one.occurred_at < after.occurred_at and key in _common(node, one)
                for one in between
            )
            for key in _common(node, before) & _common(node, after)
        )
    ]


def _common(node: nodes.SequenceCondition, touchpoint: Touchpoint) -> set[str]:
    """The values by which a touchpoint may belong to others; one for all where the sequence asks for none."""
    if node.same is None:
        return {""}
    return {one.key for one in readings(touchpoint.properties.get(node.same))}


def measured(node: nodes.OrderTotalCondition, person: Person, moment: Moment) -> Decimal | None:
    """What a condition compares: money, or a number of orders; None for the average of none."""
    span = node.window.span(moment.now, moment.time_zone)
    orders = [
        order
        for order in person.orders
        if order.stands and order.currency == node.currency and span.holds(order.placed_at)
    ]
    totals = [order.total - order.refunded for order in orders]
    match node.measure:
        case Measure.SUM:
            return sum(totals, Decimal(0))
        case Measure.COUNT:
            return Decimal(len(totals))
        case Measure.FULL_PRICE:
            return Decimal(sum(not order.is_discounted for order in orders))
        case Measure.AVERAGE:
            return sum(totals, Decimal(0)) / len(totals) if totals else None


def measured_lines(node: nodes.OrderLineCondition, person: Person, moment: Moment) -> Decimal:
    """What a condition compares: a number of lines, of pieces, or money."""
    lines = [line for _order, line in lines_of(node, person, moment)]
    match node.measure:
        case LineMeasure.LINES:
            return Decimal(len(lines))
        case LineMeasure.QUANTITY:
            return sum((line.quantity for line in lines), Decimal(0))
        case LineMeasure.SPENT:
            return sum((line.spent for line in lines), Decimal(0))


def lines_of(node: nodes.OrderLineCondition, person: Person, moment: Moment) -> list[tuple[Order, OrderLine]]:
    """The lines that a condition counts, with their orders."""
    span = node.window.span(moment.now, moment.time_zone)
    return [
        (order, line)
        for order in person.orders
        if order.stands and span.holds(order.placed_at) and node.currency in ("", order.currency)
        for line in order.lines
        if _passes(line.properties, node.filters, moment)
    ]


def _passes(properties: Mapping[str, Json], filters: Iterable[nodes.PropertyFilter], moment: Moment) -> bool:
    return all(_matches(properties.get(one.property), one.comparison, moment) for one in filters)


def _matches(value: Json, comparison: nodes.Comparison, moment: Moment) -> bool:
    return matches(value, comparison, today=moment.today, time_zone=moment.time_zone)
