"""From changed records to the profiles that they make up.

Reads the closed neighbourhood, partitions it, and writes only what differs: membership, redirects, owners of keys, the
log of decisions, and everything that hangs on a person (through `core.personal_data`).

Two locks keep this true while several digests write:

- The merge lock. A digest step holds it shared: it inserts rows for profiles that it has looked up. Whoever moves a
  record that others may be writing to holds it exclusively. A step therefore moves only records born in itself; what
  else has to move is deferred (`PendingResolution`) and done in a transaction of its own, since a lock upgrade would
  deadlock two digests.
- Row locks on the live profiles of a neighbourhood, by id. Two steps that extend one profile at the same time by
  different keys wait here, and the later reads again: together they must not join what each alone may.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from django.db import connection, transaction

from cdp_site.core import personal_data
from profiles import golden, signals
from profiles.models import PendingResolution
from profiles.resolution import decision_log, neighbourhood
from profiles.resolution.evidence import KeyId
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import Partition, partition
from profiles.signals import Aspect, Touch

refresh_golden = golden.refresh

_MERGE_LOCK = 0x3E26E
# Records resolved at once when merges are carried out: a second's work under the exclusive lock.
_DEFERRED_AT_ONCE = 2_000


def share_merge_lock() -> None:
    """Keep records from being moved between profiles until the transaction ends. A digest step begins with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_MERGE_LOCK])


def take_merge_lock() -> None:
    """Wait for running digest steps and hold new ones up until the transaction ends: records may be moved."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MERGE_LOCK])


@dataclass(frozen=True, slots=True)
class Change:
    """What a resolution did. `moved`: record → (profile before, profile now); `merged`: profile → the one that it
    redirects to now; `revived`: profiles that are live again."""

    moved: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    merged: Mapping[int, int] = field(default_factory=dict)
    revived: frozenset[int] = frozenset()


def resolve(record_ids: Collection[int], *, by: str, born: Collection[int] = frozenset()) -> Change:
    """Bring the profiles of changed records up to date, in the caller's transaction with the shared merge lock held.

    Args:
        record_ids: records whose names, identifiers, ties or decisions changed.
        born: those of them that this transaction created; only they are moved now.
    """
    return _resolve(record_ids, by=by, born=frozenset(born), is_exclusive=False)


def resolve_exclusively(record_ids: Collection[int], *, by: str, operation_id: UUID | None = None) -> Change:
    """The same under the exclusive merge lock (`take_merge_lock`), which the caller holds: everything moves now."""
    return _resolve(record_ids, by=by, operation_id=operation_id, is_exclusive=True)


def resolve_deferred(*, by: str) -> int:
    """Carry out the merges and splits that digest steps left; returns how many records were looked at.

    Each round is a transaction of its own, so this must not run inside one. One query when nothing is waiting.
    """
    done = 0
    while PendingResolution.objects.exists():
        with transaction.atomic(durable=True):
            take_merge_lock()
            waiting = list(PendingResolution.objects.order_by("pk").values_list("pk", flat=True)[:_DEFERRED_AT_ONCE])
            resolve_exclusively(waiting, by=by)
            PendingResolution.objects.filter(pk__in=waiting).delete()
        done += len(waiting)
    return done


def _resolve(
    record_ids: Collection[int],
    *,
    by: str,
    is_exclusive: bool,
    born: frozenset[int] = frozenset(),
    operation_id: UUID | None = None,
) -> Change:
    if not record_ids:
        return Change()
    around = _read_locked(record_ids, born)
    found = partition(
        [record.evidence for record in around.records.values()],
        [logged.decision for logged in around.decisions],
        overloaded=around.overloaded,
    )
    wanted = {number: around.records[found.anchor_of[number]].birth_profile_id for number in around.records}
    moves = {number: profile for number, profile in wanted.items() if profile != around.records[number].profile_id}
    if not is_exclusive:
        moves = _defer(moves, found, born)
    owner_of = {number: moves.get(number, record.profile_id) for number, record in around.records.items()}
    decisions = decision_log.differences(around, found, owner_of)
    decided = decision_log.append(decisions, actor=by, operation_id=operation_id)
    brought_by = {
        number: decision_id
        for decision_id, decision in zip(decided, decisions, strict=True)
        for number in (decision.record_a, decision.record_b)
    }
    _move(moves, born, brought_by)
    _redirect(moves, around)
    _write_identifiers(around, found, moves)
    _write_keys(found, owner_of)
    touched = {owner_of[number] for number in record_ids if number in owner_of}
    _mark_changed(touched - {around.records[number].birth_profile_id for number in born & around.records.keys()})
    change = _change(moves, around, born)
    golden.refresh(touched | {profile for pair in change.moved.values() for profile in pair})
    if change.moved:
        personal_data.reassign({number: profile for number, (_, profile) in change.moved.items()})
        _tell(change, by=by, operation_id=operation_id)
    return change


_LOCK_PROFILES = "SELECT id, changed_at FROM profiles_profile WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


def _read_locked(record_ids: Collection[int], born: frozenset[int]) -> Neighbourhood:
    """The neighbourhood with its live profiles locked, as it is under the locks: what changed while we waited for
    them is read again. Profiles that this transaction made are nobody else's."""
    locked: dict[int, datetime] = {}
    while True:
        around = neighbourhood.read(record_ids)
        profiles = {
            record.profile_id: record.profile_changed_at
            for number, record in around.records.items()
            if number not in born
        }
        new = sorted(profiles.keys() - locked.keys())
        if new:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT id, changed_at FROM profiles_profile WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                    [new],
                )
                locked.update(cursor.fetchall())
        if all(locked[profile] == changed_at for profile, changed_at in profiles.items() if profile in new):
            return around


def _defer(moves: Mapping[int, int], found: Partition, born: frozenset[int]) -> dict[int, int]:
    """The moves that can be made now: a born record goes to a profile whose anchor is there already. The rest is
    queued for `resolve_deferred`."""
    now = {
        number: profile for number, profile in moves.items() if number in born and found.anchor_of[number] not in moves
    }
    later = sorted(moves.keys() - now.keys())
    PendingResolution.objects.bulk_create([PendingResolution(pk=number) for number in later], ignore_conflicts=True)
    return now


def _change(moves: Mapping[int, int], around: Neighbourhood, born: frozenset[int]) -> Change:
    """What others have to know: records born in this transaction were nowhere before."""
    older = {number: profile for number, profile in moves.items() if number not in born}
    births = {number: around.records[number].birth_profile_id for number in older}
    return Change(
        moved={number: (around.records[number].profile_id, profile) for number, profile in older.items()},
        merged={births[number]: profile for number, profile in older.items() if births[number] != profile},
        revived=frozenset(births[number] for number, profile in older.items() if births[number] == profile),
    )


# --- writing ------------------------------------------------------------------------------------------------------

# A record born in this transaction has no past anywhere else: its membership is set right. Others get a new one.
_MOVE_BORN = """
UPDATE profiles_membership AS m SET profile_id = t.profile_id, decision_id = t.decision_id
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS t(record_id, profile_id, decision_id)
 WHERE m.record_id = t.record_id AND m.valid_to IS NULL
"""
_LEAVE = """
UPDATE profiles_membership SET valid_to = clock_timestamp() WHERE record_id = ANY(%s) AND valid_to IS NULL
"""
_ENTER = """
INSERT INTO profiles_membership (record_id, profile_id, decision_id, valid_from)
SELECT record_id, profile_id, decision_id, clock_timestamp()
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS t(record_id, profile_id, decision_id)
 ORDER BY record_id
"""
_REDIRECT = """
UPDATE profiles_profile AS p
   SET state = CASE WHEN t.target IS NULL THEN 'live' ELSE 'redirected' END, redirect_to_id = t.target,
       changed_at = clock_timestamp()
  FROM unnest(%s::bigint[], %s::bigint[]) AS t(id, target)
 WHERE p.id = t.id AND p.state <> 'erasing'
"""
_OWN_IDENTIFIERS = """
UPDATE profiles_identifier AS i SET profile_id = t.profile_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS t(record_id, profile_id)
 WHERE i.record_id = t.record_id AND i.profile_id <> t.profile_id
"""
_END_IDENTIFIERS = """
UPDATE profiles_identifier AS i SET valid_to = t.valid_to
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
       AS t(record_id, kind, namespace, value, valid_to)
 WHERE (i.record_id, i.kind, i.namespace, i.value) = (t.record_id, t.kind, t.namespace, t.value)
"""
_OWN_KEYS = """
INSERT INTO profiles_identifierkey AS k (kind, namespace, value, profile_id, shared)
SELECT kind, namespace, value, profile_id, profile_id IS NULL
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[]) AS t(kind, namespace, value, profile_id)
 ORDER BY kind, namespace, value
    ON CONFLICT (kind, namespace, value) DO UPDATE SET profile_id = EXCLUDED.profile_id, shared = EXCLUDED.shared
 WHERE k.profile_id IS DISTINCT FROM EXCLUDED.profile_id
"""


def _move(moves: Mapping[int, int], born: frozenset[int], brought_by: Mapping[int, int]) -> None:
    rows = [(number, profile, brought_by.get(number)) for number, profile in sorted(moves.items())]
    fresh = [row for row in rows if row[0] in born]
    older = [row for row in rows if row[0] not in born]
    with connection.cursor() as cursor:
        if fresh:
            cursor.execute(_MOVE_BORN, _columns(fresh))
        if older:
            cursor.execute(_LEAVE, [[row[0] for row in older]])
            cursor.execute(_ENTER, _columns(older))


def _redirect(moves: Mapping[int, int], around: Neighbourhood) -> None:
    """A birth profile is live while its own record is in it, else it redirects to where the record is."""
    births = {number: around.records[number].birth_profile_id for number in moves}
    rows = [(births[number], None if profile == births[number] else profile) for number, profile in moves.items()]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_REDIRECT, _columns(sorted(rows, key=itemgetter(0))))


def _write_identifiers(around: Neighbourhood, found: Partition, moves: Mapping[int, int]) -> None:
    """Owners of the identifiers of moved records, and until when each identifier was its holder's."""
    ended: dict[int, dict[KeyId, datetime]] = {}
    for (number, key), at in found.ended.items():
        ended.setdefault(number, {})[key] = at
    rows: list[tuple[int, str, str, str, datetime | None]] = []
    for number, record in around.records.items():
        now, before = ended.get(number, {}), record.ended
        rows.extend(
            (number, *key, now.get(key)) for key in now.keys() | before.keys() if now.get(key) != before.get(key)
        )
    with connection.cursor() as cursor:
        if moves:
            cursor.execute(_OWN_IDENTIFIERS, _columns(sorted(moves.items())))
        if rows:
            cursor.execute(_END_IDENTIFIERS, _columns(sorted(rows, key=itemgetter(0, 1, 2, 3))))
    ended_at = {moves.get(row[0], around.records[row[0]].profile_id) for row in rows}
    signals.tell_touched(Touch(Aspect.ADDRESSES, ended_at))


def _write_keys(found: Partition, owner_of: Mapping[int, int]) -> None:
    """The one owner of each key, as the profiles are now; None: shared."""
    rows = [(*key, None if anchor is None else owner_of[anchor]) for key, anchor in sorted(found.owner_of.items())]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_OWN_KEYS, _columns(rows))


def _mark_changed(profile_ids: Iterable[int]) -> None:
    """So that a step that waited for these profiles reads again, also when nothing but their evidence changed."""
    ids = sorted(profile_ids)
    if ids:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE profiles_profile SET changed_at = clock_timestamp() WHERE id = ANY(%s)", [ids])


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _tell(change: Change, *, by: str, operation_id: UUID | None) -> None:
    between = frozenset(profile for pair in change.moved.values() for profile in pair)
    signals.tell_touched(Touch(Aspect.PERSON, between, cause="merge" if change.merged else "unmerge"))
    if change.merged:
        signals.profile_merged.send(sender=None, change=change, by=by, operation_id=operation_id)
    if change.revived:
        signals.profile_unmerged.send(sender=None, change=change, by=by, operation_id=operation_id)
