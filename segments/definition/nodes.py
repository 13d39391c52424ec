"""The nodes of a segment definition: frozen, and valid from the moment they exist.

A node that would be wrong cannot be built: its constructor raises `InvalidNode` with every flaw it found. `parse`
turns stored JSON into nodes and flaws into messages; `compile`, `evaluate` and `describe` each read nodes in one
method per class and therefore never check anything again. A new kind of condition is a new class, with one function in
each of those modules. The vocabulary is all here under one name: `checked` has what nodes share, `comparisons` the
operators, `windows` the windows of time, `conditions` the single conditions; groups and references are below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from segments.definition.checked import FIRST_DATE, LAST_DATE, Checked, Flaw, InvalidNode
from segments.definition.comparisons import (
    MAX_ANNIVERSARY_DAYS,
    MAX_CHOICES,
    MAX_DAYS,
    MAX_DIGITS,
    MAX_TEXT,
    NEGATIVE,
    OPERANDS,
    Comparison,
    Operand,
    Operator,
    Value,
)
from segments.definition.conditions import (
    AMOUNT_OPERATORS,
    MAX_COUNT,
    NOT_OF_CATALOGUE,
    PRODUCT_NUMBERS,
    AttributeCondition,
    Bound,
    ConsentCondition,
    ConsentState,
    Count,
    LineMeasure,
    ListCondition,
    Measure,
    MeasureCondition,
    OrderLineCondition,
    OrderTotalCondition,
    PropertyFilter,
    PropertyMeasure,
    ReachableCondition,
    SequenceCondition,
    Step,
    TouchpointCondition,
    id_flaws,
)
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
    Within,
)

VERSION = 2

MAX_DEPTH = 4
"""Groups in groups: the outermost and three inside it. Deeper ones are not read correctly by people."""
MAX_CONDITIONS = 100


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


@dataclass(frozen=True)
class SegmentCondition(Checked):
    """Whether the person is in another segment (its id), at this moment and through the same eyes.

    `where` is what that segment asks. It is no part of the stored definition: `segments.references.resolved` fills it
    in before anybody is asked, and no engine answers without it.
    """

    segment: str
    is_in: bool = True
    where: Group | None = field(default=None, compare=False)

    def _flaws(self) -> Iterator[Flaw]:
        yield from id_flaws("segment", self.segment)
        if not isinstance(self.is_in, bool):
            yield Flaw("is_in", "yes-or-no-expected")

    @property
    def meaning(self) -> Group:
        """What the segment asks. Raises Unresolved before that is known."""
        if self.where is None:
            raise Unresolved(self.segment)
        return self.where


class Unresolved(LookupError):
    """A condition on a segment was asked before it was known what that segment asks, or after it was deleted."""


Condition = (
    AttributeCondition
    | TouchpointCondition
    | MeasureCondition
    | SequenceCondition
    | OrderTotalCondition
    | OrderLineCondition
    | ConsentCondition
    | ReachableCondition
    | SegmentCondition
    | ListCondition
)
Node = Group | Condition
OnTouchpoints = TouchpointCondition | MeasureCondition | Step
"""What picks touchpoints of one event type: by its filters and its sources."""


@dataclass(frozen=True)
class Definition(Checked):
    """A whole definition: one group, at most `MAX_DEPTH` deep, with at most `MAX_CONDITIONS` conditions of its own."""

    where: Group

    def _flaws(self) -> Iterator[Flaw]:
        if depth(self.where) > MAX_DEPTH:
            yield Flaw("where", "too-deep", {"limit": MAX_DEPTH})
        n = sum(1 for _ in own_conditions(self.where))
        if n > MAX_CONDITIONS:
            yield Flaw("where", "too-many-conditions", {"limit": MAX_CONDITIONS, "n": n})


def depth(node: Node) -> int:
    """How many groups lie in each other at most; a condition has depth 0."""
    if isinstance(node, All | Any | Not):
        return 1 + max(map(depth, node.of))
    return 0


def own_conditions(node: Node) -> Iterator[Condition]:
    """Every condition written below `node`, in reading order."""
    if isinstance(node, All | Any | Not):
        for member in node.of:
            yield from own_conditions(member)
    else:
        yield node


def placed(node: Node, place: str = "/where") -> Iterator[tuple[str, Condition]]:
    """Every condition written below `node` with the place where it stands: JSON pointers into the definition."""
    if isinstance(node, All | Any | Not):
        for number, member in enumerate(node.of):
            yield from placed(member, f"{place}/of/{number}")
    else:
        yield place, node


def conditions(node: Node) -> Iterator[Condition]:
    """Every condition written below `node`, and behind each condition on a segment those of that segment, as far as
    they are resolved: all that the answer rests on."""
    for condition in own_conditions(node):
        yield condition
        if isinstance(condition, SegmentCondition) and condition.where is not None:
            yield from conditions(condition.where)


def picks(condition: Condition) -> tuple[OnTouchpoints, ...]:
    """What a condition picks touchpoints by: itself, or its steps; nothing where it asks for none."""
    match condition:
        case TouchpointCondition() | MeasureCondition():
            return (condition,)
        case SequenceCondition():
            return tuple(condition.steps.values())
    return ()


def events(node: Node) -> set[str]:
    """The event types whose touchpoints a node asks about."""
    return {one.event for condition in conditions(node) for one in picks(condition)}
