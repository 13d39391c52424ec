"""What a run decides of one component: people who may be one, and what stands between them. Knows no database.

The parts of a component are what evidence and people's decisions have joined already; between them there are scored
pairs, links of the model that stand, and vetoes. Clustering says which parts are one person; the surest links make them
one, each unless a veto or a guard rail is in its way.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, starmap
from typing import NamedTuple

from profiles.matching import clustering, rails
from profiles.matching.asking import Pair, Said
from profiles.matching.rails import Body, Guard


class Scored(NamedTuple):
    """Two records, the lower id first, and how alike they are, 0–1."""

    pair: Pair
    score: float


class Standing(NamedTuple):
    """A link of the model that stands, by its decision."""

    decision: int
    pair: Pair


@dataclass(frozen=True, slots=True)
class Component:
    """Parts that scored pairs or links of the model connect.

    Attributes:
        part_of: record → part, by the part's lowest record; records of no part have gone meanwhile.
        bodies: part → how the guard rails see it.
        scored: pairs of records of two parts.
        standing: links of the model.
        vetoes: pairs of records of which a person said that they are not one.
        said: what people said of these pairs in review; a pair without an entry: nothing.
    """

    part_of: Mapping[int, int]
    bodies: Mapping[int, Body]
    scored: Sequence[Scored]
    standing: Sequence[Standing] = ()
    vetoes: Collection[Pair] = ()
    said: Mapping[Pair, Said] = field(default_factory=dict)


class Held(NamedTuple):
    """A link that is not made but asked about; `guard` is None before a verified record."""

    scored: Scored
    guard: Guard | None


@dataclass(slots=True)
class Plan:
    """What follows. `questions`: pairs of which the model is not sure."""

    links: list[Scored] = field(default_factory=list)
    withdrawals: list[Standing] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    questions: list[Scored] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.links or self.withdrawals or self.held or self.questions)


def plan(component: Component, *, attach: float, review: float) -> Plan:
    """Decide. Depends on nothing but the component, not on the order of anything in it."""
    return _Planner(component, attach, review).plan()


def best(component: Component) -> dict[Pair, Scored]:
    """Pair of parts → the likeliest pair of their records that people have not settled otherwise."""
    found: dict[Pair, Scored] = {}
    for one in component.scored:
        some, other = (component.part_of.get(number) for number in one.pair)
        told = component.said.get(one.pair)
        if some is None or other is None or some == other or (told and (told.is_settled or told.is_refused)):
            continue
        parts = Pair.of(some, other)
        known = found.get(parts)
        if known is None or (-one.score, one.pair) < (-known.score, known.pair):
            found[parts] = one
    return found


class _Planner:
    def __init__(self, component: Component, attach: float, review: float) -> None:
        self.component = component
        self.attach, self.review = attach, review
        self.best = best(component)
        self.parent = {part: part for part in component.bodies}
        self.bodies = dict(component.bodies)
        # root → root → pairs of their parts that are alike
        self.alike: dict[int, Counter[int]] = {part: Counter() for part in component.bodies}
        for parts, one in self.best.items():
            if one.score >= attach:
                self.alike[parts.a][parts.b] += 1
                self.alike[parts.b][parts.a] += 1
        self.enemies = self._enemies()
        self.result = Plan()

    def _enemies(self) -> dict[int, set[int]]:
        enemies: dict[int, set[int]] = {}
        for pair in self.component.vetoes:
            some, other = (self.component.part_of.get(number) for number in pair)
            if some is not None and other is not None and some != other:
                enemies.setdefault(some, set()).add(other)
                enemies.setdefault(other, set()).add(some)
        return enemies

    def plan(self) -> Plan:
        cluster_of = self._clusters()
        self._stand(cluster_of)
        likely = sorted(self.best.values(), key=lambda one: (-one.score, one.pair))
        for one in likely:
            some, other = self._roots(one.pair)
            if one.score >= self.attach and some != other and self._are_one(one.pair, cluster_of):
                self._link(one, some, other)
        asked: set[Pair] = set()
        self.result.held = [held for held in self.result.held if self._is_first(held.scored.pair, asked)]
        self.result.questions = [one for one in likely if one.score >= self.review and self._is_first(one.pair, asked)]
        return self.result

    def _is_first(self, pair: Pair, asked: set[Pair]) -> bool:
        """One question for each two that are kept apart, none for what is one or was vetoed."""
        some, other = self._roots(pair)
        if some == other or self._vetoed(some, other) or (roots := Pair.of(some, other)) in asked:
            return False
        asked.add(roots)
        return True

    def _clusters(self) -> dict[int, int]:
        """Part → the cluster that it is in. Of two parts the score alone decides."""
        scored = [(*parts, one.score) for parts, one in self.best.items()]
        if len(scored) == 1:
            [(a, b, score)] = scored
            return {a: a, b: a} if score >= self.attach else {}
        found = clustering.clusters(scored, threshold=self.attach) if scored else []
        return {part: cluster.records[0] for cluster in found for part in cluster.records}

    def _are_one(self, pair: Pair, cluster_of: Mapping[int, int]) -> bool:
        some, other = (self.component.part_of[number] for number in pair)
        return some in cluster_of and cluster_of[some] == cluster_of.get(other)

    def _stand(self, cluster_of: Mapping[int, int]) -> None:
        """Links that the model has made: what clustering supports stays, and what a person has confirmed or made sure
        of."""
        for link in sorted(self.component.standing):
            parts = [self.component.part_of.get(number) for number in link.pair]
            if None in parts or parts[0] == parts[1]:
                continue  # evidence holds them together without it
            some, other = self._roots(link.pair)
            told = self.component.said.get(link.pair)
            is_kept = (
                self._are_one(link.pair, cluster_of)
                or (told is not None and told.is_confirmed)
                or any(self.component.bodies[part].is_verified for part in parts if part is not None)
            )
            if is_kept and not self._vetoed(some, other):
                self._join(some, other)
            elif not is_kept:
                self.result.withdrawals.append(link)

    def _link(self, one: Scored, some: int, other: int) -> None:
        if self._vetoed(some, other):
            return
        if self.bodies[some].is_verified or self.bodies[other].is_verified:
            self.result.held.append(Held(one, None))
            return
        guard = rails.obstacle(self.bodies[some], self.bodies[other], alike=self.alike[some][other])
        if guard is None:
            self._join(some, other)
            self.result.links.append(one)
        else:
            self.result.held.append(Held(one, guard))

    # --- the forest -----------------------------------------------------------------------------------------------

    def _root(self, part: int) -> int:
        while self.parent[part] != part:
            self.parent[part] = self.parent[self.parent[part]]
            part = self.parent[part]
        return part

    def _roots(self, pair: Pair) -> tuple[int, int]:
        a, b = (self._root(self.component.part_of[number]) for number in pair)
        return a, b

    def _vetoed(self, root: int, other: int) -> bool:
        return other in self.enemies.get(root, ())

    def _join(self, root: int, other: int) -> None:
        if root == other:
            return
        kept, gone = min(root, other), max(root, other)
        self.parent[gone] = kept
        self.bodies[kept] = self.bodies[kept].joined(self.bodies.pop(gone), alike=self.alike[kept].pop(gone, 0))
        moved = self.alike.pop(gone)
        moved.pop(kept, None)
        for part, number in moved.items():
            self.alike[kept][part] += number
            self.alike[part][kept] += number
            self.alike[part].pop(gone, None)
        for enemy in self.enemies.pop(gone, ()):
            self.enemies.setdefault(kept, set()).add(enemy)
            self.enemies[enemy].discard(gone)
            self.enemies[enemy].add(kept)


_OF_PART = 3  # records of a part that are compared on demand; the likeliest pair of two parts speaks for them


def missing(component: Component, *, most: int) -> list[Pair]:
    """Pairs of records whose score is needed and not known: between parts that the model has joined, and, of three
    parts and more, between all that nothing compares: clustering weighs what speaks against it, too.

    Args:
        most: pairs at most; a component that needs more is no person.
    """
    members: dict[int, list[int]] = {}
    for number, part in sorted(component.part_of.items()):
        members.setdefault(part, []).append(number)
    known = {one.pair for one in component.scored}
    compared = _parts(component, known)
    wanted = dict.fromkeys(pair for link in component.standing if (pair := link.pair) not in known)
    wanted = {pair: None for pair in wanted if _parts(component, [pair])}
    every = sorted(members) if len(members) > 2 else []
    for a, b in chain(sorted(_parts(component, wanted)), starmap(Pair, combinations(every, 2))):
        if (a, b) not in compared:
            wanted |= {Pair.of(x, y): None for x in members[a][:_OF_PART] for y in members[b][:_OF_PART]}
        if len(wanted) >= most:
            break
    return [pair for pair in wanted if pair not in known][:most]


def _parts(component: Component, pairs: Iterable[Pair]) -> set[Pair]:
    """The pairs of parts that these pairs of records are of."""
    found = ((component.part_of.get(a), component.part_of.get(b)) for a, b in pairs)
    return {Pair.of(a, b) for a, b in found if a is not None and b is not None and a != b}
