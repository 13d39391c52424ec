"""Undoing a replay: what it brought is taken out of the profiles, and its messages return to quarantine.

As with the replay itself, items and counts move in one transaction: a batch that the replay landed gives all its items
back to the batch that had brought them, as quarantined. So the account is exact at every commit, wherever a killed
job stopped, and the next job goes on from there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, hashing, jobs
from cdp_site.core.errors import ConflictProblem, InternalError, Text
from cdp_site.core.models import User
from ingestion import landing, wording
from ingestion.corrections import replaying
from ingestion.models import InboundBatch, QuarantinedItem, Replay

RECENT: Final = 10
CHUNK: Final = 200  # batches
UNDOABLE: Final = timedelta(days=30)  # then what the messages said goes, and with it the way back
JOB: Final = "ingestion.corrections.undoing.carry_on"
ACTOR: Final = "system:replay"

Revert = Callable[[UUID, User | str], None]
_reverts: list[Revert] = []


def lend_reverting(revert: Revert) -> None:
    """Called once by the app that keeps profiles: takes out what an operation brought; may be called again."""
    if _reverts:
        raise InternalError("reverting is lent twice")
    _reverts.append(revert)


@dataclass(frozen=True, slots=True)
class Line:
    """A replay in a list; `done` of its messages have been looked at."""

    replay: Replay
    key: str
    reason: Text
    is_undoable: bool
    done: int


@dataclass(frozen=True, slots=True)
class Replays:
    lines: tuple[Line, ...]
    are_under_way: bool


def recent(*, by: User) -> Replays:
    """The last replays of sources that the user may see. One query."""
    found = list(Replay.objects.visible_to(by).with_people().newest_first()[:RECENT])
    lines = [
        Line(
            replay=replay,
            key=str(replay.pk),
            reason=wording.reason(replay.reason),
            is_undoable=_is_undoable(replay),
            done=replay.n_replayed + replay.n_kept,
        )
        for replay in found
    ]
    under_way = (Replay.Status.RUNNING, Replay.Status.UNDOING)
    return Replays(tuple(lines), any(replay.status in under_way for replay in found))


def _is_undoable(replay: Replay) -> bool:
    is_recent = replay.created_at > timezone.now() - UNDOABLE
    return replay.status == Replay.Status.FINISHED and replay.n_replayed > 0 and is_recent


@transaction.atomic
def start(*, replay: Replay, by: User | str) -> None:
    """Begin to undo a finished replay, in a job. Raises ConflictProblem when it is not finished, too long ago, or when
    a later replay has taken up what this one could not store."""
    held = Replay.objects.select_for_update().get(pk=replay.pk)
    if held.status != Replay.Status.FINISHED:
        raise ConflictProblem(_("Only a finished replay can be undone."))
    if not _is_undoable(held):
        raise ConflictProblem(_("There is nothing to undo, or it was too long ago."))
    if QuarantinedItem.objects.replayed_again(held).exists():
        raise ConflictProblem(_("A later replay has taken up messages of this one. Undo the later one first."))
    held.status = Replay.Status.UNDOING
    held.lease_until = None
    held.undone_by = by if isinstance(by, User) else None
    held.save(update_fields=["status", "lease_until", "undone_by"])
    audit.record(action="quarantine.undo_replay", target=held, by=by, fields=["status"])
    jobs.enqueue(JOB, held.pk)


def carry_on(replay_id: UUID | str) -> None:
    """The job: go on with the undoing until it is done. One that another job holds is left alone."""
    if not replaying.take(replay_id, Replay.Status.UNDOING):
        return
    replay = Replay.objects.with_people().get(pk=replay_id)
    # What still waits is taken back before a digest stores it; what a digest stores meanwhile is reverted.
    while _take_back(replay, InboundBatch.Status.WAITING):
        pass
    for revert in _reverts:
        revert(replay.pk, replay.undone_by or ACTOR)
    while _take_back(replay, InboundBatch.Status.DIGESTED):
        pass
    _finish(replay)


@transaction.atomic
def _take_back(replay: Replay, status: InboundBatch.Status) -> bool:
    """Return the messages of some batches of that status to quarantine; whether there were any.

    A digest that holds a waiting batch finds it settled and rolls its work back (`landing.settle_all`)."""
    Replay.objects.select_for_update().get(pk=replay.pk)
    items = QuarantinedItem.objects.of_replay(replay).replayed()
    landed = InboundBatch.objects.filter(pk__in=items.values("replayed_as"), status=status)
    found = list(landed.order_by("pk").defer("raw").select_for_update()[:CHUNK])
    if not found:
        return False
    origins = dict(items.filter(replayed_as__in=[batch.pk for batch in found]).values_list("replayed_as", "batch_id"))
    for batch in found:
        n = batch.n_items
        back = InboundBatch.objects.filter(pk=origins[batch.pk], status=InboundBatch.Status.DIGESTED)
        if not back.update(n_items=F("n_items") + n, n_quarantined=F("n_quarantined") + n):
            raise InternalError(f"batch {origins[batch.pk]}, of which messages were replayed, is gone")
    keys = [batch.pk for batch in found]
    # What the replay brought into quarantine in its turn are copies of these messages.
    QuarantinedItem.objects.filter(batch_id__in=keys).delete()
    InboundBatch.objects.filter(pk__in=keys).take_back()
    if status == InboundBatch.Status.DIGESTED:
        _forget(items.filter(replayed_as__in=keys, was_seen=False))
    items.filter(replayed_as__in=keys).reopen()
    return True


def _forget(items: Iterable[QuarantinedItem]) -> None:
    """Their tombstones go, unless another arrival had left them: what was taken out of the profiles may come again."""
    landing.forget(
        replaying.uuid_of(item, hashing.unseal(bytes(item.payload))) for item in items if item.payload is not None
    )


@transaction.atomic
def _finish(replay: Replay) -> None:
    held = Replay.objects.select_for_update().get(pk=replay.pk)
    held.status = Replay.Status.UNDONE
    held.undone_at = timezone.now()
    held.lease_until = None
    held.save(update_fields=["status", "undone_at", "lease_until"])


# --- chores ---------------------------------------------------------------------------------------------------------


def resume_abandoned() -> None:
    """Take up replays and undoings whose job died."""
    for replay in Replay.objects.abandoned():
        jobs.enqueue(JOB if replay.status == Replay.Status.UNDOING else replaying.JOB, replay.pk)


def close_old() -> int:
    """What messages said goes when their replay cannot be undone any more; returns how many."""
    closed = 0
    for replay in Replay.objects.finished_before(timezone.now() - UNDOABLE).with_messages():
        closed += QuarantinedItem.objects.of_replay(replay).replayed().close()
    return closed
