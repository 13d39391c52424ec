"""A union-find whose components carry what forbids them to grow together. Pure: no Django.

A component knows the unique ids it holds per namespace, the names its records bear, the components that
a steward said it is not, and whether a person has verified one of its records. `obstacle` answers why two components
may not be joined, `join` joins them.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

Namespace: TypeAlias = tuple[str, str]
Names: TypeAlias = tuple[int, ...]
"""Names by the numbers that `NameRelations` gave them: they are compared and hashed often."""


class Relation(StrEnum):
    """What the names (or unique ids) of two records say about whether they are one person."""

    SAME = "same"
    DIFFERENT = "different"
    UNCLEAR = "unclear"


class Obstacle(StrEnum):
    """Why two components are not joined although something speaks for it."""

    NEVER = "never"
    ID_CONFLICT = "id_conflict"
    NAMES_DIFFER = "names_differ"
    VERIFIED = "verified"


class NameComparison(Protocol):
    """How two names compare; `ingestion.normalise.names` is one."""

    def names_clearly_differ(self, a: Any, b: Any, /) -> bool | None: ...

    def names_agree(self, a: Any, b: Any, /) -> bool | None: ...


class NameRelations:
    """The names of a world, numbered, and how they compare; each pair is compared once."""

    __slots__ = ("_comparison", "_known", "_names", "_number_of")

    def __init__(self, comparison: NameComparison) -> None:
        self._comparison = comparison
        self._names: list[Any] = []
        self._number_of: dict[Any, int] = {}
        self._known: dict[tuple[int, int], Relation] = {}

    def numbers(self, names: Iterable[Any]) -> Names:
        """The numbers by which the other methods know these names, ascending."""
        numbers = set()
        for name in names:
            number = self._number_of.setdefault(name, len(self._names))
            if number == len(self._names):
                self._names.append(name)
            numbers.add(number)
        return tuple(sorted(numbers))

    def between(self, some: Iterable[int], others: Iterable[int]) -> Relation:
        """SAME when any name of one side agrees with any of the other, DIFFERENT when none does and any two
        clearly differ, else UNCLEAR (a side without a name always is)."""
        relation = Relation.UNCLEAR
        for name in some:
            for other in others:
                pair = (name, other)
                found = self._known.get(pair)
                if found is None:
                    found = self._known[pair] = self._known[other, name] = self._compare(name, other)
                if found is Relation.SAME:
                    return found
                if found is Relation.DIFFERENT:
                    relation = found
        return relation

    def _compare(self, number: int, other_number: int) -> Relation:
        name, other = self._names[number], self._names[other_number]
        if self._comparison.names_agree(name, other):
            return Relation.SAME
        return Relation.DIFFERENT if self._comparison.names_clearly_differ(name, other) else Relation.UNCLEAR


class ConstrainedForest:
    """Components of records 0 … n−1.

    Args:
        names: the names of each record, as `relations` numbers them.
        ids: per record, its id class of each namespace (two ids that one record states are one class).
        relations: compares names.
        verified: the records that a person has verified.
    """

    __slots__ = ("_enemies", "_ids", "_names", "_parent", "_relations", "_size", "_verified")

    def __init__(
        self,
        names: Sequence[Names],
        ids: Sequence[dict[Namespace, int]],
        relations: NameRelations,
        verified: Iterable[int] = (),
    ) -> None:
        self._parent = list(range(len(names)))
        self._size = [1] * len(names)
        self._relations = relations
        self._names = [set(own) for own in names]
        self._ids: list[dict[Namespace, frozenset[int]]] = [
            {namespace: frozenset((id_class,)) for namespace, id_class in own.items()} for own in ids
        ]
        self._enemies: dict[int, set[int]] = {}
        self._verified = set(verified)  # roots of components

    def find(self, record: int) -> int:
        """The root of the record's component."""
        parent = self._parent
        while parent[record] != record:
            parent[record] = record = parent[parent[record]]
        return record

    def size(self, record: int) -> int:
        """How many records the component holds."""
        return self._size[self.find(record)]

    def forbid(self, record: int, other: int) -> bool:
        """Keep the two components apart from now on; False when they are one already."""
        root, other_root = self.find(record), self.find(other)
        if root == other_root:
            return False
        self._enemies.setdefault(root, set()).add(other_root)
        self._enemies.setdefault(other_root, set()).add(root)
        return True

    def ids_conflict(self, root: int, other: int) -> bool:
        """Whether joining would bring two ids of one namespace together that are not together yet.

        One side may hold several after a steward's link; then a side that holds some of these adds no new pair.
        """
        theirs = self._ids[other]
        for namespace, ours in self._ids[root].items():
            their = theirs.get(namespace)
            if their is not None and not (ours <= their or their <= ours):
                return True
        return False

    def relation(self, root: int, other: int) -> Relation:
        """What names and ids say of two components: agreeing names speak louder than different ids (a person may
        have two accounts), different ids louder than names that cannot be told."""
        names = self._relations.between(self._names[root], self._names[other])
        if names is Relation.UNCLEAR and self.ids_conflict(root, other):
            return Relation.DIFFERENT
        return names

    def obstacle(self, root: int, other: int, *, names_matter: bool, moves_verified: bool) -> Obstacle | None:
        """Why two different components may not become one; None when they may. Without `moves_verified` neither may
        hold a verified record."""
        if other in self._enemies.get(root, ()):
            return Obstacle.NEVER
        if self.ids_conflict(root, other):
            return Obstacle.ID_CONFLICT
        if names_matter and self._relations.between(self._names[root], self._names[other]) is Relation.DIFFERENT:
            return Obstacle.NAMES_DIFFER
        if not moves_verified and not self._verified.isdisjoint((root, other)):
            return Obstacle.VERIFIED
        return None

    def vetoed(self, root: int, other: int) -> bool:
        """Whether a steward keeps the two components apart."""
        return other in self._enemies.get(root, ())

    def join(self, root: int, other: int) -> None:
        """Make one component of two roots; the smaller goes into the larger, so all work is n log n."""
        if self._size[root] < self._size[other]:
            root, other = other, root
        self._parent[other] = root
        self._size[root] += self._size[other]
        self._names[root] |= self._names[other]
        ids = self._ids[root]
        for namespace, theirs in self._ids[other].items():
            ours = ids.get(namespace)
            ids[namespace] = theirs if ours is None else ours | theirs
        if other in self._verified:
            self._verified.add(root)
        for enemy in self._enemies.pop(other, ()):
            of_enemy = self._enemies[enemy]
            of_enemy.discard(other)
            of_enemy.add(root)
            self._enemies.setdefault(root, set()).add(enemy)
