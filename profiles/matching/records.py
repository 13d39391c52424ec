"""Source records as matching compares them, out of the database: identified ones, of people who are not being erased.

What a device or an agent's note says is nobody's description of a person: it is never compared.
"""

from collections.abc import Collection, Iterator

import msgspec
from django.db import connection

from profiles.matching import comparable
from profiles.matching.matcher import Comparable

AT_ONCE = 5_000

# Lists of ids come in as a relation to join: see profiles.resolution.neighbourhood. Identifiers are gathered per record
# in the same round trip: their order is theirs no more, so they are sorted.
_READ = """
SELECT r.id, r.attributes::text,
       (SELECT json_agg(json_build_array(i.kind, i.namespace, i.value) ORDER BY i.kind, i.namespace, i.value)
          FROM profiles_identifier i WHERE i.record_id = r.id AND i.is_evidence AND i.valid_to IS NULL)::text
  FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_sourcerecord r USING (id)
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id
 WHERE r.kind = 'identified' AND p.state <> 'erasing'
"""
_PAGE = "SELECT id FROM profiles_sourcerecord WHERE id > %s AND kind = 'identified' ORDER BY id LIMIT %s"

_attributes = msgspec.json.Decoder(dict)
_identifiers = msgspec.json.Decoder(list[tuple[str, str, str]])


def read(record_ids: Collection[int]) -> dict[int, Comparable]:
    """The comparable records among these. One query."""
    if not record_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_READ, [sorted(record_ids)])
        return {
            record_id: comparable.comparable(
                _attributes.decode(attributes), _identifiers.decode(identifiers) if identifiers else []
            )
            for record_id, attributes, identifiers in cursor.fetchall()
        }


def stream(*, after: int = 0, at_once: int = AT_ONCE) -> Iterator[dict[int, Comparable]]:
    """All comparable records beyond an id, in portions by ascending id; two queries a portion.

    The last id of a portion is where another run may go on. Nothing is held open between portions.
    """
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, [after, at_once])
            page = [record_id for (record_id,) in cursor.fetchall()]
        if not page:
            return
        found = read(page)
        after = page[-1]
        if found:
            yield dict(sorted(found.items()))
