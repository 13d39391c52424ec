"""Finding a customer: by phone in any format or its last four digits, e-mail, ids, order number, or name in either
script.

Nobody is found by what the viewer may not see: neither by a record of another department nor by a trait that is hidden.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from profiles import name_search, name_words, terms
from profiles.models import Profile
from profiles.name_index import NAME_TRAITS
from profiles.name_search import Person
from profiles.terms import Reading

# Likeness of what matches exactly: above every name's, which is at most 1.
CURRENT = 2.0
EARLIER = 1.6  # a number or an address that somebody has given up
LAST_FOUR = 1.2
_RETYPED = 0.05  # less for what the term means on the other keyboard layout only
_FOR_RECENCY = 0.04  # at most; of a touch half a month ago the half
_HALF_DAYS = 15.0
_SURE = 0.9  # names so alike leave no question what was typed
_RECORDS_OF_HIT = 5  # whose whole names are compared for each customer that may be shown
_LOOKED_AT = 4  # customers whose last touch is looked at for each that may be shown
MOST_OF_LAST_FOUR = 200

_TRAITS_OF_KIND: Mapping[str, tuple[str, ...]] = {
    **{kind: (trait,) for trait, kind in KIND_OF_TRAIT.items()},
    "citizen": ("national_id", "citizen_id_last4"),
    "passport": ("passport",),
}
_TRAITS = frozenset(trait for traits in _TRAITS_OF_KIND.values() for trait in traits) | NAME_TRAITS


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer that was found. `field` is what matched: a kind of identifier, "name", "record", "order" or
    "last_four"; `is_retyped`: in what the other keyboard layout would have typed."""

    profile: Profile
    field: str
    likeness: float
    is_retyped: bool = False


@dataclass(frozen=True, slots=True)
class _Match:
    profile_id: int
    field: str
    likeness: float
    is_retyped: bool
    seen_at: datetime | None = None


def find(term: str, *, by: User, limit: int = 20) -> list[Hit]:
    """The customers that a term may mean, best first; of equally good ones who was heard of last.

    Three queries for a number or an address, five for a name, beside the viewer's scope; one more each when nothing in
    the dictionary is near to a word, when a word is none of it, when nobody's name is much like the term, when it makes
    sense on the other keyboard layout as well, and when traits of names are hidden from the viewer.
    """
    readings = terms.read(term)
    if not readings:
        return []
    scope = scope_of(by)
    hidden = _TRAITS & scope.hidden_traits
    matches = _exact(readings, scope, hidden)
    is_number = any(match.likeness >= EARLIER - _RETYPED for match in matches) and _has_digits(term)
    if not is_number and not hidden >= NAME_TRAITS and any(reading.words for reading in readings):
        matches += _by_names(readings, scope, hidden, most=_RECORDS_OF_HIT * limit)
    # The last that is said of a profile stays: what matches best, an identifier rather than a record's number.
    matches.sort(key=lambda match: (match.likeness, match.field != "record", match.field))
    found = {match.profile_id: match for match in matches}
    if not found:
        return []
    standing = _standing(_best(found.values(), _LOOKED_AT * limit), scope)
    now = timezone.now().timestamp()

    def order(profile_id: int) -> tuple[float, float, str, int]:
        one, match = standing[profile_id], found[profile_id]
        heard = _heard(one.touched_at, match.seen_at)
        return -(match.likeness + _recency(heard, now)), -heard, one.sort_name, profile_id

    first = sorted(standing, key=order)[:limit]
    profiles = Profile.objects.visible_to(by).people().in_bulk(first)
    return [
        Hit(profiles[match.profile_id], match.field, match.likeness, match.is_retyped)
        for match in (found[profile_id] for profile_id in first if profile_id in profiles)
    ]


def _has_digits(term: str) -> bool:
    """A number or an address with digits that somebody holds is nobody's name."""
    return any(character.isdigit() for character in term)


def _best(matches: Iterable[_Match], count: int) -> list[int]:
    return [match.profile_id for match in sorted(matches, key=lambda match: -match.likeness)[:count]]


# --- keys and numbers -------------------------------------------------------------------------------------------------

_EXACT = """
SELECT i.kind AS field, i.profile_id AS id, k.place, i.valid_to IS NULL AND i.is_current AS is_current
  FROM unnest(%(kinds)s::text[], %(values)s::text[], %(key_places)s::int[]) AS k(kind, value, place)
  JOIN profiles_identifier i USING (kind, value)
  JOIN profiles_sourcerecord r ON r.id = i.record_id
 WHERE %(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s)
UNION ALL
SELECT 'record', m.profile_id, v.place, true
  FROM ingestion_source s
 CROSS JOIN unnest(%(numbers)s::text[], %(number_places)s::int[]) AS v(external_id, place)
  JOIN profiles_sourcerecord r ON r.source_id = s.id AND r.kind = 'identified' AND r.external_id = v.external_id
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
 WHERE %(sources)s::bigint[] IS NULL OR s.id = ANY(%(sources)s)
UNION ALL
SELECT 'order', o.profile_id, v.place, true
  FROM ingestion_source s
 CROSS JOIN unnest(%(numbers)s::text[], %(number_places)s::int[]) AS v(external_id, place)
  JOIN profiles_order o ON o.source_id = s.id AND o.external_id = v.external_id AND o.profile_id IS NOT NULL
 WHERE (%(sources)s::bigint[] IS NULL OR s.id = ANY(%(sources)s))
   AND (%(event_types)s::smallint[] IS NULL OR EXISTS (
       SELECT 1 FROM profiles_touchpoint t
        WHERE t.profile_id = o.profile_id AND t.order_id = o.id AND t.type_id = ANY(%(event_types)s)))
"""
_LAST_FOUR = """
UNION ALL
SELECT 'last_four', i.profile_id, e.place, true
  FROM unnest(%(ends)s::text[], %(end_places)s::int[]) AS e(last_four, place)
 CROSS JOIN LATERAL (
       SELECT i.profile_id FROM profiles_identifier i JOIN profiles_sourcerecord r ON r.id = i.record_id
        WHERE i.kind = 'phone' AND "right"(i.value, 4) = e.last_four AND i.is_current AND i.valid_to IS NULL
          AND (%(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s))
        ORDER BY i.last_stated_at DESC LIMIT %(most)s) AS i
"""


def _exact(readings: Sequence[Reading], scope: Scope, hidden: frozenset[str]) -> list[_Match]:
    """Who holds a key or a number that the term may be. One query."""
    keys = [
        (kind, value, place)
        for place, reading in enumerate(readings)
        for kind, value in reading.keys
        if hidden.isdisjoint(_TRAITS_OF_KIND.get(kind, ()))
    ]
    numbers = [(number, place) for place, reading in enumerate(readings) for number in reading.numbers]
    ends = [(reading.last_four, place) for place, reading in enumerate(readings) if reading.last_four]
    if "phone" in hidden:
        ends = []
    parameters: dict[str, Any] = {
        "kinds": [kind for kind, _value, _place in keys],
        "values": [value for _kind, value, _place in keys],
        "key_places": [place for _kind, _value, place in keys],
        "numbers": [number for number, _place in numbers],
        "number_places": [place for _number, place in numbers],
        "ends": [end for end, _place in ends],
        "end_places": [place for _end, place in ends],
        "most": MOST_OF_LAST_FOUR,
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "event_types": None if scope.event_type_ids is None else sorted(scope.event_type_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_EXACT + _LAST_FOUR if ends else _EXACT, parameters)
        return [
            _Match(profile_id, field, _likeness(field, is_current) - _RETYPED * bool(place), bool(place))
            for field, profile_id, place, is_current in cursor.fetchall()
        ]


def _likeness(field: str, is_current: bool) -> float:
    if field == "last_four":
        return LAST_FOUR
    return CURRENT if is_current else EARLIER


# --- names ------------------------------------------------------------------------------------------------------------


def _by_names(readings: Sequence[Reading], scope: Scope, hidden: frozenset[str], *, most: int) -> list[_Match]:
    """Two queries, one more for a term that makes sense on the other keyboard layout, too."""
    words = [word for reading in readings for word in reading.words]
    candidates = name_words.candidates(words)
    matches: list[_Match] = []
    first = 0
    for reading in readings:
        places = range(first, first + len(reading.words))
        first = places.stop
        if any(match.likeness >= _SURE for match in matches):
            break
        of_reading = [one._replace(place=one.place - places.start) for one in candidates if one.place in places]
        people = name_search.people(reading.words, of_reading, scope, hidden=hidden, most=most)
        matches += [_of_name(person, is_retyped=reading.is_retyped) for person in people]
    return matches


def _of_name(person: Person, *, is_retyped: bool) -> _Match:
    likeness = person.likeness - (_RETYPED if is_retyped else 0)
    return _Match(person.profile_id, "name", likeness, is_retyped, person.seen_at)


# --- the order --------------------------------------------------------------------------------------------------------


class _Standing(NamedTuple):
    """Of a person: by what they are ordered among equally good ones."""

    sort_name: str
    touched_at: datetime | None


# Among the last twenty touches of each only: who sees few kinds of them would make a long timeline be read to its end.
_STANDING = """
SELECT p.id, p.sort_name, t.occurred_at
  FROM profiles_profile p
  LEFT JOIN LATERAL (
       SELECT occurred_at
         FROM (SELECT occurred_at, source_id, type_id FROM profiles_touchpoint
                WHERE profile_id = p.id ORDER BY occurred_at DESC LIMIT 20) AS t
        WHERE (%(sources)s::bigint[] IS NULL OR t.source_id = ANY(%(sources)s))
          AND (%(event_types)s::smallint[] IS NULL OR t.type_id = ANY(%(event_types)s))
        ORDER BY occurred_at DESC LIMIT 1) AS t ON true
 WHERE p.id = ANY(%(profiles)s) AND p.state = 'live' AND p.kind = 'identified'
"""


def _standing(profile_ids: Sequence[int], scope: Scope) -> dict[int, _Standing]:
    """Those of these profiles that are people, with the last touch that the viewer sees. One query."""
    parameters: dict[str, Any] = {
        "profiles": profile_ids,
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "event_types": None if scope.event_type_ids is None else sorted(scope.event_type_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, parameters)
        return {profile_id: _Standing(sort_name, at) for profile_id, sort_name, at in cursor.fetchall()}


def _heard(*moments: datetime | None) -> float:
    """The last of them, in seconds since 1970; 0 for none."""
    return max((moment.timestamp() for moment in moments if moment is not None), default=0.0)


def _recency(heard: float, now: float) -> float:
    """What the likeness of somebody gains who was heard of then. It is too little to be told apart after two years."""
    days = max(now - heard, 0) / 86_400
    return float(_FOR_RECENCY * 0.5 ** (days / _HALF_DAYS))
