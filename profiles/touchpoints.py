"""Writing touchpoints in bulk: one statement, sorted by id, each message once for ever."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone

from cdp_site.core.ids import uuid7
from cdp_site.core.memory import Memory
from cdp_site.core.models import Operation
from ingestion.models import Source
from profiles.models import EventType, KindOfData

INTERNAL_SOURCE = "cdp"  # this platform itself


class NewTouchpoint(msgspec.Struct, frozen=True):
    """A touchpoint to write; the names are the columns. `properties` is a JSON object."""

    id: UUID
    occurred_at: datetime
    received_at: datetime
    original_at: datetime | None
    sent_at: datetime | None
    profile_id: int
    record_id: int
    order_id: int | None
    type_id: int
    source_id: int
    properties: dict[str, Any]


# Sorted by id: two digests that insert the same messages wait for each other in one order and never in a circle.
_INSERT = """
INSERT INTO profiles_touchpoint (id, occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
                                 type_id, source_id, properties)
SELECT id, occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
       type_id, source_id, properties
  FROM json_to_recordset(%s::json) AS t(
       id uuid, occurred_at timestamptz, received_at timestamptz, original_at timestamptz, sent_at timestamptz,
       profile_id bigint, record_id bigint, order_id bigint, type_id smallint, source_id bigint, properties jsonb)
 ORDER BY id
    ON CONFLICT (id) DO NOTHING
RETURNING id
"""


def insert(touchpoints: Sequence[NewTouchpoint]) -> frozenset[UUID]:
    """Write those that are not there yet; returns the ids written. One statement."""
    if not touchpoints:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [msgspec.json.encode(touchpoints).decode()])
        return frozenset(row[0] for row in cursor.fetchall())


class EventTypes:
    """Event type names to ids, discovered as they come. One query for a batch with new names, none otherwise."""

    def __init__(self) -> None:
        self._ids: Memory[str, int] = Memory()

    def resolve(self, names: set[str]) -> dict[str, int]:
        """Name → id for all names; unknown ones are created as behavioural and common to all departments."""
        unknown = names - self._ids.keys()
        if unknown:
            EventType.objects.bulk_create(
                [EventType(name=name, kind_of_data=KindOfData.BEHAVIOURAL) for name in sorted(unknown)],
                ignore_conflicts=True,
            )
        found = dict(EventType.objects.filter(name__in=unknown).values_list("name", "pk")) if unknown else {}
        self._ids.remember(found)
        return {name: found[name] if name in found else self._ids[name] for name in names}


def record_internal(
    *,
    event: str,
    owners: Sequence[tuple[int, int]],
    properties: dict[str, Any],
    operation: Operation | None = None,
) -> int:
    """Write a touchpoint of this platform itself (e.g. "Segment Exported") on many people; returns how many.

    Args:
        owners: (profile id, id of the profile's anchor record) each.
        properties: the same for everyone; ids and names of things, nothing personal.
    """
    now = timezone.now()
    source_id = Source.objects.only("pk").get(slug=INTERNAL_SOURCE).pk
    type_id = EventTypes().resolve({event})[event]
    stated = properties | ({"operation_id": str(operation.pk)} if operation else {})
    rows = [
        NewTouchpoint(
            id=uuid7(),
            occurred_at=now,
            received_at=now,
            original_at=None,
            sent_at=None,
            profile_id=profile_id,
            record_id=record_id,
            order_id=None,
            type_id=type_id,
            source_id=source_id,
            properties=stated,
        )
        for profile_id, record_id in owners
    ]
    return len(insert(rows))
