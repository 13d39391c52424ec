"""Asking for stored memberships."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Min
from django.utils import timezone

from profiles.models import Profile
from segments.models import PendingMembership, Segment, SegmentFreshness, SegmentPassage, SegmentState
from segments.querysets_membership import SegmentPassageQuerySet, SegmentStateQuerySet

PAGE_SIZE = 50
PATIENCE = timedelta(minutes=1)
"""How far the stored membership may be behind before everybody is asked anew: the keeper must be down."""


@dataclass(frozen=True, slots=True)
class Page:
    """Members in the order of their intake; `next` is the key behind which the next page begins."""

    profiles: Sequence[Profile]
    next: UUID | None


def of(profile: Profile) -> SegmentStateQuerySet:
    """The segments that a customer is in, as states with their segment, by name. One query when it is read."""
    states: SegmentStateQuerySet = SegmentState.objects.of_profiles([profile.pk]).members().of_live_segments()
    return states.select_related("segment").order_by("segment__name", "segment_id")


def members(segment: Segment, *, after: UUID | None = None, size: int = PAGE_SIZE) -> Page:
    """Members behind `after` (a public id, because keys stand in addresses). Two queries."""
    states = SegmentState.objects.of_segment(segment.pk).members()
    if after is not None:
        states = states.behind(after)
    ids = list(states.order_by("profile_id").values_list("profile_id", flat=True)[: size + 1])
    found = Profile.objects.in_bulk(ids[:size])
    profiles = [found[profile_id] for profile_id in ids[:size] if profile_id in found]
    return Page(profiles, profiles[-1].public_id if profiles and len(ids) > size else None)


def member_ids(segment: Segment) -> list[int]:
    """Profile ids of all members, ascending. One query."""
    states = SegmentState.objects.of_segment(segment.pk).members()
    return list(states.order_by("profile_id").values_list("profile_id", flat=True))


def size(segment: Segment) -> int | None:
    """How many are in it; None while nobody has evaluated its definition. One query."""
    freshness = _freshness(segment)
    return freshness.n_members if freshness is not None else None


def fresh_as_of(segment: Segment) -> datetime | None:
    """Up to when everything is in the stored membership: now, unless something waits. None while nobody has evaluated
    the definition. Three queries."""
    freshness = _freshness(segment)
    if freshness is None:
        return None
    now = timezone.now()
    waiting = (
        PendingMembership.objects.aggregate(first=Min("at"))["first"],
        SegmentState.objects.of_segment(segment.pk).due(now).aggregate(first=Min("next_change_at"))["first"],
        freshness.due_at,
    )
    return min([now, *(moment for moment in waiting if moment is not None)])


def is_relied_on(segment: Segment) -> bool:
    """Whether the stored membership answers for now: evaluated, and less than `PATIENCE` behind. Four queries."""
    fresh = fresh_as_of(segment)
    return fresh is not None and fresh >= timezone.now() - PATIENCE


_KNOWN = """
SELECT f.segment_id, coalesce(k.is_member, false)
  FROM segments_segment s
  JOIN segments_segmentfreshness f ON f.segment_id = s.id AND f.version = s.version AND f.problem = ''
  LEFT JOIN segments_segmentstate k ON k.segment_id = f.segment_id AND k.profile_id = %(profile)s
 WHERE s.id = ANY(%(segments)s::uuid[]) AND f.evaluated_at IS NOT NULL AND f.due_at > %(now)s
   AND coalesce(k.next_change_at > %(now)s, true)
   AND NOT EXISTS (SELECT FROM segments_pendingmembership p WHERE p.profile_ids @> ARRAY[%(profile)s::bigint])
   AND NOT EXISTS (SELECT FROM segments_pendingvalues p WHERE p.profile_ids @> ARRAY[%(profile)s::bigint])
"""


def known_of(profile: Profile, segments: Iterable[Segment]) -> dict[UUID, bool]:
    """Of each segment whose stored membership answers for this customer at this moment, whether it holds them; a
    segment that is missing here has to be asked. One query."""
    parameters: dict[str, Any] = {
        "profile": profile.pk,
        "segments": [segment.pk for segment in segments],
        "now": timezone.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, parameters)
        return dict(cursor.fetchall())


def passages_of(profile: Profile) -> SegmentPassageQuerySet:
    """The segments that a customer entered and left, the newest first."""
    passages: SegmentPassageQuerySet = SegmentPassage.objects.of_profiles([profile.pk])
    return passages.select_related("segment").newest_first()


def _freshness(segment: Segment) -> SegmentFreshness | None:
    """None where what is stored is not by the segment's definition of now."""
    return SegmentFreshness.objects.filter(
        segment_id=segment.pk, version=segment.version, evaluated_at__isnull=False, problem=""
    ).first()
