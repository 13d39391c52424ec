"""Writing memberships: one statement compares what is with what is stored, and writes the difference."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from psycopg import sql

from segments.models import SegmentFreshness, SegmentPassage

SQL = sql.SQL
Cause = SegmentPassage.Cause

_LOCK = 0x5E6
"""First half of the advisory locks' keys: who evaluates a segment holds its lock until what it found is committed, so
that nobody writes down what was true before somebody else's later look."""

# In the order of the people: each page of the indexes is visited once, however many enter.
# A state whose time is stored too early is looked at too early, which does no harm: it is not written again for that.
_WRITE = SQL("""
WITH truth AS MATERIALIZED ({truth}),
before AS MATERIALIZED (
    SELECT k.profile_id, k.is_member, k.next_change_at FROM segments_segmentstate k
     WHERE k.segment_id = {segment}{asked}
),
changed AS MATERIALIZED (
    SELECT coalesce(t.profile_id, b.profile_id) AS profile_id, t.profile_id IS NOT NULL AS is_kept,
           coalesce(t.is_member, false) AS is_member, coalesce(b.is_member, false) AS was_member, t.next_change_at,
           CASE WHEN {is_time} AND b.next_change_at <= {now} THEN b.next_change_at ELSE {now} END AS at
      FROM truth t FULL JOIN before b ON b.profile_id = t.profile_id
     WHERE t.profile_id IS NULL OR b.profile_id IS NULL OR t.is_member <> b.is_member
        OR b.next_change_at <= {now} OR t.next_change_at < coalesce(b.next_change_at, 'infinity')
     ORDER BY 1
),
kept AS (
    INSERT INTO segments_segmentstate AS k (segment_id, profile_id, since, next_change_at, is_member)
    SELECT {segment}, c.profile_id, c.at, c.next_change_at, c.is_member FROM changed c WHERE c.is_kept
        ON CONFLICT (segment_id, profile_id) DO UPDATE
       SET since = CASE WHEN k.is_member = excluded.is_member THEN k.since ELSE excluded.since END,
           next_change_at = excluded.next_change_at, is_member = excluded.is_member
),
gone AS (
    DELETE FROM segments_segmentstate k USING changed c
     WHERE k.segment_id = {segment} AND k.profile_id = c.profile_id AND NOT c.is_kept
),
passed AS (
    INSERT INTO segments_segmentpassage (at, segment_id, profile_id, entered, cause)
    SELECT c.at, {segment}, c.profile_id, c.is_member, {cause} FROM changed c WHERE c.is_member <> c.was_member
    RETURNING entered
)
SELECT count(*) FILTER (WHERE entered), count(*) FILTER (WHERE NOT entered) FROM passed
""")
_HOLD_ALL = """
SELECT pg_advisory_xact_lock(%s, hashtext(s.id::text)) FROM (SELECT id FROM segments_segment ORDER BY id OFFSET 0) s
"""
_MEMBERS = "SELECT count(*) FROM segments_segmentstate WHERE segment_id = %s AND is_member"
_SHIFT = """
UPDATE segments_segmentfreshness SET n_members = greatest(0, n_members + %s) WHERE segment_id = %s
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many people entered and left."""

    entered: int
    left: int


def hold(segment_id: UUID) -> None:
    """Be the only one who evaluates the segment until the transaction ends. Whoever holds several takes them by id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, str(segment_id)])


def hold_all() -> None:
    """Be the only one who evaluates any segment until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_ALL, [_LOCK])


def write(
    segment_id: UUID,
    truth: sql.Composable,
    *,
    now: datetime,
    cause: Cause,
    profile_ids: Collection[int] | None = None,
) -> Moved:
    """Make the stored states those of `truth` (`follow.states` at `now`), and note who passed, in the transaction that
    holds the segment.

    Args:
        profile_ids: the people who were asked; None: everybody, so that whoever is not in `truth` is in nothing.
    """
    asked: sql.Composable = SQL("")
    if profile_ids is not None:
        asked = SQL(" AND k.profile_id = ANY({}::bigint[])").format(sorted(profile_ids))
    query = _WRITE.format(
        truth=truth,
        segment=segment_id,
        asked=asked,
        is_time=cause is Cause.TIME,
        now=now,
        cause=cause.value,
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        moved = Moved(*cursor.fetchone())
    if profile_ids is not None:
        shift(segment_id, moved.entered - moved.left)
    return moved


def shift(segment_id: UUID, n: int) -> None:
    """So many more members than before."""
    if n:
        with connection.cursor() as cursor:
            cursor.execute(_SHIFT, [n, segment_id])


def count(segment_id: UUID) -> int:
    """The members, counted."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [segment_id])
        return int(cursor.fetchone()[0])


def fail(segment_id: UUID, problem: SegmentFreshness.Problem, *, again_at: datetime) -> None:
    """Note why the memberships of a segment cannot be relied on, and when to try again."""
    SegmentFreshness.objects.update_or_create(segment_id=segment_id, defaults={"problem": problem, "due_at": again_at})
