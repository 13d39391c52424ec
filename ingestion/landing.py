"""Landing: what arrived is kept, whole and once, before anything looks into it.

A door (event API, file import, screen) calls `land`; the digest calls `claim`, reads the messages with
`ingestion.messages`, and in the transaction that stores them `quarantine`, `remember` and `settle`. Ingestion knows
nothing of people, the digest nothing of doors.

Received = stored + duplicate + quarantined + suppressed + waiting holds at every commit: an item is waiting until
the one UPDATE of `settle`, which counts all items of its batch at once.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import binding, hashing, memory
from cdp_site.core.errors import InternalError, MendableError
from ingestion.models import FileImport, InboundBatch, QuarantinedItem, SeenMessage, Source
from ingestion.national_ids import seal_national_ids

# After that many attempts at a batch as a whole, the digest takes its items one by one and quarantines what fails.
MAX_ATTEMPTS = 3
RETRY_AFTER_SECONDS = 5
# Either puts the batch into the lane that runs ahead of everything.
_WITHDRAWALS = (b"Consent Withdrawn", b"Consent Refused")


class BacklogProblem(MendableError):
    """More is waiting than the digest should be given: nothing was kept, the client sends it again later."""

    status = 429
    code = "backlog"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A batch that this process holds until its lease ends.

    `raw` is a JSON array of `n_items` messages. `sent_at` is the envelope's clock; a message's own `sentAt` wins.
    `attempts` counts this one.
    """

    id: int
    source_id: int
    received_at: datetime
    sent_at: datetime | None
    door: str
    lane: int
    is_public_key: bool
    file_import_id: UUID | None
    operation_id: UUID | None
    attempts: int
    n_items: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Tally:
    """Where the items of one batch went; the four sum up to its `n_items`."""

    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    suppressed: int = 0

    @property
    def total(self) -> int:
        return self.stored + self.duplicate + self.quarantined + self.suppressed


@dataclass(frozen=True, slots=True)
class Unusable:
    """A message for the quarantine. `position` is its index in the batch, or its line in the file (`Message.place`);
    `detail` says where in the message and what was expected, never the value; `event` and `field` tell its group;
    `subject_keys` are `hashing.identifier_key` of the identifiers found in it, so that an erasure finds it."""

    batch: Claimed
    position: int
    reason: str
    payload: bytes
    detail: str = ""
    subject_keys: Sequence[bytes] = ()
    event: str = ""
    field: str = ""


def land(
    *,
    source: Source | int,
    messages_raw: bytes | Sequence[Any],
    n_items: int | None = None,
    door: str,
    lane: int | None = None,
    is_history: bool = False,
    received_at: datetime | None = None,
    sent_at: datetime | None = None,
    is_public_key: bool = False,
    file_import: FileImport | None = None,
    operation_id: UUID | None = None,
) -> InboundBatch:
    """Keep one batch; one INSERT. It is safe from then on that the caller's transaction commits.

    Args:
        messages_raw: the JSON array as bytes, with `n_items`; or the messages themselves.
        lane: by default withdrawals go first, files and other history last, all else between.
        received_at: our clock; now, unless the door has noted it earlier.
        sent_at: the envelope's `sentAt`, for the correction of the client's clock.

    National ids under a telling name are replaced by their keyed hash and last four digits before the INSERT.
    """
    if isinstance(messages_raw, bytes):
        if n_items is None:
            raise InternalError("n_items is needed with raw messages")
        raw = messages_raw
    else:
        n_items = len(messages_raw)
        raw = msgspec.json.encode(messages_raw)
    batch = InboundBatch(
        received_at=received_at or timezone.now(),
        sent_at=sent_at,
        source_id=source.pk if isinstance(source, Source) else source,
        door=door,
        lane=_lane(raw, door, is_history) if lane is None else lane,
        is_public_key=is_public_key,
        file_import=file_import,
        operation_id=operation_id,
        n_items=n_items,
        raw=seal_national_ids(raw),
    )
    with binding.cursor() as cursor:
        cursor.execute(_LAND, {name: getattr(batch, name) for name in _LANDED})
        (batch.pk,) = cursor.fetchone() or (None,)
    batch._state.adding = False
    return batch


_LANDED = (
    "received_at", "sent_at", "source_id", "door", "lane", "is_public_key", "file_import_id", "operation_id", "n_items",
    "raw",
)  # fmt: skip
_LAND = """
INSERT INTO ingestion_inboundbatch (received_at, sent_at, source_id, door, lane, is_public_key, file_import_id,
                                    operation_id, n_items, raw, status, attempts, n_stored, n_duplicate, n_quarantined,
                                    n_suppressed)
VALUES (%(received_at)s, %(sent_at)s, %(source_id)s, %(door)s, %(lane)s, %(is_public_key)s, %(file_import_id)s,
        %(operation_id)s, %(n_items)s, %(raw)b, 'waiting', 0, 0, 0, 0, 0)
RETURNING id
"""


def land_chunk(file_import: FileImport, batches: Sequence[tuple[bytes, int]]) -> None:
    """Keep what a chunk of a file brought: JSON arrays with their numbers of items; one COPY, half the price of that
    many `land`. Safe from then on that the caller's transaction commits. National ids are sealed as `land` does it."""
    now = timezone.now()
    rows = [
        InboundBatch(
            received_at=now,
            source_id=file_import.source_id,
            door=InboundBatch.Door.FILE,
            lane=InboundBatch.Lane.BULK,
            file_import=file_import,
            operation_id=file_import.operation_id,
            n_items=n_items,
            raw=seal_national_ids(raw),
        )
        for raw, n_items in batches
    ]
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types([str(field.db_type(connection)).partition("(")[0] for field in _COPIED])
        for row in rows:
            copy.write_row([getattr(row, field.attname) for field in _COPIED])


_COPIED = [field for field in InboundBatch._meta.concrete_fields if not field.primary_key]
_COLUMNS = ", ".join(str(field.column) for field in _COPIED)
_COPY = f"COPY {InboundBatch._meta.db_table} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"


def _lane(raw: bytes, door: str, is_history: bool) -> int:
    if door == InboundBatch.Door.FILE:
        return InboundBatch.Lane.BULK
    if any(name in raw for name in _WITHDRAWALS):
        return InboundBatch.Lane.WITHDRAWAL
    return InboundBatch.Lane.BULK if is_history else InboundBatch.Lane.LIVE


def message_uuid(source_id: int, message_id: str) -> UUID:
    """The id that a message's touchpoint bears: the same for the same (source, messageId), for ever. 128 bits of
    SHA-256 in the form of a UUID version 8 (RFC 9562)."""
    digest = hashlib.sha256(f"{source_id}\0{message_id}".encode("utf-8", "surrogatepass")).digest()
    return UUID(int=_as_uuid8(digest))


def message_key(message: UUID, *, key_id: str | None = None) -> UUID:
    """The key of a message's tombstone in SeenMessage, from its `message_uuid`. Keyed, since a messageId can be made
    of a person's data and tombstones outlive the erasure of that person."""
    return UUID(int=_as_uuid8(hashing.keyed(message.hex, purpose=_SEEN, key_id=key_id)))


_SEEN = "seen_message"
_VERSION_AND_VARIANT = 0xF << 76 | 0x3 << 62
_VERSION_8 = 8 << 76 | 2 << 62  # in the variant of RFC 9562


def _as_uuid8(digest: bytes) -> int:
    return int.from_bytes(digest[:16], "big") & ~_VERSION_AND_VARIANT | _VERSION_8


def seen(messages: Iterable[UUID]) -> frozenset[UUID]:
    """Which of these `message_uuid`s have a tombstone, under any of the hash keys. One query."""
    asked = list(messages)
    names = [f"{message.int:032x}" for message in asked]
    by_key = {
        _as_uuid8(key): message
        for key_id in hashing.key_ids()
        for key, message in zip(hashing.keyed_all(names, purpose=_SEEN, key_id=key_id), asked, strict=True)
    }
    if not by_key:
        return frozenset()
    with connection.cursor() as cursor:
        # One array in one text: thousands of parameters, or a list, would cost three times as much to send.
        cursor.execute("SELECT key FROM ingestion_seenmessage WHERE key = ANY(%s::uuid[])", [uuid_array(by_key)])
        return frozenset(by_key[row[0].int] for row in cursor.fetchall())


def uuid_array(numbers: Iterable[int]) -> str:
    """Numbers of UUIDs as the text of a PostgreSQL array."""
    return "{" + ",".join([f"{number:032x}" for number in numbers]) + "}"


def remember(messages: Iterable[UUID]) -> None:
    """Write tombstones of `message_uuid`s whose rows are not touchpoints (any more), so that they are never taken
    again. Sorted, so that two digests never wait for one another in a circle. One statement."""
    keys = sorted(message_key(message) for message in messages)
    if keys:
        SeenMessage.objects.bulk_create([SeenMessage(key=key) for key in keys], ignore_conflicts=True)


# Sources take turns within a lane, by items: who has many waiting, or sends large batches, holds up nobody else.
# Of two processes that choose the same at the same moment one goes away with nothing and comes again.
def forget(messages: Iterable[UUID]) -> None:
    """Take tombstones of `message_uuid`s away, under any of the hash keys: what they stood for was undone. One
    statement."""
    keys = [message_key(message, key_id=key_id) for message in messages for key_id in hashing.key_ids()]
    SeenMessage.objects.filter(key__in=keys).delete()


_CLAIM = """
WITH RECURSIVE turn AS (
    (SELECT lane, source_id FROM ingestion_inboundbatch WHERE status = 'waiting' ORDER BY lane, source_id LIMIT 1)
    UNION ALL
    SELECT following.*
      FROM turn CROSS JOIN LATERAL (
           SELECT b.lane, b.source_id FROM ingestion_inboundbatch b
            WHERE b.status = 'waiting' AND (b.lane, b.source_id) > (turn.lane, turn.source_id)
            ORDER BY b.lane, b.source_id LIMIT 1) AS following
), queue AS (
    SELECT first.id, first.n_items, turn.lane,
           sum(first.n_items) OVER (PARTITION BY turn.lane, turn.source_id ORDER BY first.id) - first.n_items AS before
      FROM turn CROSS JOIN LATERAL (
           SELECT b.id, b.n_items FROM ingestion_inboundbatch b
            WHERE b.status = 'waiting' AND b.lane = turn.lane AND b.source_id = turn.source_id
              AND (b.lease_until IS NULL OR b.lease_until < now())
            ORDER BY b.id LIMIT %(batches)s) AS first
), ordered AS (
    SELECT id, row_number() OVER turns AS place, sum(n_items) OVER turns - n_items AS ahead
      FROM queue WINDOW turns AS (ORDER BY lane, before, id)
)
UPDATE ingestion_inboundbatch AS batch
   SET attempts = batch.attempts + 1, lease_until = now() + make_interval(secs => %(lease)s)
  FROM (SELECT b.id FROM ordered JOIN ingestion_inboundbatch b USING (id)
         WHERE ordered.place <= %(batches)s AND ordered.ahead < %(items)s
           -- once more, of the locked row: since it was chosen another process may have claimed it
           AND b.status = 'waiting' AND (b.lease_until IS NULL OR b.lease_until < now())
           FOR UPDATE OF b SKIP LOCKED) AS chosen
 WHERE batch.id = chosen.id
RETURNING batch.id, batch.source_id, batch.received_at, batch.sent_at, batch.door, batch.lane, batch.is_public_key,
          batch.file_import_id, batch.operation_id, batch.attempts, batch.n_items, batch.raw
"""
MOST_ITEMS = 1_000_000_000


def claim(limit_batches: int, lease_seconds: float, *, limit_items: int = MOST_ITEMS) -> list[Claimed]:
    """Take up to that many waiting batches: withdrawals first, then the oldest of each source in turn; other processes
    pass them over. No further batch is taken once those taken hold `limit_items`.

    The attempt is committed before the work, so that a batch that kills its worker is known by its count. A batch
    whose lease ended (a dead worker's) is taken again. Raises RuntimeError inside a transaction.
    """
    with transaction.atomic(durable=True), binding.cursor() as cursor:
        cursor.execute(_CLAIM, {"lease": lease_seconds, "batches": limit_batches, "items": limit_items})
        rows = cursor.fetchall()
    claimed = (Claimed(*row) for row in rows)
    return sorted(claimed, key=lambda batch: (batch.lane, batch.id))


def release(batch_id: int) -> None:
    """Give a batch back at once, for its next attempt: the work failed, its process lives. One statement."""
    InboundBatch.objects.waiting().filter(pk=batch_id).update(lease_until=None)


def settle(batch_id: int, tally: Tally) -> bool:
    """Account for one batch; see `settle_all`. False: somebody else has settled it, roll back."""
    return batch_id in settle_all({batch_id: tally})


def settle_all(tallies: Mapping[int, Tally]) -> frozenset[int]:
    """Account for batches and empty their raw messages, in the caller's transaction; returns the ids it settled.

    A batch that is missing in the answer was no longer waiting: a late worker whose lease had ended must roll its
    work back, the other one's stands. Raises InternalError when a tally does not sum up to the batch's items (the
    table's own constraint). Sorted by id. One statement.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("settle belongs into the transaction that stores the items")
    rows = [(batch_id, t.stored, t.duplicate, t.quarantined, t.suppressed) for batch_id, t in sorted(tallies.items())]
    columns = [list(column) for column in zip(*rows, strict=True)]
    if not columns:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [columns[0]])
        cursor.execute(_SETTLE, columns)
        return frozenset(row[0] for row in cursor.fetchall())


_LOCK = "SELECT 1 FROM ingestion_inboundbatch WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_SETTLE = """
UPDATE ingestion_inboundbatch AS batch
   SET status = 'digested', raw = NULL, lease_until = NULL, processed_at = clock_timestamp(),
       n_stored = t.stored, n_duplicate = t.duplicate, n_quarantined = t.quarantined, n_suppressed = t.suppressed
  FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[])
       AS t(id, stored, duplicate, quarantined, suppressed)
 WHERE batch.id = t.id AND batch.status = 'waiting'
RETURNING batch.id
"""


def quarantine(items: Iterable[Unusable]) -> int:
    """Keep unusable messages sealed, with their reasons, in the caller's transaction; returns how many. One INSERT."""
    now = timezone.now()
    rows = [
        QuarantinedItem(
            at=now,
            source_id=item.batch.source_id,
            batch_id=item.batch.id,
            position=item.position,
            file_import_id=item.batch.file_import_id,
            reason=item.reason,
            detail=item.detail[:300],
            event=item.event[:100],
            field=item.field[:120],
            payload=hashing.seal(item.payload),
            subject_keys=list(item.subject_keys),
        )
        for item in items
    ]
    QuarantinedItem.objects.bulk_create(rows)
    return len(rows)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the digest: batches by lane group, and how long the oldest of them has waited."""

    live: int
    bulk: int
    oldest_seconds: float


_BACKLOG = """
SELECT count(*) FILTER (WHERE lane < 2), count(*) FILTER (WHERE lane = 2),
       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(received_at)), 0), 0)
  FROM ingestion_inboundbatch WHERE status = 'waiting'
"""


def backlog() -> Backlog:
    """One query over the index of waiting batches."""
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG)
        live, bulk, oldest = cursor.fetchone()
    return Backlog(live=live, bulk=bulk, oldest_seconds=float(oldest))


class _Gate:
    """Whether the cap of waiting live batches is reached; asked by every request, looked up once a second."""

    look_every = 1.0  # seconds

    def __init__(self) -> None:
        self.looked_at = float("-inf")
        self.is_full = False

    def look(self) -> bool:
        now = time.monotonic()
        if now - self.looked_at >= self.look_every:
            cap = settings.TRACKING_MAX_WAITING_BATCHES
            waiting = InboundBatch.objects.waiting().exclude(lane=InboundBatch.Lane.BULK)
            self.is_full = waiting.order_by()[:cap].count() >= cap
            self.looked_at = now
        return self.is_full


_gate = _Gate()


@memory.forgets
def forget_backlog() -> None:
    """The next request looks anew."""
    _gate.looked_at = float("-inf")


def refuse_when_full() -> None:
    """Raises BacklogProblem when as many live batches wait as TRACKING_MAX_WAITING_BATCHES allows; a waiting import
    never makes the event API refuse. At most one query a second in each process."""
    if _gate.look():
        raise BacklogProblem("Too much is waiting to be processed; send this again later.")
