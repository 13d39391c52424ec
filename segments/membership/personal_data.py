"""Memberships as a store of personal data, and as something that goes when an import is taken back.

After an erasure the numbers stay: how many entered and left on a day says nothing of anybody. The person goes from
them, and the time of the day with the person.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from profiles.models import Membership
from profiles.reverting import taking
from profiles.reverting.taking import Taking
from segments.membership import queue, writing
from segments.membership.touches import Aspect, Touch, tell
from segments.models import SegmentPassage, SegmentState

STATES, PASSAGES, PENDING = "segments.SegmentState", "segments.SegmentPassage", "segments.PendingMembership"

# The last passage of somebody who is in: out, by the erasure.
_LEAVE = """
INSERT INTO segments_segmentpassage (at, segment_id, profile_id, entered, cause)
SELECT clock_timestamp(), segment_id, profile_id, false, 'erasure' FROM segments_segmentstate
 WHERE profile_id = ANY(%s) AND is_member
"""
# In the order in which whoever has segments asked anew holds them.
_HOLD_COUNTS = """
SELECT FROM segments_segmentfreshness
 WHERE segment_id IN (SELECT segment_id FROM segments_segmentstate WHERE profile_id = ANY(%s))
 ORDER BY segment_id FOR UPDATE
"""
_DROP = """
WITH gone AS (DELETE FROM segments_segmentstate WHERE profile_id = ANY(%s) RETURNING segment_id, is_member),
fewer AS (
    UPDATE segments_segmentfreshness f SET n_members = greatest(0, f.n_members - g.n)
      FROM (SELECT segment_id, count(*) FILTER (WHERE is_member) AS n FROM gone GROUP BY segment_id) g
     WHERE f.segment_id = g.segment_id
)
SELECT count(*) FROM gone
"""
_FORGET_WHO = """
UPDATE segments_segmentpassage SET profile_id = NULL, at = date_trunc('day', at, %s) WHERE profile_id = ANY(%s)
"""
_FORGET_ALL = "DELETE FROM segments_segmentpassage WHERE profile_id = ANY(%s)"


class MembershipHolder(BaseHolder):
    """In which segments the person is and was, and what of the person waits to be followed."""

    name = "segments.membership"
    tables: tuple[str, ...] = (STATES, PASSAGES, PENDING)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {
            STATES: SegmentState.objects.of_profiles(subject.profile_ids).count(),
            PASSAGES: SegmentPassage.objects.of_profiles(subject.profile_ids).count(),
            PENDING: queue.count_of(subject.profile_ids),
        }

    def preview(self, subject: Subject) -> Outcome:
        found = dict(self.locate(subject))
        return Outcome(anonymised={PASSAGES: found.pop(PASSAGES)}, erased=found)

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        states = SegmentState.objects.of_profiles(subject.profile_ids).filter(is_member=True)
        passages = SegmentPassage.objects.of_profiles(subject.profile_ids).order_by("at", "pk")
        return {
            STATES: [msgspec.to_builtins(row) for row in states.order_by("since").values("segment__name", "since")],
            PASSAGES: [msgspec.to_builtins(row) for row in passages.values("segment__name", "at", "entered", "cause")],
        }

    def erase(self, subject: Subject) -> Outcome:
        people = list(subject.profile_ids)
        pending = queue.forget(people)  # first, as whoever follows people takes from the queue before it holds segments
        writing.hold_all()  # what was read before the person went would otherwise be written down after it
        _execute(_LEAVE, [people])
        states = _drop(people)
        passages = _execute(_FORGET_WHO, [settings.COMPANY_TIME_ZONE, people])
        return Outcome(erased={STATES: states, PENDING: pending}, anonymised={PASSAGES: passages})


class MembershipPart:
    """Records that an import made by mistake were never anybody: they leave no history."""

    def foresee(self, operation_id: UUID) -> Mapping[str, int]:
        return {}

    def holds(self, record_ids: Collection[int], taking: Taking) -> set[int]:
        return set()

    def take_back(self, record_ids: Collection[int], vanishing: Collection[int], taking: Taking) -> Mapping[str, int]:
        members = Membership.objects.filter(record__in=record_ids, valid_to__isnull=True)
        owners = dict(members.values_list("record", "profile"))
        tell([Touch(Aspect.PERSON, set(owners.values()))])
        births = Membership.objects.filter(record__in=vanishing, profile__birth_record__in=vanishing)
        gone = sorted(set(births.values_list("profile", flat=True)))
        if gone:
            _drop(gone)
            _execute(_FORGET_ALL, [gone])
        return {}

    def forget(self, operation_ids: Collection[UUID]) -> None:
        """Nothing is kept for the sake of taking back."""


def _drop(people: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_COUNTS, [people])
        cursor.execute(_DROP, [people])
        return int(cursor.fetchone()[0])


def _execute(statement: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def register() -> None:
    register_holder(MembershipHolder(), order=110)
    taking.register(MembershipPart())
