"""Pairs of records about which a person is asked, and what people have said of pairs. `a` is the lower id."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from django.db import connection
from django.db.models import Q

from profiles.matching import labels, worth
from profiles.matching.matcher import Explanation
from profiles.models import ReviewPair


class Pair(NamedTuple):
    """Two records, the lower id first."""

    a: int
    b: int

    @classmethod
    def of(cls, some: int, other: int) -> "Pair":
        return cls(min(some, other), max(some, other))


@dataclass(frozen=True, slots=True)
class Question:
    """A pair to be asked about. `reason`: of ReviewPair.Reason."""

    pair: Pair
    reason: str
    score: float
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Said:
    """What people have said of a pair.

    Attributes:
        is_settled: somebody has answered in review, or is to answer for the second time: it is not asked again.
        same, different: how many say that the two are one person, and that they are not; by their standing labels.
        asked: the model's score with which the pair waits for a person now, unless it only teaches or measures.
    """

    is_settled: bool = False
    same: int = 0
    different: int = 0
    asked: float | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the model must not join the two: somebody said no, and no more said yes."""
        return self.different > 0 and self.different >= self.same

    @property
    def is_confirmed(self) -> bool:
        """Whether the model must not part the two."""
        return self.same > self.different


_IN_REVIEW = """
SELECT asked.a, asked.b, r.state IN ('settled', 'second'),
       CASE WHEN r.state = 'waiting' AND r.reason NOT IN ('training', 'held_out') THEN r.score END
  FROM unnest(%s::bigint[], %s::bigint[]) AS asked(a, b)
  JOIN profiles_reviewpair r ON r.record_a_id = asked.a AND r.record_b_id = asked.b
"""
# What a model or the stewards are measured by stays what it is, whatever else would ask about it.
_ASK = """
INSERT INTO profiles_reviewpair AS r (record_a_id, record_b_id, state, reason, model_id, score, evidence, worth,
                                      is_held_out, is_flagged, asks_at_call, created_at)
SELECT a, b, 'waiting', reason, %s, score, evidence, worth, false, false, false, now()
  FROM json_to_recordset(%s::json) AS t(a bigint, b bigint, reason text, score float8, evidence jsonb, worth float8)
 ORDER BY a, b
    ON CONFLICT (record_a_id, record_b_id) DO UPDATE SET
       state = 'waiting', settled_at = NULL, model_id = EXCLUDED.model_id, score = EXCLUDED.score,
       evidence = EXCLUDED.evidence, worth = EXCLUDED.worth,
       reason = CASE WHEN r.reason IN ('training', 'held_out')
                       OR (r.state = 'waiting' AND EXCLUDED.reason = 'band') THEN r.reason ELSE EXCLUDED.reason END
 WHERE r.state IN ('waiting', 'gone')
"""
_DROP = """
UPDATE profiles_reviewpair r SET state = 'gone', settled_at = now()
  FROM unnest(%s::bigint[], %s::bigint[]) AS t(a, b)
 WHERE r.record_a_id = t.a AND r.record_b_id = t.b AND r.state = 'waiting' AND r.reason NOT IN ('training', 'held_out')
"""


def said(pairs: Collection[Pair]) -> dict[Pair, Said]:
    """Of each of the pairs. Two queries, of which within a round trip the second alone is waited for."""
    if not pairs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_IN_REVIEW, _columns(pairs))
        votes = Counter((one.pair, labels.IS_SAME.get(one.verdict)) for one in labels.standing(pairs))
        reviewed = {Pair(a, b): (settled, asked) for a, b, settled, asked in cursor.fetchall()}
    found = {}
    for pair in pairs:
        is_settled, asked = reviewed.get(pair, (False, None))
        found[pair] = Said(is_settled, votes[pair, True], votes[pair, False], asked)
    return found


def ask(questions: Sequence[Question], *, model_id: int) -> None:
    """Let pairs wait for a person; one that waits already is brought up to date, one that was settled stays so.
    One statement, and a query for what the answers are worth."""
    if not questions:
        return
    worth_of = worth.of([one.pair for one in questions])
    rows = [
        {
            "a": one.pair.a,
            "b": one.pair.b,
            "reason": one.reason,
            "score": one.score,
            "evidence": evidence(one.explanation),
            "worth": worth_of[one.pair],
        }
        for one in questions
    ]
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [model_id, msgspec.json.encode(rows).decode()])


def drop(pairs: Collection[Pair]) -> None:
    """Nobody need be asked about these any more: other evidence has settled them."""
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(_DROP, _columns(pairs))


def waiting(record_ids: Collection[int]) -> set[Pair]:
    """The pairs of these records that wait for a person. One query."""
    touching = Q(record_a__in=record_ids) | Q(record_b__in=record_ids)
    pairs = ReviewPair.objects.filter(touching, state=ReviewPair.State.WAITING)
    return set(map(Pair._make, pairs.values_list("record_a_id", "record_b_id")))


def evidence(explanation: Explanation) -> dict[str, object]:
    """Why the model thinks so, as rows keep it: names of fields and weights, no values."""
    return {"prior": explanation.prior, "fields": [list(one) for one in explanation.fields]}


def _columns(pairs: Iterable[Pair]) -> list[list[int]]:
    return [list(column) for column in zip(*sorted(pairs), strict=True)]
