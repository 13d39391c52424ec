"""The golden record as it is stored: the winners over all departments, and the name by which lists are sorted."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from ingestion.normalise.thai import sort_key
from profiles import signals, survivorship
from profiles.naming import shown_name
from profiles.signals import Aspect, Touch

_LONGEST_SORT_NAME = 120  # Profile.sort_name


class _Row(NamedTuple):
    """What a record contributes, as the query gives it."""

    profile_id: int
    record_id: int
    source_id: int
    external_id: str
    trust_rank: int
    attributes: str
    times: str
    last_seen_at: Any
    pinned: list[str] | None


_SELECT = """
SELECT m.profile_id, r.id, r.source_id, r.external_id, s.trust_rank, r.attributes::text, r.attribute_times::text,
       r.last_seen_at,
       (SELECT array_agg(trait) FROM profiles_pin WHERE record_id = r.id AND ended_at IS NULL)
  FROM unnest(%s::bigint[]) AS wanted(id)
"""
_FROM = """
  JOIN profiles_sourcerecord r ON r.id = m.record_id
  JOIN ingestion_source s ON s.id = r.source_id
"""
_READ = _SELECT + "JOIN profiles_membership m ON m.profile_id = wanted.id AND m.valid_to IS NULL" + _FROM
_READ_RECORDS = _SELECT + "JOIN profiles_membership m ON m.record_id = wanted.id AND m.valid_to IS NULL" + _FROM
_WRITE = """
UPDATE profiles_profile AS p
   SET golden = t.golden, sort_name = t.sort_name, changed_at = clock_timestamp()
  FROM json_to_recordset(%s::json) AS t(id bigint, golden jsonb, sort_name text)
 WHERE p.id = t.id AND (p.golden, p.sort_name) IS DISTINCT FROM (t.golden, t.sort_name)
RETURNING p.id
"""


def refresh(profile_ids: Collection[int]) -> None:
    """Recompute golden record and sort name of these profiles; those without records become empty. Two statements.
    Whose changed is told (`signals.people_touched`)."""
    if not profile_ids:
        return
    computed = compute(profile_ids)
    rows = [
        {"id": profile_id, "golden": golden, "sort_name": sort_name}
        for profile_id, (golden, sort_name) in sorted(computed.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [msgspec.json.encode(rows).decode()])
        changed = [profile_id for (profile_id,) in cursor.fetchall()]
    signals.tell_touched(Touch(Aspect.ATTRIBUTES, changed))


def compute(profile_ids: Collection[int]) -> dict[int, tuple[dict[str, Any], str]]:
    """Profile id → (golden record, sort name) as they should be. One query."""
    by_profile: dict[int, list[_Row]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_READ, [sorted(profile_ids)])
        for row in map(_Row._make, cursor.fetchall()):
            by_profile[row.profile_id].append(row)
    computed = {}
    for profile_id in profile_ids:
        golden = _golden(by_profile.get(profile_id, []))
        computed[profile_id] = (golden, sort_name(golden))
    return computed


def of_records(groups: Sequence[Collection[int]]) -> list[dict[str, Any]]:
    """The golden record that each group of records would have as a profile. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_RECORDS, [sorted({number for group in groups for number in group})])
        rows = {row.record_id: row for row in map(_Row._make, cursor.fetchall())}
    return [_golden([rows[number] for number in group if number in rows]) for group in groups]


@dataclass(frozen=True, slots=True)
class Sight:
    """A profile through somebody's eyes: what its `values` are there; ids of its `records`, and of those of them that
    are `seen`."""

    values: Mapping[str, Any]
    records: frozenset[int]
    seen: frozenset[int]


def through(profile_id: int, *, sources: Collection[int] | None, hidden: Collection[str]) -> Sight:
    """The golden record of what a viewer sees of a profile: of these sources (None: of all), without the hidden traits.
    One query."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [[profile_id]])
        rows = list(map(_Row._make, cursor.fetchall()))
    seen = [row for row in rows if sources is None or row.source_id in sources]
    candidates = (one for one in _candidates(seen) if one.trait not in hidden)
    return Sight(
        survivorship.values(survivorship.golden(candidates)),
        frozenset(row.record_id for row in rows),
        frozenset(row.record_id for row in seen),
    )


def sort_name(golden: Mapping[str, Any]) -> str:
    """The key by which a list of people is in order, Thai before nobody: titles don't count."""
    untitled = {trait: value for trait, value in golden.items() if trait != "title"}
    return sort_key(shown_name(untitled))[:_LONGEST_SORT_NAME]


def _golden(rows: Sequence[_Row]) -> dict[str, Any]:
    if len(rows) == 1:  # most people of an import: nothing to choose
        attributes = msgspec.json.decode(rows[0].attributes)
        return survivorship.alone(attributes)
    return survivorship.values(survivorship.golden(_candidates(rows)))


def _candidates(rows: Iterable[_Row]) -> list[survivorship.Candidate]:
    return [
        candidate
        for row in rows
        for candidate in survivorship.candidates_of(
            record_id=row.record_id,
            source_id=row.source_id,
            external_id=row.external_id,
            trust_rank=row.trust_rank,
            attributes=msgspec.json.decode(row.attributes),
            times=msgspec.json.decode(row.times),
            last_seen_at=row.last_seen_at,
            pinned=row.pinned or (),
        )
    ]
