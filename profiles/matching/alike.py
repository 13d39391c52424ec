"""The pairs that a run has found alike, with whose they are now."""

from array import array
from typing import Final

from django.db import connection

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


class Pairs:
    """Pairs of records in columns, 40 bytes each: `a` < `b`, their scores (0–1; -1 for a link of the model that
    stands), and the profiles `of_a` and `of_b`."""

    def __init__(self) -> None:
        self.a, self.b, self.of_a, self.of_b = (array("q") for _column in range(4))
        self.scores = array("d")

    def __len__(self) -> int:
        return len(self.a)

    def add(self, a: int, b: int, score: float, of_a: int, of_b: int) -> None:
        if a > b:
            a, b, of_a, of_b = b, a, of_b, of_a
        self.a.append(a)
        self.b.append(b)
        self.scores.append(score)
        self.of_a.append(of_a)
        self.of_b.append(of_b)


def pairs(run: MatchRun) -> Pairs:
    """What the run has found alike. One query."""
    return _read(run, _ALIKE)


def pairs_and_links(run: MatchRun) -> Pairs:
    """The same, and the model's links that stand: of a run over what changed, those of the customers it touches. Two
    queries."""
    return _read(run, _ALIKE, _STANDING if run.everything else _STANDING + _TOUCHED)


def _read(run: MatchRun, *statements: str) -> Pairs:
    found = Pairs()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {"run": run.pk})
            while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
                for row in rows:
                    found.add(*row)
    return found


class Unions:
    """Numbers that are one, by a number that stands for all of them."""

    def __init__(self) -> None:
        self._parents: dict[int, int] = {}

    def of(self, number: int) -> int:
        while (parent := self._parents.get(number, number)) != number:
            self._parents[number] = self._parents.get(parent, parent)
            number = parent
        return number

    def join(self, some: int, other: int) -> None:
        self._parents[self.of(some)] = self.of(other)
