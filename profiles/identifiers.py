"""Identifiers as records state them: e-mail, phone, ids of members and users, devices."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.traits import IdentifierCandidate
from profiles import signals
from profiles.signals import Aspect, Touch
from profiles.statements import Owner, RecordKey, StatedIdentifier, Statement

_TRAIT_OF_KIND = {kind: trait for trait, kind in KIND_OF_TRAIT.items() if kind != "citizen"}


def read(candidates: Iterable[IdentifierCandidate], *, namespace: str, is_public_key: bool) -> list[StatedIdentifier]:
    """Identifiers out of normalised traits. What a public write key states is shown and never evidence: anybody can
    write anybody's address into a browser's console."""
    return [
        StatedIdentifier(
            kind=KIND_OF_TRAIT[candidate.kind],
            namespace="global" if candidate.namespace == "global" else namespace,
            value=candidate.value.value[:254],
            raw=candidate.value.raw[:254],
            is_evidence=candidate.value.evidence and not is_public_key,
            problem=candidate.value.problem or ("public_key" if is_public_key else ""),
        )
        for candidate in candidates
        if candidate.kind in KIND_OF_TRAIT
    ]


_FIND_DEVICES = """
SELECT i.record_id, i.kind, i.namespace, i.value, i.valid_from
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS k(record_id, kind, namespace, value)
  JOIN profiles_identifier i USING (record_id, kind, namespace, value)
"""
_STATE = """
INSERT INTO profiles_identifier AS i (kind, namespace, value, raw, record_id, profile_id, is_evidence, problem,
                                      is_current, valid_from, last_stated_at)
SELECT kind, namespace, value, raw, record_id, profile_id, is_evidence, problem, true, first_at, last_at
  FROM json_to_recordset(%s::json) AS t(
       kind text, namespace text, value text, raw text, record_id bigint, profile_id bigint, is_evidence boolean,
       problem text, first_at timestamptz, last_at timestamptz)
 ORDER BY kind, namespace, value, record_id
    ON CONFLICT (record_id, kind, namespace, value) DO UPDATE SET
       valid_from = LEAST(i.valid_from, EXCLUDED.valid_from),
       last_stated_at = GREATEST(i.last_stated_at, EXCLUDED.last_stated_at),
       is_evidence = i.is_evidence OR EXCLUDED.is_evidence,
       problem = CASE WHEN EXCLUDED.is_evidence THEN '' ELSE i.problem END,
       is_current = true
RETURNING record_id
"""
# A value is current while the record's attribute still shows it; what never was an attribute stays as it is.
# The ids are collected once, before the update: joined to a subquery, a planner that takes the table for empty (its
# rows are younger than its statistics) would run that subquery for every row.
_RETIRE = """
UPDATE profiles_identifier
   SET is_current = NOT is_current
 WHERE id = ANY(ARRAY(
       SELECT i.id
         FROM profiles_identifier i
         JOIN profiles_sourcerecord r ON r.id = i.record_id
         JOIN unnest(%s::text[], %s::text[]) AS k(kind, trait) ON k.kind = i.kind
        WHERE i.record_id = ANY(%s) AND r.attribute_times ? k.trait
          AND i.is_current <> (CASE jsonb_typeof(r.attributes -> k.trait)
                               WHEN 'array' THEN (r.attributes -> k.trait) ? i.value
                               WHEN 'string' THEN r.attributes ->> k.trait = i.value
                               ELSE false END)
        ORDER BY i.id))
RETURNING profile_id
"""


def state(
    statements: Sequence[Statement], owners: Mapping[RecordKey, Owner], *, born: Collection[RecordKey]
) -> set[int]:
    """Write what the statements say; returns the records whose evidence changed. Three statements.

    Records in `born` are new: their own ids are stated with them.

    A known device of a known user is the common case of every tracked click: it is looked up and left alone.
    """
    stated: dict[tuple[int, str, str, str], tuple[StatedIdentifier, Owner, datetime, datetime]] = {}
    speaking: set[int] = set()
    for statement in statements:
        owner = owners[statement.key]
        if statement.traits is not None:
            speaking.add(owner.record_id)
        own = (statement.own,) if statement.own is not None and statement.key in born else ()
        for identifier in (*statement.identifiers, *own):
            key = (owner.record_id, identifier.kind, identifier.namespace, identifier.value)
            known = stated.get(key)
            at = statement.occurred_at
            if known is None:
                stated[key] = (identifier, owner, at, at)
            else:
                better = identifier if identifier.is_evidence else known[0]
                stated[key] = (better, owner, min(known[2], at), max(known[3], at))
    new: set[tuple[int, str, str, str]] = set()
    if stated:
        with connection.cursor() as cursor:
            cursor.execute(_FIND_DEVICES, [list(column) for column in zip(*stated, strict=True)])
            earliest = {tuple(row[:4]): row[4] for row in cursor.fetchall()}
            new = {key for key, said in stated.items() if key not in earliest or said[2] < earliest[key]}
            written = [_identifier_row(*stated[key]) for key in stated if key in new or key[0] in speaking]
            if written:
                cursor.execute(_STATE, [msgspec.json.encode(written).decode()])
    if speaking:  # also of who states none any more
        retire(speaking)
    return {key[0] for key in new}


def retire(record_ids: Iterable[int]) -> None:
    """Let identifiers of these records be current while their attributes show them. One statement.

    Whose addresses are others now is told (`signals.people_touched`)."""
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, [list(_TRAIT_OF_KIND), list(_TRAIT_OF_KIND.values()), sorted(record_ids)])
        changed = {profile_id for (profile_id,) in cursor.fetchall()}
    signals.tell_touched(Touch(Aspect.ADDRESSES, changed))


def _identifier_row(
    identifier: StatedIdentifier, owner: Owner, first_at: datetime, last_at: datetime
) -> dict[str, Any]:
    return identifier._asdict() | {
        "record_id": owner.record_id,
        "profile_id": owner.profile_id,
        "first_at": first_at,
        "last_at": last_at,
    }
