"""Taking back what an operation said about records, a chunk at a time, as `profiles.reverting.events`.

A record that the operation created goes with it when nothing of anybody else hangs on it: no other share, touchpoint,
order, note, or consent. In doubt it stays, without what the operation said.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from cdp_site.core.append_only import erasure_step
from profiles import identifiers, intake, name_index, shares
from profiles.matching import active, online
from profiles.models import LinkDecision
from profiles.resolution import decision_log, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.reverting.taking import Taking, execute, parts, rows
from profiles.shares import Attributes, Held, Share, Times

STEP = "revert"
LINK, STEWARD = LinkDecision.Action.LINK, LinkDecision.Kind.STEWARD

_OWNERS = """
SELECT record_id, profile_id FROM profiles_membership WHERE record_id = ANY(%s) AND valid_to IS NULL
"""
_RECORDS = """
SELECT r.id, r.operation_id, r.attributes::text, r.attribute_times::text, r.content_hash, r.birth_profile_id,
       m.profile_id
  FROM (SELECT id FROM profiles_sourcerecord WHERE operation_id = %(operation)s
         UNION SELECT record_id FROM profiles_recordshare WHERE operation_id = %(operation)s
         ORDER BY 1) AS told
  JOIN profiles_sourcerecord r USING (id)
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id AND p.state <> 'erasing'
 ORDER BY r.id LIMIT %(most)s
"""
# What of others hangs on records, with the operation that it came by.
_HANGING = """
SELECT r.id, (SELECT t.operation_id FROM profiles_touchpoint t
               WHERE t.profile_id = r.profile_id AND t.record_id = r.id ORDER BY t.operation_id NULLS FIRST LIMIT 1)
  FROM unnest(%(ids)s::bigint[], %(profiles)s::bigint[]) AS r(id, profile_id)
 WHERE EXISTS (SELECT FROM profiles_touchpoint t WHERE t.profile_id = r.profile_id AND t.record_id = r.id)
UNION ALL SELECT record_id, operation_id FROM profiles_order WHERE record_id = ANY(%(ids)s)
UNION ALL SELECT tied_to_id, NULL FROM profiles_sourcerecord WHERE tied_to_id = ANY(%(ids)s)
UNION ALL SELECT record_id, NULL FROM profiles_note WHERE record_id = ANY(%(ids)s)
UNION ALL SELECT record_id, NULL FROM profiles_case WHERE record_id = ANY(%(ids)s)
UNION ALL SELECT record_id, operation_id FROM profiles_accountmembership
           WHERE record_id = ANY(%(ids)s) AND operation_id IS DISTINCT FROM %(operation)s
"""
# Records whose profile, or whose edges, may change when these change.
_AROUND = """
SELECT m.record_id FROM profiles_membership m
 WHERE m.valid_to IS NULL AND m.profile_id = ANY(%(profiles)s)
UNION
SELECT o.record_id FROM profiles_identifier i JOIN profiles_identifier o USING (kind, value, namespace)
 WHERE i.record_id = ANY(%(ids)s) AND i.is_evidence AND o.is_evidence
UNION SELECT record_a_id FROM profiles_linkdecision WHERE record_b_id = ANY(%(ids)s)
UNION SELECT record_b_id FROM profiles_linkdecision WHERE record_a_id = ANY(%(ids)s)
"""


@dataclass(slots=True)
class _Record:
    """A record of the operation, as it is. `share` is what the operation said, `others` what the rest said."""

    id: int
    operation_id: UUID | None
    attributes: Attributes
    times: Times
    content_hash: bytes
    birth_profile_id: int
    profile_id: int
    share: Share | None = None  # None: everything
    others: shares.Shares = field(default_factory=dict)


def take_back(taking: Taking, most: int) -> Counter[str]:
    """Records that nobody else has to do with vanish, others lose what the operation said; profiles follow."""
    found = _read(taking, most)
    done: Counter[str] = Counter()
    if not found:
        return done
    hanging = _hanging(found, taking)
    vanishing = {
        record.id: record
        for record in found.values()
        if record.operation_id == taking.operation_id and not record.others and record.id not in hanging
    }
    kept = {number: record for number, record in found.items() if number not in vanishing}
    profiles = sorted({record.profile_id for record in found.values()})
    around = {row[0] for row in rows(_AROUND, {"ids": list(found), "profiles": profiles})} | found.keys()
    keys = rows("SELECT kind, namespace, value FROM profiles_identifier WHERE record_id = ANY(%s)", [list(found)])
    before = _owners(around)
    for part in parts():
        done.update(part.take_back(list(found), list(vanishing), taking))
    done["values"] = _reduce(kept, hanging, taking)
    links = _links_through(vanishing)
    _detach(list(vanishing))
    decision_log.append(links, actor=taking.by, operation_id=taking.by_operation)
    if active.look() is not None:
        online.note(around - vanishing.keys())
    pipeline.resolve_exclusively(around - vanishing.keys(), by=taking.by, operation_id=taking.by_operation)
    _remove(vanishing.values(), keys)
    done["records"], done["records_kept"], done["looked_at"] = len(vanishing), len(kept), len(found)
    done["people"], done["people_split"] = _people(before, _owners(around))
    return done


def _people(before: Mapping[int, int], after: Mapping[int, int]) -> tuple[int, int]:
    """How many profiles are gone with all their records, and how many more there are of those that stay."""
    left: dict[int, set[int]] = {profile: set() for profile in before.values()}
    for number, profile in after.items():
        left[before[number]].add(profile)
    return sum(not now for now in left.values()), sum(len(now) - 1 for now in left.values() if now)


def _read(taking: Taking, most: int) -> dict[int, _Record]:
    found = {}
    for row in rows(_RECORDS, {"operation": taking.operation_id, "most": most}):
        number, operation_id, attributes, times, hashed, birth_profile_id, profile_id = row
        found[number] = _Record(
            number,
            operation_id,
            msgspec.json.decode(attributes),
            msgspec.json.decode(times),
            bytes(hashed),
            birth_profile_id,
            profile_id,
        )
    for number, told in shares.of_records(found).items():
        found[number].share = told.pop(taking.operation_id, None) or Share()
        found[number].others = told
    return found


def _hanging(found: Mapping[int, _Record], taking: Taking) -> dict[int, UUID | None]:
    """Records on which something of others hangs → the operation by which it came; None where it is nobody's."""
    parameters = {
        "ids": list(found),
        "profiles": [record.profile_id for record in found.values()],
        "operation": taking.operation_id,
    }
    hanging: dict[int, UUID | None] = {}
    held = [(number, None) for part in parts() for number in part.holds(list(found), taking)]
    for number, operation_id in [*rows(_HANGING, parameters), *held]:
        hanging[number] = operation_id if number not in hanging else hanging[number] and operation_id
    return hanging


# --- what stays -----------------------------------------------------------------------------------------------------

_IDENTIFIERS = """
SELECT id, record_id, kind, namespace, value, valid_from, last_stated_at
  FROM profiles_identifier WHERE record_id = ANY(%s)
"""
_RESTATE = """
UPDATE profiles_identifier i
   SET raw = t.raw, is_evidence = t.is_evidence, problem = t.problem, valid_from = t.first_at,
       last_stated_at = t.last_at
  FROM json_to_recordset(%s::json) AS t(
       id bigint, raw text, is_evidence boolean, problem text, first_at timestamptz, last_at timestamptz)
 WHERE i.id = t.id
"""
_REWRITE = """
UPDATE profiles_sourcerecord r
   SET attributes = t.attributes, attribute_times = t.attribute_times, content_hash = decode(t.content_hash, 'hex'),
       operation_id = t.operation_id, first_seen_at = coalesce(t.first_at, r.first_seen_at),
       last_seen_at = coalesce(t.last_at, r.last_seen_at)
  FROM json_to_recordset(%s::json) AS t(
       id bigint, attributes jsonb, attribute_times jsonb, content_hash text, operation_id uuid, first_at timestamptz,
       last_at timestamptz)
 WHERE r.id = t.id
"""
_APPEND_VERSIONS = """
INSERT INTO profiles_sourcerecordversion (record_id, attributes, content_hash, occurred_at, received_at, operation_id)
SELECT id, attributes, decode(content_hash, 'hex'), now(), now(), %s
  FROM json_to_recordset(%s::json) AS t(id bigint, attributes jsonb, content_hash text, has_changed boolean)
 WHERE has_changed ORDER BY id
"""


def _reduce(kept: Mapping[int, _Record], hanging: Mapping[int, UUID | None], taking: Taking) -> int:
    """Take out of the records what the operation said; returns how many values change by it."""
    if not kept:
        return 0
    rest = {number: shares.fold(record.others) for number, record in kept.items()}
    written: list[dict[str, Any]] = []
    changed: dict[int, Attributes] = {}
    values = 0
    for number, record in kept.items():
        attributes, times = _without(record, rest[number])
        said = record.attributes.keys() | attributes.keys()
        values += sum(record.attributes.get(trait) != attributes.get(trait) for trait in said)
        hashed = intake.content_hash(attributes)
        creator = record.operation_id
        if creator == taking.operation_id:
            creator = next(iter(record.others)) if record.others else hanging.get(number)
        if hashed != record.content_hash:
            changed[number] = attributes
        written.append(
            {
                "id": number,
                "attributes": attributes,
                "attribute_times": times,
                "content_hash": hashed.hex(),
                "has_changed": hashed != record.content_hash,
                "operation_id": creator,
                "first_at": rest[number].first_at,
                "last_at": rest[number].last_at,
            }
        )
    encoded = msgspec.json.encode(written).decode()
    execute(_REWRITE, [encoded])
    execute(_APPEND_VERSIONS, [taking.by_operation, encoded])
    execute("DELETE FROM profiles_accountmembership WHERE record_id = ANY(%s) AND operation_id = %s",
             [list(kept), taking.operation_id])  # fmt: skip
    _restate(kept, rest)
    execute(
        "DELETE FROM profiles_recordshare WHERE record_id = ANY(%s) AND operation_id = %s",
        [list(kept), taking.operation_id],
    )
    identifiers.retire(kept)
    name_index.index_names(changed)
    return values


def _without(record: _Record, rest: Share) -> tuple[Attributes, Times]:
    """The record's attributes without those that are as the operation stated them."""
    if record.share is None:
        return {}, {}
    attributes, times = dict(record.attributes), dict(record.times)
    for trait, at in record.share.times.items():
        if times.get(trait) != at or attributes.get(trait) != record.share.attributes.get(trait):
            continue  # somebody changed it since
        attributes.pop(trait, None)
        times.pop(trait)
        if trait in rest.times:
            times[trait] = rest.times[trait]
        if trait in rest.attributes:
            attributes[trait] = rest.attributes[trait]
    return attributes, times


def _restate(kept: Mapping[int, _Record], rest: Mapping[int, Share]) -> None:
    """Identifiers that nobody else stated go, the others are as the others stated them."""
    gone: list[int] = []
    restated: list[dict[str, Any]] = []
    for row_id, number, kind, namespace, value, first_at, last_at in rows(_IDENTIFIERS, [list(kept)]):
        key, share = (kind, namespace, value), kept[number].share
        held = None if share is None else share.identifiers.get(key)
        others: Held | None = rest[number].identifiers.get(key)
        if share is not None and held is None:
            continue
        if others is not None:
            restated.append(msgspec.structs.asdict(others) | {"id": row_id})
        elif held is None or (first_at >= held.first_at and last_at <= held.last_at):
            gone.append(row_id)
    execute("DELETE FROM profiles_identifier WHERE id = ANY(%s)", [gone])
    execute(_RESTATE, [msgspec.json.encode(restated).decode()])


# --- what goes ------------------------------------------------------------------------------------------------------

_STANDING_LINKS = """
SELECT d.record_a_id, d.record_b_id, d.reason FROM profiles_linkdecision d
 WHERE d.action = 'link' AND d.kind = 'steward'
   AND (d.record_a_id = ANY(%(ids)s) OR d.record_b_id = ANY(%(ids)s))
   AND profiles_decision_stands(d.id)
 ORDER BY d.id
"""


def _links_through(vanishing: Mapping[int, _Record]) -> list[NewDecision]:
    """Links between those that a person joined by way of a record that vanishes: they stay one customer. What a model
    joined so parts: it has never compared them."""
    together: dict[int, set[int]] = {}
    reasons: dict[int, str] = {}
    for a, b, reason in rows(_STANDING_LINKS, {"ids": list(vanishing)}):
        joined = together.get(a, {a}) | together.get(b, {b})
        for number in joined:
            together[number] = joined
            reasons.setdefault(number, reason)
    links = []
    for joined in {min(group): group for group in together.values()}.values():
        first, *others = sorted(joined - vanishing.keys()) or [0]
        links += [
            NewDecision(LINK, STEWARD, first, other, evidence={"rule": "steward"}, reason=reasons[other])
            for other in others
        ]
    return links


_OF_RECORDS = (
    "DELETE FROM profiles_pin WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_recordshare WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_accountmembership WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_identifier WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_pendingresolution WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_sourcerecordversion WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_blockkey WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_unmatchedchange WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_runrecord WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_verifiedrecord WHERE record_id = ANY(%s)",
    "DELETE FROM profiles_matchlabel WHERE record_a_id = ANY(%s)",
    "DELETE FROM profiles_matchlabel WHERE record_b_id = ANY(%s)",
    "DELETE FROM profiles_reviewpair WHERE record_a_id = ANY(%s)",
    "DELETE FROM profiles_reviewpair WHERE record_b_id = ANY(%s)",
    "DELETE FROM profiles_matchchange WHERE record_a_id = ANY(%s)",
    "DELETE FROM profiles_matchchange WHERE record_b_id = ANY(%s)",
    "DELETE FROM profiles_scoredpair WHERE record_a_id = ANY(%s)",
    "DELETE FROM profiles_scoredpair WHERE record_b_id = ANY(%s)",
    "DELETE FROM profiles_linkdecision WHERE record_a_id = ANY(%s)",
    "DELETE FROM profiles_linkdecision WHERE record_b_id = ANY(%s)",
    "DELETE FROM profiles_membership WHERE record_id = ANY(%s)",
)


def _detach(ids: Sequence[int]) -> None:
    """Everything of these records goes but they themselves: they are in no profile any more."""
    if not ids:
        return
    with erasure_step(STEP):
        for statement in _OF_RECORDS:
            execute(statement, [ids])
    tokens = rows("DELETE FROM profiles_recordname WHERE record_id = ANY(%s) RETURNING token_id", [ids])
    execute(
        "DELETE FROM profiles_nametoken t WHERE id = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM profiles_recordname n WHERE n.token_id = t.id)",
        [[row[0] for row in tokens]],
    )


_REMOVE_KEYS = """
DELETE FROM profiles_identifierkey k
 USING unnest(%s::text[], %s::text[], %s::text[]) AS gone(kind, namespace, value)
 WHERE (k.kind, k.namespace, k.value) = (gone.kind, gone.namespace, gone.value) AND NOT EXISTS (
       SELECT FROM profiles_identifier i
        WHERE (i.kind, i.value, i.namespace) = (k.kind, k.value, k.namespace) AND i.is_evidence)
"""


def _remove(vanishing: Collection[_Record], keys: Sequence[tuple[Any, ...]]) -> None:
    """The records and the profiles born with them, now that nobody else is in these; keys that nobody holds."""
    execute(_REMOVE_KEYS, [[key[place] for key in keys] for place in range(3)])
    births = [record.birth_profile_id for record in vanishing]
    execute("DELETE FROM profiles_membership WHERE profile_id = ANY(%s) AND valid_to IS NOT NULL", [births])
    execute("DELETE FROM profiles_sourcerecord WHERE id = ANY(%s)", [[record.id for record in vanishing]])
    execute("DELETE FROM profiles_profile WHERE id = ANY(%s)", [births])


def _owners(record_ids: Collection[int]) -> dict[int, int]:
    return dict(rows(_OWNERS, [list(record_ids)]))
