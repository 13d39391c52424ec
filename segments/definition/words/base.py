"""What a language has to say. `english` and `thai` fill it in."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from segments.definition import nodes
from segments.definition.nodes import Bound, ConsentState, LineMeasure, Measure, Operator, PropertyMeasure, Unit


@dataclass(frozen=True)
class Names:
    """What the company calls its things in the language of the sentence; a name that is absent is shown as it is."""

    traits: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    purposes: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)


class Words(Protocol):
    """One language. The tables are also the labels of the builder's choices."""

    operators: Mapping[Operator, str]
    of_numbers: Mapping[Operator, str]
    """Operators that are called otherwise where numbers are compared."""
    bounds: Mapping[Bound, str]
    units: Mapping[Unit, str]
    measures: Mapping[Measure, str]
    property_measures: Mapping[PropertyMeasure, str]
    line_measures: Mapping[LineMeasure, str]
    is_in: Mapping[bool, str]
    consent_states: Mapping[ConsentState, str]
    windows: Mapping[str, str]
    groups: Mapping[str, str]
    properties: Mapping[str, str]
    """Standard properties of Segment's e-commerce and e-mail events."""

    def sentence(self, clause: str) -> str: ...

    def joined(self, clauses: list[str], group: type[nodes.Node]) -> str: ...

    def not_among(self, clause: str) -> str: ...

    def when(self, window: nodes.Window) -> str:
        """ "in the last 7 days"; empty for ever."""

    def products(self, condition: nodes.OrderLineCondition) -> str:
        """What is asked of the products, and when they were ordered; empty for any at any time."""

    def attribute(self, condition: nodes.AttributeCondition, names: Names) -> str: ...

    def touchpoint(self, condition: nodes.TouchpointCondition, names: Names) -> str: ...

    def measure(self, condition: nodes.MeasureCondition, names: Names) -> str: ...

    def sequence(self, condition: nodes.SequenceCondition, names: Names) -> str: ...

    def order_total(self, condition: nodes.OrderTotalCondition) -> str: ...

    def order_line(self, condition: nodes.OrderLineCondition) -> str: ...

    def consent(self, condition: nodes.ConsentCondition, names: Names) -> str: ...

    def reachable(self, condition: nodes.ReachableCondition, names: Names) -> str: ...

    def segment(self, condition: nodes.SegmentCondition, names: Names) -> str: ...

    def on_list(self, condition: nodes.ListCondition, names: Names) -> str: ...


MOST_SHOWN = 5
"""Choices of a list that a sentence spells out; of more it names the first four and says how many follow."""


def number(value: Decimal | int) -> str:
    """1234567.50 → 1,234,567.5"""
    return f"{value.normalize():,f}" if isinstance(value, Decimal) else f"{value:,}"


def operands(value: nodes.Value, *, yes: str, no: str, day: "DayWriter") -> list[str]:
    """The parts of a comparison's value as a reader sees them, quoted where they are texts."""
    parts = value if isinstance(value, tuple) else (value,)
    return [_operand(part, yes=yes, no=no, day=day) for part in parts]


class DayWriter(Protocol):
    def __call__(self, day: dt.date) -> str: ...


def _operand(part: object, *, yes: str, no: str, day: DayWriter) -> str:
    match part:
        case bool():
            return yes if part else no
        case Decimal() | int():
            return number(part)
        case dt.date():
            return day(part)
        case _:
            return f"“{part}”"


def choices(parts: list[str], *, last: str, more: str) -> str:
    """“a”, “b” or “c”; a long list ends in the number of what is left out. `more` holds one {n}."""
    if len(parts) > MOST_SHOWN:
        shown = parts[: MOST_SHOWN - 1]
        return ", ".join(shown) + more.format(n=number(len(parts) - len(shown)))
    return ", ".join(parts[:-1]) + f"{last}{parts[-1]}" if len(parts) > 1 else parts[0]
