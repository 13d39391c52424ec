"""Matching of records as they arrive, in the digest's transaction: what the model joins is joined before it commits.

Each changed record is compared with those that share blocking keys with it. At or above the model's threshold the two
are linked, unless evidence joins them anyway or forbids it; in the band below, a person is asked. What would be linked
but touches a verified record, or brings two ids of one namespace together, is asked, too.

Twins cannot be: whoever brings a record with the same blocking key waits until we have committed, and then finds ours
(`block_keys`). What is the same in whatever order records arrive: each two that share a key are compared when the later
of them arrives or changes, and links are followed surest first. What is not: a block or a list of candidates that is
full for the later record had room for an earlier one. The batch run looks at all of what changed again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import structlog
from django.db import DatabaseError, connection, transaction

from cdp_site.core import round_trips
from profiles.matching import active, asking, block_keys, records
from profiles.matching.active import Active
from profiles.matching.asking import Pair, Question, Said
from profiles.matching.matcher import Comparable
from profiles.models import LinkDecision, ReviewPair
from profiles.resolution import decision_log, evidence, neighbourhood
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.evidence import Decision
from profiles.resolution.partition import Partition, Refusal, partition

log = structlog.get_logger("matching")

# Why a link that the model is sure of is not made but asked.
_ASKED_INSTEAD = {Refusal.VERIFIED: ReviewPair.Reason.VERIFIED, Refusal.ID_CONFLICT: ReviewPair.Reason.GUARD}


def match(changed: Collection[int], *, born: Collection[int], by: str) -> frozenset[int]:
    """Match records whose content changed, inside a digest's transaction and before `pipeline.resolve`.

    Args:
        born: those of them that this transaction created.

    Returns:
        The records whose links changed: they have to be resolved with the others. None when the model fails: what
        arrives is kept all the same. Without a model in use, one query.
    """
    if not changed:
        return frozenset()
    model = active.look()
    if model is None:
        return frozenset()
    if not isinstance(model, Active):
        note(changed)  # the batch run sees them when the model is there again
        return frozenset()
    try:
        with round_trips.together(), transaction.atomic():
            return _match(model, changed, born=born, by=by)
    except DatabaseError:  # the database's trouble: the digest tries again
        transaction.set_rollback(True)  # nothing was carried out since, the savepoint's end included
        raise
    except Exception as error:  # a model's mistake is no fault of what arrives: that is kept, and unmatched as yet
        _tell_failed(model, changed, error)
        note(changed)
        return frozenset()


def _tell_failed(model: Active, changed: Collection[int], error: Exception) -> None:
    """Without a traceback, whose last line may hold a customer's value."""
    log.error("match_failed", model=model.version, records=len(changed), error=type(error).__name__)


def _match(model: Active, changed: Collection[int], *, born: Collection[int], by: str) -> frozenset[int]:
    block_keys.hold(number for number in changed if number not in born)
    fresh = records.read(changed)
    keys_of = {number: model.matcher.keys(record) for number, record in fresh.items()}
    note(fresh)
    block_keys.replace(keys_of, born=born)
    before = _before([number for number in fresh if number not in born])
    found = block_keys.candidates(keys_of, besides=before.siblings)
    near = {Pair.of(number, other) for number, others in found.items() for other, _weight in others}
    scored = _Scored(model, near | before.links.keys() | before.waiting, fresh)
    withdrawn = _withdraw(scored, before, by=by)
    linked, settled = _decide(scored, near | before.waiting, before, born=frozenset(born), by=by)
    asking.drop({pair for pair in before.waiting if pair in settled or scored.is_below(pair)})
    return frozenset(number for pair in (*withdrawn, *linked) for number in pair)


_NOTE = """
INSERT INTO profiles_unmatchedchange (record_id, since)
SELECT r.id, clock_timestamp() FROM unnest(%s::bigint[]) AS wanted(id) JOIN profiles_sourcerecord r USING (id)
 WHERE r.kind = 'identified' ORDER BY r.id
    ON CONFLICT (record_id) DO UPDATE SET since = EXCLUDED.since
"""


def note(record_ids: Iterable[int]) -> None:
    """Let the next batch run look at these records. One statement."""
    ids = sorted(record_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, [ids])


class _Scored:
    """Pairs of records that can be compared, and what the model says of them."""

    def __init__(self, model: Active, pairs: Collection[Pair], fresh: Mapping[int, Comparable]) -> None:
        self.model = model
        self._records = {**fresh, **records.read({number for pair in pairs for number in pair} - fresh.keys())}
        known = sorted(pair for pair in pairs if pair.a in self._records and pair.b in self._records)
        scores = model.matcher.score([(self._records[a], self._records[b]) for a, b in known]) if known else ()
        self._score_of = dict(zip(known, map(float, scores), strict=True))

    def __getitem__(self, pair: Pair) -> float:
        return self._score_of[pair]

    def is_below(self, pair: Pair) -> bool:
        """Whether the model has looked and thinks that nobody need be asked."""
        return self._score_of.get(pair, 1.0) < self.model.review

    def is_likely(self, pair: Pair) -> bool:
        return self._score_of.get(pair, 0.0) >= self.model.review

    def question(self, pair: Pair, reason: str) -> Question:
        explanation = self.model.matcher.explain(self._records[pair.a], self._records[pair.b])
        return Question(pair, reason, self[pair], explanation)

    def link(self, pair: Pair) -> NewDecision:
        explanation = self.model.matcher.explain(self._records[pair.a], self._records[pair.b])
        return NewDecision(
            action=LinkDecision.Action.LINK,
            kind=LinkDecision.Kind.MODEL,
            record_a=pair.a,
            record_b=pair.b,
            score=self[pair],
            evidence={"model": self.model.version, **asking.evidence(explanation)},
        )


# --- what there was before ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Before:
    """What is known of changed records that were there already.

    `siblings`: the other records of their profiles. `links`: pairs that the model has joined, and by which decision.
    `by_hand`: pairs that a person has joined. `waiting`: pairs that wait for a person."""

    siblings: dict[int, set[int]] = field(default_factory=dict)
    links: dict[Pair, int] = field(default_factory=dict)
    by_hand: set[Pair] = field(default_factory=set)
    waiting: set[Pair] = field(default_factory=set)


_SIBLINGS = """
SELECT m.record_id, s.record_id FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_membership m ON m.record_id = wanted.id AND m.valid_to IS NULL
  JOIN profiles_membership s ON s.profile_id = m.profile_id AND s.valid_to IS NULL
"""


def _before(older: list[int]) -> _Before:
    """Three queries, none when all records are new."""
    before = _Before()
    if not older:
        return before
    with connection.cursor() as cursor:
        cursor.execute(_SIBLINGS, [older])
        decided = decision_log.beyond_evidence(older)
        for number, sibling in cursor.fetchall():
            before.siblings.setdefault(number, set()).add(sibling)
    for decision in evidence.active(decided):
        if decision.verb == "link":
            pair = Pair.of(decision.a, decision.b)
            if decision.kind == "model":
                before.links[pair] = decision.id
            else:
                before.by_hand.add(pair)
    before.waiting = asking.waiting(older)
    return before


# --- what follows ---------------------------------------------------------------------------------------------------


def _withdraw(scored: _Scored, before: _Before, *, by: str) -> list[Pair]:
    """Take back the model's links whose evidence has gone with the change, unless a person has confirmed them."""
    weak = {pair for pair in before.links if scored.is_below(pair)} - before.by_hand
    told = asking.said(weak)
    withdrawn = sorted(pair for pair in weak if not told[pair].is_confirmed)
    decision_log.write(
        [
            NewDecision(
                action=LinkDecision.Action.WITHDRAW,
                kind=LinkDecision.Kind.MODEL,
                record_a=pair.a,
                record_b=pair.b,
                withdraws=before.links[pair],
                score=scored[pair],
                evidence={"model": scored.model.version},
            )
            for pair in withdrawn
        ],
        actor=by,
    )
    return withdrawn


def _decide(
    scored: _Scored, pairs: Collection[Pair], before: _Before, *, born: frozenset[int], by: str
) -> tuple[list[Pair], frozenset[Pair]]:
    """Link what the model is sure of and ask about what it is not; returns the linked pairs, and those of all likely
    pairs that are one person now."""
    likely = sorted(pair for pair in pairs if scored.is_likely(pair))
    if not likely:
        return [], frozenset()
    # Nobody has said anything yet of records that were born in this transaction.
    told = defaultdict(Said, asking.said([pair for pair in likely if born.isdisjoint(pair)]))
    sure = [
        pair
        for pair in likely
        if scored[pair] >= scored.model.attach
        and pair not in before.links
        and not told[pair].is_refused
        and not _is_left_to_people(told[pair], scored.model)
    ]
    outcome = _foresee(scored, likely, sure)
    decision_log.write([scored.link(pair) for pair in outcome.needed], actor=by)
    questions = [scored.question(pair, reason) for pair, reason in _questions(scored, likely, told, outcome)]
    asking.ask(questions, model_id=scored.model.model_id)
    return outcome.needed, frozenset(pair for pair in likely if outcome.are_one(pair))


def _is_left_to_people(told: Said, model: Active) -> bool:
    """Whether a person is asked although the model was sure: a run has seen the whole of both and held it back."""
    return told.asked is not None and told.asked >= model.attach


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the people would be with the model's links. `needed`: the links that join what nothing else does;
    `refused`: those that may not be, and why; `apart`: anchors of people whom a person has told apart."""

    found: Partition
    needed: list[Pair]
    refused: Mapping[Pair, Refusal]
    apart: frozenset[frozenset[int]]

    def people(self, pair: Pair) -> frozenset[int]:
        """The anchors of the two; one when they are one. A person being erased is nobody."""
        return frozenset(self.found.anchor_of.get(number, 0) for number in pair)

    def are_one(self, pair: Pair) -> bool:
        return len(self.people(pair)) == 1


def _foresee(scored: _Scored, likely: Iterable[Pair], sure: Iterable[Pair]) -> _Outcome:
    """What `pipeline.resolve` would make of it: evidence first, then the surest links, and no link without need."""
    around = neighbourhood.read({number for pair in likely for number in pair})
    known = [logged.decision for logged in around.decisions]
    # Ids that no decision has; the partition follows links by score, not by age.
    proposed = {-place: pair for place, pair in enumerate(sure, start=1)}
    links = [Decision(place, "link", "model", *pair, score=scored[pair]) for place, pair in proposed.items()]
    found = partition(
        [record.evidence for record in around.records.values()], [*known, *links], overloaded=around.overloaded
    )
    standing = (one for one in evidence.active(known) if one.kind == "steward" and one.verb != "link")
    return _Outcome(
        found=found,
        needed=sorted(proposed[edge.decision] for edge in found.edges if edge.decision in proposed),
        refused={proposed[one.decision]: one.refusal for one in found.refused if one.decision in proposed},
        apart=frozenset(frozenset(found.anchor_of.get(number, 0) for number in (one.a, one.b)) for one in standing),
    )


def _questions(
    scored: _Scored, likely: Iterable[Pair], told: Mapping[Pair, Said], outcome: _Outcome
) -> Iterable[tuple[Pair, str]]:
    """One question for every two people: the likeliest pair of their records."""
    asked: set[frozenset[int]] = set()
    for pair in sorted(likely, key=lambda pair: (-scored[pair], pair)):
        people = outcome.people(pair)
        if len(people) == 1 or people in outcome.apart or people in asked:
            continue
        refusal = outcome.refused.get(pair)
        if told[pair].is_settled or told[pair].is_refused or refusal is Refusal.NEVER:
            continue
        asked.add(people)
        yield pair, _ASKED_INSTEAD[refusal] if refusal is not None else ReviewPair.Reason.BAND
