"""The reference engine: says for one person, in plain Python, whether a definition holds.

Slow and obvious on purpose. `compile` must select the same people from the database; a generative test compares
the two, and `tests/spec/segments` writes the meaning down as tables.
"""

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import singledispatch
from typing import Any as Json

from segments.definition import nodes
from segments.definition.nodes import ConsentState, Measure
from segments.definition.values import matches, number_holds


@dataclass(frozen=True)
class Touchpoint:
    event: str
    occurred_at: dt.datetime
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """An order with what was given back of it."""

    total: Decimal
    currency: str
    placed_at: dt.datetime
    refunded: Decimal = Decimal(0)
    is_cancelled: bool = False

    @property
    def stands(self) -> bool:
        """Whether it counts at all: a cancelled order does not, nor one whose whole price was given back."""
        return not self.is_cancelled and (self.refunded == 0 or self.refunded < self.total)


@dataclass(frozen=True)
class Person:
    """A person as one viewer sees them: winning values, visible touchpoints and orders, current consent states.

    `consents`: (purpose, channel) → state; a pair that is absent was never asked.
    """

    id: int
    attributes: Mapping[str, Json] = field(default_factory=dict)
    touchpoints: tuple[Touchpoint, ...] = ()
    orders: tuple[Order, ...] = ()
    consents: Mapping[tuple[str, str], ConsentState] = field(default_factory=dict)


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

    @property
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
    return _matches(person.attributes.get(node.trait), node.comparison, moment)


@holds.register
def _(node: nodes.TouchpointCondition, person: Person, moment: Moment) -> bool:
    return node.count.holds(len(counted(node, person, moment)))


@holds.register
def _(node: nodes.OrderTotalCondition, person: Person, moment: Moment) -> bool:
    amount = measured(node, person, moment)
    return amount is not None and number_holds(amount, node.comparison)


@holds.register
def _(node: nodes.ConsentCondition, person: Person, moment: Moment) -> bool:
    return person.consents.get((node.purpose, node.channel), ConsentState.NEVER) == node.state


def counted(node: nodes.TouchpointCondition, person: Person, moment: Moment) -> list[Touchpoint]:
    """The touchpoints that a condition counts."""
    span = node.window.span(moment.now, moment.time_zone)
    return [
        touchpoint
        for touchpoint in person.touchpoints
        if touchpoint.event == node.event
        and span.holds(touchpoint.occurred_at)
        and all(_matches(touchpoint.properties.get(one.property), one.comparison, moment) for one in node.filters)
    ]


def measured(node: nodes.OrderTotalCondition, person: Person, moment: Moment) -> Decimal | None:
    """What a condition compares: money, or a number of orders; None for the average of none."""
    span = node.window.span(moment.now, moment.time_zone)
    totals = [
        order.total - order.refunded
        for order in person.orders
        if order.stands and order.currency == node.currency and span.holds(order.placed_at)
    ]
    match node.measure:
        case Measure.SUM:
            return sum(totals, Decimal(0))
        case Measure.COUNT:
            return Decimal(len(totals))
        case Measure.AVERAGE:
            return sum(totals, Decimal(0)) / len(totals) if totals else None


def _matches(value: Json, comparison: nodes.Comparison, moment: Moment) -> bool:
    return matches(value, comparison, today=moment.today, time_zone=moment.time_zone)
