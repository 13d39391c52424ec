"""Learning a model from verdicts. Pure: no Django.

Few verdicts suffice because they are not alone: what the pool's pairs look like on the whole, which of them an
identifier has settled already, and what is known of people come first (see `fitting`); verdicts correct it.
"""

import resource
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from profiles.matching import candidates, fitting
from profiles.matching.candidates import Pair
from profiles.matching.learned import LearnedMatcher, Readings, Rule, Weights
from profiles.matching.matcher import Comparable
from profiles.matching.measures import LEAST_ATTACH, Proposal, Quality, calibration, histogram, proposals, quality

if TYPE_CHECKING:
    import numpy as np

LEAST_LABELS: Final = 20
LEAST_OF_EACH: Final = 5
_STRANGERS: Final = 15_000  # pairs drawn at random: they say how alike people are who are not the same
_SURE: Final = 0.98  # how far an identifier settles it: a household may share a phone
_CLEARLY_SAME: Final = 0.97
_MOST_RULES: Final = 8
_BRANCHES: Final = 2_500  # dedupe's own limit of its search for rules

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Label:
    """A verdict: one person or not.

    Attributes:
        weight: of a held-out pair, how many pairs it stands for (`questions.Question.weight`).
    """

    a: int
    b: int
    same: bool
    weight: float = 1.0

    @property
    def pair(self) -> Pair:
        return (self.a, self.b) if self.a < self.b else (self.b, self.a)


class TrainingProblem(ValueError):
    """Nothing can be learned from this.

    Attributes:
        code: "too_few_labels", "one_sided_labels" or "no_blocked_pairs".
        detail: numbers that say what is missing: have, need; same, different, need; records.
    """

    def __init__(self, code: str, **detail: int) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Report:
    """What is said about a model beside its weights; JSON-ready by `as_json`.

    Attributes:
        labels: {"same", "different", "held_out_same", "held_out_different"}.
        measures: quality on the held-out pairs, at the threshold where same and different are equally likely; None
            without such pairs.
        histogram: pool pairs by score.
        proposals: thresholds for a wanted precision, as far as the held-out pairs bear the scores out.
        blocked: {"pairs": pool pairs that meet, "labels": true labelled pairs, "met": those of them that meet}.
        seconds: of this process's CPU.
        memory_mb: the process's greatest memory until now.
    """

    labels: Mapping[str, int]
    measures: Quality | None
    histogram: Sequence[Mapping[str, int]]
    proposals: Sequence[Proposal]
    blocked: Mapping[str, int]
    seconds: float
    memory_mb: int

    def as_json(self) -> dict[str, Any]:
        return {
            "labels": dict(self.labels),
            "measures": self.measures.as_json() if self.measures else None,
            "histogram": [dict(one) for one in self.histogram],
            "proposals": [one.as_json() for one in self.proposals],
            "blocked": dict(self.blocked),
            "seconds": self.seconds,
            "memory_mb": self.memory_mb,
        }


@dataclass(frozen=True, slots=True)
class Trained:
    matcher: LearnedMatcher
    report: Report


def train(
    records: Mapping[int, Comparable],
    labels: Sequence[Label],
    *,
    held_out: Sequence[Label] = (),
    sure: Collection[Pair] = (),
    share_of_all: float = 1.0,
    seed: int = 0,
    progress: Progress = lambda phase, done, total: None,
) -> Trained:
    """A model from verdicts on pairs of these records. Deterministic.

    Args:
        records: the pool and every record of a label; labels of others count for nothing.
        labels: to learn from.
        held_out: to measure by; never learned from, not even as pairs without a verdict.
        sure: pairs that an identifier has settled as one person, the lower id first.
        share_of_all: `Pool.share`: what part of all pairs lies in the pool.
        progress: told the phase ("pairs", "weights", "rules", "measures") and how far it is.

    Raises TrainingProblem, which says what is missing.
    """
    began = time.process_time()
    labels = [label for label in labels if label.a in records and label.b in records]
    held_out = [label for label in held_out if label.a in records and label.b in records]
    _check(labels)
    progress("pairs", 0, 4)
    readings = Readings()
    evidence = Evidence(records, readings, also=[label.pair for label in (*labels, *held_out)], sure=sure, seed=seed)
    if not evidence.met:
        raise TrainingProblem("no_blocked_pairs", records=len(records))
    progress("weights", 1, 4)
    verdicts = {label.pair: label.same for label in labels}
    weights = evidence.fit(verdicts, without={label.pair for label in held_out})
    progress("rules", 2, 4)
    rules = evidence.rules(LearnedMatcher(weights, readings=readings), verdicts)
    matcher = LearnedMatcher(replace(weights, rules=rules), readings=readings)
    progress("measures", 3, 4)
    report = _report(matcher, evidence, labels=labels, held_out=held_out, share_of_all=share_of_all, began=began)
    progress("measures", 4, 4)
    return Trained(matcher, report)


class Evidence:
    """The pairs of a pool, read once: those that meet by a fixed key, those that a further rule would let meet, those
    that have a verdict.

    Attributes:
        met: the pairs that meet by a fixed key.
        loose: pairs that only further rules find.
        covers: rule → the pairs that it lets meet, of rules that let not too many.
    """

    def __init__(
        self,
        pool: Mapping[int, Comparable],
        readings: Readings,
        *,
        also: Collection[Pair] = (),
        sure: Collection[Pair] = (),
        seed: int = 0,
    ) -> None:
        import numpy as np  # comes with dedupe

        self.pool = pool
        self.readings = readings
        self.sure = frozenset(pair for pair in sure if pair[0] in pool and pair[1] in pool)
        self.met = frozenset(candidates.meeting(pool))
        self.covers = candidates.covers(pool, readings.predicates())
        self.loose = frozenset(candidates.loosely_meeting(self.covers, besides=self.met, seed=seed))
        self.pairs = sorted({*self.met, *self.loose, *also, *self.sure})
        self._row = {pair: row for row, pair in enumerate(self.pairs)}
        self._is_met = np.array([pair in self.met for pair in self.pairs], dtype=bool)
        self._read = self._readings(self.pairs)
        drawn = candidates.strangers(pool, besides=self.met, number=_STRANGERS, seed=seed)
        self._fitting = fitting.Fitting(
            self._read,
            names=readings.names,
            strangers=self._readings(drawn),
            hints=np.array([_SURE if pair in self.sure else np.nan for pair in self.pairs]),
            records=len(pool),
        )

    def of(self, pairs: Sequence[Pair]) -> "np.ndarray":
        """Their readings."""
        found: np.ndarray = self._read[[self._row[pair] for pair in pairs]]
        return found

    def fit(self, verdicts: Mapping[Pair, bool], *, without: Collection[Pair] = ()) -> Weights:
        """Weights, as yet without rules."""
        import numpy as np  # comes with dedupe

        said = np.full(len(self.pairs), np.nan)
        counts = self._is_met.copy()
        for pair, same in verdicts.items():
            said[self._row[pair]] = float(same)
            counts[self._row[pair]] = True
        counts[[self._row[pair] for pair in without]] = False
        return Weights(*self._fitting.fit(said, counts=counts))

    def rules(self, matcher: LearnedMatcher, verdicts: Mapping[Pair, bool]) -> tuple[Rule, ...]:
        """Rules that let the true pairs meet that share no fixed key: as few as do, by dedupe's own search."""
        from dedupe import branch_and_bound  # one or two seconds: only where something is learned

        loose = sorted(self.loose)
        scores = matcher.scores(self.of(loose))
        true = {pair for pair, score in zip(loose, scores, strict=True) if score >= _CLEARLY_SAME}
        true = {pair for pair in true if verdicts.get(pair, True)}
        missed = sorted((true | {pair for pair, same in verdicts.items() if same}) - self.met)
        cover = {}
        for name, predicate in self.readings.predicates().items():
            reached = frozenset(number for number, pair in enumerate(missed) if pair in self.covers.get(name, ()))
            if reached:
                predicate.cover_count = len(self.covers[name])
                cover[predicate] = reached
        if not cover:
            return ()
        found = branch_and_bound.search(cover, len(frozenset.union(*cover.values())), _BRANCHES)
        chosen = sorted(found, key=lambda predicate: (-len(cover[predicate]), predicate.__name__))
        return tuple((predicate.__name__,) for predicate in chosen[:_MOST_RULES])

    def _readings(self, pairs: Sequence[Pair]) -> "np.ndarray":
        return self.readings([(self.pool[a], self.pool[b]) for a, b in pairs])


def _check(labels: Sequence[Label]) -> None:
    same = len({label.pair for label in labels if label.same})
    different = len({label.pair for label in labels if not label.same})
    if same + different < LEAST_LABELS:
        raise TrainingProblem("too_few_labels", have=same + different, need=LEAST_LABELS)
    if min(same, different) < LEAST_OF_EACH:
        raise TrainingProblem("one_sided_labels", same=same, different=different, need=LEAST_OF_EACH)


def _report(
    matcher: LearnedMatcher,
    evidence: Evidence,
    *,
    labels: Sequence[Label],
    held_out: Sequence[Label],
    share_of_all: float,
    began: float,
) -> Report:
    met = sorted(evidence.met)
    scores = matcher.scores(evidence.of(met)).tolist()
    verdicts = {label.pair: label.same for label in (*labels, *held_out)}
    hidden = matcher.scores(evidence.of([label.pair for label in held_out])).tolist() if held_out else []
    said = [label.same for label in held_out]
    measured = quality(hidden, said, [label.weight for label in held_out], threshold=LEAST_ATTACH) if held_out else None
    true = {label.pair for label in (*labels, *held_out) if label.same}
    keys = {record_id: matcher.keys(evidence.pool[record_id]) for pair in true for record_id in pair}
    return Report(
        labels={
            "same": sum(label.same for label in labels),
            "different": sum(not label.same for label in labels),
            "held_out_same": sum(label.same for label in held_out),
            "held_out_different": sum(not label.same for label in held_out),
        },
        measures=measured,
        histogram=histogram(scores, [verdicts.get(pair) for pair in met]),
        proposals=proposals(scores, share_of_all=share_of_all, chance=calibration(hidden, said)),
        blocked={
            "pairs": len(met),
            "labels": len(true),
            "met": sum(not keys[a].isdisjoint(keys[b]) for a, b in true),
        },
        seconds=round(time.process_time() - began, 2),
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )
