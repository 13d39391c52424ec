"""What a definition may speak of: the traits, events, properties, purposes and channels that one viewer may see.

`segments.catalogue` fills `Fields` from the database for a scope; here is what any of them allows.
"""

import dataclasses
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ingestion.normalise.sensitive_names import is_hidden_name
from segments.definition import nodes
from segments.definition.nodes import Comparison, Condition, Flaw, Node, Operator, PropertyMeasure


class FieldType(StrEnum):
    """What the values of a trait or property are. ANY: not declared and not clear from the values seen.

    IDENTIFIER reaches one person directly (an e-mail address, a phone number). It is no property of an audience, and
    a number that counts its owners would let a reader who may not see it guess it piece by piece.
    """

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    IDENTIFIER = "identifier"
    ANY = "any"


_PRESENCE = (Operator.KNOWN, Operator.UNKNOWN)
_EQUALITY = (Operator.IS, Operator.IS_NOT)
_CHOICE = (Operator.IN, Operator.NOT_IN)
_WORDS = (Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.STARTS_WITH)
_AMOUNTS = (Operator.MORE_THAN, Operator.LESS_THAN, Operator.AT_LEAST, Operator.AT_MOST, Operator.BETWEEN)
_DATES = (
    Operator.ON,
    Operator.BEFORE,
    Operator.AFTER,
    Operator.BETWEEN_DATES,
    Operator.IN_LAST_DAYS,
    Operator.IN_NEXT_DAYS,
    Operator.MORE_THAN_DAYS_AGO,
    Operator.ANNIVERSARY_TODAY,
    Operator.ANNIVERSARY_IN_NEXT_DAYS,
    Operator.ANNIVERSARY_IN_LAST_DAYS,
    Operator.ANNIVERSARY_THIS_MONTH,
)

OPERATORS: Mapping[FieldType, tuple[Operator, ...]] = {
    FieldType.TEXT: (*_EQUALITY, *_CHOICE, *_WORDS, *_PRESENCE),
    FieldType.NUMBER: (*_EQUALITY, *_CHOICE, *_AMOUNTS, *_PRESENCE),
    FieldType.DATE: (*_DATES, *_PRESENCE),
    FieldType.BOOLEAN: (*_EQUALITY, *_PRESENCE),
    FieldType.IDENTIFIER: _PRESENCE,
    FieldType.ANY: (*_EQUALITY, *_CHOICE, *_WORDS, *_AMOUNTS, *_DATES, *_PRESENCE),
}
"""The operators that each type offers, in the order in which a form lists them."""


@dataclass(frozen=True)
class Field:
    """A trait or a property. `label` is its name in the viewer's language."""

    name: str
    type: FieldType
    label: str

    @property
    def operators(self) -> tuple[Operator, ...]:
        return OPERATORS[self.type]


@dataclass(frozen=True)
class Event:
    """An event type with the properties that its touchpoints carry; None: not looked up, any is taken."""

    name: str
    label: str
    properties: Mapping[str, Field] | None = None


@dataclass(frozen=True)
class Fields:
    """Everything that a viewer may build a definition of; name → field. What is absent here does not exist to them.

    `sources`, `segments` and `lists`: short name or id → label. `line_properties`: of lines of orders.
    """

    traits: Mapping[str, Field]
    events: Mapping[str, Event]
    purposes: Mapping[str, str]
    channels: Mapping[str, str]
    currencies: tuple[str, ...]
    hidden_traits: frozenset[str] = frozenset()
    hides_sensitive: bool = False
    sources: Mapping[str, str] = dataclasses.field(default_factory=dict)
    segments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    lists: Mapping[str, str] = dataclasses.field(default_factory=dict)
    line_properties: Mapping[str, Field] = dataclasses.field(default_factory=dict)

    def shows(self, where: Node) -> bool:
        """Whether the viewer sees every trait, event, source and list of a definition, and of its properties those that
        can be told by their name. All that is asked of a stored one: what has become of a purpose, a property or a
        type since is no reason to keep its number from those who see the data."""
        return shows(
            where,
            traits=self.traits,
            events=self.events,
            sources=self.sources,
            lists=self.lists,
            hides=self.hides,
        )

    def hides(self, name: str) -> bool:
        """Whether a property of this name holds what the viewer does not see, in whatever event it stands."""
        return is_hidden_name(name, hidden_traits=self.hidden_traits, hides_sensitive=self.hides_sensitive)

    def flaws(self, condition: Condition) -> Iterator[Flaw]:
        """What `condition` names and this viewer does not have, or compares in a way that its type does not allow.

        `Flaw.field` is a path below the condition, its parts joined by "/" (`filters/0/property`).
        """
        match condition:
            case nodes.AttributeCondition():
                yield from _flaws_of(self.traits.get(condition.trait), condition.trait, condition.comparison, "trait")
            case nodes.TouchpointCondition():
                yield from self._picking_flaws(condition)
            case nodes.MeasureCondition():
                yield from self._picking_flaws(condition)
                yield from self._measure_flaws(condition)
            case nodes.SequenceCondition():
                yield from self._sequence_flaws(condition)
            case nodes.OrderTotalCondition():
                yield from self._currency_flaws(condition.currency)
            case nodes.OrderLineCondition():
                yield from _filter_flaws(condition.filters, self.line_properties)
                if condition.currency:
                    yield from self._currency_flaws(condition.currency)
        for key, name, known in self._named(condition):
            if name not in known:
                yield Flaw(key, f"{key}-unknown", {"name": name})

    def _named(self, condition: Condition) -> Iterator[tuple[str, str, Container[str]]]:
        """What a condition names by itself: key, name, and all that there is."""
        match condition:
            case nodes.ConsentCondition() | nodes.ReachableCondition():
                yield "purpose", condition.purpose, self.purposes
                yield "channel", condition.channel, self.channels
            case nodes.SegmentCondition():
                yield "segment", condition.segment, self.segments
            case nodes.ListCondition():
                yield "list", condition.list, self.lists

    def _picking_flaws(self, one: nodes.OnTouchpoints) -> Iterator[Flaw]:
        event = self.events.get(one.event)
        if event is None:
            yield Flaw("event", "event-unknown", {"name": one.event})
        elif event.properties is not None:
            yield from _filter_flaws(one.filters, event.properties)
        for place, source in enumerate(one.sources):
            if source not in self.sources:
                yield Flaw(f"sources/{place}", "source-unknown", {"name": source})

    def _measure_flaws(self, condition: nodes.MeasureCondition) -> Iterator[Flaw]:
        properties = self._properties(condition.event)
        if properties is None:
            return
        found = properties.get(condition.property)
        if found is None or not condition.measure.is_number:
            yield from _flaws_of(found, condition.property, condition.comparison, "property")
        elif found.type is FieldType.IDENTIFIER or (
            condition.measure is not PropertyMeasure.DISTINCT and found.type not in (FieldType.NUMBER, FieldType.ANY)
        ):
            yield Flaw("measure", "measure-not-for-type", {"type": found.type.value})

    def _sequence_flaws(self, condition: nodes.SequenceCondition) -> Iterator[Flaw]:
        for key, step in condition.steps.items():
            for flaw in self._picking_flaws(step):
                yield replace(flaw, field=f"{key}/{flaw.field}")
        if condition.same is None:
            return
        for step in (condition.first, condition.then):
            properties = self._properties(step.event)
            found = None if properties is None else properties.get(condition.same)
            if properties is not None and (found is None or found.type is FieldType.IDENTIFIER):
                yield Flaw("same", "property-unknown", {"name": condition.same})
                return

    def _properties(self, event: str) -> Mapping[str, Field] | None:
        """The properties of an event; None where any is taken, or the event is unknown."""
        found = self.events.get(event)
        return None if found is None else found.properties

    def _currency_flaws(self, currency: str) -> Iterator[Flaw]:
        if currency not in self.currencies:
            yield Flaw("currency", "currency-unknown", {"name": currency})


def shows(
    where: Node,
    *,
    traits: Container[str],
    events: Container[str],
    sources: Container[str],
    lists: Container[str],
    hides: Callable[[str], bool],
) -> bool:
    """Whether somebody for whom these exist sees all that a definition rests on, the segments that it asks for
    included: not where one of them is gone."""
    for condition in nodes.conditions(where):
        picks = nodes.picks(condition)
        if any(one.event not in events or any(name not in sources for name in one.sources) for one in picks):
            return False
        if any(hides(name) for name in property_names(condition)):
            return False
        match condition:
            case nodes.AttributeCondition() if condition.trait not in traits:
                return False
            case nodes.SegmentCondition() if condition.where is None:
                return False
            case nodes.ListCondition() if condition.list not in lists:
                return False
    return True


def property_names(condition: Condition) -> Iterator[str]:
    """Every property that a condition reads."""
    for one in nodes.picks(condition):
        yield from (each.property for each in one.filters)
    match condition:
        case nodes.MeasureCondition():
            yield condition.property
        case nodes.SequenceCondition() if condition.same is not None:
            yield condition.same
        case nodes.OrderLineCondition():
            yield from (each.property for each in condition.filters)


def _filter_flaws(filters: tuple[nodes.PropertyFilter, ...], properties: Mapping[str, Field]) -> Iterator[Flaw]:
    for place, one in enumerate(filters):
        for flaw in _flaws_of(properties.get(one.property), one.property, one.comparison, "property"):
            yield replace(flaw, field=f"filters/{place}/{flaw.field}")


def _flaws_of(found: Field | None, name: str, comparison: Comparison, key: str) -> Iterator[Flaw]:
    if found is None:
        yield Flaw(key, f"{key}-unknown", {"name": name})
    elif comparison.operator not in found.operators:
        yield Flaw("operator", "operator-not-for-type", {"type": found.type.value})
    elif found.type is FieldType.NUMBER and _holds_text(comparison.value):
        yield Flaw("value", "number-expected")


def _holds_text(value: object) -> bool:
    return any(isinstance(part, str) for part in value) if isinstance(value, tuple) else isinstance(value, str)
