"""What each import has said about a record, so that one can be taken back without what the others said.

A record needs no shares while all that it holds is from the operation that created it (or from nobody's): most imports
meet people who are new or known by nothing else. As soon as a second one speaks about a record, each has its share:
its own patches, applied as if nobody else had spoken. The record stays what it is, the patch of everything.

Here, too, it is told whether a row of a file says anything new. A row is no act of the person: one that says what the
record holds already is a duplicate and leaves no trace, not even in the times by which sources are weighed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from ingestion.models import InboundBatch
from profiles.intake import Existing
from profiles.reading import Draft
from profiles.statements import Owner, RecordKey, StatedIdentifier, Statement

KeyId = tuple[str, str, str]  # kind, namespace, value
Attributes = dict[str, Any]
Times = dict[str, str]


class Held(msgspec.Struct):
    """An identifier as one operation stated it."""

    kind: str
    namespace: str
    value: str
    raw: str
    is_evidence: bool
    problem: str
    first_at: datetime
    last_at: datetime

    @property
    def key(self) -> KeyId:
        return (self.kind, self.namespace, self.value)

    def also(self, other: "Held") -> "Held":
        """The same identifier, stated twice."""
        better = other if other.is_evidence and not self.is_evidence else self
        return msgspec.structs.replace(
            better, first_at=min(self.first_at, other.first_at), last_at=max(self.last_at, other.last_at)
        )


@dataclass(slots=True)
class Share:
    """What one operation says about a record. A trait with a time and no attribute was cleared."""

    attributes: Attributes = field(default_factory=dict)
    times: Times = field(default_factory=dict)
    identifiers: dict[KeyId, Held] = field(default_factory=dict)
    first_at: datetime | None = None
    last_at: datetime | None = None
    id: int = 0

    def take(self, statement: Statement, *, is_undated: bool, is_birth: bool) -> None:
        at = statement.occurred_at
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = at if self.last_at is None else max(self.last_at, at)
        if statement.traits is not None:
            patch(self.attributes, self.times, statement.traits.attributes, at=iso(at), is_undated=is_undated)
        own = (statement.own,) if statement.own is not None and is_birth else ()
        for stated in (*statement.identifiers, *own):
            held = Held(**stated._asdict(), first_at=at, last_at=at)
            known = self.identifiers.get(held.key)
            self.identifiers[held.key] = held if known is None else known.also(held)


Shares = dict[UUID | None, Share]  # in the order in which they first spoke


def iso(at: datetime) -> str:
    """The form in which times of attributes are kept: comparable as texts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def patch(attributes: Attributes, times: Times, said: Mapping[str, Any], *, at: str, is_undated: bool = False) -> bool:
    """Patch per trait: the newer statement wins, at equal times the greater value. True when anything changed.

    `is_undated`: a row of a file without a time of its own; a value that it repeats stays as old as it is.
    """
    changed = False
    for trait, value in said.items():
        known_at, known = times.get(trait), attributes.get(trait)
        if known == value and (is_undated or known_at == at) and known_at is not None:
            continue
        if known_at is not None and (known_at > at or (known_at == at and _rank(known) >= _rank(value))):
            changed |= known != value  # not what holds, and not what was said before either
            continue
        if value is None:
            attributes.pop(trait, None)
        else:
            attributes[trait] = value
        times[trait] = at
        changed = True
    return changed


def _rank(value: Any) -> bytes:
    return b"" if value is None else msgspec.json.encode(value, order="deterministic")


# --- what a step brings -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Record:
    """A record as it is before the step."""

    operation_id: UUID | None
    attributes: Attributes
    times: Times
    first_at: datetime | None
    last_at: datetime | None
    has_shares: bool = False
    identifiers: dict[KeyId, Held] = field(default_factory=dict)


@dataclass(slots=True)
class Step:
    """The drafts of one digest step. `statements`: what they say, without what imports repeat; `repeated`: messages of
    imports that say nothing new of a person."""

    drafts: Sequence[Draft]
    records: dict[RecordKey, _Record]
    born: set[RecordKey]
    statements: list[Statement] = field(default_factory=list)
    repeated: set[UUID] = field(default_factory=set)

    def keep(self, owners: Mapping[RecordKey, Owner]) -> None:
        """Write the shares of records about which more than one has spoken. Three statements, none in most steps."""
        speaking: dict[RecordKey, list[Draft]] = {}
        for draft in self.drafts:
            if _speaks(draft):
                speaking.setdefault(draft.statement.key, []).append(draft)
        mixed = {
            key: said
            for key, said in speaking.items()
            if key in self.records and (self.records[key].has_shares or self._is_mixed(key, said))
        }
        if not mixed:
            return
        shares = of_records([owners[key].record_id for key in mixed])
        for key, said in mixed.items():
            held = shares.setdefault(owners[key].record_id, {})
            record = self.records[key]
            if not held:
                held[record.operation_id] = Share(
                    record.attributes, record.times, record.identifiers, record.first_at, record.last_at
                )
            for draft in said:
                share = held.setdefault(draft.statement.operation_id, Share())
                share.take(draft.statement, is_undated=_is_undated(draft), is_birth=key in self.born)
        store({number: shares[number] for number in (owners[key].record_id for key in mixed)})

    def _is_mixed(self, key: RecordKey, said: Iterable[Draft]) -> bool:
        creator = self.records[key].operation_id
        return any(draft.statement.operation_id != creator for draft in said)


def _speaks(draft: Draft) -> bool:
    said = draft.statement
    return said.traits is not None or (said.operation_id is not None and bool(said.identifiers or draft.consents))


def _is_row(draft: Draft) -> bool:
    return draft.batch.door == InboundBatch.Door.FILE


def _is_undated(draft: Draft) -> bool:
    return _is_row(draft) and draft.item.message.timestamp is None


def look(drafts: Sequence[Draft], existing: Existing) -> Step:
    """How these drafts stand to what the records hold, before any of them is written. At most two queries; one when
    nothing of the step, and no record that it speaks of, came by an import."""
    keys = {draft.statement.key for draft in drafts}
    imports = {draft.statement.key for draft in drafts if _is_row(draft) or draft.statement.operation_id is not None}
    wanted = {existing.owners[key].record_id: key for key in keys if key in existing.owners}
    records = _read({number: key in imports for number, key in wanted.items()})
    by_key = {wanted[number]: record for number, record in records.items()}
    born = keys - existing.owners.keys()
    for draft in drafts:
        key = draft.statement.key
        if key in born and key not in by_key:  # whoever speaks first has created it
            by_key[key] = _Record(draft.statement.operation_id, {}, {}, None, None)
    step = Step(drafts, by_key, born)
    _News(by_key, existing.owners.keys()).tell(step)
    return step


@dataclass(slots=True)
class _News:
    """Tells, message after message, what is new in it."""

    records: Mapping[RecordKey, _Record]
    existing: Collection[RecordKey]
    now: dict[RecordKey, tuple[Attributes, Times, set[KeyId]]] = field(default_factory=dict)

    def tell(self, step: Step) -> None:
        there = set(self.existing)
        for draft in step.drafts:
            statement, key = draft.statement, draft.statement.key
            if not _is_row(draft):
                self._follow(statement)
                step.statements.append(statement)
            else:
                said, is_news = self._news(statement, is_undated=_is_undated(draft))
                step.statements.append(said)
                if not is_news and key in there and draft.event is None:
                    step.repeated.add(draft.item.id)
            there.add(key)

    def _state(self, key: RecordKey) -> tuple[Attributes, Times, set[KeyId]]:
        if key not in self.now:
            record = self.records[key]
            self.now[key] = (dict(record.attributes), dict(record.times), set(record.identifiers))
        return self.now[key]

    def _follow(self, statement: Statement) -> None:
        """What others say in the same step counts for the rows behind it."""
        if statement.traits is not None and statement.key in self.records:
            attributes, times, held = self._state(statement.key)
            patch(attributes, times, statement.traits.attributes, at=iso(statement.occurred_at))
            held.update(_key(one) for one in statement.identifiers)

    def _news(self, statement: Statement, *, is_undated: bool) -> tuple[Statement, bool]:
        """The statement without the values that it repeats, and whether anything of it is new."""
        attributes, times, held = self._state(statement.key)
        is_news = any(_key(one) not in held for one in statement.identifiers)
        traits = statement.traits
        if traits is not None:
            said = traits.attributes
            if is_undated:
                said = {name: one for name, one in said.items() if name not in times or attributes.get(name) != one}
            is_news |= patch(attributes, times, said, at=iso(statement.occurred_at))
            traits = replace(traits, attributes=said)
        if not is_news:
            return replace(statement, traits=None, identifiers=()), False
        held.update(_key(one) for one in statement.identifiers)
        return replace(statement, traits=traits), True


def _key(stated: StatedIdentifier) -> KeyId:
    return (stated.kind, stated.namespace, stated.value)


_READ = """
SELECT r.id, r.operation_id, r.attributes::text, r.attribute_times::text, r.first_seen_at, r.last_seen_at,
       EXISTS (SELECT FROM profiles_recordshare s WHERE s.record_id = r.id)
  FROM unnest(%s::bigint[], %s::boolean[]) AS wanted(id, is_import)
  JOIN profiles_sourcerecord r USING (id)
 WHERE wanted.is_import OR r.operation_id IS NOT NULL
       OR EXISTS (SELECT FROM profiles_recordshare s WHERE s.record_id = r.id)
"""
_READ_IDENTIFIERS = """
SELECT i.record_id, i.kind, i.namespace, i.value, i.raw, i.is_evidence, i.problem, i.valid_from,
       i.last_stated_at
  FROM unnest(%s::bigint[]) AS wanted(id) JOIN profiles_identifier i ON i.record_id = wanted.id
"""


def _read(wanted: Mapping[int, bool]) -> dict[int, _Record]:
    """Records (id → whether an import speaks of it now) of which an import has said something, or does now."""
    records: dict[int, _Record] = {}
    if not wanted:
        return records
    with connection.cursor() as cursor:
        cursor.execute(_READ, [list(wanted), list(wanted.values())])
        for number, operation_id, attributes, times, first_at, last_at, has_shares in cursor.fetchall():
            records[number] = _Record(
                operation_id,
                msgspec.json.decode(attributes),
                msgspec.json.decode(times),
                first_at,
                last_at,
                has_shares,
            )
        if records:
            cursor.execute(_READ_IDENTIFIERS, [list(records)])
            for number, *stated in cursor.fetchall():
                held = Held(*stated)
                records[number].identifiers[held.key] = held
    return records


# --- the table ----------------------------------------------------------------------------------------------------

_SHARES = """
SELECT s.record_id, s.operation_id, s.attributes::text, s.attribute_times::text, s.identifiers::text, s.first_at,
       s.last_at
  FROM unnest(%s::bigint[]) AS wanted(id) JOIN profiles_recordshare s ON s.record_id = wanted.id
 ORDER BY s.id
"""
_STORE = """
INSERT INTO profiles_recordshare (record_id, operation_id, attributes, attribute_times, identifiers, first_at, last_at)
SELECT record_id, operation_id, attributes, attribute_times, identifiers, first_at, last_at
  FROM ROWS FROM (json_to_recordset(%s::json) AS (
       record_id bigint, operation_id uuid, attributes jsonb, attribute_times jsonb, identifiers jsonb,
       first_at timestamptz, last_at timestamptz)) WITH ORDINALITY
       AS t(record_id, operation_id, attributes, attribute_times, identifiers, first_at, last_at, n)
 ORDER BY n
    ON CONFLICT (record_id, operation_id) DO UPDATE SET
       attributes = EXCLUDED.attributes, attribute_times = EXCLUDED.attribute_times,
       identifiers = EXCLUDED.identifiers, first_at = EXCLUDED.first_at, last_at = EXCLUDED.last_at
"""
_identifiers = msgspec.json.Decoder(list[Held])


def of_records(record_ids: Collection[int]) -> dict[int, Shares]:
    """The shares of these records, of those that have any. One query."""
    found: dict[int, Shares] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, [list(record_ids)])
        for number, operation_id, attributes, times, identifiers, first_at, last_at in cursor.fetchall():
            found.setdefault(number, {})[operation_id] = Share(
                msgspec.json.decode(attributes),
                msgspec.json.decode(times),
                {held.key: held for held in _identifiers.decode(identifiers)},
                first_at,
                last_at,
            )
    return found


def store(shares: Mapping[int, Shares]) -> None:
    """Write the shares of these records. One statement."""
    rows = [
        {
            "record_id": number,
            "operation_id": operation_id,
            "attributes": share.attributes,
            "attribute_times": share.times,
            "identifiers": list(share.identifiers.values()),
            "first_at": share.first_at,
            "last_at": share.last_at,
        }
        for number, held in sorted(shares.items())
        for operation_id, share in held.items()
        if share.first_at is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [msgspec.json.encode(rows).decode()])


def fold(shares: Shares) -> Share:
    """What these shares say together: per trait the newest value."""
    together = Share()
    said = [
        (at, order, trait, share.attributes.get(trait), operation_id is not None)
        for order, (operation_id, share) in enumerate(shares.items())
        for trait, at in share.times.items()
    ]
    for at, _order, trait, value, is_import in sorted(said, key=lambda one: one[:3]):
        patch(together.attributes, together.times, {trait: value}, at=at, is_undated=is_import)
    for share in shares.values():
        for key, held in share.identifiers.items():
            known = together.identifiers.get(key)
            together.identifiers[key] = held if known is None else known.also(held)
    together.first_at = min((share.first_at for share in shares.values() if share.first_at), default=None)
    together.last_at = max((share.last_at for share in shares.values() if share.last_at), default=None)
    return together
