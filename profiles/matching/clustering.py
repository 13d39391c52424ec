"""From scored pairs to groups of records. Pure: no Django.

Average linkage on log-odds: two groups come together over a link at or above the threshold when all that is known
between them speaks for it on the whole. One false link between two families is outweighed by the pairs around it;
pairs that were not compared, or say nothing, neither help nor hinder. The same pairs give the same groups, in whatever
order they come.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

MOST_RECORDS: Final = 200
"""No group grows beyond: what is larger is no person."""

_MOST_LOG_ODDS: Final = 12.0  # one pair, however sure, does not outvote twenty


class Link(NamedTuple):
    """Two records and their score, 0–1; `a` is the lower id."""

    a: int
    b: int
    score: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """Two or more records of one person.

    Attributes:
        records: ascending.
        links: those over which they came together, strongest first: one fewer than records, and they connect all.
        density: the share of its pairs with a score at or above the threshold.
    """

    records: tuple[int, ...]
    links: tuple[Link, ...]
    density: float

    @property
    def weakest(self) -> Link:
        return min(self.links, key=lambda link: (link.score, link.a, link.b))


def clusters(
    scored: Iterable[tuple[int, int, float]], *, threshold: float, neutral: float = 0.1, most: int = MOST_RECORDS
) -> list[Cluster]:
    """The groups, by their lowest record.

    Args:
        scored: two records and their score. Pairs far below the threshold hold groups apart: give them, too.
        threshold: from which score on two records may come together.
        neutral: a score that says nothing: between two groups, the pairs must on average say more.
        most: records of one group.
    """
    best: dict[tuple[int, int], float] = {}
    for a, b, score in scored:
        pair = (a, b) if a < b else (b, a)
        best[pair] = max(score, best.get(pair, 0.0))
    joining = [Link(*pair, score) for pair, score in best.items() if score >= threshold]
    joining.sort(key=lambda link: (-link.score, link.a, link.b))
    groups = _Groups(best, joining, threshold=threshold, neutral=_log_odds(neutral), most=most)
    groups.join()
    return groups.found()


class _Groups:
    """Groups that grow: by average log-odds the likeliest two first."""

    def __init__(
        self, scores: dict[tuple[int, int], float], joining: Sequence[Link], *, threshold: float, neutral: float,
        most: int,
    ) -> None:  # fmt: skip
        self._threshold, self._most = threshold, most
        concerned = {record for link in joining for record in (link.a, link.b)}
        self._members = {record: [record] for record in concerned}
        self._links: dict[int, list[Link]] = {record: [] for record in concerned}
        self._close: dict[int, int] = dict.fromkeys(concerned, 0)  # pairs within, at or above the threshold
        # group → group → (sum of log-odds above neutral, pairs, pairs at or above the threshold, strongest link)
        self._between: dict[int, dict[int, tuple[float, int, int, Link]]] = defaultdict(dict)
        for (a, b), score in scores.items():
            if a in concerned and b in concerned:
                found = (_log_odds(score) - neutral, 1, int(score >= threshold), Link(a, b, score))
                self._between[a][b] = self._between[b][a] = found
        self._queue: list[tuple[float, int, int]] = []
        for link in joining:
            self._offer(link.a, link.b)

    def join(self) -> None:
        while self._queue:
            negative, a, b = heapq.heappop(self._queue)
            found = self._between.get(a, {}).get(b)
            is_current = found is not None and -negative == found[0] / found[1]
            if is_current and len(self._members[a]) + len(self._members[b]) <= self._most:
                self._merge(a, b)

    def found(self) -> list[Cluster]:
        grown = []
        for group, members in self._members.items():
            if len(members) > 1:
                links = sorted(self._links[group], key=lambda link: (-link.score, link.a, link.b))
                pairs = len(members) * (len(members) - 1) // 2
                grown.append(Cluster(tuple(sorted(members)), tuple(links), self._close[group] / pairs))
        return sorted(grown, key=lambda cluster: cluster.records)

    def _offer(self, a: int, b: int) -> None:
        total, number, close, _strongest = self._between[a][b]
        if close and total > 0:
            heapq.heappush(self._queue, (-total / number, min(a, b), max(a, b)))

    def _merge(self, a: int, b: int) -> None:
        """The lower id stands for both, so that the outcome depends on nothing but the pairs."""
        kept, gone = min(a, b), max(a, b)
        _total, _number, close, link = self._between[kept].pop(gone)
        others = self._between.pop(gone)
        del others[kept]
        self._close[kept] += self._close.pop(gone) + close
        self._members[kept] += self._members.pop(gone)
        self._links[kept] += [*self._links.pop(gone), link]
        for other, theirs in others.items():
            del self._between[other][gone]
            ours, both = self._between[kept].get(other), theirs
            if ours is not None:
                strongest = max(ours[3], theirs[3], key=lambda link: (link.score, -link.a, -link.b))
                both = (ours[0] + theirs[0], ours[1] + theirs[1], ours[2] + theirs[2], strongest)
            self._between[kept][other] = self._between[other][kept] = both
            self._offer(kept, other)


def _log_odds(score: float) -> float:
    if score <= 0 or score >= 1:
        return math.copysign(_MOST_LOG_ODDS, score - 0.5)
    return max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, math.log(score / (1 - score))))
