"""Customers who may be one and whom a run has not joined: about each two a person is asked once.

Looked at when the run has joined and parted all that it would. Of a trial the customers are as they would be then. A
stock that grows has ever more people who share a name or a birthday, and those who are asked stay as many: a run asks
about the likeliest, and tells how many it left out.
"""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from profiles.matching import alike, facts
from profiles.matching.alike import Unions
from profiles.matching.asking import Pair
from profiles.matching.planning import Scored
from profiles.models import MatchChange, MatchRun

CustomerOf = Callable[[int, int], int]
"""By a record and its profile."""

_CHANGES = """
SELECT c.action, c.record_a_id, c.record_b_id, a.profile_id, b.profile_id
  FROM profiles_matchchange c
  JOIN profiles_membership a ON a.record_id = c.record_a_id AND a.valid_to IS NULL
  JOIN profiles_membership b ON b.record_id = c.record_b_id AND b.valid_to IS NULL
 WHERE c.run_id = %s AND c.action = ANY(%s)
"""
# What a person keeps apart, by their own decision or by having parted what the model had joined.
_KEPT_APART = """
SELECT d.record_a_id, d.record_b_id, a.profile_id, b.profile_id
  FROM profiles_linkdecision d
  LEFT JOIN profiles_linkdecision link ON link.id = d.withdraws_id
  JOIN profiles_membership a ON a.record_id = d.record_a_id AND a.valid_to IS NULL
  JOIN profiles_membership b ON b.record_id = d.record_b_id AND b.valid_to IS NULL
 WHERE d.kind = 'steward'
   AND (d.action IN ('never', 'related') OR (d.action = 'withdraw' AND link.kind = 'model' AND link.action = 'link'))
   AND profiles_decision_stands(d.id)
"""
_ASKED: Final = (MatchChange.Action.REVIEW, MatchChange.Action.HELD_BACK)
_MOVED: Final = (MatchChange.Action.LINK, MatchChange.Action.WITHDRAW)


@dataclass(frozen=True, slots=True)
class Portion:
    """What is asked in one transaction; `last`: where another run may go on. Of each two customers their pairs of
    records, likeliest first."""

    last: int
    doubts: list[list[Scored]]


class Doubts:
    """Those of a run, by the lowest record of each two customers' pairs; without those that a person keeps apart, and
    those that the run has asked about already.

    Args:
        most: about how many the run asks in all, the likeliest; `left_out` are the others.
    """

    def __init__(self, run: MatchRun, *, most: int) -> None:
        customer_of = _as_they_would_be(run) if run.kind == MatchRun.Kind.SHADOW else _as_they_are
        asked = _customers(_CHANGES, [run.pk, list(_ASKED)], customer_of)
        apart = _customers(_KEPT_APART, [], customer_of)
        found: dict[Pair, list[int]] = {}
        self._pairs = pairs = alike.pairs(run)
        for place, (a, b, of_a, of_b) in enumerate(zip(pairs.a, pairs.b, pairs.of_a, pairs.of_b, strict=True)):
            customers = Pair.of(customer_of(a, of_a), customer_of(b, of_b))
            if customers.a != customers.b and customers not in apart:
                found.setdefault(customers, []).append(place)
        new = [places for customers, places in found.items() if customers not in asked]
        # A run that was broken off asks the same as one that was not: what it has asked counts.
        room = max(0, most - (len(found) - len(new)))
        self.left_out = max(0, len(new) - room)
        likeliest = heapq.nsmallest(room, new, key=self._rank) if self.left_out else new
        self._doubts = sorted(likeliest, key=self._first)

    def __len__(self) -> int:
        return len(self._doubts)

    def portions(self, *, after: int, at_once: int) -> Iterator[Portion]:
        """Those beyond the ones of that record, about so many at once; all of one record together."""
        waiting: list[list[Scored]] = []
        last = after
        for places in self._doubts:
            if (first := self._first(places)[0]) <= after:
                continue
            if len(waiting) >= at_once and first != last:
                yield Portion(last, waiting)
                waiting = []
            last = first
            waiting.append(self._scored(places))
        if waiting:
            yield Portion(last, waiting)

    def _first(self, places: list[int]) -> Pair:
        return min(Pair(self._pairs.a[one], self._pairs.b[one]) for one in places)

    def _rank(self, places: list[int]) -> tuple[float, Pair]:
        return -max(self._pairs.scores[one] for one in places), self._first(places)

    def _scored(self, places: list[int]) -> list[Scored]:
        pairs = self._pairs
        found = [Scored(Pair(pairs.a[one], pairs.b[one]), pairs.scores[one]) for one in places]
        return sorted(found, key=lambda one: (-one.score, one.pair))


def _as_they_are(_record: int, profile: int) -> int:
    return profile


def _as_they_would_be(run: MatchRun) -> CustomerOf:
    """Customers after a trial: profiles joined by its links, and the parts of those that it would part. A part is told
    from a profile by its sign."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, [run.pk, list(_MOVED)])
        changes = cursor.fetchall()
    withdrawn = {
        Pair(a, b): {of_a, of_b} for action, a, b, of_a, of_b in changes if action == MatchChange.Action.WITHDRAW
    }
    parted = facts.read({profile for profiles in withdrawn.values() for profile in profiles})
    unions = Unions()

    def customer_of(record: int, profile: int) -> int:
        return unions.of(-parted.part_of[record] if record in parted.part_of else profile)

    for link in parted.standing:
        if link.pair not in withdrawn and parted.part_of.keys() >= set(link.pair):
            unions.join(-parted.part_of[link.pair.a], -parted.part_of[link.pair.b])
    for action, a, b, of_a, of_b in changes:
        if action == MatchChange.Action.LINK:
            unions.join(customer_of(a, of_a), customer_of(b, of_b))
    return customer_of


def _customers(statement: str, values: list[Any], customer_of: CustomerOf) -> set[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {Pair.of(customer_of(a, of_a), customer_of(b, of_b)) for *_action, a, b, of_a, of_b in cursor.fetchall()}
