"""Guard rails of matching at night: what the model would join but no run joins without a person. Pure: no Django.

A wrong link drags others after it: one record with two people's phone in it, and two families are a customer. So a link
is not judged alone but by the customer that would come of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from ingestion.normalise import names as written_names
from profiles.resolution.forest import NameRelations, Namespace, Relation


class Guard(StrEnum):
    """Which guard rail holds a link back."""

    TWO_IDS = "two_ids"  # of a kind of which one person has one
    GIVEN_NAMES = "given_names"
    LARGEST = "largest"
    DENSITY = "density"


@dataclass(frozen=True, slots=True)
class Limits:
    """How a customer may look that the model makes.

    Args:
        records: of sources, at most.
        names: that clearly differ, at most; one person may have married, or be spelled in two scripts.
        density: of so many parts or more (`parts`), at least this share of the pairs has to be alike.
    """

    records: int = 40
    names: int = 3
    density: float = 0.5
    parts: int = 4


LIMITS: Final = Limits()


@dataclass(slots=True)
class Body:
    """A customer, or what would be one: as far as the guard rails look at it.

    Attributes:
        records: how many of sources it has.
        names: as written; equal ones once.
        ids: what one person has one of: namespace → values; several that a record states together count as one.
        parts: how many customers it was before the model.
        alike: pairs of its parts that the model finds alike.
        is_verified: a person has made sure that it is right.
    """

    records: int = 0
    names: frozenset[Any] = frozenset()
    ids: Mapping[Namespace, frozenset[str]] = field(default_factory=dict)
    parts: int = 1
    alike: int = 0
    is_verified: bool = False

    def joined(self, other: "Body", *, alike: int) -> "Body":
        """The two as one. `alike`: pairs of a part of each that the model finds alike."""
        spaces = self.ids.keys() | other.ids.keys()
        nobody: frozenset[str] = frozenset()
        return Body(
            records=self.records + other.records,
            names=self.names | other.names,
            ids={space: self.ids.get(space, nobody) | other.ids.get(space, nobody) for space in spaces},
            parts=self.parts + other.parts,
            alike=self.alike + other.alike + alike,
            is_verified=self.is_verified or other.is_verified,
        )


def obstacle(some: Body, other: Body, *, alike: int, limits: Limits = LIMITS) -> Guard | None:
    """Which guard rail holds the two apart; None when they may be one.

    Examples:
        >>> obstacle(Body(records=30), Body(records=30), alike=1)
        <Guard.LARGEST: 'largest'>
        >>> obstacle(Body(records=2), Body(records=1), alike=1) is None
        True
    """
    if any(values.isdisjoint(other.ids[space]) for space, values in some.ids.items() if space in other.ids):
        return Guard.TWO_IDS
    both = some.joined(other, alike=alike)
    if both.records > limits.records:
        return Guard.LARGEST
    if both.parts >= limits.parts and both.alike < limits.density * both.parts * (both.parts - 1) / 2:
        return Guard.DENSITY
    if len(both.names) > limits.names and people(both.names) > limits.names:
        return Guard.GIVEN_NAMES
    return None


def people(names: frozenset[Any]) -> int:
    """How many of the names clearly differ from one another."""
    relations = NameRelations(written_names)
    found: list[tuple[int, ...]] = []
    for numbers in sorted(relations.numbers([name]) for name in sorted(names, key=str)):
        if all(relations.between(numbers, person) is Relation.DIFFERENT for person in found):
            found.append(numbers)
    return len(found)
