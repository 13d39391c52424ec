"""Who holds a shared contact key (an e-mail, a phone), and when. Pure: no Django."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property

from profiles.resolution.forest import Relation


class Claims:
    """The records that hold one contact key, grouped by what they say of the person behind them.

    Args:
        holders: records in content order.
        person_of: record → number of who it says it is (names and unique ids); equal when two records say the same.
        relation: compares two such persons.
        claimed_at: record → when it first stated the key; None when the key is not of a kind that is recycled.
    """

    def __init__(
        self,
        holders: Sequence[int],
        *,
        person_of: Sequence[int],
        relation: Callable[[int, int], Relation],
        claimed_at: Callable[[int], datetime] | None,
    ) -> None:
        self._holders = holders
        self._claimed_at = claimed_at
        members: dict[int, list[int]] = {}
        for holder in holders:
            members.setdefault(person_of[holder], []).append(holder)
        persons = list(members)
        self._members = list(members.values())
        self._group_of = {holder: group for group, same in enumerate(self._members) for holder in same}
        self._different: dict[int, list[int]] = {}
        self._same: dict[int, list[int]] = {}
        self._agrees_with_itself: set[int] = set()
        self._relation: dict[tuple[int, int], Relation] = {}
        for group, person in enumerate(persons):
            if len(self._members[group]) > 1 and relation(person, person) is Relation.SAME:
                self._agrees_with_itself.add(group)
            for other in range(group + 1, len(persons)):
                found = relation(person, persons[other])
                self._relation[group, other] = self._relation[other, group] = found
                if found is Relation.SAME:
                    self._same.setdefault(group, []).append(other)
                elif found is Relation.DIFFERENT:
                    self._different.setdefault(group, []).append(other)
                    self._different.setdefault(other, []).append(group)

    def agreeing(self) -> Iterator[list[int]]:
        """Lists of records of which the first ones' names agree with those of all others."""
        for group, members in enumerate(self._members):
            others = self._same.get(group, [])
            if others or group in self._agrees_with_itself:
                yield [*members, *(holder for other in others for holder in self._members[other])]

    def conflicts(self) -> list[tuple[int, int]]:
        """Two records of each two clearly different people."""
        return [
            (self._members[group][0], self._members[other][0])
            for group, others in self._different.items()
            for other in others
            if group < other
        ]

    def unclear(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Of a key that different people hold: (claimant, record that belongs to the claimant by time), and the same
        for records that can't be told because several different people held the key just then."""
        candidates = {holder: self._candidates(holder) for holder in self._holders}
        ambiguous = {
            holder
            for holder, claimants in candidates.items()
            if any(
                self._relation.get((self._group_of[some], self._group_of[other])) is Relation.DIFFERENT
                for some in claimants
                for other in claimants
            )
        }
        told: list[tuple[int, int]] = []
        untold: list[tuple[int, int]] = []
        for holder, claimants in candidates.items():
            for claimant in claimants:
                (untold if holder in ambiguous or claimant in ambiguous else told).append((claimant, holder))
        return told, untold

    def _candidates(self, holder: int) -> list[int]:
        """The claimants that are unclear against the record and held the key when it was seen."""
        group = self._group_of[holder]
        return [
            claimant
            for other in self._different
            if other != group and self._relation[group, other] is Relation.UNCLEAR
            for claimant in self._members[other]
            if self._held(claimant, at=holder) and self._held(holder, at=claimant)
        ]

    def _held(self, claimant: int, *, at: int) -> bool:
        """Whether the claim stood when the other record was seen: since its own time (since ever for a first claim)
        until the next one by a different person. Who differs from nobody makes no claim that could end."""
        challenges = self._challenges.get(self._group_of[claimant])
        if self._claimed_at is None or not challenges:
            return True
        claimed, seen = self._claimed_at(claimant), self._claimed_at(at)
        ends = bisect_right(challenges, claimed)
        is_first = challenges[0] >= claimed
        return (is_first or seen >= claimed) and (ends == len(challenges) or seen < challenges[ends])

    @cached_property
    def _challenges(self) -> dict[int, list[datetime]]:
        """Group → the times, ascending, at which a different person claimed the key."""
        if self._claimed_at is None:
            return {}
        return {
            group: sorted(self._claimed_at(holder) for other in others for holder in self._members[other])
            for group, others in self._different.items()
        }
