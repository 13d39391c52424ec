"""Asking everybody: when a definition is new, at midnight where it looks at days, and each night all the same.

The night's look mends what no step told of: a clock that was set, words of the catalogue, a program that was improved.
"""

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Case, F, Q, When
from django.utils import timezone

from segments import audience
from segments.definition import nodes
from segments.definition.follow import states
from segments.definition.next_change import looks_at_days, midnight, next_midnight
from segments.keeper import SOON
from segments.membership import asked, writing
from segments.membership.asked import Asked
from segments.membership.writing import Cause
from segments.models import Segment, SegmentFreshness

log = structlog.get_logger("membership")

LIMIT_SECONDS = 45
"""Fifteen times what a segment of 200,000 members may take; below what a process may be silent for."""
NIGHT = timedelta(hours=1, minutes=20)
"""After midnight: when nobody reads, and before the chores that lean on memberships."""
NIGHT_LASTS = timedelta(hours=2)
TRY_AGAIN, TRY_LESS_OFTEN = timedelta(minutes=10), timedelta(hours=1)
"""After a first failure, and after each that follows it: what always fails takes little from the others' time."""


def ask(segment_ids: Collection[UUID]) -> None:
    """Have everybody asked anew for these segments: what they lean on is another now (a list, a purpose, a word of the
    catalogue, a segment that they ask for). Until that is done their stored memberships are not relied on.

    An evaluation that is under way meanwhile does not count: it may have begun before what changed was there."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [timezone.now(), list(segment_ids)])


def ask_soon(segment_ids: Collection[UUID]) -> None:
    """Have everybody asked anew within some minutes: what comes in pieces (the feed of a catalogue) is followed once
    for many of them. To be called by who keeps memberships: no evaluation is under way then."""
    if segment_ids:
        soon = timezone.now() + SOON
        with connection.cursor() as cursor:
            cursor.execute(_ASK_SOON, [soon, list(segment_ids), soon])


# In the order of their ids, as whoever follows people holds several of them.
_ASK = """
UPDATE segments_segmentfreshness f SET version = 0, due_at = %s
  FROM (SELECT segment_id FROM segments_segmentfreshness WHERE segment_id = ANY(%s::uuid[])
         ORDER BY segment_id FOR UPDATE) held
 WHERE f.segment_id = held.segment_id
"""
_ASK_SOON = """
UPDATE segments_segmentfreshness f SET due_at = %s
  FROM (SELECT segment_id FROM segments_segmentfreshness
         WHERE segment_id = ANY(%s::uuid[]) AND due_at > %s
         ORDER BY segment_id FOR UPDATE) held
 WHERE f.segment_id = held.segment_id
"""
# A row that `ask` finds, before anything is read.
_BEGIN = """
INSERT INTO segments_segmentfreshness (segment_id, version, n_members, due_at, problem)
SELECT id, 0, 0, %s, '' FROM segments_segment WHERE id = %s
    ON CONFLICT (segment_id) DO NOTHING
"""


def leaning(on: Callable[[nodes.Condition], bool]) -> list[UUID]:
    """The segments that have such a condition, themselves or in a segment that they ask for."""
    return [
        one.segment.pk
        for one in asked.load()
        if one.definition is not None and any(map(on, nodes.conditions(one.definition.where)))
    ]


def users_of(segment_id: UUID) -> list[UUID]:
    """The segments that ask for this one, themselves or through others."""
    own = str(segment_id)
    return leaning(lambda condition: isinstance(condition, nodes.SegmentCondition) and condition.segment == own)


def refresh() -> bool:
    """Evaluate the segment that is due first for everybody; False when none is."""
    segment_id = _most_urgent()
    if segment_id is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [timezone.now(), segment_id])
    before = SegmentFreshness.objects.filter(segment=segment_id).first()  # before anything that it leans on is read
    found = asked.load([segment_id])
    if found and before is not None:
        _refresh(found[0], before)
    return True


def _most_urgent() -> UUID | None:
    """Those first of which nothing that is stored answers: new definitions, and what leans on another thing now.
    Segments that nobody has evaluated have no freshness."""
    is_open = Q(freshness=None) | ~Q(freshness__version=F("version"))
    rows = Segment.objects.living().filter(is_open | Q(freshness__due_at__lte=timezone.now()))
    order = (Case(When(is_open, then=0), default=1), F("freshness__due_at").asc(nulls_first=True), "pk")
    return rows.order_by(*order).values_list("pk", flat=True).first()


def _refresh(one: Asked, before: SegmentFreshness) -> None:
    segment = one.segment
    is_new = before.version != segment.version
    again_at = timezone.now() + (TRY_LESS_OFTEN if before.problem and not is_new else TRY_AGAIN)
    if one.definition is None:
        _note(segment, before, problem=SegmentFreshness.Problem.UNREADABLE, due_at=again_at)
        return
    began = time.monotonic()
    try:
        with transaction.atomic():
            writing.hold(segment.pk)
            if not Segment.objects.living().filter(pk=segment.pk).exists():
                return  # deleted or archived since it was looked up
            now = timezone.now()
            truth = states(one.definition, asked.world().viewer, now=now, time_zone=audience.company_time_zone())
            with audience.time_limit(LIMIT_SECONDS), connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_nestloop TO off")
                moved = writing.write(segment.pk, truth, now=now, cause=Cause.DEFINITION if is_new else Cause.TIME)
                cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
            _note(
                segment,
                before,
                n_members=writing.count(segment.pk),
                evaluated_at=now,
                took_ms=round((time.monotonic() - began) * 1000),
                problem=SegmentFreshness.Problem.NONE,
                due_at=_next(one, now),
            )
    except Exception as problem:  # whatever it is, the other segments go on; the error may hold a value
        is_slow = isinstance(problem, audience.TooSlowProblem)
        kind = SegmentFreshness.Problem.TOO_SLOW if is_slow else SegmentFreshness.Problem.FAILED
        log.warning("refresh_failed", segment=str(segment.pk), error=type(problem).__name__)
        _note(segment, before, problem=kind, due_at=again_at)
    else:
        log.info("refreshed", segment=str(segment.pk), entered=moved.entered, left=moved.left)


@transaction.atomic
def _note(segment: Segment, before: SegmentFreshness, *, due_at: datetime, **said: object) -> None:
    """What became of the evaluation of a version. Where everybody was asked for anew since `before`, that stays due."""
    row = SegmentFreshness.objects.select_for_update().filter(segment=segment).first()
    if row is None:
        return  # the segment is gone
    if (row.version, row.due_at) == (before.version, before.due_at):
        said |= {"version": segment.version, "due_at": due_at}
    for name, value in said.items():
        setattr(row, name, value)
    row.save(update_fields=said)


def _next(one: Asked, now: datetime) -> datetime:
    """Midnight for who looks at days, else a moment of the next night; each segment its own, so that they do not all
    come at once."""
    zone = audience.company_time_zone()
    if one.definition is not None and looks_at_days(one.definition.where):
        return next_midnight(now, zone)
    own = NIGHT + NIGHT_LASTS * (one.segment.pk.int % 1000) / 1000
    tonight = midnight(now.astimezone(zone).date(), zone) + own
    return tonight if tonight > now else next_midnight(now, zone) + own
