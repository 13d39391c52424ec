"""Reads the closed neighbourhood of changed records, as `profiles.resolution.partition` defines it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from django.db import connection

from cdp_site.core import round_trips
from cdp_site.core.round_trips import Query
from ingestion.normalise.traits import names_of
from profiles.resolution.evidence import (
    DEFAULT_SETTINGS,
    DEVICE,
    Decision,
    Evidence,
    EvidenceSettings,
    Key,
    KeyId,
    evidence_keys,
    is_overloaded,
)

# Lists of ids come in as a relation to join, never as `id = ANY(list)`: on tables that have grown since they were last
# analysed the planner would search the whole list anew for every row that it meets.

# The parts of names alone: a record's other attributes say nothing of who it is.
_NAME_PARTS = ["title", "first_name", "last_name", "name", "display_name", "nickname"]
_RECORDS = """
SELECT r.id, r.source_id, r.external_id, r.kind, r.tied_to_id, r.birth_profile_id, m.profile_id, p.changed_at,
       p.state = 'erasing', v.record_id IS NOT NULL,
       (SELECT json_object_agg(part, r.attributes -> part)
          FROM unnest(%s::text[]) AS part WHERE r.attributes ? part)::text
  FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_sourcerecord r USING (id)
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id
  LEFT JOIN profiles_verifiedrecord v ON v.record_id = r.id
"""
_IDENTIFIERS = """
SELECT i.record_id, i.kind, i.namespace, i.value, i.valid_from, i.valid_to
  FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_identifier i ON i.record_id = wanted.id AND i.is_evidence
"""
_HOLDERS = """
SELECT k.kind, k.namespace, k.value, h.record_id
  FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[]) AS k(kind, namespace, value, most)
 CROSS JOIN LATERAL (
       SELECT i.record_id FROM profiles_identifier i
        WHERE i.kind = k.kind AND i.value = k.value AND i.namespace = k.namespace AND i.is_evidence
        LIMIT k.most) AS h
"""
# The same for every key of these records.
_SHARING = """
SELECT k.kind, k.namespace, k.value, h.record_id
  FROM (SELECT DISTINCT i.kind, i.namespace, i.value
          FROM unnest(%(records)s::bigint[]) AS wanted(id)
          JOIN profiles_identifier i ON i.record_id = wanted.id AND i.is_evidence AND i.kind = ANY(%(kinds)s)) AS k
 CROSS JOIN LATERAL (
       SELECT i.record_id FROM profiles_identifier i
        WHERE i.kind = k.kind AND i.value = k.value AND i.namespace = k.namespace AND i.is_evidence
        LIMIT CASE k.kind WHEN %(device)s THEN %(most_of_device)s ELSE %(most)s END) AS h
"""
# Pairs of a record and one of its profile or tied to it.
_NEIGHBOURS = """
SELECT near.id, other.record_id FROM unnest(%(records)s::bigint[]) AS near(id)
  JOIN profiles_membership m ON m.record_id = near.id AND m.valid_to IS NULL
  JOIN profiles_membership other ON other.profile_id = m.profile_id AND other.valid_to IS NULL
UNION ALL
SELECT near.id, r.id FROM unnest(%(records)s::bigint[]) AS near(id)
  JOIN profiles_sourcerecord r ON r.tied_to_id = near.id
"""
_DECISIONS = """
SELECT d.id, d.action, d.kind, d.record_a_id, d.record_b_id, d.withdraws_id, d.score, d.evidence::text
  FROM (SELECT d.id FROM unnest(%(records)s::bigint[]) AS near(id)
          JOIN profiles_linkdecision d ON d.record_a_id = near.id
         UNION
        SELECT d.id FROM unnest(%(records)s::bigint[]) AS near(id)
          JOIN profiles_linkdecision d ON d.record_b_id = near.id) AS touching
  JOIN profiles_linkdecision d USING (id)
"""

_Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as the database has it: what it says, where it was born and where it is now."""

    evidence: Evidence
    birth_profile_id: int
    profile_id: int
    profile_changed_at: datetime
    ended: Mapping[KeyId, datetime]

    def tied_to(self, number: int) -> "StoredRecord":
        """The same record, tied to another: for foreseeing."""
        return replace(self, evidence=replace(self.evidence, tied_to=number))

    def verified(self) -> "StoredRecord":
        """The same record, verified: for foreseeing."""
        return replace(self, evidence=replace(self.evidence, verified=True))


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A row of the log with the grounds of an edge that evidence made."""

    decision: Decision
    grounds: Mapping[str, Any]


@dataclass(slots=True)
class Neighbourhood:
    """Records inside a closed neighbourhood, the decisions that touch them, and the keys at which it ends."""

    records: dict[int, StoredRecord] = field(default_factory=dict)
    decisions: list[LoggedDecision] = field(default_factory=list)
    overloaded: set[KeyId] = field(default_factory=set)


def read(touched: Collection[int], *, settings: EvidenceSettings = DEFAULT_SETTINGS) -> Neighbourhood:
    """Everything whose component may depend on the touched records, before their change or after it.

    The members of the components that they are in now belong to it, so that what falls apart is seen whole. Records
    of people whose erasure runs are as good as gone. One round trip of five queries where they lead to nobody else.
    """
    return _Reader(touched, settings).read()


class _Reader:
    def __init__(self, touched: Collection[int], settings: EvidenceSettings) -> None:
        self.touched = touched
        self.settings = settings
        self.seen: dict[int, StoredRecord] = {}
        self.gone: set[int] = set()
        self.asked: set[KeyId] = set()
        self.decisions: dict[int, LoggedDecision] = {}
        self.found = Neighbourhood()

    def read(self) -> Neighbourhood:
        inside = self.found.records
        queue = set(self.touched)
        while queue:
            queue = self._expand(sorted(queue)) - inside.keys() - self.gone
        self.found.decisions = [
            logged for logged in self.decisions.values() if logged.decision.a in inside or logged.decision.b in inside
        ]
        return self.found

    def _expand(self, numbers: list[int]) -> set[int]:
        """Take these in; returns where they lead."""
        unseen = [number for number in numbers if number not in self.seen]
        queries: list[Query] = [(_NEIGHBOURS, {"records": numbers}), (_DECISIONS, {"records": numbers})]
        if unseen:
            queries += [*_record_queries(unseen), (_SHARING, self._sharing(unseen))]
        neighbours, decisions, *of_unseen = round_trips.rows(*queries)
        logged = list(map(_logged, decisions))
        self.decisions.update((one.decision.id, one) for one in logged)
        sharing: dict[KeyId, list[int]] = {}
        if unseen:
            *stored, holders = of_unseen
            self._note(unseen, _stored(*stored))
            for *key, number in holders:
                sharing.setdefault(tuple(key), []).append(number)
        arrived = {number: self.seen[number] for number in numbers if number in self.seen}
        self.found.records.update(arrived)
        reached = self._by_keys(arrived.values(), sharing)
        reached.update(other for number, other in neighbours if number in arrived)
        for ends in ((one.decision.a, one.decision.b) for one in logged if one.decision.verb == "link"):
            if not arrived.keys().isdisjoint(ends):
                reached.update(ends)
        reached.update(record.evidence.tied_to for record in arrived.values() if record.evidence.tied_to is not None)
        return reached

    def _sharing(self, numbers: list[int]) -> Mapping[str, Any]:
        """One more than may hold a key are read of its holders."""
        kinds = [*self.settings.unique_kinds, *self.settings.contact_kinds, DEVICE]
        most, most_of_device = (_most_holders((kind, "", ""), self.settings) + 1 for kind in ("", DEVICE))
        return {
            "records": numbers, "kinds": kinds, "device": DEVICE, "most": most, "most_of_device": most_of_device
        }  # fmt: skip

    def _note(self, numbers: Iterable[int], found: Mapping[int, StoredRecord]) -> None:
        self.seen.update(found)
        self.gone.update(number for number in numbers if number not in found)

    def _see(self, numbers: Iterable[int]) -> None:
        unseen = [number for number in numbers if number not in self.seen and number not in self.gone]
        if unseen:
            self._note(unseen, _records(unseen))

    def _by_keys(self, records: Iterable[StoredRecord], sharing: Mapping[KeyId, list[int]]) -> set[int]:
        """Args:
        sharing: who holds some of the keys of the records, as far as that is known.
        """
        stated = {key for record in records for key in evidence_keys(record.evidence, settings=self.settings)}
        keys = stated - self.asked
        self.asked |= keys
        holders = {key: sharing[key] for key in keys if key in sharing}
        holders |= _holders(keys - holders.keys(), self.settings)
        self._see({number for numbers in holders.values() for number in numbers})
        reached: set[int] = set()
        for key, numbers in holders.items():
            if self._is_overloaded(key, numbers):
                self.found.overloaded.add(key)
                # Before the change it may have held people together: then all of them are touched.
                if self._is_overloaded(key, [number for number in numbers if number not in self.touched]):
                    continue
            reached.update(number for number in numbers if number in self.seen)
        return reached

    def _is_overloaded(self, key: KeyId, numbers: Sequence[int]) -> bool:
        if len(numbers) <= self.settings.fan_out_cap:
            return False
        if len(numbers) > _most_holders(key, self.settings):
            return True
        present = [self.seen[number].evidence for number in numbers if number in self.seen]
        return is_overloaded(key, present, settings=self.settings)


def read_all() -> Neighbourhood:
    """Every record and decision: what a rebuild partitions. Three queries; about 3 KB a record."""
    found = Neighbourhood()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM profiles_sourcerecord")
        numbers = [row[0] for row in cursor.fetchall()]
    found.records = _records(numbers)
    found.decisions = _decisions(list(found.records))
    return found


def _most_holders(key: KeyId, settings: EvidenceSettings) -> int:
    """Beyond that many holders a key is overloaded whoever they are: of a device its users count, and itself."""
    return settings.fan_out_cap + 1 if key[0] == DEVICE else settings.holder_cap


def _holders(keys: Collection[KeyId], settings: EvidenceSettings) -> dict[KeyId, list[int]]:
    """Key → the records that state it, at most one more than may."""
    holders: dict[KeyId, list[int]] = {key: [] for key in keys}
    if keys:
        rows = [(*key, _most_holders(key, settings) + 1) for key in sorted(keys)]
        with connection.cursor() as cursor:
            cursor.execute(_HOLDERS, [list(column) for column in zip(*rows, strict=True)])
            for kind, namespace, value, number in cursor.fetchall():
                holders[kind, namespace, value].append(number)
    return holders


def _records(numbers: list[int]) -> dict[int, StoredRecord]:
    """The records of these ids that are not of a person being erased. Two queries."""
    return _stored(*round_trips.rows(*_record_queries(numbers)))


def _record_queries(numbers: list[int]) -> list[Query]:
    return [(_IDENTIFIERS, [numbers]), (_RECORDS, [_NAME_PARTS, numbers])]


def _stored(identifiers: Iterable[_Row], records: Iterable[_Row]) -> dict[int, StoredRecord]:
    """From the rows of `_record_queries`."""
    keys: dict[int, list[Key]] = {}
    ended: dict[int, dict[KeyId, datetime]] = {}
    for number, kind, namespace, value, valid_from, valid_to in identifiers:
        keys.setdefault(number, []).append(Key(kind, namespace, value, valid_from))
        if valid_to is not None:
            ended.setdefault(number, {})[kind, namespace, value] = valid_to
    return {
        number: StoredRecord(
            evidence=Evidence(
                record_id=number,
                source_id=source_id,
                external_id=external_id,
                kind=kind,
                names=names_of(msgspec.json.decode(names)) if names else (),
                identifiers=tuple(keys.get(number, ())),
                tied_to=tied_to,
                verified=verified,
            ),
            birth_profile_id=birth_profile_id,
            profile_id=profile_id,
            profile_changed_at=changed_at,
            ended=ended.get(number, {}),
        )
        for (
            number, source_id, external_id, kind, tied_to, birth_profile_id, profile_id, changed_at, erasing,
            verified, names,
        ) in records
        if not erasing
    }  # fmt: skip


def _decisions(numbers: list[int]) -> list[LoggedDecision]:
    with connection.cursor() as cursor:
        cursor.execute(_DECISIONS, {"records": numbers})
        return list(map(_logged, cursor.fetchall()))


def _logged(row: _Row) -> LoggedDecision:
    number, action, kind, a, b, withdraws, score, grounds = row
    return LoggedDecision(Decision(number, action, kind, a, b, withdraws, score or 0.0), msgspec.json.decode(grounds))
