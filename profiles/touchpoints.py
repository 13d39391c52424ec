"""Writing touchpoints in bulk: one statement, sorted by id, each message once for ever."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from uuid import UUID

import msgspec
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cdp_site.core.ids import uuid7
from cdp_site.core.memory import Memory
from cdp_site.core.models import Operation
from ingestion.models import Source
from profiles import signals
from profiles.models import EventType, KindOfData
from profiles.signals import Aspect, Touch

INTERNAL_SOURCE = "cdp"  # this platform itself


class NewTouchpoint(msgspec.Struct, frozen=True, gc=False):
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
    operation_id: UUID | None
    properties: Mapping[str, Any]


_COPY = """
COPY {table} (occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id, type_id, source_id, id,
              operation_id, properties) FROM STDIN (FORMAT BINARY)
"""
_STAGE = "CREATE TEMPORARY TABLE touchpoint_stage (LIKE profiles_touchpoint) ON COMMIT DROP"
# Sorted by id: two digests that insert the same messages wait for each other in one order and never in a circle.
_INSERT_STAGED = """
INSERT INTO profiles_touchpoint (occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
                                 type_id, source_id, id, operation_id, properties)
SELECT occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
       type_id, source_id, id, operation_id, properties
  FROM touchpoint_stage
 ORDER BY id
    ON CONFLICT (id) DO NOTHING
RETURNING id
"""


def insert(touchpoints: Collection[NewTouchpoint]) -> frozenset[UUID]:
    """Write those that are not there yet; returns the ids of the others. Each id is given once.

    Whoever calls has mostly looked before which are there, so they are copied right into the table; when another
    process was faster with one, they take the way over a stage. Whose they are is told (`signals.people_touched`).
    """
    if not touchpoints:
        return frozenset()
    _tell_of(touchpoints)
    rows = _binary(sorted(touchpoints, key=_number))
    try:
        with transaction.atomic():
            _copy("profiles_touchpoint", rows)
    except IntegrityError:
        with connection.cursor() as cursor:
            cursor.execute(_STAGE)
            _copy("touchpoint_stage", rows)
            cursor.execute(_INSERT_STAGED)
            written = frozenset(row[0] for row in cursor.fetchall())
            cursor.execute("DROP TABLE touchpoint_stage")
        return frozenset(touchpoint.id for touchpoint in touchpoints) - written
    return frozenset()


def _tell_of(touchpoints: Iterable[NewTouchpoint]) -> None:
    by_type: dict[int, list[NewTouchpoint]] = defaultdict(list)
    for one in touchpoints:
        by_type[one.type_id].append(one)
    signals.tell_touched(
        *(
            Touch(Aspect.EVENT, {one.profile_id for one in came}, type_id, touchpoint_ids=[one.id for one in came])
            for type_id, came in sorted(by_type.items())
        )
    )


def _number(touchpoint: NewTouchpoint) -> int:
    return touchpoint.id.int


def _copy(table: str, rows: bytes) -> None:
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(_COPY.format(table=table)) as copy:
        copy.write(rows)


# PostgreSQL's binary format: a signature, then for each row the number of columns and for each column its length
# (-1: NULL) and its value; integers in network order, times as microseconds since 2000.
# https://www.postgresql.org/docs/current/sql-copy.html
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_BIGINT = Struct(">iq")
_CLOCKS = Struct(">hiqiq")  # 12 columns; occurred_at, received_at
_OWNERS = Struct(">iqiq")  # profile_id, record_id
_KINDS = Struct(">ihiqi16s")  # type_id, source_id, id
_UUID = Struct(">i16s")
_JSON = Struct(">ib")  # with the version of jsonb's format
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


_encoder = msgspec.json.Encoder()


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _binary(touchpoints: Iterable[NewTouchpoint]) -> bytes:
    parts = [_SIGNATURE]
    for row in touchpoints:
        properties = _encoder.encode(row.properties)
        parts += (
            _CLOCKS.pack(12, 8, _microseconds(row.occurred_at), 8, _microseconds(row.received_at)),
            _NULL if row.original_at is None else _BIGINT.pack(8, _microseconds(row.original_at)),
            _NULL if row.sent_at is None else _BIGINT.pack(8, _microseconds(row.sent_at)),
            _OWNERS.pack(8, row.profile_id, 8, row.record_id),
            _NULL if row.order_id is None else _BIGINT.pack(8, row.order_id),
            _KINDS.pack(2, row.type_id, 8, row.source_id, 16, row.id.bytes),
            _NULL if row.operation_id is None else _UUID.pack(16, row.operation_id.bytes),
            _JSON.pack(len(properties) + 1, 1),
            properties,
        )
    parts.append(_END)
    return b"".join(parts)


_SHARE = """
INSERT INTO profiles_touchpointshare (touchpoint_id, operation_id)
SELECT DISTINCT s.id, s.operation_id
  FROM unnest(%s::uuid[], %s::uuid[]) AS s(id, operation_id)
  JOIN profiles_touchpoint t ON t.id = s.id
 WHERE t.operation_id IS NOT NULL AND t.operation_id IS DISTINCT FROM s.operation_id
 ORDER BY 1, 2
    ON CONFLICT (touchpoint_id, operation_id) DO NOTHING
"""


def share(told: Iterable[tuple[UUID, UUID | None]]) -> None:
    """Note that operations (None: nobody's) told of touchpoints that another import had brought before: reverting that
    one leaves them with these. One statement, none without any."""
    rows = list(told)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_SHARE, [[row[0] for row in rows], [row[1] for row in rows]])


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
            operation_id=operation.pk if operation else None,
            properties=stated,
        )
        for profile_id, record_id in owners
    ]
    return len(rows) - len(insert(rows))
