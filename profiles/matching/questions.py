"""Which pairs to ask people about. Pure: no Django.

Questions to learn from come through dedupe's active learning: it asks where the model and the keys disagree, and else
along the whole scale of scores. Its two learners are replaced: that of weights by ours, which knows something before
the first verdict; that of rules by the keys that matching will really use. Every third question is drawn from the pairs
that the model would join: a hundred colleagues with one mailbox lie at one point of the scale, where it is seldom
asked. Questions to measure by are drawn blind, by score, each with the number of pairs that it stands for.
"""

import bisect
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from profiles.matching.candidates import Pair
from profiles.matching.learned import LearnedMatcher, Readings
from profiles.matching.learning import Evidence, Label
from profiles.matching.matcher import Comparable
from profiles.matching.measures import LEAST_ATTACH

if TYPE_CHECKING:
    import numpy as np
    from dedupe.api import Dedupe

# Held-out pairs: the upper edges of strata of scores, and how many of a hundred are drawn from each. Where scores are
# in between, verdicts tell most; of the many pairs that nobody would join, few are looked at, and each counts for many.
STRATA: Final = ((0.02, 20), (0.2, 15), (0.5, 15), (0.8, 15), (0.98, 15), (1.01, 20))

_JOINED_EVERY: Final = 3  # questions: one is about a pair that the model would join
_TEMPER: Final = 2.0  # questions are spread along half the log-odds: the sure ones are not all at the scale's ends


@dataclass(frozen=True, slots=True)
class Question:
    """A pair to ask about; `a` is the lower id.

    Attributes:
        score: what the model says of it so far, 0–1.
        weight: of a held-out pair, how many pairs of the pool it stands for.
    """

    a: int
    b: int
    score: float
    weight: float = 1.0


class Questions:
    """Questions about the pairs of one pool, none twice. Deterministic.

    Args:
        pool: the records; `candidates.choose_pool` chooses them.
        labels: verdicts that there are.
        sure: pairs that an identifier has settled as one person, the lower id first: a start without any verdict.
        asked: pairs that somebody has been asked already or is being asked, to learn or to measure.
        readings: to share with others what dedupe has loaded.
    """

    def __init__(
        self,
        pool: Mapping[int, Comparable],
        labels: Sequence[Label] = (),
        *,
        sure: Collection[Pair] = (),
        asked: Collection[Pair] = (),
        seed: int = 0,
        readings: Readings | None = None,
    ) -> None:
        verdicts = {label.pair: label.same for label in labels if label.a in pool and label.b in pool}
        evidence = Evidence(pool, readings or Readings(), also=tuple(verdicts), sure=sure, seed=seed)
        self._seed = seed
        self._randomly = random.Random(seed)
        self._asked = len(asked) + len(verdicts)
        self._met = evidence.met
        self._open = sorted((evidence.met | evidence.loose).difference(asked, verdicts, evidence.sure))
        self._records = {record_id: {**record, "id": record_id} for record_id, record in pool.items()}
        self._model = _Model(evidence, verdicts, self._open)
        self._dedupe = self._asking(_Keys(evidence, verdicts, self._open))

    def __len__(self) -> int:
        """Pairs that can still be asked about."""
        return len(self._open)

    def training(self, number: int) -> list[Question]:
        """The next questions to learn from; fewer when there are no more pairs. Without an answer in between they are
        spread along the scale, so that several people can be asked at once."""
        found = []
        for _question in range(min(number, len(self._open))):
            scores = dict(zip(self._open, self._model.scores.tolist(), strict=True))
            joined = [pair for pair, score in scores.items() if score >= LEAST_ATTACH]
            self._asked += 1
            if joined and self._asked % _JOINED_EVERY == 0:
                pair = self._randomly.choice(joined)
                self._forget(pair)
            else:
                pair = self._uncertain()
            found.append(Question(*pair, scores[pair]))
        return found

    def held_out(self, number: int) -> list[Question]:
        """Blind questions to measure by, never to be learned from. Ask for all at once: the weights make them stand
        for all open pairs that meet by a fixed key."""
        randomly = random.Random(self._seed)
        edges = [edge for edge, _share in STRATA]
        strata: list[list[tuple[Pair, float]]] = [[] for _edge in edges]
        for pair, score in zip(self._open, self._model.scores.tolist(), strict=True):
            if pair in self._met:
                strata[bisect.bisect_right(edges, score)].append((pair, score))
        numbers = _shared_out(number, [len(stratum) for stratum in strata], [share for _edge, share in STRATA])
        found = [
            Question(*pair, score, weight=round(len(stratum) / few, 4))
            for stratum, few in zip(strata, numbers, strict=True)
            for pair, score in sorted(randomly.sample(stratum, few))
        ]
        for question in found:
            self._forget((question.a, question.b))
        return found

    def answer(self, a: int, b: int, *, same: bool) -> None:
        """A verdict on a pair of the pool: the next questions take it into account."""
        pair = (min(a, b), max(a, b))
        self._forget(pair)
        records: list[Any] = [(self._records[pair[0]], self._records[pair[1]])]
        self._dedupe.mark_pairs({"match": records if same else [], "distinct": [] if same else records})

    def _uncertain(self) -> Pair:
        """What dedupe would ask."""
        with _seeded(self._seed + len(self._open)):
            ((a, b),) = self._dedupe.uncertain_pairs()
        pair = (a["id"], b["id"])
        del self._open[bisect.bisect_left(self._open, pair)]
        return pair

    def _asking(self, keys: "_Keys") -> "Dedupe":
        import numpy as np  # comes with dedupe
        from dedupe.api import Dedupe  # one or two seconds: only where something is learned
        from dedupe.labeler import DisagreementLearner

        learner: Any = DisagreementLearner()
        learner.rng = np.random.default_rng(self._seed)
        learner.matcher, learner.blocker = self._model, keys
        learner._candidates = [(self._records[a], self._records[b]) for a, b in self._open]
        asking = Dedupe(self._model.readings.variables, num_cores=0)
        asking.active_learner = self._learner = learner
        return asking

    def _forget(self, pair: Pair) -> None:
        """It is not open any more."""
        place = bisect.bisect_left(self._open, pair)
        if place < len(self._open) and self._open[place] == pair:
            self._learner._remove(place)
            del self._open[place]


class _Model:
    """In place of dedupe's learner of weights: ours, fitted anew with each verdict."""

    def __init__(self, evidence: Evidence, verdicts: Mapping[Pair, bool], open_pairs: Sequence[Pair]) -> None:
        self._evidence = evidence
        self._known = dict(verdicts)
        self._open = evidence.of(open_pairs)
        self.readings = evidence.readings
        self.fit([], [])

    def fit(self, pairs: Sequence[Any], verdicts: Sequence[float]) -> None:
        said = {_pair(records): bool(verdict) for records, verdict in zip(pairs, verdicts, strict=True)}
        matcher = LearnedMatcher(self._evidence.fit({**self._known, **said}), readings=self.readings)
        self.scores = matcher.scores(self._open)

    def candidate_scores(self) -> "np.ndarray":
        import numpy as np  # comes with dedupe

        scores = np.clip(self.scores, 1e-12, 1 - 1e-12)
        tempered: np.ndarray = 1 / (1 + ((1 - scores) / scores) ** (1 / _TEMPER))
        return tempered.reshape(-1, 1)

    def remove(self, index: int) -> None:
        import numpy as np  # comes with dedupe

        self._open = np.delete(self._open, index, axis=0)
        self.scores = np.delete(self.scores, index)


class _Keys:
    """In place of dedupe's learner of rules: which pairs meet by the fixed keys and, once a true pair was found that
    does not, by the rules that would have let it."""

    def __init__(self, evidence: Evidence, verdicts: Mapping[Pair, bool], open_pairs: Sequence[Pair]) -> None:
        self._evidence = evidence
        self._open = list(open_pairs)
        self._known = [pair for pair, same in verdicts.items() if same]
        self.fit([], [])

    def fit(self, pairs: Sequence[Any], verdicts: Sequence[float]) -> None:
        import numpy as np  # comes with dedupe

        true = [*self._known, *(_pair(records) for records, said in zip(pairs, verdicts, strict=True) if said)]
        missed = [pair for pair in true if pair not in self._evidence.met]
        rules = [covered for covered in self._evidence.covers.values() if not covered.isdisjoint(missed)]
        met = self._evidence.met.union(*rules)
        self._scores = np.array([float(pair in met) for pair in self._open])

    def candidate_scores(self) -> "np.ndarray":
        return self._scores.reshape(-1, 1)

    def remove(self, index: int) -> None:
        import numpy as np  # comes with dedupe

        del self._open[index]
        self._scores = np.delete(self._scores, index)


def _pair(records: tuple[Mapping[str, Any], Mapping[str, Any]]) -> Pair:
    return records[0]["id"], records[1]["id"]


def _shared_out(number: int, sizes: Sequence[int], shares: Sequence[int]) -> list[int]:
    """How many to draw from each stratum: as its share says, and what a small one cannot give the others do."""
    drawn = [0] * len(sizes)
    while (missing := min(number, sum(sizes)) - sum(drawn)) > 0:
        open_shares = [share if drawn[place] < sizes[place] else 0 for place, share in enumerate(shares)]
        for place, share in enumerate(open_shares):
            part = max(1, round(missing * share / sum(open_shares))) if share else 0
            drawn[place] += max(0, min(part, sizes[place] - drawn[place], number - sum(drawn)))
    return drawn


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """dedupe draws from Python's common generator: given a seed for a moment, and back as it was."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
