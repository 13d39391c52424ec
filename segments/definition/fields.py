"""What a definition may speak of: the traits, events, properties, purposes and channels that one viewer may see.

`segments.catalogue` fills `Fields` from the database for a scope; here is what any of them allows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ingestion.normalise.sensitive_names import is_hidden_name
from segments.definition.nodes import (
    AttributeCondition,
    Comparison,
    Condition,
    ConsentCondition,
    Flaw,
    Node,
    Operator,
    OrderTotalCondition,
    TouchpointCondition,
    conditions,
)


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
    """Everything that a viewer may build a definition of; name → field. What is absent here does not exist to them."""

    traits: Mapping[str, Field]
    events: Mapping[str, Event]
    purposes: Mapping[str, str]
    channels: Mapping[str, str]
    currencies: tuple[str, ...]
    hidden_traits: frozenset[str] = frozenset()
    hides_sensitive: bool = False

    def shows(self, where: Node) -> bool:
        """Whether the viewer sees every trait and event of a definition, and of its properties those that can be told
        by their name. All that is asked of a stored one: what has become of a purpose, a property or a type since is
        no reason to keep its number from those who see the data."""
        for condition in conditions(where):
            match condition:
                case AttributeCondition() if condition.trait not in self.traits:
                    return False
                case TouchpointCondition() if condition.event not in self.events or any(
                    self.hides(one.property) for one in condition.filters
                ):
                    return False
        return True

    def hides(self, name: str) -> bool:
        """Whether a property of this name holds what the viewer does not see, in whatever event it stands."""
        return is_hidden_name(name, hidden_traits=self.hidden_traits, hides_sensitive=self.hides_sensitive)

    def flaws(self, condition: Condition) -> Iterator[Flaw]:
        """What `condition` names and this viewer does not have, or compares in a way that its type does not allow.

        `Flaw.field` is a path below the condition, its parts joined by "/" (`filters/0/property`).
        """
        match condition:
            case AttributeCondition():
                yield from _flaws_of(self.traits.get(condition.trait), condition.trait, condition.comparison, "trait")
            case TouchpointCondition():
                yield from self._event_flaws(condition)
            case OrderTotalCondition():
                if condition.currency not in self.currencies:
                    yield Flaw("currency", "currency-unknown", {"name": condition.currency})
            case ConsentCondition():
                if condition.purpose not in self.purposes:
                    yield Flaw("purpose", "purpose-unknown", {"name": condition.purpose})
                if condition.channel not in self.channels:
                    yield Flaw("channel", "channel-unknown", {"name": condition.channel})

    def _event_flaws(self, condition: TouchpointCondition) -> Iterator[Flaw]:
        event = self.events.get(condition.event)
        if event is None:
            yield Flaw("event", "event-unknown", {"name": condition.event})
            return
        if event.properties is None:
            return
        for place, one in enumerate(condition.filters):
            found = event.properties.get(one.property)
            for flaw in _flaws_of(found, one.property, one.comparison, "property"):
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
