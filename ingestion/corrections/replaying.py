"""Replays: the open messages of a quarantine group, landed again as the rules leave them.

The account stays exact at every commit, since a replayed message *moves*: the batch that brought it counts one item
and one quarantined less, and a new batch, with the old one's clocks and door, one item more, which waits and is
digested like any other. Items and counts move in one transaction, so that a killed job has moved a chunk or has not.
A message keeps its identity: what is there already is a duplicate, whatever is replayed how often.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, hashing, jobs
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import Operation, User
from ingestion import landing, messages, rulebook
from ingestion.corrections import arrivals
from ingestion.landing import Claimed
from ingestion.messages import Rejection
from ingestion.models import InboundBatch, QuarantinedItem, Replay, Source
from ingestion.quarantine import Selection
from ingestion.rulebook import Book

CHUNK: Final = 500  # about 0.2 s of one transaction
LEASE: Final = timedelta(minutes=2)
JOB: Final = "ingestion.corrections.replaying.carry_on"


# --- starting -------------------------------------------------------------------------------------------------------


@transaction.atomic
def start(*, selection: Selection, by: User | str) -> Replay:
    """Take the group's messages through the active rules, in a job. Raises ConflictProblem while another replay of
    the source and reason is under way, or when nothing is there."""
    Source.objects.select_for_update().get(pk=selection.source.pk)
    if Replay.objects.of_source(selection.source).of_reason(selection.reason).unfinished().exists():
        raise ConflictProblem(_("These messages are being replayed already."))
    newest = selection.items.newest_first().values_list("pk", flat=True).first()
    if newest is None:
        raise ConflictProblem(_("Nothing is held back here any more."))
    operation = Operation.objects.create(kind=Operation.Kind.RULE, actor=audit.actor_name(by))
    replay = Replay.objects.create(
        id=operation.pk,
        source=selection.source,
        reason=selection.reason,
        narrowed=selection.narrowed,
        last=newest,
        n_total=selection.items.count(),
        created_by=by if isinstance(by, User) else None,
    )
    audit.record(action="quarantine.replay", target=replay, by=by, fields=["status"])
    jobs.enqueue(JOB, replay.pk)
    return replay


# --- the job --------------------------------------------------------------------------------------------------------


def carry_on(replay_id: UUID | str) -> None:
    """The job: go on with a replay until it is done. One that another job holds is left alone."""
    if not take(replay_id, Replay.Status.RUNNING):
        return
    book = rulebook.refresh()
    while _replay_chunk(replay_id, book):
        pass


def take(replay_id: UUID | str, status: Replay.Status) -> bool:
    """Hold a replay in that state for LEASE; False when another job does, or it is in another state by now."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    held = Replay.objects.filter(free, pk=replay_id, status=status)
    return bool(held.update(lease_until=timezone.now() + LEASE))


@transaction.atomic
def _replay_chunk(replay_id: UUID | str, book: Book) -> bool:
    """Look at the next messages and land those that can be used now; whether there are more."""
    replay = Replay.objects.select_for_update().get(pk=replay_id)
    if replay.status != Replay.Status.RUNNING:
        return False
    selection = Selection(replay.source, replay.reason, **replay.narrowed)
    items = selection.items.newer_than(replay.cursor).up_to(replay.last)
    chunk = list(items.order_by("pk").select_for_update(of=("self",))[:CHUNK])
    if chunk:
        moved = _move_out(replay, _usable(chunk, book))
        replay.cursor = chunk[-1].pk
        replay.n_replayed += moved
        replay.n_kept += len(chunk) - moved
        replay.lease_until = timezone.now() + LEASE
    else:
        replay.status = Replay.Status.FINISHED
        replay.lease_until = None
    replay.save(update_fields=["cursor", "n_replayed", "n_kept", "lease_until", "status"])
    return bool(chunk)


def _usable(chunk: Sequence[QuarantinedItem], book: Book) -> dict[int, list[tuple[QuarantinedItem, bytes]]]:
    """Batch id → its messages that can be used now, as they are to be landed. The others learn what holds them back
    by today's rules."""
    batches = batches_of(chunk)
    usable: dict[int, list[tuple[QuarantinedItem, bytes]]] = defaultdict(list)
    kept = []
    for item in chunk:
        batch = batches.get(item.batch_id)
        if batch is None or item.payload is None:
            continue
        verdict = arrivals.fate(batch, hashing.unseal(bytes(item.payload)), item.position, book=book)
        if not isinstance(verdict, Rejection):
            usable[item.batch_id].append((item, _identified(verdict, item)))
        elif (verdict.reason, verdict.detail) != (item.reason, item.detail):
            item.reason, item.detail = verdict.reason, verdict.detail[:300]
            item.field = messages.field_of(verdict.detail)
            kept.append(item)
    QuarantinedItem.objects.bulk_update(kept, ["reason", "detail", "field"])
    return usable


def batches_of(items: Iterable[QuarantinedItem]) -> dict[int, Claimed]:
    """The batches that brought these items, as the digest had them, without their messages. One query."""
    rows = InboundBatch.objects.filter(pk__in={item.batch_id for item in items}).defer("raw")
    return {
        row.pk: Claimed(
            id=row.pk,
            source_id=row.source_id,
            received_at=row.received_at,
            sent_at=row.sent_at,
            door=row.door,
            lane=row.lane,
            is_public_key=row.is_public_key,
            file_import_id=row.file_import_id,
            operation_id=row.operation_id,
            attempts=row.attempts,
            n_items=row.n_items,
            raw=b"",
        )
        for row in rows
    }


def uuid_of(item: QuarantinedItem, raw: bytes) -> UUID:
    """The id under which a message is stored; rules never change it."""
    said = (arrivals.decoded(raw) or {}).get("messageId")
    return landing.message_uuid(item.source_id, said if isinstance(said, str) and said else message_id_of(item))


def _identified(raw: bytes, item: QuarantinedItem) -> bytes:
    """The message with an id: one that came without is known by its place, in words that no sender can guess."""
    message = arrivals.decoded(raw)
    if message is None or message.get("messageId"):
        return raw
    return msgspec.json.encode(message | {"messageId": message_id_of(item)})


def message_id_of(item: QuarantinedItem) -> str:
    """Stands for the messageId of an item that came without one, the same in every replay."""
    place = f"{item.batch_id}:{item.position}"
    return f"replay:{hashing.keyed(place, purpose='replay', key_id=hashing.key_ids()[0]).hex()}"


def _move_out(replay: Replay, usable: Mapping[int, Sequence[tuple[QuarantinedItem, bytes]]]) -> int:
    """Land messages again, with their counts; returns how many. Batches are locked in the order of their ids."""
    moved = []
    ids = {item.pk: uuid_of(item, raw) for found in usable.values() for item, raw in found}
    seen = landing.seen(ids.values())
    locked = InboundBatch.objects.filter(pk__in=usable).order_by("pk").defer("raw").select_for_update()
    for batch in locked:
        found = usable[batch.pk]
        n = len(found)
        left = InboundBatch.objects.filter(pk=batch.pk, status=InboundBatch.Status.DIGESTED, n_quarantined__gte=n)
        if not left.update(n_items=F("n_items") - n, n_quarantined=F("n_quarantined") - n):
            raise InternalError(f"batch {batch.pk} does not account for {n} messages of its own in quarantine")
        again = landing.land(
            source=batch.source_id,
            messages_raw=b"[" + b",".join(raw for _item, raw in found) + b"]",
            n_items=n,
            door=batch.door,
            is_history=True,
            received_at=batch.received_at,
            sent_at=batch.sent_at,
            is_public_key=batch.is_public_key,
            file_import=batch.file_import,
            operation_id=replay.pk,
        )
        for item, _raw in found:
            item.status = QuarantinedItem.Status.REPLAYED
            item.replay = replay
            item.replayed_as = again.pk
            item.was_seen = ids[item.pk] in seen
            moved.append(item)
    QuarantinedItem.objects.bulk_update(moved, ["status", "replay", "replayed_as", "was_seen"])
    return len(moved)
