"""One hash over everything that hangs on some profiles, to tell that an undo was exact.

What is history by its nature (memberships that ended, the log of decisions, versions, clocks of change) plays no part:
after an undo it is longer, and that is right.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence

from django.db import connection

Part = Callable[[Sequence[int], Sequence[int]], Sequence[object]]
"""Takes profile ids and record ids, ascending; returns rows in a fixed order whose repr tells them apart."""

# The profiles named, and all that their records have ever been in: an undo may bring any of these back.
_RECORDS = """
SELECT DISTINCT record_id FROM profiles_membership WHERE profile_id = ANY(%s) ORDER BY 1
"""
_QUERIES: Mapping[str, str] = {
    "profiles": """
        SELECT id, kind, state, redirect_to_id, golden::text, sort_name FROM profiles_profile
         WHERE id = ANY(%(profiles)s) ORDER BY id""",
    "ownership": """
        SELECT record_id, profile_id FROM profiles_membership
         WHERE record_id = ANY(%(records)s) AND valid_to IS NULL ORDER BY record_id""",
    "records": """
        SELECT id, attributes::text, attribute_times::text, tied_to_id FROM profiles_sourcerecord
         WHERE id = ANY(%(records)s) ORDER BY id""",
    "identifiers": """
        SELECT record_id, kind, namespace, value, profile_id, is_current, valid_from, valid_to FROM profiles_identifier
         WHERE record_id = ANY(%(records)s) ORDER BY record_id, kind, namespace, value""",
    "keys": """
        SELECT DISTINCT k.kind, k.namespace, k.value, k.profile_id, k.shared
          FROM profiles_identifier i JOIN profiles_identifierkey k USING (kind, namespace, value)
         WHERE i.record_id = ANY(%(records)s) ORDER BY 1, 2, 3""",
    "touchpoints": """
        SELECT id, record_id, profile_id FROM profiles_touchpoint WHERE profile_id = ANY(%(profiles)s) ORDER BY id""",
    "orders": """
        SELECT id, record_id, profile_id FROM profiles_order WHERE record_id = ANY(%(records)s) ORDER BY id""",
    "notes": """
        SELECT id, record_id, profile_id FROM profiles_note WHERE record_id = ANY(%(records)s) ORDER BY id""",
    "cases": """
        SELECT id, record_id, profile_id FROM profiles_case WHERE record_id = ANY(%(records)s) ORDER BY id""",
}
_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Add what an upper app hangs on a person, e.g. the state of consents."""
    if name in _QUERIES or name in _parts:
        raise ValueError(f"part {name!r} is registered twice")
    _parts[name] = part


def state_hash(profile_ids: Collection[int]) -> str:
    """64 hex digits that change with anything that hangs on these profiles or on records that have been theirs.

    Ten queries and those of the upper apps.
    """
    digest = hashlib.sha256()
    for name, of_part in sorted(hashes(profile_ids).items()):
        digest.update(f"{name}\0{of_part}\0".encode())
    return digest.hexdigest()


def hashes(profile_ids: Collection[int]) -> dict[str, str]:
    """The hash of each part, to see which one differs."""
    profiles = sorted(profile_ids)
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS, [profiles])
        records = [row[0] for row in cursor.fetchall()]
        rows: dict[str, Sequence[object]] = {}
        for name, query in _QUERIES.items():
            cursor.execute(query, {"profiles": profiles, "records": records})
            rows[name] = cursor.fetchall()
    for name, part in _parts.items():
        rows[name] = part(profiles, records)
    return {name: hashlib.sha256(repr(list(found)).encode()).hexdigest() for name, found in rows.items()}
