"""What it is worth to know whether two records are one person: a merge that joins buyers who can be reached comes
before one of two names on a list."""

from collections.abc import Collection, Mapping
from math import log2

from django.db import connection

from profiles.matching.labels import Pair

# Orders say more than clicks: they are weighed by how many of each are looked at.
_ORDER, _ADDRESS, _TOUCHPOINT = 4.0, 2.0, 1.0
# More of a kind make no difference to the order of a queue; they are not counted further.
_MOST = 256

_FIGURES = """
SELECT p.records, p.id,
       (SELECT count(*) FROM (SELECT 1 FROM profiles_order o
         WHERE o.profile_id = p.id AND o.status <> 'cancelled' LIMIT %(most)s) AS counted),
       (SELECT count(DISTINCT (i.kind, i.value))
          FROM profiles_membership m JOIN profiles_identifier i ON i.record_id = m.record_id
         WHERE m.profile_id = p.id AND m.valid_to IS NULL AND i.kind IN ('email', 'phone', 'line')
           AND i.is_current AND i.problem = '' AND i.valid_to IS NULL),
       (SELECT count(*) FROM (SELECT 1 FROM profiles_touchpoint t WHERE t.profile_id = p.id LIMIT %(most)s) AS counted)
  FROM (SELECT m.profile_id AS id, array_agg(m.record_id) AS records
          FROM unnest(%(records)s::bigint[]) AS wanted(id)
          JOIN profiles_membership m ON m.record_id = wanted.id AND m.valid_to IS NULL
         GROUP BY m.profile_id) AS p
"""


def of(pairs: Collection[Pair]) -> dict[Pair, float]:
    """What a merge of the two records' customers is worth, higher first; never below zero. One query for all.

    Orders, addresses that reach them, and touchpoints, of both; each by its logarithm, so that the second order counts
    for more than the hundredth.
    """
    if not pairs:
        return {}
    profile_of, worth = _figures(sorted({number for pair in pairs for number in pair}))
    return {pair: sum(worth[one] for one in {profile_of[n] for n in pair if n in profile_of}) for pair in pairs}


def _figures(records: list[int]) -> tuple[Mapping[int, int], Mapping[int, float]]:
    """Record → its profile; profile → what a merge with it is worth."""
    profile_of: dict[int, int] = {}
    worth: dict[int, float] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"records": records, "most": _MOST})
        for members, profile, orders, addresses, touchpoints in cursor.fetchall():
            profile_of.update(dict.fromkeys(members, profile))
            worth[profile] = (
                _ORDER * log2(1 + orders) + _ADDRESS * log2(1 + addresses) + _TOUCHPOINT * log2(1 + touchpoints)
            )
    return profile_of, worth
