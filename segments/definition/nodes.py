"""The nodes of a segment definition: frozen, and valid from the moment they exist.

A node that would be wrong cannot be built: its constructor raises `InvalidNode` with every flaw it found. `parse`
turns stored JSON into nodes and flaws into messages; `compile`, `evaluate` and `describe` each read nodes in one
method per class and therefore never check anything again. A new kind of condition is a new class here, with one
function in each of those modules. `checked` has what all nodes share, `windows` the windows of time; both are part of
this vocabulary.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from segments.definition.checked import FIRST_DATE, LAST_DATE, Checked, Flaw, InvalidNode, date_flaws, whole_flaws
from segments.definition.windows import (
    MAX_WINDOW,
    TICK,
    Between,
    CalendarDays,
    Ever,
    Rolling,
    Span,
    Unit,
    Window,
)

VERSION = 1

MAX_DEPTH = 4
"""Groups in groups: the outermost and three inside it. Deeper ones are not read correctly by people."""
MAX_CONDITIONS = 100
MAX_CHOICES = 500
"""Values of one "is one of" list. A longer list is an upload, not a condition."""
MAX_TEXT = 200
MAX_COUNT = 1_000_000
MAX_DIGITS = 15
"""Significant digits of a number: what a JSON number carries exactly through every JSON library."""


# ── Values compared ──────────────────────────────────────────────────────────────────────────────────────────────────


class Operator(StrEnum):
    """How a value is compared. All but KNOWN and UNKNOWN are about a value, so they are false where none is known."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BETWEEN = "between"
    ON = "on"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN_DATES = "between_dates"
    IN_LAST_DAYS = "in_last_days"
    IN_NEXT_DAYS = "in_next_days"
    MORE_THAN_DAYS_AGO = "more_than_days_ago"


class Operand(StrEnum):
    """What stands to the right of an operator."""

    NOTHING = "nothing"
    SCALAR = "scalar"
    CHOICES = "choices"
    TEXT = "text"
    NUMBER = "number"
    NUMBERS = "numbers"
    DATE = "date"
    DATES = "dates"
    DAYS = "days"


OPERANDS: Mapping[Operator, Operand] = MappingProxyType(
    {
        Operator.KNOWN: Operand.NOTHING,
        Operator.UNKNOWN: Operand.NOTHING,
        Operator.IS: Operand.SCALAR,
        Operator.IS_NOT: Operand.SCALAR,
        Operator.IN: Operand.CHOICES,
        Operator.NOT_IN: Operand.CHOICES,
        Operator.CONTAINS: Operand.TEXT,
        Operator.NOT_CONTAINS: Operand.TEXT,
        Operator.STARTS_WITH: Operand.TEXT,
        Operator.MORE_THAN: Operand.NUMBER,
        Operator.LESS_THAN: Operand.NUMBER,
        Operator.AT_LEAST: Operand.NUMBER,
        Operator.AT_MOST: Operand.NUMBER,
        Operator.BETWEEN: Operand.NUMBERS,
        Operator.ON: Operand.DATE,
        Operator.BEFORE: Operand.DATE,
        Operator.AFTER: Operand.DATE,
        Operator.BETWEEN_DATES: Operand.DATES,
        Operator.IN_LAST_DAYS: Operand.DAYS,
        Operator.IN_NEXT_DAYS: Operand.DAYS,
        Operator.MORE_THAN_DAYS_AGO: Operand.DAYS,
    }
)

NEGATIVE: Mapping[Operator, Operator] = MappingProxyType(
    {
        Operator.IS_NOT: Operator.IS,
        Operator.NOT_IN: Operator.IN,
        Operator.NOT_CONTAINS: Operator.CONTAINS,
    }
)
"""Each negative operator with the one it denies: "a value is known, and none of the values matches"."""

Value = None | str | bool | int | Decimal | dt.date | tuple[str, ...] | tuple[Decimal, ...] | tuple[dt.date, dt.date]


@dataclass(frozen=True)
class Comparison(Checked):
    """An operator and what it compares with. `value` has the type that `OPERANDS[operator]` asks for."""

    operator: Operator
    value: Value = None

    def _flaws(self) -> Iterator[Flaw]:
        yield from _OPERAND_FLAWS[OPERANDS[self.operator]](self.value)


def _nothing_flaws(value: object) -> Iterator[Flaw]:
    if value is not None:
        yield Flaw("value", "value-unexpected")


def _text_flaws(value: object) -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw("value", "text-expected")
    elif not value.strip():
        yield Flaw("value", "value-missing")
    elif len(value) > MAX_TEXT:
        yield Flaw("value", "text-too-long", {"limit": MAX_TEXT})
    elif "\x00" in value:
        yield Flaw("value", "text-has-nul")


def _number_flaws(value: object) -> Iterator[Flaw]:
    if value == "":
        yield Flaw("value", "value-missing")
    elif not isinstance(value, Decimal):
        yield Flaw("value", "number-expected")
    elif not value.is_finite() or len(value.normalize().as_tuple().digits) > MAX_DIGITS or abs(value) >= 10**MAX_DIGITS:
        yield Flaw("value", "number-too-long", {"limit": MAX_DIGITS})


def _scalar_flaws(value: object) -> Iterator[Flaw]:
    if isinstance(value, Decimal):
        yield from _number_flaws(value)
    elif not isinstance(value, bool):
        yield from _text_flaws(value)


def _choices_flaws(value: object) -> Iterator[Flaw]:
    if not isinstance(value, tuple):
        yield Flaw("value", "list-expected")
        return
    if not value:
        yield Flaw("value", "value-missing")
    elif len(value) > MAX_CHOICES:
        yield Flaw("value", "list-too-long", {"limit": MAX_CHOICES})
    elif len({type(choice) for choice in value}) > 1:
        yield Flaw("value", "list-mixed")
    elif any(isinstance(choice, bool) for choice in value):
        yield Flaw("value", "text-expected")
    else:
        for choice in value:
            yield from _scalar_flaws(choice)


def _numbers_flaws(value: object) -> Iterator[Flaw]:
    if not (isinstance(value, tuple) and len(value) == 2):
        yield Flaw("value", "two-numbers-expected")
        return
    flaws = [flaw for part in value for flaw in _number_flaws(part)]
    yield from flaws
    if not flaws and value[0] > value[1]:
        yield Flaw("value", "range-reversed")


def _dates_flaws(value: object) -> Iterator[Flaw]:
    if not (isinstance(value, tuple) and len(value) == 2):
        yield Flaw("value", "two-dates-expected")
        return
    flaws = [flaw for part in value for flaw in date_flaws(part)]
    yield from flaws
    if not flaws and value[0] > value[1]:
        yield Flaw("value", "range-reversed")


def _days_flaws(value: object) -> Iterator[Flaw]:
    yield from whole_flaws("value", value, 1, MAX_DAYS)


MAX_DAYS = 36_600
"""A hundred years: a birth date may lie that far back."""

_OPERAND_FLAWS = {
    Operand.NOTHING: _nothing_flaws,
    Operand.SCALAR: _scalar_flaws,
    Operand.CHOICES: _choices_flaws,
    Operand.TEXT: _text_flaws,
    Operand.NUMBER: _number_flaws,
    Operand.NUMBERS: _numbers_flaws,
    Operand.DATE: date_flaws,
    Operand.DATES: _dates_flaws,
    Operand.DAYS: _days_flaws,
}


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _name_flaws(key: str, name: object) -> Iterator[Flaw]:
    if not isinstance(name, str) or not name.strip():
        yield Flaw(key, "name-missing")
    elif len(name) > MAX_TEXT:
        yield Flaw(key, "text-too-long", {"limit": MAX_TEXT})
    elif "\x00" in name:
        yield Flaw(key, "text-has-nul")


@dataclass(frozen=True)
class AttributeCondition(Checked):
    """The winning value of a trait, compared. A trait with several values matches when one of them does."""

    trait: str
    comparison: Comparison

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("trait", self.trait)


@dataclass(frozen=True)
class PropertyFilter(Checked):
    """A property of a touchpoint, compared; reads lists and unknown values as `AttributeCondition` does."""

    property: str
    comparison: Comparison

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("property", self.property)


class Bound(StrEnum):
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXACTLY = "exactly"


@dataclass(frozen=True)
class Count(Checked):
    """How often. "Never" is exactly 0."""

    bound: Bound
    n: int

    def _flaws(self) -> Iterator[Flaw]:
        yield from whole_flaws("n", self.n, 1 if self.bound is Bound.AT_LEAST else 0, MAX_COUNT)

    def holds(self, n: int) -> bool:
        match self.bound:
            case Bound.AT_LEAST:
                return n >= self.n
            case Bound.AT_MOST:
                return n <= self.n
            case Bound.EXACTLY:
                return n == self.n


@dataclass(frozen=True)
class TouchpointCondition(Checked):
    """How many touchpoints of one event type, that pass every filter, lie in the window. None at all is 0."""

    event: str
    count: Count
    window: Window
    filters: tuple[PropertyFilter, ...] = ()

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("event", self.event)


class Measure(StrEnum):
    SUM = "sum"
    AVERAGE = "average"
    COUNT = "count"


ORDER_OPERATORS = frozenset(
    {Operator.MORE_THAN, Operator.LESS_THAN, Operator.AT_LEAST, Operator.AT_MOST, Operator.BETWEEN, Operator.IS}
)


@dataclass(frozen=True)
class OrderTotalCondition(Checked):
    """Sum, average or number of a person's standing orders in the window, compared.

    Money is never converted: only orders in `currency` count. Without an order the sum and the number are 0 and
    the average is unknown, which is neither more nor less than any amount.
    """

    measure: Measure
    comparison: Comparison
    window: Window
    currency: str

    def _flaws(self) -> Iterator[Flaw]:
        if self.comparison.operator not in ORDER_OPERATORS:
            yield Flaw("operator", "operator-not-here", {"operator": self.comparison.operator.value})
        elif not isinstance(self.comparison.value, Decimal | tuple):
            yield Flaw("value", "number-expected")
        if not (
            isinstance(self.currency, str)
            and len(self.currency) == 3
            and self.currency.isascii()
            and self.currency.isupper()
        ):
            yield Flaw("currency", "currency-expected")


class ConsentState(StrEnum):
    """`never` is a state of its own: nobody asked, so nothing was given and nothing refused."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NEVER = "never"


@dataclass(frozen=True)
class ConsentCondition(Checked):
    """What a person last said about a purpose on a channel. This selects people; the gate alone decides on use."""

    purpose: str
    channel: str
    state: ConsentState

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("purpose", self.purpose)
        yield from _name_flaws("channel", self.channel)


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Group(Checked):
    of: tuple[Node, ...]

    def _flaws(self) -> Iterator[Flaw]:
        if not self.of:
            yield Flaw("of", "group-empty")


@dataclass(frozen=True)
class All(_Group):
    """Everyone for whom each member holds."""


@dataclass(frozen=True)
class Any(_Group):
    """Everyone for whom at least one member holds."""


@dataclass(frozen=True)
class Not(_Group):
    """Everyone for whom no member holds: the exact rest of the people whom the viewer may see."""


Group = All | Any | Not
Condition = AttributeCondition | TouchpointCondition | OrderTotalCondition | ConsentCondition
Node = Group | Condition


@dataclass(frozen=True)
class Definition(Checked):
    """A whole definition: one group, at most `MAX_DEPTH` deep, with at most `MAX_CONDITIONS` conditions."""

    where: Group

    def _flaws(self) -> Iterator[Flaw]:
        if depth(self.where) > MAX_DEPTH:
            yield Flaw("where", "too-deep", {"limit": MAX_DEPTH})
        n = sum(1 for _ in conditions(self.where))
        if n > MAX_CONDITIONS:
            yield Flaw("where", "too-many-conditions", {"limit": MAX_CONDITIONS, "n": n})


def depth(node: Node) -> int:
    """How many groups lie in each other at most; a condition has depth 0."""
    if isinstance(node, All | Any | Not):
        return 1 + max(map(depth, node.of))
    return 0


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition below `node`, in reading order."""
    if isinstance(node, All | Any | Not):
        for member in node.of:
            yield from conditions(member)
    else:
        yield node
