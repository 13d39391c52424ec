"""Customers that a run's alike pairs or the model's links connect: what is decided together."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from django.db import connection

from profiles.matching.asking import Pair
from profiles.matching.planning import Scored
from profiles.models import MatchRun

_FETCHED_AT_ONCE: Final = 20_000

_ALIKE = """
SELECT s.record_a_id, s.record_b_id, max(s.score), a.profile_id, b.profile_id
  FROM profiles_scoredpair s
  JOIN profiles_membership a ON a.record_id = s.record_a_id AND a.valid_to IS NULL
  JOIN profiles_membership b ON b.record_id = s.record_b_id AND b.valid_to IS NULL
 WHERE s.run_id = %(run)s
 GROUP BY 1, 2, 4, 5
"""
_STANDING = """
SELECT d.record_a_id, d.record_b_id, -1, a.profile_id, b.profile_id
  FROM profiles_linkdecision d
  JOIN profiles_membership a ON a.record_id = d.record_a_id AND a.valid_to IS NULL
  JOIN profiles_membership b ON b.record_id = d.record_b_id AND b.valid_to IS NULL
 WHERE d.kind = 'model' AND d.action = 'link'
   AND profiles_decision_stands(d.id)
"""
# Of what changed: links within customers that hold one of the records.
_TOUCHED = """
   AND a.profile_id IN (SELECT m.profile_id FROM profiles_runrecord r
                          JOIN profiles_membership m ON m.record_id = r.record_id AND m.valid_to IS NULL
                         WHERE r.run_id = %(run)s)
"""


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
    """All of a run, by the lowest record of a pair or link in each: that stays the same while they are being joined."""

    def __init__(self, run: MatchRun) -> None:
        self._read(run)
        parents: dict[int, int] = {}

        def root(profile: int) -> int:
            while (parent := parents.setdefault(profile, profile)) != profile:
                parents[profile] = parents[parent]
                profile = parent
            return profile

        for some, other in zip(self._of_a, self._of_b, strict=True):
            parents[root(some)] = root(other)
        roots = array("q", map(root, self._of_a))
        lowest: dict[int, int] = {}
        for component, number in zip(roots, self._a, strict=True):
            lowest[component] = min(number, lowest.get(component, number))
        self._first = array("q", (lowest[component] for component in roots))
        self._order = sorted(range(len(roots)), key=lambda place: (self._first[place], self._a[place], self._b[place]))
        firsts = [self._first[place] for place in self._order]
        starts = [place for place, first in enumerate(firsts) if not place or first != firsts[place - 1]]
        self._bounds = [*starts, len(firsts)] if starts else [0]

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def portions(self, *, after: int, at_once: int) -> Iterator[Portion]:
        """Components beyond the one of that record, with about so many profiles at once."""
        waiting: list[Connected] = []
        size, last = 0, after
        for begin, end in pairwise(self._bounds):
            if (first := self._first[self._order[begin]]) <= after:
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
            found.profiles |= {self._of_a[place], self._of_b[place]}
            if self._scores[place] >= 0:
                found.scored.append(Scored(Pair(self._a[place], self._b[place]), self._scores[place]))
        return found

    def _read(self, run: MatchRun) -> None:
        self._a, self._b, self._of_a, self._of_b = (array("q") for _ in range(4))
        self._scores = array("d")
        with connection.cursor() as cursor:
            for statement in (_ALIKE, _STANDING if run.everything else _STANDING + _TOUCHED):
                cursor.execute(statement, {"run": run.pk})
                while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
                    for a, b, score, of_a, of_b in rows:
                        self._a.append(min(a, b))
                        self._b.append(max(a, b))
                        self._scores.append(score)
                        self._of_a.append(of_a)
                        self._of_b.append(of_b)
