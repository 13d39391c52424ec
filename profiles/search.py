"""Finding a customer: by phone in any format, e-mail, ids, order number, or name in either script.

Names are searched through a dictionary of distinct words: a million people have some 200,000 of them, so that the
fuzzy part (trigrams, consonant skeletons across scripts) stays small. Every word of the term has to be found.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.national_ids import sealed
from ingestion.normalise.crossing import readings_agree, skeleton
from ingestion.normalise.email import normalise_email
from ingestion.normalise.names import person_name
from ingestion.normalise.national_id import normalise_national_id
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.text import clean, without_accents
from ingestion.normalise.thai import ascii_digits, normalise_thai
from ingestion.normalise.traits import names_of
from profiles.identifiers import KIND_OF_TRAIT
from profiles.models import Profile, RecordName, Trait
from profiles.reading import FALLBACK_REGIONS

LONGEST_TERM = 200  # characters
MOST_WORDS = 5
# Ids that stand for themselves; e-mails, phones and national ids are normalised first.
ID_KINDS = ("user", "member", "line", "passport")
ID_TRAITS = frozenset(KIND_OF_TRAIT) | {"name"}
# Words of the dictionary that are followed up per word of the term, and their least likeness to it.
MOST_CANDIDATES = 60
LEAST_LIKENESS = 0.7

_TRAIT_OF_KIND = {kind: trait for trait, kind in KIND_OF_TRAIT.items()}
_IGNORED_MARKS = re.compile("[\u0e47-\u0e4e]")  # tone marks and their like: the commonest misspelling
_NO_LETTERS = re.compile(r"[^\w\u0e00-\u0e7f]+")
_LONGEST_WORD = 80  # NameToken.token
_LONGEST_SKELETON = 40  # NameToken.skeleton


@dataclass(frozen=True, slots=True)
class Hit:
    """A customer that was found. `field` is what matched: a kind of identifier, "name", "record" or "order"."""

    profile: Profile
    field: str
    likeness: float


def find(term: str, *, by: User, limit: int = 20) -> list[Hit]:
    """The customers that a term may mean, best first; never one whose match the viewer may not see.

    Three queries, one more for a viewer who sees some trait groups only.
    """
    text = clean(ascii_digits(term))[:LONGEST_TERM]
    if not text:
        return []
    scope = scope_of(by)
    seen = _seen_traits(scope)
    words = _words_of_term(text) if "name" in seen else []
    exact, candidates = _look_up(_probes(text, seen), _variants(text), words, scope)
    found = {profile_id: ("name", likeness) for profile_id, likeness in _by_names(candidates, words, scope, limit)}
    # The last that is said of a profile stays: what matches best, an identifier rather than a record's number.
    for profile_id, field, likeness in sorted(exact, key=lambda row: (row[2], row[1] != "record", row[1])):
        found[profile_id] = (field, likeness)
    profiles = Profile.objects.visible_to(by).people().in_bulk(found)
    hits = [Hit(profile, *found[profile_id]) for profile_id, profile in profiles.items()]
    return sorted(hits, key=lambda hit: (-hit.likeness, hit.profile.sort_name, hit.profile.pk))[:limit]


def _seen_traits(scope: Scope) -> frozenset[str]:
    if scope.trait_groups is None:
        return ID_TRAITS
    groups = Trait.objects.filter(name__in=ID_TRAITS).values_list("name", "group__slug")
    hidden = {name for name, group in groups if group not in scope.trait_groups}
    return ID_TRAITS - hidden


def _variants(text: str) -> list[str]:
    return list(dict.fromkeys((text, text.upper(), text.lower())))


def _probes(text: str, seen: frozenset[str]) -> list[tuple[str, str]]:
    """(kind, value) of the identifiers that the term may be."""
    probes = [(kind, value) for kind in ID_KINDS for value in _variants(text)]
    if "@" in text:
        probes.append(("email", normalise_email(text).value))
    if sum(character.isdigit() for character in text) >= 6:
        probes.append(
            (
                "phone",
                normalise_phone(text, region=settings.COMPANY_PHONE_REGION, fallback_regions=FALLBACK_REGIONS).value,
            )
        )
        if normalise_national_id(text).problem is None:
            probes.append(("citizen", sealed(text)["hash"]))
    return [(kind, value) for kind, value in probes if _TRAIT_OF_KIND.get(kind, "name") in seen or kind == "user"]


# What matched exactly, and the words of the dictionary that come into question, in one round trip.
_LOOK_UP = """
SELECT i.kind AS field, 0 AS word, i.profile_id AS id, NULL AS token,
       CASE WHEN i.valid_to IS NULL AND i.is_current THEN 2.0 ELSE 1.5 END AS likeness
  FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS k(kind, value)
  JOIN profiles_identifier i USING (kind, value)
  JOIN profiles_sourcerecord r ON r.id = i.record_id
 WHERE %(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s)
UNION ALL
SELECT 'record', 0, m.profile_id, NULL, 2.0
  FROM ingestion_source s
 CROSS JOIN unnest(%(variants)s::text[]) AS v(external_id)
  JOIN profiles_sourcerecord r ON r.source_id = s.id AND r.kind = 'identified' AND r.external_id = v.external_id
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
 WHERE %(sources)s::bigint[] IS NULL OR s.id = ANY(%(sources)s)
UNION ALL
SELECT 'order', 0, o.profile_id, NULL, 2.0
  FROM ingestion_source s
 CROSS JOIN unnest(%(variants)s::text[]) AS v(external_id)
  JOIN profiles_order o ON o.source_id = s.id AND o.external_id = v.external_id AND o.profile_id IS NOT NULL
 WHERE (%(sources)s::bigint[] IS NULL OR s.id = ANY(%(sources)s))
   AND (%(event_types)s::smallint[] IS NULL OR EXISTS (
       SELECT 1 FROM profiles_touchpoint t
        WHERE t.profile_id = o.profile_id AND t.order_id = o.id AND t.type_id = ANY(%(event_types)s)))
UNION ALL
SELECT 'name', w.n, c.id, c.token, 0
  FROM unnest(%(words)s::text[], %(prefixes)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, prefix, skeleton, n)
 CROSS JOIN LATERAL (
       (SELECT id, token FROM profiles_nametoken WHERE token LIKE w.prefix ORDER BY token LIMIT 40)
       UNION
       (SELECT id, token FROM profiles_nametoken WHERE skeleton = w.skeleton AND w.skeleton <> '' LIMIT 200)
       UNION
       (SELECT id, token FROM profiles_nametoken WHERE token %% w.word ORDER BY similarity(token, w.word) DESC LIMIT 40)
       ) AS c
"""


@dataclass(frozen=True, slots=True)
class _Candidate:
    word: int  # its place in the term, from 0
    token_id: int
    likeness: float


def _look_up(
    probes: Sequence[tuple[str, str]], variants: Sequence[str], words: Sequence[str], scope: Scope
) -> tuple[list[tuple[int, str, float]], list[_Candidate]]:
    """(profile id, field, likeness) of exact matches, and candidates for the words. One query."""
    parameters = {
        "kinds": [kind for kind, _ in probes],
        "values": [value for _, value in probes],
        "variants": list(variants),
        "words": list(words),
        "prefixes": [word.replace("\\", "").replace("%", "").replace("_", "") + "%" for word in words],
        "skeletons": [skeleton(word)[:_LONGEST_SKELETON] for word in words],
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "event_types": None if scope.event_type_ids is None else sorted(scope.event_type_ids),
    }
    exact, candidates = [], []
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP, parameters)
        for field, word, number, token, likeness in cursor.fetchall():
            if field != "name":
                exact.append((number, field, float(likeness)))
            elif (alike := _likeness(words[word - 1], token)) >= LEAST_LIKENESS:
                candidates.append(_Candidate(word - 1, number, alike))
    return exact, candidates


def _likeness(word: str, token: str) -> float:
    if word == token:
        return 1.0
    begins = 0.9 if len(word) > 1 and token.startswith(word) else 0.0
    return max(begins, 0.95 * readings_agree(word, token))


_BY_NAMES = """
SELECT profile_id, sum(best) / %(words)s
  FROM (SELECT m.profile_id, c.word, max(c.likeness) AS best
          FROM unnest(%(word)s::int[], %(tokens)s::bigint[], %(likeness)s::float8[]) AS c(word, token_id, likeness)
          JOIN profiles_recordname n ON n.token_id = c.token_id
          JOIN profiles_sourcerecord r ON r.id = n.record_id
          JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
         WHERE %(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s)
         GROUP BY m.profile_id, c.word) AS of_word
 GROUP BY profile_id
HAVING count(*) = %(words)s
 ORDER BY 2 DESC, profile_id
 LIMIT %(limit)s
"""


def _by_names(
    candidates: Iterable[_Candidate], words: Sequence[str], scope: Scope, limit: int
) -> list[tuple[int, float]]:
    """(profile id, likeness) of those whose names hold something like every word. One query."""
    best: list[_Candidate] = []
    for word in range(len(words)):
        of_word = [candidate for candidate in candidates if candidate.word == word]
        best += sorted(of_word, key=lambda one: (-one.likeness, one.token_id))[:MOST_CANDIDATES]
    if len({candidate.word for candidate in best}) < len(words) or not words:
        return []
    parameters: dict[str, Any] = {
        "words": len(words),
        "word": [candidate.word for candidate in best],
        "tokens": [candidate.token_id for candidate in best],
        "likeness": [candidate.likeness for candidate in best],
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BY_NAMES, parameters)
        return cursor.fetchall()


# --- the dictionary -----------------------------------------------------------------------------------------------


def words_of(text: str) -> list[str]:
    """The words of a name as the dictionary holds them: one spelling each, without tone marks, accents and case.

    >>> words_of("ก้องเกียรติ Müller-Smith")
    ['กองเกียรติ', 'muller', 'smith']
    """
    plain = without_accents(_IGNORED_MARKS.sub("", normalise_thai(text))).casefold()
    return [word[:_LONGEST_WORD] for word in _NO_LETTERS.split(plain) if word]


def _words_of_term(text: str) -> list[str]:
    """The words to look for; a title is none. Nothing for e-mails and numbers."""
    if "@" in text or not any(character.isalpha() for character in text):
        return []
    name = person_name(text)
    return list(dict.fromkeys(words_of(name.full if name else text)))[:MOST_WORDS]


_ADD_WORDS = """
INSERT INTO profiles_nametoken (token, skeleton)
SELECT token, skeleton FROM unnest(%s::text[], %s::text[]) AS t(token, skeleton) ORDER BY token
    ON CONFLICT (token) DO NOTHING
"""
_SET_WORDS = """
WITH wanted AS (
    SELECT w.record_id, t.id AS token_id
      FROM unnest(%s::bigint[], %s::text[]) AS w(record_id, token) JOIN profiles_nametoken t USING (token)
), gone AS (
    DELETE FROM profiles_recordname n
     WHERE n.record_id = ANY(%s)
       AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.record_id = n.record_id AND w.token_id = n.token_id)
)
INSERT INTO profiles_recordname (record_id, token_id)
SELECT record_id, token_id FROM wanted ORDER BY token_id, record_id
    ON CONFLICT (token_id, record_id) DO NOTHING
"""


def index_names(attributes: Mapping[int, Mapping[str, Any]]) -> None:
    """Make records (id → attributes) findable by exactly the names that they hold now. Two statements."""
    if not attributes:
        return
    rows = [(number, word) for number, held in attributes.items() for word in words_of_record(held)]
    words = sorted({word for _, word in rows})
    with connection.cursor() as cursor:
        if words:
            cursor.execute(_ADD_WORDS, [words, [skeleton(word)[:_LONGEST_SKELETON] for word in words]])
        cursor.execute(_SET_WORDS, [[row[0] for row in rows], [row[1] for row in rows], list(attributes)])


def indexed_words(record_ids: Iterable[int]) -> dict[int, set[str]]:
    """Record → the words by which it is found now. One query."""
    found: dict[int, set[str]] = defaultdict(set)
    for number, word in RecordName.objects.filter(record__in=record_ids).values_list("record", "token__token"):
        found[number].add(word)
    return found


def words_of_record(attributes: Mapping[str, Any]) -> set[str]:
    """The words by which a record of these attributes is to be found."""
    middle = attributes.get("middle_name")
    texts = [name.full for name in names_of(attributes)] + ([middle] if isinstance(middle, str) else [])
    return {word for text in texts for word in words_of(text)}
