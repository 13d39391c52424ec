"""Following people: after each step the segments that what arrived can move, for the people whom it arrived about; and
at each moment at which time alone moves somebody, that person."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from segments import audience
from segments.definition.follow import states
from segments.keeper import Budget
from segments.membership import queue, refreshing, writing
from segments.membership.arrivals import Arrivals, arrived
from segments.membership.asked import Asked, World, load, world
from segments.membership.queue import Waiting
from segments.membership.touches import Aspect
from segments.membership.writing import Cause
from segments.models import SegmentFreshness

log = structlog.get_logger("membership")

LIMIT_SECONDS = 20
"""A question about few people that takes longer is given up; everybody is asked anew instead."""
DUE_AT_ONCE = 5_000


def follow() -> bool:
    """Bring the memberships of the people who wait up to date, as many as a round takes; False when nobody waits.

    One transaction: what was taken from the queue is gone from it when the memberships are there, or it is all as
    before. The segments for which the round has no time left are asked of everybody.
    """
    budget = Budget()
    with transaction.atomic():
        waiting = queue.take()
        if not waiting:
            return False
        around, every = world(), load()
        arrivals = arrived(waiting, every, around, budget)
        late: list[UUID] = []
        for asked in every:
            people = _concerned(asked, waiting, arrivals, around)
            if people and budget.is_spent:
                late.append(asked.segment.pk)
            elif people:
                _evaluate(asked, people, around)
        news = {one.aspect for one in waiting} & {Aspect.PRODUCTS, Aspect.WORDS}
        refreshing.ask_soon([asked.segment.pk for asked in every if news & asked.interests.aspects])
        if late:
            log.warning("round_too_long", segments=len(late))
            refreshing.ask(late)
    return True


def turn() -> bool:
    """Bring the memberships up to date of whom time alone has moved, as many as a round takes; False when there are
    none."""
    due = _due()
    if not due:
        return False
    budget = Budget()
    with transaction.atomic():
        around = world()
        for asked in load(due.keys()):
            if budget.is_spent:
                break  # the others' time has come in the next round, too
            _evaluate(asked, {Cause.TIME: due[asked.segment.pk]}, around)
    return True


_DUE = """
SELECT d.segment_id, array_agg(d.profile_id) FROM (
    SELECT k.segment_id, k.profile_id FROM segments_segmentstate k
      JOIN segments_segment s ON s.id = k.segment_id AND s.archived_at IS NULL
      JOIN segments_segmentfreshness f ON f.segment_id = s.id AND f.version = s.version AND f.problem = ''
     WHERE k.next_change_at <= %s ORDER BY k.next_change_at LIMIT %s) d
 GROUP BY d.segment_id
"""


def _due() -> Mapping[UUID, list[int]]:
    """Whose time has come, by segment. A segment that cannot be asked is passed over: it is evaluated as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [timezone.now(), DUE_AT_ONCE])
        return dict(cursor.fetchall())


def _concerned(
    asked: Asked, waiting: Sequence[Waiting], arrivals: Arrivals, around: World
) -> Mapping[Cause, Collection[int]]:
    """The people about whom something arrived that the segment listens to, by what moves them; a merge or its undoing
    rather than an event."""
    found: dict[Cause, set[int]] = defaultdict(set)
    if asked.definition is None:
        return found
    for one in waiting:
        if not asked.interests.listens(one.aspect, one.subject, around.event_names):
            continue
        if one.touchpoint_ids and one.subject is not None:
            event = around.event_names[one.subject]
            found[Cause.EVENT] |= arrivals.concerned(asked.definition, event, one.profile_ids)
        else:
            found[Cause(one.cause)].update(one.profile_ids)
    by_events = found.get(Cause.EVENT, set())
    by_events.difference_update(*(ids for cause, ids in found.items() if cause is not Cause.EVENT))
    return {cause: ids for cause, ids in found.items() if ids}


def _evaluate(asked: Asked, people: Mapping[Cause, Collection[int]], around: World) -> None:
    """Ask a segment about people and write what is new. Nothing where everybody is going to be asked anyway."""
    segment = asked.segment
    writing.hold(segment.pk)
    is_known = SegmentFreshness.objects.filter(segment=segment, version=segment.version, problem="").exists()
    if not is_known:
        return
    if asked.definition is None:
        writing.fail(segment.pk, SegmentFreshness.Problem.UNREADABLE, again_at=timezone.now() + refreshing.TRY_AGAIN)
        return
    try:
        with transaction.atomic(), audience.time_limit(LIMIT_SECONDS):
            for cause, profile_ids in sorted(people.items()):
                now = timezone.now()
                truth = states(
                    asked.definition,
                    around.viewer,
                    now=now,
                    time_zone=audience.company_time_zone(),
                    profile_ids=profile_ids,
                )
                writing.write(segment.pk, truth, now=now, cause=cause, profile_ids=profile_ids)
    except Exception as problem:
        # Whatever it is, the other segments go on, and this one is asked of everybody. The error may hold a value.
        log.warning("segment_failed", segment=str(segment.pk), error=type(problem).__name__)
        is_slow = isinstance(problem, audience.TooSlowProblem)
        kind = SegmentFreshness.Problem.TOO_SLOW if is_slow else SegmentFreshness.Problem.FAILED
        writing.fail(segment.pk, kind, again_at=timezone.now() + refreshing.TRY_AGAIN)
