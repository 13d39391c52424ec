"""What a run has to know of people before it decides: their parts, what the guard rails look at, and who said what."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from django.db import connection

from ingestion.normalise.traits import names_of
from profiles.matching.asking import Pair
from profiles.matching.planning import Standing
from profiles.matching.rails import Body
from profiles.resolution import decision_log, neighbourhood
from profiles.resolution.evidence import DEFAULT_SETTINGS, Decision, active, withdrawn
from profiles.resolution.forest import Namespace
from profiles.resolution.partition import partition

_NAME_PARTS = ["title", "first_name", "last_name", "name", "display_name", "nickname"]
_MEMBERS = """
SELECT m.profile_id, r.id,
       (SELECT json_object_agg(part, r.attributes -> part)
          FROM unnest(%s::text[]) AS part WHERE r.attributes ? part)::text,
       (SELECT json_agg(json_build_array(i.kind, i.namespace, i.value))
          FROM profiles_identifier i WHERE i.record_id = r.id AND i.is_evidence AND i.kind = ANY(%s))::text,
       v.record_id IS NOT NULL
  FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_profile p ON p.id = wanted.id AND p.state = 'live'
  JOIN profiles_membership m ON m.profile_id = p.id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id AND r.kind = 'identified'
  LEFT JOIN profiles_verifiedrecord v ON v.record_id = r.id
"""

_identifiers = msgspec.json.Decoder(list[tuple[str, str, str]])


@dataclass(slots=True)
class Facts:
    """Of some live profiles.

    Attributes:
        records_of: profile → its identified records.
        part_of: identified record → the part that it is of without the model, by the part's lowest record.
        bodies: part → how the guard rails see it.
        standing: the model's links that stand.
        vetoes: pairs of records that people keep apart.
    """

    records_of: dict[int, list[int]] = field(default_factory=dict)
    part_of: dict[int, int] = field(default_factory=dict)
    bodies: dict[int, Body] = field(default_factory=dict)
    standing: list[Standing] = field(default_factory=list)
    vetoes: set[Pair] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Member:
    profile_id: int
    body: Body


def read(profile_ids: Collection[int]) -> Facts:
    """Two queries, and a neighbourhood's for the profiles that the model has had a hand in."""
    members = _members(profile_ids)
    facts = Facts()
    for number, member in sorted(members.items()):
        facts.records_of.setdefault(member.profile_id, []).append(number)
    decisions = decision_log.beyond_evidence(list(members))
    for decision in active(decisions):
        pair = Pair.of(decision.a, decision.b)
        if decision.kind == "model" and decision.verb == "link":
            facts.standing.append(Standing(decision.id, pair))
        elif decision.kind == "steward" and decision.verb != "link":
            facts.vetoes.add(pair)
    facts.vetoes |= _parted(decisions)
    by_model = {members[number].profile_id for link in facts.standing for number in link.pair if number in members}
    anchors = _without_model([number for number, one in members.items() if one.profile_id in by_model])
    parts: dict[tuple[str, int], list[int]] = {}
    for number, member in sorted(members.items()):
        part = ("anchor", anchors[number]) if number in anchors else ("profile", member.profile_id)
        parts.setdefault(part, []).append(number)
    for numbers in parts.values():
        facts.part_of.update(dict.fromkeys(numbers, numbers[0]))
        facts.bodies[numbers[0]] = _body(members[number].body for number in numbers)
    return facts


def _members(profile_ids: Collection[int]) -> dict[int, _Member]:
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [_NAME_PARTS, sorted(DEFAULT_SETTINGS.unique_kinds), sorted(profile_ids)])
        return {
            number: _Member(profile_id, Body(records=1, names=_names(names), ids=_ids(ids), is_verified=is_verified))
            for profile_id, number, names, ids, is_verified in cursor.fetchall()
        }


def _names(text: str | None) -> frozenset[Any]:
    return frozenset(names_of(msgspec.json.decode(text))) if text else frozenset()


def _ids(text: str | None) -> Mapping[Namespace, frozenset[str]]:
    """A record that states many ids of one namespace is a list, not a person: they say nothing."""
    found: dict[Namespace, set[str]] = {}
    for kind, namespace, value in _identifiers.decode(text) if text else ():
        found.setdefault((kind, namespace), set()).add(value)
    return {space: frozenset(values) for space, values in found.items() if len(values) <= DEFAULT_SETTINGS.own_id_cap}


def _body(members: Iterable[Body]) -> Body:
    first, *others = members
    whole = first
    for one in others:
        whole = whole.joined(one, alike=0)
    return replace(whole, parts=1)


def _parted(decisions: Sequence[Decision]) -> set[Pair]:
    """Pairs that the model had joined and a person has parted: the model does not join them again."""
    of_model = {one.id for one in decisions if one.kind == "model" and one.verb == "link"}
    undone = withdrawn(decisions)
    return {
        Pair.of(one.a, one.b)
        for one in decisions
        if one.kind == "steward" and one.verb == "withdraw" and one.withdraws in of_model and one.id not in undone
    }


def _without_model(records: Collection[int]) -> Mapping[int, int]:
    """Record → the anchor that it would have had the model never joined anything."""
    if not records:
        return {}
    around = neighbourhood.read(records)
    found = partition(
        [record.evidence for record in around.records.values()],
        [logged.decision for logged in around.decisions if logged.decision.kind != "model"],
        overloaded=around.overloaded,
    )
    return {number: found.anchor_of[number] for number in records if number in found.anchor_of}
