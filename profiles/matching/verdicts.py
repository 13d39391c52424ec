"""What people have said of pairs of records, all taken together: what models learn from and are measured by.

Of each person the newest verdict of a pair counts that is not taken back. Several people's verdicts of a pair are one
by majority; a tie says nothing, and neither does "cannot be told". "Related" is "different": a household is several
people.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

from django.db import connection

Pair: TypeAlias = tuple[int, int]
"""Two record ids, the lower one first."""

_STANDING = """
SELECT DISTINCT ON (l.record_a_id, l.record_b_id, l.by_id)
       l.record_a_id, l.record_b_id, l.verdict, bool_or(l.is_held_out) OVER of_pair
  FROM profiles_matchlabel l
 WHERE l.undone_at IS NULL AND ({condition})
WINDOW of_pair AS (PARTITION BY l.record_a_id, l.record_b_id)
 ORDER BY l.record_a_id, l.record_b_id, l.by_id, l.id DESC
"""
_ALL = _STANDING.format(condition="true")
_AMONG = _STANDING.format(condition="l.record_a_id = ANY(%(records)s) AND l.record_b_id = ANY(%(records)s)")


class Vote(NamedTuple):
    """A person's standing verdict of a pair; `is_same` None: cannot be told."""

    pair: Pair
    is_same: bool | None
    is_held_out: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree on pairs that several of them judged without knowing of each other.

    Attributes:
        pairs: how many were judged by two people or more.
        share: 0–1, of all twos of verdicts; None without any.
        kappa: the same beyond what chance would give; None when chance alone would make them agree.
    """

    pairs: int = 0
    share: float | None = None
    kappa: float | None = None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Pair → whether it is one person. `held_out` measures, `learned` trains; no pair is in both."""

    learned: Mapping[Pair, bool] = field(default_factory=dict)
    held_out: Mapping[Pair, bool] = field(default_factory=dict)
    ties: int = 0
    unsure: int = 0
    agreement: Agreement = Agreement()

    @property
    def counts(self) -> dict[str, int]:
        """As `MatchModel.labels` keeps them."""
        same, held_out_same = sum(self.learned.values()), sum(self.held_out.values())
        return {
            "same": same,
            "different": len(self.learned) - same,
            "held_out_same": held_out_same,
            "held_out_different": len(self.held_out) - held_out_same,
            "ties": self.ties,
            "unsure": self.unsure,
        }


def read() -> Verdicts:
    """Everything that people have said. One query."""
    return together(_votes(_ALL, {}))


def same_among(record_ids: Collection[int]) -> list[Pair]:
    """The pairs of these records that people say are one person. One query."""
    found = together(_votes(_AMONG, {"records": sorted(record_ids)}))
    return sorted(pair for said in (found.learned, found.held_out) for pair, is_same in said.items() if is_same)


def _votes(statement: str, parameters: Mapping[str, Any]) -> list[Vote]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [Vote((a, b), _IS_SAME[verdict], is_held_out) for a, b, verdict, is_held_out in cursor.fetchall()]


_IS_SAME: Mapping[str, bool | None] = {"same": True, "different": False, "related": False, "unsure": None}


def together(votes: Iterable[Vote]) -> Verdicts:
    """One verdict a pair. Pure."""
    said: dict[Pair, list[bool]] = defaultdict(list)
    held_out_pairs: set[Pair] = set()
    for vote in votes:
        of_pair = said[vote.pair]
        if vote.is_same is not None:
            of_pair.append(vote.is_same)
        if vote.is_held_out:
            held_out_pairs.add(vote.pair)
    learned: dict[Pair, bool] = {}
    held_out: dict[Pair, bool] = {}
    ties = unsure = 0
    for pair, voices in said.items():
        same = sum(voices)
        if not voices:
            unsure += 1
        elif 2 * same == len(voices):
            ties += 1
        else:
            (held_out if pair in held_out_pairs else learned)[pair] = 2 * same > len(voices)
    blind = [said[pair] for pair in held_out_pairs if len(said[pair]) > 1]
    return Verdicts(learned, held_out, ties, unsure, _agreement(blind))


def _agreement(judged: Collection[list[bool]]) -> Agreement:
    twos = [two for voices in judged for two in combinations(voices, 2)]
    if not twos:
        return Agreement()
    share = sum(some == other for some, other in twos) / len(twos)
    voices = Counter(voice for two in twos for voice in two)
    by_chance = sum((number / voices.total()) ** 2 for number in voices.values())
    kappa = None if by_chance == 1 else (share - by_chance) / (1 - by_chance)
    return Agreement(len(judged), share, kappa)
