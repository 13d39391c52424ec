"""What waits to be followed: written by the step that changed people, taken by whoever follows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from django.db import connection
from django.utils import timezone

from ingestion import landing
from segments.membership.touches import Aspect, Touch
from segments.models import PendingMembership, SegmentPassage

Cause = SegmentPassage.Cause

AT_ONCE = 5_000
"""People of one round: about a second's work with a hundred segments."""
ROWS = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """Some people of a row of the queue. Their part of the row is gone when the transaction is committed."""

    aspect: Aspect
    subject: int | None
    cause: str
    profile_ids: Sequence[int]
    touchpoint_ids: Sequence[UUID] = ()


# Arrays as text: a step notes some thousands of ids, and the ORM looks at each of them by itself.
_PUT = """
INSERT INTO segments_pendingmembership (at, aspect, subject, cause, profile_ids, touchpoint_ids)
VALUES (%s, %s, %s, %s, %s::bigint[], %s::uuid[])
"""


def put(touches: Iterable[Touch]) -> None:
    """Note what changed, in the caller's transaction. One round trip."""
    now = timezone.now()
    rows = [
        (
            now,
            touch.aspect.value,
            touch.subject,
            str(touch.cause),
            "{" + ",".join(map(str, sorted(ids))) + "}",
            landing.uuid_array(one.int for one in touch.touchpoint_ids),
        )
        for touch in touches
        if (ids := set(touch.profile_ids))
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_PUT, rows)


def put_news(aspects: Iterable[Aspect]) -> None:
    """Note in the caller's transaction what changed about nobody in particular."""
    now = timezone.now()
    rows = [PendingMembership(at=now, aspect=one, cause=Cause.EVENT, profile_ids=[]) for one in aspects]
    PendingMembership.objects.bulk_create(rows)


def take() -> list[Waiting]:
    """The oldest of what nobody else has taken, at most `AT_ONCE` people, removed in the caller's transaction."""
    rows = PendingMembership.objects.order_by("pk").select_for_update(skip_locked=True)[:ROWS]
    taken: list[Waiting] = []
    done: list[int] = []
    room = AT_ONCE
    for row in rows:
        ids = list(islice(row.profile_ids, room))
        taken.append(Waiting(Aspect(row.aspect), row.subject, row.cause, ids, row.touchpoint_ids))
        room -= len(ids)
        if len(ids) == len(row.profile_ids):
            done.append(row.pk)
        else:
            PendingMembership.objects.filter(pk=row.pk).update(profile_ids=row.profile_ids[len(ids) :])
        if room <= 0:
            break
    PendingMembership.objects.filter(pk__in=done).delete()
    return taken


_FORGET = """
UPDATE segments_pendingmembership
   SET profile_ids = array(SELECT unnest(profile_ids) EXCEPT SELECT unnest(%(ids)s::bigint[]))
 WHERE profile_ids && %(ids)s::bigint[]
"""
_COUNT = "SELECT count(*) FROM segments_pendingmembership WHERE profile_ids && %s::bigint[]"


def count_of(profile_ids: Sequence[int]) -> int:
    """Rows that name one of these people."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [list(profile_ids)])
        return int(cursor.fetchone()[0])


def forget(profile_ids: Sequence[int]) -> int:
    """Take these people out; returns of how many rows. A row without anybody goes when its turn comes."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"ids": list(profile_ids)})
        return int(cursor.rowcount)
