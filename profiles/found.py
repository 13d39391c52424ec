"""What was found: how many records are how many people, who is held twice, and which sources share whom. In counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from cdp_site.core.access import Scope
from ingestion.models import Source


@dataclass(frozen=True, slots=True)
class Counted:
    """Records, and the people that they are."""

    records: int
    people: int

    @property
    def twice(self) -> int:
        """Records beyond the first of the same person."""
        return self.records - self.people


@dataclass(frozen=True, slots=True)
class OfSource:
    """One source: what it holds, and how many of its people each source holds as well (itself: all of them)."""

    source: Source
    counted: Counted
    shared: Sequence[int]
    shared_by_any: int

    @property
    def alone(self) -> int:
        """People whom no other source knows."""
        return self.counted.people - self.shared_by_any


@dataclass(frozen=True, slots=True)
class Found:
    """The whole company, as far as a scope sees it. `by_source` in the order of names."""

    counted: Counted
    by_source: Sequence[OfSource]

    @property
    def in_several(self) -> int:
        """People whom more than one source knows."""
        return self.counted.people - sum(one.alone for one in self.by_source)


# Records of known people alone: a visitor without a name is nobody who could be held twice.
_HELD = """
WITH held AS (
    SELECT m.profile_id, r.source_id, count(*) AS n
      FROM profiles_sourcerecord r
      JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
      JOIN profiles_profile p ON p.id = m.profile_id AND p.state = 'live' AND p.kind = 'identified'
     WHERE r.kind = 'identified' AND (%(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s))
     GROUP BY m.profile_id, r.source_id
), person AS (
    SELECT profile_id, sum(n) AS n, array_agg(source_id ORDER BY source_id) AS sources FROM held GROUP BY profile_id
), pattern AS (
    SELECT sources, count(*) AS people, sum(n)::bigint AS records FROM person GROUP BY sources
)
SELECT NULL, sources, people, records FROM pattern
 UNION ALL
SELECT source_id, NULL, NULL, sum(n)::bigint FROM held GROUP BY source_id
"""


def everything(scope: Scope) -> Found:
    """Two queries: people are grouped by the set of sources that know them, of which there are few."""
    parameters = {"sources": None if scope.source_ids is None else sorted(scope.source_ids)}
    rows = _rows(_HELD, parameters)
    patterns = [row[1:] for row in rows if row[0] is None]
    records = {row[0]: row[3] for row in rows if row[0] is not None}
    sources = list(Source.objects.filter(pk__in=records).order_by("name", "pk"))
    return Found(
        Counted(sum(row[2] for row in patterns), sum(row[1] for row in patterns)),
        [_of_source(source, sources, records, patterns) for source in sources],
    )


def _of_source(
    source: Source, sources: Sequence[Source], records: Mapping[int, int], patterns: Sequence[tuple[Any, ...]]
) -> OfSource:
    own = [(known_by, people) for known_by, people, _records in patterns if source.pk in known_by]
    return OfSource(
        source,
        Counted(records[source.pk], sum(people for _known_by, people in own)),
        [sum(people for known_by, people in own if other.pk in known_by) for other in sources],
        sum(people for known_by, people in own if len(known_by) > 1),
    )


@dataclass(frozen=True, slots=True)
class FoundByImport:
    """What an import told of. `known`: people whom other records know as well, by source, the most first."""

    counted: Counted
    known_people: int
    known: Sequence[tuple[str, int]]


_TOLD = """
WITH told AS (
    SELECT named.id, m.profile_id
      FROM (SELECT id FROM profiles_sourcerecord WHERE operation_id = %(operation)s
             UNION SELECT record_id FROM profiles_recordshare WHERE operation_id = %(operation)s) AS named
      JOIN profiles_membership m ON m.record_id = named.id AND m.valid_to IS NULL
      JOIN profiles_profile p ON p.id = m.profile_id AND p.state = 'live' AND p.kind = 'identified'
), elsewhere AS (
    SELECT DISTINCT m.profile_id, r.source_id
      FROM (SELECT DISTINCT profile_id FROM told) AS people
      JOIN profiles_membership m ON m.profile_id = people.profile_id AND m.valid_to IS NULL
      JOIN profiles_sourcerecord r ON r.id = m.record_id AND r.kind = 'identified'
     WHERE r.operation_id IS DISTINCT FROM %(operation)s
       AND NOT EXISTS (SELECT FROM profiles_recordshare s WHERE s.record_id = r.id AND s.operation_id = %(operation)s)
       AND (%(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s))
)
SELECT (SELECT count(*) FROM told), (SELECT count(DISTINCT profile_id) FROM told),
       (SELECT count(DISTINCT profile_id) FROM elsewhere),
       (SELECT coalesce(json_agg(json_build_array(name, n) ORDER BY n DESC, name), '[]')
          FROM (SELECT s.name, count(*) AS n FROM elsewhere JOIN ingestion_source s ON s.id = elsewhere.source_id
                 GROUP BY s.name) AS by_source)
"""


def by_operation(operation_id: UUID, scope: Scope) -> FoundByImport:
    """One query."""
    sources = None if scope.source_ids is None else sorted(scope.source_ids)
    [(records, people, known_people, known)] = _rows(_TOLD, {"operation": operation_id, "sources": sources})
    return FoundByImport(Counted(records, people), known_people, [(name, n) for name, n in known])


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()
