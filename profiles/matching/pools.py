"""Records that a model learns from, and the questions about them that wait in review.

A pool is some hundred records that hold as many likely pairs as they can: what identifiers have joined already, what
shares an identifier without being one, and whose names are near. Of a large stock it is chosen out of a sample: records
drawn at random, each with its neighbours.

Questions are asked once begun by a person, and topped up by a chore while people answer. A pair has one row in review
whoever asks for it, so several stewards at once never get the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from cdp_site.core import audit, jobs
from cdp_site.core.models import User
from profiles.matching import candidates, labels, records, worth
from profiles.matching.candidates import Pair
from profiles.matching.learning import Label
from profiles.matching.matcher import Comparable
from profiles.matching.questions import Question, Questions
from profiles.models import MatchLabel, ReviewPair

log = structlog.get_logger("matching")

JOB: Final = "profiles.matching.pools.ask"
LEAST_WAITING: Final = 20  # questions; with fewer the next ones are looked for
QUESTIONS_AT_ONCE: Final = 40
HELD_OUT: Final = 40  # blind pairs, drawn together once: their weights hold for them together
ENOUGH_LABELS: Final = 400  # from then on questions are asked by button alone; what the model is not sure of goes on

# A stock beyond is not read whole: that would take minutes. Seeds with their neighbours are some three times as many.
MOST_READ: Final = 20_000
SEEDS: Final = 6_000

_LOCK = 0x3E271
_SEEN = "matching-questions"
_SEEN_SECONDS = 3600
_SEARCH_SECONDS = 300  # a search that says nothing for so long has died


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is to learn from.

    Attributes:
        records: by id.
        share: what part of all pairs that meet by a key lies in the pool.
        sure: pairs that an identifier has settled as one person.
        asked: pairs that need not be asked: one customer already, settled by a person, or waiting.
    """

    records: Mapping[int, Comparable]
    share: float
    sure: frozenset[Pair]
    asked: frozenset[Pair]


@dataclass(frozen=True, slots=True)
class Found:
    """Questions that were found among so many records."""

    training: int
    held_out: int
    records: int


# --- the pool -----------------------------------------------------------------------------------------------------

_STOCK = "SELECT count(*) FROM profiles_sourcerecord WHERE kind = 'identified'"
_DRAW = """
SELECT id FROM profiles_sourcerecord TABLESAMPLE SYSTEM (%s) REPEATABLE (%s) WHERE kind = 'identified' ORDER BY id
"""
# Who is one customer with a seed, shares an identifier with it, or two words of its name in any script. What thousands
# share is cut off, not followed.
_NEIGHBOURS = """
WITH seed AS (SELECT unnest(%s::bigint[]) AS id)
SELECT together.record_id
  FROM seed
  JOIN profiles_membership own ON own.record_id = seed.id AND own.valid_to IS NULL
 CROSS JOIN LATERAL (
       SELECT m.record_id FROM profiles_membership m
        WHERE m.profile_id = own.profile_id AND m.valid_to IS NULL LIMIT 6) AS together
UNION
SELECT sharing.record_id
  FROM seed
  JOIN profiles_identifier own ON own.record_id = seed.id AND own.is_evidence
 CROSS JOIN LATERAL (
       SELECT i.record_id FROM profiles_identifier i
        WHERE (i.kind, i.value, i.namespace) = (own.kind, own.value, own.namespace) AND i.is_evidence
        LIMIT 6) AS sharing
UNION
SELECT record_id
  FROM (SELECT named.record_id
          FROM seed
          JOIN profiles_recordname own ON own.record_id = seed.id
          JOIN profiles_nametoken word ON word.id = own.token_id AND word.skeleton <> ''
         CROSS JOIN LATERAL (
               SELECT t.id FROM profiles_nametoken t WHERE t.skeleton = word.skeleton LIMIT 5) AS alike
         CROSS JOIN LATERAL (
               SELECT n.record_id FROM profiles_recordname n WHERE n.token_id = alike.id LIMIT 40) AS named
         GROUP BY seed.id, named.record_id
        HAVING count(DISTINCT own.token_id) > 1) AS near
"""
_SURE = """
SELECT least(d.record_a_id, d.record_b_id), greatest(d.record_a_id, d.record_b_id)
  FROM unnest(%(pool)s::bigint[]) AS a(id)
  JOIN profiles_linkdecision d ON d.record_a_id = a.id AND d.kind = 'deterministic' AND d.action = 'link'
  JOIN unnest(%(pool)s::bigint[]) AS b(id) ON b.id = d.record_b_id
 WHERE profiles_decision_stands(d.id)
"""
_ASKED = """
SELECT own.record_id, other.record_id
  FROM unnest(%(pool)s::bigint[]) AS a(id)
  JOIN profiles_membership own ON own.record_id = a.id AND own.valid_to IS NULL
  JOIN profiles_membership other
    ON other.profile_id = own.profile_id AND other.valid_to IS NULL AND other.record_id > own.record_id
UNION
SELECT r.record_a_id, r.record_b_id
  FROM unnest(%(pool)s::bigint[]) AS a(id) JOIN profiles_reviewpair r ON r.record_a_id = a.id
UNION
SELECT least(d.record_a_id, d.record_b_id), greatest(d.record_a_id, d.record_b_id)
  FROM unnest(%(pool)s::bigint[]) AS a(id)
  JOIN profiles_linkdecision d ON d.record_a_id = a.id AND d.kind = 'steward' AND d.action <> 'withdraw'
 WHERE profiles_decision_stands(d.id)
"""


def build(*, must: Collection[int] = (), seed: int = 0) -> Pool:
    """Choose a pool; the same stock and seed give the same one. Seconds: for a job.

    Args:
        must: records that are in it whatever else is: of the labels.
    """
    stock = _stock()
    if stock <= MOST_READ:
        chosen = candidates.choose_pool(_each(records.stream()), must=must, seed=seed)
        share = chosen.share
    else:
        seeds = _rows(_DRAW, [100 * SEEDS / stock, seed])
        near = {number for (number,) in _rows(_NEIGHBOURS, [[number for (number,) in seeds]])}
        chosen = candidates.choose_pool(_each(_portions(near | set(must))), must=must, seed=seed)
        drawn = len(seeds) / stock
        share = chosen.share * (1 - (1 - drawn) ** 2)  # a pair is in the sample when either of the two is a seed
    found: dict[int, Comparable] = {}
    for portion in _portions(chosen.records):
        found |= portion
    parameters = {"pool": sorted(found)}
    return Pool(
        records=found,
        share=share,
        sure=frozenset(_rows(_SURE, parameters)),
        asked=frozenset(_rows(_ASKED, parameters)),
    )


def _stock() -> int:
    ((stock,),) = _rows(_STOCK)
    return int(stock)


def _rows(statement: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def _portions(record_ids: Collection[int]) -> Iterator[dict[int, Comparable]]:
    wanted = sorted(record_ids)
    for start in range(0, len(wanted), records.AT_ONCE):
        yield records.read(wanted[start : start + records.AT_ONCE])


def _each(portions: Iterable[Mapping[int, Comparable]]) -> Iterator[tuple[int, Comparable]]:
    for portion in portions:
        yield from portion.items()


# --- questions ----------------------------------------------------------------------------------------------------


@transaction.atomic
def begin(*, by: User) -> None:
    """Have questions looked for now, in a job; from then on they are topped up as people answer."""
    audit.record(action="match.ask", target=("profiles.ReviewPair", "training"), by=by)
    cache.set(_SEEN, {"state": "searching"}, _SEARCH_SECONDS)
    jobs.enqueue(JOB)


def last_search() -> Mapping[str, Any] | None:
    """What became of the last search that was begun lately: {"state": "searching"}, or {"state": "done", "training",
    "held_out", "records"}."""
    found: Mapping[str, Any] | None = cache.get(_SEEN)
    return found


def top_up() -> int:
    """The chore: look for the next questions when few wait, once people have begun to answer them."""
    if not ReviewPair.objects.filter(reason__in=_ASKED_TO_LEARN).exists() or waiting() >= LEAST_WAITING:
        return 0
    if MatchLabel.objects.filter(undone_at__isnull=True).count() >= ENOUGH_LABELS or not _is_worth_a_try():
        return 0
    found = ask()
    return found.training + found.held_out


_ASKED_TO_LEARN = (ReviewPair.Reason.TRAINING, ReviewPair.Reason.HELD_OUT)


def waiting() -> int:
    """Questions to learn from or to measure by that nobody has answered. What waits for a second person, or was left
    to colleagues, keeps nobody from being asked the next ones."""
    said = MatchLabel.objects.filter(
        record_a=OuterRef("record_a"), record_b=OuterRef("record_b"), undone_at__isnull=True
    )
    asked = ReviewPair.objects.filter(state=ReviewPair.State.WAITING, reason__in=_ASKED_TO_LEARN)
    return asked.filter(~Exists(said)).count()


def _is_worth_a_try() -> bool:
    """Not while the last search found too little and nothing has been answered or has arrived since."""
    last = last_search() or {}
    return bool(last.get("after") != _state_of_knowledge())


def _state_of_knowledge() -> list[int]:
    newest = MatchLabel.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return [newest, _stock() // 1_000]


def ask() -> Found:
    """Put the next questions into review, and once those to measure by. One at a time; seconds of work: for a job."""
    with transaction.atomic():
        ((is_alone,),) = _rows("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not is_alone:
            return Found(0, 0, 0)
        found = _ask()
    told = {"training": found.training, "held_out": found.held_out, "records": found.records}
    cache.set(_SEEN, {"state": "done", "after": _state_of_knowledge(), **told}, _SEEN_SECONDS)
    log.info("asked", **told)
    return found


def _ask() -> Found:
    said = labels.for_training()
    number = QUESTIONS_AT_ONCE - waiting()
    pool = build(must={number for pair in said for number in pair}, seed=len(said))
    if len(pool.records) < 2:
        return Found(0, 0, len(pool.records))
    questions = Questions(
        pool.records,
        [Label(a, b, same) for (a, b), same in said.items()],
        sure=pool.sure,
        asked=pool.asked | labels.held_out().keys(),
        seed=len(said),
    )
    blind = [] if ReviewPair.objects.filter(is_held_out=True).exists() else questions.held_out(HELD_OUT)
    learning = questions.training(max(number, 0))
    return Found(
        training=_write(learning, ReviewPair.Reason.TRAINING),
        held_out=_write(blind, ReviewPair.Reason.HELD_OUT),
        records=len(pool.records),
    )


def _write(questions: Sequence[Question], reason: str) -> int:
    """A pair that somebody else asks about already stays theirs. Of a blind pair nobody sees what the model says."""
    is_held_out = reason == ReviewPair.Reason.HELD_OUT
    worth_of = worth.of([(one.a, one.b) for one in questions]) if questions else {}
    rows = [
        ReviewPair(
            record_a_id=one.a,
            record_b_id=one.b,
            reason=reason,
            score=None if is_held_out else one.score,
            worth=worth_of.get((one.a, one.b), 0),
            is_held_out=is_held_out,
            weight=one.weight,
        )
        for one in questions
    ]
    before = ReviewPair.objects.count()
    ReviewPair.objects.bulk_create(rows, ignore_conflicts=True)
    return ReviewPair.objects.count() - before
