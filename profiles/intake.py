"""From statements of a batch to source records: who is meant, what is new about them, by which identifiers.

Everything is set-based: a step of 2,000 messages costs about a dozen statements, whatever it brings.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from cdp_site.core.ids import uuid7
from cdp_site.core.memory import Memory
from ingestion.normalise.sensitive_names import is_sensitive_name
from profiles import identifiers, name_index, signals
from profiles.matching import online
from profiles.models import SourceRecord, Trait, TraitGroup
from profiles.resolution import pipeline
from profiles.signals import Aspect, Touch
from profiles.statements import Owner, RecordKey, StatedIdentifier, Statement

# Hashed buckets of keys that a step may create or claim: two steps that meet the same new person wait here, so that
# no twins are born. 1,024 locks at most, far below what shared memory holds (measured: 12,000 exhaust it).
_BUCKETS = 1024
_BUCKET_LOCK = 0x1DE7

NAME_TRAITS = frozenset({"name", "first_name", "last_name", "display_name", "nickname", "title"})


@dataclass(slots=True)
class Existing:
    """Source records that a batch speaks of, as they are before it. `erasing`: their person is being erased."""

    owners: dict[RecordKey, Owner] = field(default_factory=dict)
    erasing: set[RecordKey] = field(default_factory=set)


_FIND = """
SELECT r.source_id, r.kind, r.external_id, r.id, m.profile_id, p.state
  FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS k(source_id, kind, external_id)
  JOIN profiles_sourcerecord r USING (source_id, kind, external_id)
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id
"""


def find(keys: Collection[RecordKey]) -> Existing:
    """Which of the keys have records, and whose they are now. One query."""
    existing = Existing()
    if not keys:
        return existing
    columns = [list(column) for column in zip(*sorted(keys), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_FIND, columns)
        for source_id, kind, external_id, record_id, profile_id, state in cursor.fetchall():
            key = RecordKey(source_id, kind, external_id)
            existing.owners[key] = Owner(record_id, profile_id)
            if state == "erasing":
                existing.erasing.add(key)
    return existing


def take(statements: Sequence[Statement], existing: Existing, *, by: str) -> dict[RecordKey, Owner]:
    """Create and patch records, state identifiers, resolve who is who; returns the owner of every statement's record.

    Runs inside the digest's transaction with the shared merge lock held. Nothing depends on the order of statements.
    """
    owners = {key: existing.owners[key] for key in {s.key for s in statements} if key in existing.owners}
    unknown = {s.key for s in statements} - owners.keys()
    speaking = [s for s in statements if s.traits is not None or s.identifiers or s.key in unknown]
    if not speaking:
        return owners
    _lock_keys(unknown, speaking)
    created: dict[RecordKey, Owner] = {}
    if unknown:
        owners.update(find(unknown).owners)
        created = _create(unknown - owners.keys(), statements)
        owners.update(created)
    born = {owner.record_id for owner in created.values()}
    renamed, patched = _patch([s for s in speaking if s.traits is not None], owners)
    claimed = identifiers.state(speaking, owners, born=created.keys())
    name_index.index_names(renamed)
    changed = born | set(renamed) | claimed
    changed |= online.match(changed | patched, born=born, by=by)
    if changed:
        pipeline.resolve(changed, by=by, born=born)
        owners.update(find(owners.keys()).owners)
    # Resolution has refreshed what it touched.
    elsewhere = patched - changed
    pipeline.refresh_golden({owner.profile_id for owner in owners.values() if owner.record_id in elsewhere})
    signals.tell_touched(
        Touch(Aspect.PERSON, {owners[key].profile_id for key in created if key.kind != SourceRecord.Kind.ANONYMOUS}),
        Touch(Aspect.ADDRESSES, {owners[one.key].profile_id for one in speaking if one.identifiers}),
    )
    return owners


def _lock_keys(unknown: Iterable[RecordKey], speaking: Iterable[Statement]) -> None:
    stated = [one for s in speaking for one in (*s.identifiers, *((s.own,) if s.own else ()))]
    _lock({f"record\0{key.source_id}\0{key.kind}\0{key.external_id}" for key in unknown} | _names(stated))


def lock_identifiers(stated: Iterable[StatedIdentifier]) -> None:
    """For who writes to a customer's rows before `take`: a digest step locks the keys that it reads first and then
    waits for the rows, so that whoever holds the rows must not wait for the keys any more."""
    _lock(_names(stated))


def _names(stated: Iterable[StatedIdentifier]) -> set[str]:
    return {f"{i.kind}\0{i.namespace}\0{i.value}" for i in stated if i.is_evidence}


def _lock(named: set[str]) -> None:
    """Advisory locks on their buckets, ascending, until the transaction ends."""
    hashes = (hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest() for name in named)
    buckets = sorted({int.from_bytes(hashed) % _BUCKETS for hashed in hashes})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, bucket) FROM (SELECT unnest(%s::int[]) AS bucket ORDER BY 1 OFFSET 0) b",
            [_BUCKET_LOCK, buckets],
        )


# --- records ------------------------------------------------------------------------------------------------------

_CREATE = """
WITH born AS (
    SELECT row_number() OVER (ORDER BY source_id, kind, external_id) AS n, t.*
      FROM json_to_recordset(%s::json) AS t(
           source_id bigint, kind text, external_id text, public_id uuid, first_at timestamptz, last_at timestamptz,
           received_at timestamptz, operation_id uuid, content_hash text)
), profile AS (
    INSERT INTO profiles_profile (public_id, kind, state, golden, sort_name, created_at, changed_at)
    SELECT public_id, CASE kind WHEN 'anonymous' THEN 'anonymous' ELSE 'identified' END, 'live', '{}', '', now(), now()
      FROM born ORDER BY n
    RETURNING id, public_id
), record AS (
    INSERT INTO profiles_sourcerecord (source_id, kind, external_id, birth_profile_id, attributes, attribute_times,
                                       content_hash, first_seen_at, last_seen_at, received_at, operation_id)
    SELECT source_id, kind, external_id, profile.id, '{}', '{}', decode(content_hash, 'hex'), first_at, last_at,
           received_at, operation_id
      FROM born JOIN profile USING (public_id) ORDER BY n
    RETURNING id, source_id, kind, external_id, birth_profile_id, received_at
), member AS (
    INSERT INTO profiles_membership (record_id, profile_id, valid_from)
    SELECT id, birth_profile_id, received_at FROM record ORDER BY id
)
SELECT source_id, kind, external_id, id, birth_profile_id FROM record
"""


def _create(keys: Collection[RecordKey], statements: Iterable[Statement]) -> dict[RecordKey, Owner]:
    """Bear records, each with its own profile. One statement."""
    if not keys:
        return {}
    by_key: dict[RecordKey, list[Statement]] = defaultdict(list)
    for statement in statements:
        if statement.key in keys:
            by_key[statement.key].append(statement)
    empty = content_hash({}).hex()
    rows = [
        {
            "source_id": key.source_id,
            "kind": key.kind,
            "external_id": key.external_id,
            "public_id": uuid7(),
            "first_at": min(s.occurred_at for s in said),
            "last_at": max(s.occurred_at for s in said),
            "received_at": min(s.received_at for s in said),
            "operation_id": said[0].operation_id,
            "content_hash": empty,
        }
        for key, said in sorted(by_key.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CREATE, [msgspec.json.encode(rows).decode()])
        return {
            RecordKey(source_id, kind, external_id): Owner(record_id, profile_id)
            for source_id, kind, external_id, record_id, profile_id in cursor.fetchall()
        }


def content_hash(attributes: Mapping[str, Any]) -> bytes:
    """16 bytes over the attributes in a fixed order."""
    return hashlib.blake2b(msgspec.json.encode(attributes, order="deterministic"), digest_size=16).digest()


@dataclass(slots=True)
class _Patch:
    """A record's attributes on their way from before to after."""

    attributes: dict[str, Any]
    times: dict[str, str]
    hash_before: bytes
    first_at: datetime
    last_at: datetime
    latest: Statement
    touched_names: bool = False

    def apply(self, statement: Statement, attributes: Mapping[str, Any]) -> None:
        """Per trait the newer statement wins, at equal times the greater value: any order ends the same."""
        at = statement.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
        for trait, value in attributes.items():
            known_at = self.times.get(trait)
            if known_at is not None and (
                known_at > at or (known_at == at and _rank(self.attributes.get(trait)) >= _rank(value))
            ):
                continue
            if value is None:
                self.attributes.pop(trait, None)
            else:
                self.attributes[trait] = value
            self.times[trait] = at
            self.touched_names |= trait in NAME_TRAITS
        self.first_at = min(self.first_at, statement.occurred_at)
        if statement.occurred_at >= self.last_at:
            self.last_at, self.latest = statement.occurred_at, statement


def _rank(value: Any) -> bytes:
    """An order of values for ties: cleared is least."""
    return b"" if value is None else msgspec.json.encode(value, order="deterministic")


_READ_FOR_PATCH = """
SELECT id, attributes::text, attribute_times::text, content_hash, first_seen_at, last_seen_at
  FROM profiles_sourcerecord WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
_WRITE_PATCHES = """
UPDATE profiles_sourcerecord AS r
   SET attributes = t.attributes, attribute_times = t.attribute_times, content_hash = decode(t.content_hash, 'hex'),
       first_seen_at = t.first_at, last_seen_at = t.last_at
  FROM json_to_recordset(%s::json) AS t(
       id bigint, attributes jsonb, attribute_times jsonb, content_hash text, first_at timestamptz, last_at timestamptz)
 WHERE r.id = t.id
"""
_WRITE_VERSIONS = """
INSERT INTO profiles_sourcerecordversion (record_id, attributes, content_hash, occurred_at, received_at, operation_id)
SELECT id, attributes, decode(content_hash, 'hex'), occurred_at, received_at, operation_id
  FROM json_to_recordset(%s::json) AS t(
       id bigint, attributes jsonb, content_hash text, occurred_at timestamptz, received_at timestamptz,
       operation_id uuid, changed boolean)
 WHERE changed
 ORDER BY id
"""


def _patch(
    statements: Sequence[Statement], owners: Mapping[RecordKey, Owner]
) -> tuple[dict[int, dict[str, Any]], set[int]]:
    """Patch attributes per trait and keep a version of what changed.

    Returns the records whose names changed with their attributes, and all records whose content changed.
    Three statements.
    """
    if not statements:
        return {}, set()
    by_record: dict[int, list[Statement]] = defaultdict(list)
    for statement in statements:
        by_record[owners[statement.key].record_id].append(statement)
    patches: dict[int, _Patch] = {}
    with connection.cursor() as cursor:
        cursor.execute(_READ_FOR_PATCH, [sorted(by_record)])
        for record_id, attributes, times, hashed, first_at, last_at in cursor.fetchall():
            said = by_record[record_id]
            patch = _Patch(
                msgspec.json.decode(attributes), msgspec.json.decode(times), bytes(hashed), first_at, last_at, said[0]
            )
            for statement in said:
                if statement.traits is not None:
                    patch.apply(statement, statement.traits.attributes)
            patches[record_id] = patch
        rows = [_patch_row(record_id, patch) for record_id, patch in patches.items()]
        cursor.execute(_WRITE_PATCHES, [msgspec.json.encode(rows).decode()])
        cursor.execute(_WRITE_VERSIONS, [msgspec.json.encode(rows).decode()])
    _discover_traits({trait for patch in patches.values() for trait in patch.attributes}, patches.values())
    changed = {row["id"] for row in rows if row["changed"]}
    renamed = {rid: patch.attributes for rid, patch in patches.items() if rid in changed and patch.touched_names}
    return renamed, changed


def _patch_row(record_id: int, patch: _Patch) -> dict[str, Any]:
    hashed = content_hash(patch.attributes)
    return {
        "id": record_id,
        "attributes": patch.attributes,
        "attribute_times": patch.times,
        "content_hash": hashed.hex(),
        "first_at": patch.first_at,
        "last_at": patch.last_at,
        "occurred_at": patch.latest.occurred_at,
        "received_at": patch.latest.received_at,
        "operation_id": patch.latest.operation_id,
        "changed": hashed != patch.hash_before,
    }


_known_traits: Memory[str, None] = Memory()
OTHER_TRAITS = "other"


def _discover_traits(names: set[str], patches: Iterable[_Patch]) -> None:
    """A trait that no list names yet goes into the group "other", with the type of its first value; what sounds
    sensitive goes where nobody sees it until somebody has looked."""
    if names <= _known_traits.keys():
        return
    _known_traits.remember(dict.fromkeys(names))
    unknown = names - set(Trait.objects.filter(name__in=names).values_list("name", flat=True))
    if not unknown:
        return
    samples: dict[str, Any] = {}
    for patch in patches:
        samples.update({trait: value for trait, value in patch.attributes.items() if trait in unknown})
    other = TraitGroup.objects.get(slug=OTHER_TRAITS)
    hidden = TraitGroup.objects.filter(is_sensitive=True).first() or other
    Trait.objects.bulk_create(
        [
            Trait(name=name, group=hidden if is_sensitive_name(name) else other, data_type=_data_type(samples[name]))
            for name in sorted(unknown)
        ],
        ignore_conflicts=True,
    )


def _data_type(value: Any) -> str:
    if isinstance(value, bool):
        return Trait.DataType.BOOLEAN
    if isinstance(value, int | float):
        return Trait.DataType.NUMBER
    return Trait.DataType.LIST if isinstance(value, list) else Trait.DataType.TEXT
