"""What a computed trait computes: a calculation over touchpoints that conditions of the language pick, or over orders.

A formula is built of the nodes of definitions, so that windows, filters, sources and words mean the same in both. The
conditions only pick: a touchpoint counts when one of them takes it, once however many do.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any as Json

from segments.definition import nodes
from segments.definition.checked import Checked, Flaw
from segments.definition.evaluate import COMPUTED
from segments.definition.next_change import BY_THE_DAY, COUNTS_DAYS

MAX_PICKS = 10
MAX_LISTED = 100
"""Values of a unique list, the last used ones."""
PLACES = 4
"""Decimals to which an average is rounded, half up."""


class Calculation(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    SMALLEST = "smallest"
    LARGEST = "largest"
    MOST_FREQUENT = "most_frequent"
    FIRST = "first"
    LAST = "last"
    DISTINCT = "distinct"
    UNIQUE_LIST = "unique_list"
    FIRST_TIME = "first_time"
    LAST_TIME = "last_time"
    DAYS_SINCE = "days_since"


C = Calculation
OF_NUMBERS = frozenset({C.SUM, C.AVERAGE, C.SMALLEST, C.LARGEST})
OF_VALUES = frozenset({C.MOST_FREQUENT, C.FIRST, C.LAST, C.UNIQUE_LIST})
"""What gives values as the property has them."""
OF_A_PROPERTY = OF_NUMBERS | OF_VALUES | {C.DISTINCT}
OF_ORDERS = OF_NUMBERS | {C.COUNT, C.FIRST_TIME, C.LAST_TIME, C.DAYS_SINCE}
Pick = nodes.TouchpointCondition | nodes.OrderTotalCondition | nodes.OrderLineCondition
OF_NONE: Mapping[Calculation, Json] = MappingProxyType({C.COUNT: 0, C.SUM: 0, C.DISTINCT: 0})
"""The value of somebody of whom nothing was picked. All others are unknown then."""


@dataclass(frozen=True)
class Formula(Checked):
    """One calculation. `picks` are conditions on touchpoints, or one on orders, or one on lines of orders; how often or
    how much they ask for says nothing.

    `property_name`: of what the values are calculated with; of orders it is always what was paid, less what was given
    back. `per_channel`: a value of each channel instead of one of all.
    """

    calculation: Calculation
    picks: tuple[Pick, ...]
    property_name: str = ""
    per_channel: bool = False

    def _flaws(self) -> Iterator[Flaw]:
        if len(self.picks) > MAX_PICKS:
            yield Flaw("where", "too-many-picks", {"limit": MAX_PICKS})
        if len(self.picks) > 1 and any(not isinstance(pick, nodes.TouchpointCondition) for pick in self.picks):
            yield Flaw("where", "orders-stand-alone")
        elif isinstance(self.picks[0], nodes.OrderTotalCondition):
            if self.calculation not in OF_ORDERS:
                yield Flaw("calculation", "calculation-not-of-orders")
        elif self.calculation in OF_A_PROPERTY and not self.property_name.strip():
            yield Flaw("property", "name-missing")

    @property
    def orders(self) -> nodes.OrderTotalCondition | None:
        """The condition of orders, if it is orders that are calculated with."""
        first = self.picks[0]
        return first if isinstance(first, nodes.OrderTotalCondition) else None

    @property
    def lines(self) -> nodes.OrderLineCondition | None:
        """The condition of lines of orders, if it is these that are calculated with."""
        first = self.picks[0]
        return first if isinstance(first, nodes.OrderLineCondition) else None

    @property
    def touchpoints(self) -> tuple[nodes.TouchpointCondition, ...]:
        return tuple(pick for pick in self.picks if isinstance(pick, nodes.TouchpointCondition))

    @property
    def events(self) -> frozenset[str]:
        """Event types whose touchpoints may count; none of orders."""
        return frozenset(pick.event for pick in self.touchpoints)

    @property
    def sources(self) -> frozenset[str]:
        """Short names of the sources that are named; of others any touchpoint may count."""
        return frozenset(slug for pick in self.touchpoints for slug in pick.sources)

    @property
    def properties(self) -> frozenset[str]:
        """Every property that is named."""
        own = {self.property_name} if self.property_name and self.calculation in OF_A_PROPERTY else set()
        return frozenset(own.union(one.property for one in self._filters))

    @property
    def asks_catalogue(self) -> bool:
        """Whether a property is named that the catalogue may say."""
        return not self.properties <= nodes.NOT_OF_CATALOGUE

    @property
    def of_none(self) -> Json:
        """The value of somebody of whom nothing is picked; None: unknown."""
        return OF_NONE.get(self.calculation)

    @property
    def changes_daily(self) -> bool:
        """Whether a midnight alone may pick others: a filter compares with today."""
        return any(one.comparison.operator in BY_THE_DAY for one in self._filters)

    @property
    def _filters(self) -> list[nodes.PropertyFilter]:
        return [one for pick in self.picks if not isinstance(pick, nodes.OrderTotalCondition) for one in pick.filters]


def field_name(slug: str, formula: Formula, channel: str = "") -> str:
    """How definitions call the trait, or what it is of one channel: "computed.visits", "computed.visits.web". The name
    of one that counts days says so ("computed.last_order.days"): it changes at midnight by itself."""
    own = f"{COMPUTED}{slug}{'.' if channel else ''}{channel}"
    return own + COUNTS_DAYS if formula.calculation is Calculation.DAYS_SINCE else own


def slug_of(name: str) -> str | None:
    """The slug of the computed trait that a definition names; None for any other trait."""
    return name.removeprefix(COMPUTED).split(".")[0] if name.startswith(COMPUTED) else None


def channel_in(name: str) -> str:
    """The channel that a definition names: "computed.visits.web" → "web"; "" where it names none."""
    parts = name.removesuffix(COUNTS_DAYS).split(".")
    return parts[2] if len(parts) > 2 else ""


def number(value: Decimal) -> int | float:
    """A number as JSON bears it: whole ones without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)


_STAMP = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")


def stamp(at: dt.datetime) -> str:
    """A moment as it is stored: 2026-11-22T03:30:00.000000Z."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_of(name: str, value: Json) -> dt.datetime | None:
    """The moment that a computed trait is, by the name that definitions call it; None for any other value."""
    if slug_of(name) is None or not isinstance(value, str) or not _STAMP.fullmatch(value):
        return None
    return dt.datetime.fromisoformat(value)


def days_since(stamped: str, today: dt.date, time_zone: dt.tzinfo) -> int:
    """Midnights of the company's calendar between a stored moment and today: yesterday is 1."""
    return (today - dt.datetime.fromisoformat(stamped).astimezone(time_zone).date()).days
