"""What a list shows of customers: names, how to reach them, where they live, and who told us.

As `overview` has it of one customer, of many at once and of these traits alone: a search does this for each letter that
is typed, and to put the query for whole records together took longer than to answer it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from django.db import connection

from cdp_site.core.access import Scope
from ingestion.models import Source
from profiles import survivorship
from profiles.models import Profile, SourceRecord
from profiles.survivorship import ADDRESS_PARTS, NAME_PARTS, Candidate

# With all that survives together with what is shown.
TRAITS: Final = frozenset({*NAME_PARTS, "display_name", "nickname", "phone", "email", *ADDRESS_PARTS})

_RECORDS = """
SELECT m.profile_id, r.id, r.kind, r.source_id, r.external_id, s.trust_rank, r.attributes, r.attribute_times,
       r.last_seen_at,
       ARRAY(SELECT p.trait FROM profiles_pin p WHERE p.record_id = r.id AND p.ended_at IS NULL) AS pinned,
       (SELECT jsonb_object_agg(t.name, jsonb_build_array(g.kind_of_data, g.slug))
          FROM profiles_trait t JOIN profiles_traitgroup g ON g.id = t.group_id
         WHERE t.name = ANY(%(traits)s)) AS groups
  FROM profiles_membership m
  JOIN profiles_sourcerecord r ON r.id = m.record_id
  JOIN ingestion_source s ON s.id = r.source_id
 WHERE m.profile_id = ANY(%(profiles)s) AND m.valid_to IS NULL
   AND (%(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s))
 ORDER BY r.id
"""


@dataclass
class _Named:
    """The sources of a list, read when a page shows them. One query for all rows."""

    ids: set[int] = field(default_factory=set)

    @cached_property
    def by_id(self) -> Mapping[int, Source]:
        return Source.objects.in_bulk(self.ids)


@dataclass
class Listed:
    """What a viewer's scope sees of one customer; `values`: trait → golden value, of `TRAITS`."""

    values: Mapping[str, Any]
    _source_ids: Sequence[int]
    _named: _Named

    @property
    def sources(self) -> list[Source]:
        """As `overview.sources_of`."""
        return [self._named.by_id[number] for number in self._source_ids]


def read(profiles: Iterable[Profile], scope: Scope) -> dict[int, Listed]:
    """Profile id → what the scope sees of it. One query, one more when sources are shown."""
    parameters: dict[str, Any] = {
        "profiles": [profile.pk for profile in profiles],
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "traits": sorted(TRAITS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, parameters)
        rows = cursor.fetchall()
    groups: dict[str, tuple[str, str]] = {
        name: (kind_of_data, group)
        for name, (kind_of_data, group) in json.loads((rows[0][-1] if rows else None) or "{}").items()
    }
    candidates: dict[int, list[Candidate]] = defaultdict(list)
    told: dict[int, dict[int, None]] = defaultdict(dict)  # the sources in the order of intake
    for profile_id, number, kind, source_id, external_id, trust_rank, said, times, seen_at, pinned, _groups in rows:
        if kind != SourceRecord.Kind.AGENT:
            told[profile_id][source_id] = None
        attributes = {trait: value for trait, value in json.loads(said).items() if trait in groups}
        candidates[profile_id] += (
            candidate
            for candidate in survivorship.candidates_of(
                record_id=number,
                source_id=source_id,
                external_id=external_id,
                trust_rank=trust_rank,
                attributes=attributes,
                times=json.loads(times),
                last_seen_at=seen_at,
                pinned=pinned,
                groups=groups,
            )
            if scope.sees_trait_group(candidate.trait_group)
        )
    named = _Named({source_id for of_profile in told.values() for source_id in of_profile})
    return {
        profile_id: Listed(survivorship.values(survivorship.golden(of_profile)), list(told[profile_id]), named)
        for profile_id, of_profile in candidates.items()
    }
