"""Customers that a run's model is sure of or its links connect: what is decided together."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from profiles.matching import alike
from profiles.matching.alike import Unions
from profiles.matching.asking import Pair
from profiles.matching.planning import Scored
from profiles.models import MatchRun


@dataclass(slots=True)
class Connected:
    """Live profiles, and the pairs that are alike between them."""

    profiles: set[int] = field(default_factory=set)
    scored: list[Scored] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Portion:
    """Components that are decided in one transaction; `last`: where another run may go on."""

    last: int
    components: list[Connected]


class Components:
    """All of a run, by the lowest record of a pair or link in each: that stays the same while they are being joined.

    Nothing is joined for less than the threshold. Pairs below it count within a component, where they speak for and
    against what is joined; two components that nothing else connects are two (`doubts` asks about them).

    Args:
        attach: the threshold.
    """

    def __init__(self, run: MatchRun, *, attach: float) -> None:
        self._pairs = found = alike.pairs_and_links(run)
        unions = Unions()
        for some, other, score in zip(found.of_a, found.of_b, found.scores, strict=True):
            if score < 0 or score >= attach:
                unions.join(some, other)
        roots = array("q", map(unions.of, found.of_a))
        lowest: dict[int, int] = {}
        for component, number, score in zip(roots, found.a, found.scores, strict=True):
            if score < 0 or score >= attach:
                lowest[component] = min(number, lowest.get(component, number))
        inside = [
            (lowest[component], a, b, place)
            for place, (component, a, b) in enumerate(zip(roots, found.a, found.b, strict=True))
            if component in lowest and unions.of(found.of_b[place]) == component
        ]
        inside.sort()
        self._order = array("q", (place for _first, _a, _b, place in inside))
        self._firsts = array("q", (first for first, _a, _b, _place in inside))
        starts = [place for place, first in enumerate(self._firsts) if not place or first != self._firsts[place - 1]]
        self._bounds = [*starts, len(inside)] if starts else [0]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def portions(self, *, after: int, at_once: int) -> Iterator[Portion]:
        """Components beyond the one of that record, with about so many profiles at once."""
        waiting: list[Connected] = []
        size, last = 0, after
        for begin, end in pairwise(self._bounds):
            if (first := self._firsts[begin]) <= after:
                continue
            waiting.append(self._component(begin, end))
            size, last = size + len(waiting[-1].profiles), first
            if size >= at_once:
                yield Portion(last, waiting)
                waiting, size = [], 0
        if waiting:
            yield Portion(last, waiting)

    def _component(self, begin: int, end: int) -> Connected:
        found = Connected()
        for place in self._order[begin:end]:
            found.profiles |= {self._pairs.of_a[place], self._pairs.of_b[place]}
            if self._pairs.scores[place] >= 0:
                pair = Pair(self._pairs.a[place], self._pairs.b[place])
                found.scored.append(Scored(pair, self._pairs.scores[place]))
        return found
