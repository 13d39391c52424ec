"""The conditions of a definition that ask about one person by themselves. `nodes` adds those that ask for a segment,
and the groups. No Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from segments.definition.checked import Checked, Flaw, text_flaws, whole_flaws
from segments.definition.comparisons import MAX_TEXT, Comparison, Operator
from segments.definition.windows import Window, Within

MAX_COUNT = 1_000_000

AMOUNT_OPERATORS = frozenset(
    {Operator.MORE_THAN, Operator.LESS_THAN, Operator.AT_LEAST, Operator.AT_MOST, Operator.BETWEEN, Operator.IS}
)
"""What amounts are compared by: sums, averages, numbers of things."""


def _name_flaws(key: str, name: object) -> Iterator[Flaw]:
    yield from text_flaws(key, name if isinstance(name, str) else "", MAX_TEXT, missing="name-missing")


def id_flaws(key: str, name: object) -> Iterator[Flaw]:
    """Of the id of something that is stored: it is written in one way only, so that equal ids are equal texts."""
    flaws = list(_name_flaws(key, name))
    yield from flaws
    if not flaws and not _is_id(str(name)):
        yield Flaw(key, "id-expected")


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _amount_flaws(comparison: Comparison) -> Iterator[Flaw]:
    if comparison.operator not in AMOUNT_OPERATORS:
        yield Flaw("operator", "operator-not-here", {"operator": comparison.operator.value})
    elif not isinstance(comparison.value, Decimal | tuple):
        yield Flaw("value", "number-expected")


def _currency_flaws(currency: object) -> Iterator[Flaw]:
    is_code = isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isupper()
    if not is_code:
        yield Flaw("currency", "currency-expected")


# ── attributes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class AttributeCondition(Checked):
    """The winning value of a trait, compared. A trait with several values matches when one of them does."""

    trait: str
    comparison: Comparison

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("trait", self.trait)


# ── touchpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class PropertyFilter(Checked):
    """A property of a touchpoint or of a line of an order, compared; reads lists and unknown values as
    `AttributeCondition` does. What a touchpoint or line does not say of its product, the catalogue says."""

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


def _sources_flaws(sources: tuple[str, ...]) -> Iterator[Flaw]:
    for place, source in enumerate(sources):
        yield from _name_flaws(f"sources/{place}", source)


@dataclass(frozen=True)
class TouchpointCondition(Checked):
    """How many touchpoints of one event type, that pass every filter, lie in the window. None at all is 0.

    `sources`: the short names of the sources that count; none named: all of them.
    """

    event: str
    count: Count
    window: Window
    filters: tuple[PropertyFilter, ...] = ()
    sources: tuple[str, ...] = ()

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("event", self.event)
        yield from _sources_flaws(self.sources)


class PropertyMeasure(StrEnum):
    """What is made of the values that a property has over several touchpoints."""

    SUM = "sum"
    AVERAGE = "average"
    SMALLEST = "smallest"
    LARGEST = "largest"
    DISTINCT = "distinct"
    FIRST = "first"
    LAST = "last"
    MOST_FREQUENT = "most_frequent"

    @property
    def is_number(self) -> bool:
        """Whether it is an amount; the others are values as the property has them."""
        return self not in (PropertyMeasure.FIRST, PropertyMeasure.LAST, PropertyMeasure.MOST_FREQUENT)


@dataclass(frozen=True)
class MeasureCondition(Checked):
    """A measure of a property over the touchpoints of one event type that pass every filter and lie in the window,
    compared.

    What a touchpoint does not say of its product, the catalogue says. Touchpoints on which the property has no reading
    (`values`) are passed over. Sum, average, smallest and largest read numbers only. Without any value the sum and the
    number of distinct values are 0; every other measure is unknown, which is neither more nor less than any amount.

    Two values are the same when they are compared as equal texts; the numbers 5 and 5.0 are the same. First and last
    are all values of that instant. Of values that are equally frequent the one seen last counts, and both where they
    were last seen at the same instant. Where a measure is several values, it reads like a list.
    """

    event: str
    measure: PropertyMeasure
    property: str
    comparison: Comparison
    window: Window
    filters: tuple[PropertyFilter, ...] = ()
    sources: tuple[str, ...] = ()

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("event", self.event)
        yield from _name_flaws("property", self.property)
        yield from _sources_flaws(self.sources)
        if self.measure.is_number:
            yield from _amount_flaws(self.comparison)


@dataclass(frozen=True)
class Step(Checked):
    """Touchpoints of one event type that pass every filter: a step of a sequence."""

    event: str
    filters: tuple[PropertyFilter, ...] = ()
    sources: tuple[str, ...] = ()

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("event", self.event)
        yield from _sources_flaws(self.sources)


@dataclass(frozen=True)
class SequenceCondition(Checked):
    """`first` and later `then`, at most `within` apart, both in the window, and `without` never between them.

    Later is strictly later: what happened at one instant has no order. What happened at the instant of one of the two
    is not between them. `same`: a property of which both have a common value; then only those of `without` count that
    have this value as well. `without` need not lie in the window by itself: between two that do, it does.
    """

    first: Step
    then: Step
    within: Within
    window: Window
    without: Step | None = None
    same: str | None = None

    def _flaws(self) -> Iterator[Flaw]:
        if self.same is not None:
            yield from _name_flaws("same", self.same)

    @property
    def steps(self) -> dict[str, Step]:
        """The steps by their keys in the JSON."""
        found = {"first": self.first, "then": self.then}
        return found if self.without is None else found | {"without": self.without}

    def with_steps(self, steps: dict[str, Step]) -> SequenceCondition:
        return replace(self, first=steps["first"], then=steps["then"], without=steps.get("without"))


# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Measure(StrEnum):
    """What is made of orders. FULL_PRICE: how many there are from which nothing was taken off, neither from the whole
    nor from a line."""

    SUM = "sum"
    AVERAGE = "average"
    COUNT = "count"
    FULL_PRICE = "full_price"

    @property
    def is_number(self) -> bool:
        """Whether it is a number of orders; the others are money."""
        return self in (Measure.COUNT, Measure.FULL_PRICE)


@dataclass(frozen=True)
class OrderTotalCondition(Checked):
    """Sum, average or number of a person's standing orders in the window, compared.

    Money is never converted: only orders in `currency` count. Without an order the sum and the numbers are 0 and
    the average is unknown, which is neither more nor less than any amount.
    """

    measure: Measure
    comparison: Comparison
    window: Window
    currency: str

    def _flaws(self) -> Iterator[Flaw]:
        yield from _amount_flaws(self.comparison)
        yield from _currency_flaws(self.currency)


PRODUCT_NUMBERS = ("sku", "product_id")
"""Properties that are the number of a product: that of the variant before that of all its variants."""
NOT_OF_CATALOGUE = frozenset({*PRODUCT_NUMBERS, "coupon", "price", "list_price", "quantity"})
"""Properties that only the order or the touchpoint knows: the catalogue's own price is not what was paid."""


class LineMeasure(StrEnum):
    """What is counted of the lines of orders: the lines, the pieces, or what was paid for them."""

    LINES = "lines"
    QUANTITY = "quantity"
    SPENT = "spent"


@dataclass(frozen=True)
class OrderLineCondition(Checked):
    """Lines of a person's standing orders in the window that pass every filter: how many, how many pieces, or what was
    paid for them, compared. Without such a line each is 0.

    A filter reads what the order says of its line (sku, name, category, color, coupon, price, list_price, quantity),
    else what the catalogue says of the product (also brand and every other attribute). `currency` belongs to `SPENT`:
    only orders in it count. The others ask for no money, and have none ("").
    """

    measure: LineMeasure
    comparison: Comparison
    window: Window
    filters: tuple[PropertyFilter, ...] = ()
    currency: str = ""

    def _flaws(self) -> Iterator[Flaw]:
        yield from _amount_flaws(self.comparison)
        if self.measure is LineMeasure.SPENT:
            yield from _currency_flaws(self.currency)
        elif self.currency:
            yield Flaw("currency", "currency-not-here")


# ── consent and lists ────────────────────────────────────────────────────────────────────────────────────────────────


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


@dataclass(frozen=True)
class ReachableCondition(Checked):
    """The gate would let at least one address of the person through for the purpose on the channel, now: a good
    address, what was said about it, no open request for erasure, the purpose active."""

    purpose: str
    channel: str

    def _flaws(self) -> Iterator[Flaw]:
        yield from _name_flaws("purpose", self.purpose)
        yield from _name_flaws("channel", self.channel)


@dataclass(frozen=True)
class ListCondition(Checked):
    """Whether one of the person's records is on a list that was uploaded (`segments.lists`). `list` is its id."""

    list: str
    is_in: bool = True

    def _flaws(self) -> Iterator[Flaw]:
        yield from id_flaws("list", self.list)
        if not isinstance(self.is_in, bool):
            yield Flaw("is_in", "yes-or-no-expected")
