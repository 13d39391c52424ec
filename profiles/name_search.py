"""Names with typing errors, in either script.

First the dictionary: words that are spelled, begin, sound or look like each word of the term. Then people: those whose
names hold something like every word, or the one that is rare; at last their whole names are compared with the term.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from rapidfuzz.distance import OSA

from cdp_site.core.access import Scope
from ingestion.normalise.thai import is_thai
from profiles.models import Membership
from profiles.name_index import NAME_TRAITS, Word, words_of_record

# Words of the dictionary that are followed up per word of the term, and their least likeness to it.
MOST_CANDIDATES = 150
LEAST_LIKENESS = 0.5
LEAST_OF_NAME = 0.65  # of all words together
_FOR_BEGINNING = 0.9  # the likeness of a word that only begins so: it may not be typed to the end yet
_FOR_SIMILAR = 0.95  # at most; what is the same comes first


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word of the dictionary that a word of the term may mean."""

    place: int  # of the word in the term, from 0
    token_id: int
    likeness: float


@dataclass(frozen=True, slots=True)
class Person:
    """A profile whose names are like the term. `seen_at`: when a record that the viewer sees was last heard of."""

    profile_id: int
    likeness: float
    seen_at: datetime


# In lateral joins: LIKE could not use an index there, its pattern being no constant. `chr(1114111)` is the last of all
# letters; in the order of the index for beginnings, or the planner reads the whole dictionary in another one's order.
# Words that begin so, sound so, are short, or are one typing error away. Of consonants that many words share those are
# followed up that sound most alike.
_NEAR = """
SELECT w.n::int - 1, c.id, c.token, c.reading, c.skeleton
  FROM unnest(%(words)s::text[], %(readings)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, reading, skeleton, n)
 CROSS JOIN LATERAL (
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE token ~>=~ w.word AND token ~<~ (w.word || chr(1114111))
         ORDER BY token USING ~<~ LIMIT 40)
       UNION
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE skeleton = w.skeleton AND w.skeleton <> ''
           AND (char_length(reading) BETWEEN char_length(w.reading) - 3 AND char_length(w.reading) + 3 OR reading = '')
         ORDER BY similarity(reading, w.reading) DESC LIMIT 200)
       UNION
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE char_length(token) <= 6 AND char_length(w.word) <= 5
           AND "left"(token, 1) IN ("left"(w.word, 1), substr(w.word, 2, 1))
           AND char_length(token) BETWEEN char_length(w.word) - 1 AND char_length(w.word) + 1 LIMIT 1500)
       UNION
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE profiles_name_variants(reading) && profiles_name_variants(w.reading) LIMIT 400)
       UNION
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE profiles_name_variants(token) && profiles_name_variants(w.word) AND w.word <> w.reading LIMIT 400)
       ) AS c
"""
# Whatever shares trigrams: much takes long to compare.
_FAR = """
SELECT w.n::int - 1, c.id, c.token, c.reading, c.skeleton
  FROM unnest(%(words)s::text[], %(readings)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, reading, skeleton, n)
 CROSS JOIN LATERAL (
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE reading %% w.reading ORDER BY similarity(reading, w.reading) DESC LIMIT 80)
       UNION
       (SELECT id, token, reading, skeleton FROM profiles_nametoken
         WHERE token %% w.word AND w.word <> w.reading ORDER BY similarity(token, w.word) DESC LIMIT 40)
       ) AS c
"""
_NEAR_ENOUGH = 0.75  # a word like this is one that may be meant; without any, it was typed with more than one error


def likeness(word: Word, known: Word) -> float:
    """How likely a word of a term means a word of a name, from 0 to 1.

    As `ingestion.normalise.crossing.readings_agree`, which explains it, over forms that are stored.
    """
    if word.token == known.token:
        return 1.0
    begins = _FOR_BEGINNING if len(word.token) > 1 and known.token.startswith(word.token) else 0.0
    thai = is_thai(word.token)
    is_one_script = thai == is_thai(known.token)
    letters = OSA.normalized_similarity(word.token, known.token) if is_one_script else 0.0
    sound = 0.0
    if word.skeleton and known.skeleton:
        sound = OSA.normalized_similarity(word.skeleton, known.skeleton)
        if known.reading:  # else: stored before readings were kept
            sound = (sound + OSA.normalized_similarity(word.reading, known.reading)) / 2
        if thai and is_one_script:  # Thai spelling says more than the reading, which many names share
            sound -= 0.2
    return max(begins, _FOR_SIMILAR * max(letters, sound))


def candidates(words: Sequence[Word]) -> list[Candidate]:
    """Words of the dictionary for each word of the term, the likeliest first. One query, one more for words that
    nothing in the dictionary is near to."""
    alike = _looked_up(_NEAR, dict(enumerate(words)))
    far = {
        place: word
        for place, word in enumerate(words)
        if max(alike.get(place, {}).values(), default=0.0) < _NEAR_ENOUGH
    }
    for place, found in _looked_up(_FAR, far).items():
        alike[place] = alike.get(place, {}) | found
    best: list[Candidate] = []
    for place in sorted(alike):
        in_order = sorted(alike[place].items(), key=lambda one: (-one[1], one[0]))
        best += [Candidate(place, token_id, how_much) for token_id, how_much in in_order[:MOST_CANDIDATES]]
    return best


def _looked_up(sql: str, words: Mapping[int, Word]) -> dict[int, dict[int, float]]:
    """Place → words of the dictionary that are alike enough, with how much. One query if there are words."""
    if not words:
        return {}
    places, forms = list(words), zip(*words.values(), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(zip(("words", "readings", "skeletons"), map(list, forms), strict=True)))
        rows = cursor.fetchall()
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for n, token_id, token, reading, skeleton in rows:
        alike = likeness(words[places[n]], Word(token, reading, skeleton))
        if alike >= LEAST_LIKENESS:
            found[places[n]][token_id] = alike
    return found


# Rows of one word, its likeliest words of the dictionary first: a name that thousands bear is cut at its newest
# records, and another word of the term tells which of them is meant. A word alone leads to people only when it is rare.
# All is added up in one pass over the rows, with a column for each word that a term may have. Which of them the viewer
# sees is asked last: few are left then, and to ask it of each would take longer than all else.
_PEOPLE = """
WITH c AS MATERIALIZED (
    SELECT *
      FROM unnest(%(places)s::int[], %(tokens)s::bigint[], %(likeness)s::float8[]) AS c(place, token_id, likeness)
), held AS (
    SELECT n.*
      FROM generate_series(0, %(words)s - 1) AS w(place)
     CROSS JOIN LATERAL (
           SELECT c.place, n.record_id, c.likeness, n.bearers <= %(rare)s OR %(words)s = 1 AS is_rare
             FROM c
            CROSS JOIN LATERAL (
                  SELECT n.record_id, count(*) OVER () AS bearers
                    FROM (SELECT record_id FROM profiles_recordname
                           WHERE token_id = c.token_id
                           ORDER BY record_id DESC LIMIT %(of_token)s) AS n) AS n
            WHERE c.place = w.place
            LIMIT %(of_word)s) AS n
), added AS (
    SELECT record_id, bool_or(is_rare) AS is_rare, max(likeness) FILTER (WHERE place = 0) AS a,
           max(likeness) FILTER (WHERE place = 1) AS b, max(likeness) FILTER (WHERE place = 2) AS c,
           max(likeness) FILTER (WHERE place = 3) AS d, max(likeness) FILTER (WHERE place = 4) AS e
      FROM held
     GROUP BY record_id
), records AS MATERIALIZED (
    SELECT record_id, likeness
      FROM (SELECT record_id, coalesce(a, 0) + coalesce(b, 0) + coalesce(c, 0) + coalesce(d, 0) + coalesce(e, 0)
                   AS likeness
              FROM added
             WHERE is_rare OR num_nonnulls(a, b, c, d, e) > 1
             ORDER BY 2 DESC, record_id DESC) AS alike
     WHERE %(sources)s::bigint[] IS NULL OR EXISTS (
           SELECT 1 FROM profiles_sourcerecord r WHERE r.id = alike.record_id AND r.source_id = ANY(%(sources)s))
     LIMIT %(looked_at)s
), best AS (
    SELECT records.record_id
      FROM records JOIN profiles_sourcerecord r ON r.id = records.record_id
     ORDER BY records.likeness DESC, r.last_seen_at DESC LIMIT %(most)s
), profiles AS (
    SELECT DISTINCT m.profile_id
      FROM best JOIN profiles_membership m ON m.record_id = best.record_id AND m.valid_to IS NULL
)
SELECT p.profile_id, max(r.last_seen_at), array_agg(t.id), array_agg(t.token), array_agg(t.reading),
       array_agg(t.skeleton)
  FROM profiles p
  JOIN profiles_membership m ON m.profile_id = p.profile_id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id
  JOIN profiles_recordname n ON n.record_id = m.record_id
  JOIN profiles_nametoken t ON t.id = n.token_id
 WHERE %(sources)s::bigint[] IS NULL OR r.source_id = ANY(%(sources)s)
 GROUP BY p.profile_id
"""
_RARE = 600  # bearers of a word at most, for it to lead to people by itself
_MOST_RECORDS = 150  # whose whole names are compared
_MUCH_ALIKE = 0.8  # a name that may well be meant, typed with an error in one of its words
_MOST_WHEN_UNSURE = 600
_SURE_WORD, _SURE_WORDS = 0.78, 8  # then of the likeliest words alone
_MOST_OF_ONE_NAME = 2_000  # bearers of one name, of whom those heard of last are compared
# Records of one word of the dictionary, and of all those that a word of the term may mean; whoever does not see all of
# them is shown no fewer for it.
_OF_TOKEN, _OF_WORD = 4_000, 10_000
_FOR_A_PART = 2


def people(
    words: Sequence[Word], found: Sequence[Candidate], scope: Scope, *, hidden: Collection[str] = ()
) -> list[Person]:
    """Whose names, in records that the scope sees, hold something like every word. One query, a second that looks at
    more people when nobody's name is much like the term; one more each when traits that names are made of are hidden
    from the viewer."""
    if not found:
        return []
    best = _people(words, found, scope, hidden=hidden, most=_MOST_RECORDS)
    if len(words) > 1 and all(person.likeness < _MUCH_ALIKE for person in best):
        # One word was typed so badly that no candidate is what was meant; the other leads there, if it was not.
        sure = [one for one in found if one.likeness >= _SURE_WORD]
        few = [one for place in range(len(words)) for one in [two for two in sure if two.place == place][:_SURE_WORDS]]
        more = _people(words, few, scope, hidden=hidden, most=_MOST_WHEN_UNSURE) if few else []
        best = list({person.profile_id: person for person in (*best, *more)}.values())
    return best


def _people(
    words: Sequence[Word], found: Sequence[Candidate], scope: Scope, *, hidden: Collection[str], most: int
) -> list[Person]:
    part = 1 if scope.source_ids is None else _FOR_A_PART
    parameters: dict[str, Any] = {
        "words": len(words),
        "places": [candidate.place for candidate in found],
        "tokens": [candidate.token_id for candidate in found],
        "likeness": [candidate.likeness for candidate in found],
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "rare": _RARE,
        "of_token": _OF_TOKEN * part,
        "of_word": _OF_WORD * part,
        "looked_at": most if len(words) > 1 else _MOST_OF_ONE_NAME,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, parameters)
        rows = cursor.fetchall()
    names = {
        profile_id: {
            token_id: Word(token, reading, skeleton)
            for token_id, token, reading, skeleton in zip(*of_person, strict=True)
        }
        for profile_id, _at, *of_person in rows
    }
    seen_at = {profile_id: at for profile_id, at, *_of_person in rows}
    if not NAME_TRAITS.isdisjoint(hidden):
        names = _names_without(hidden, names, scope)
    known = {(candidate.place, candidate.token_id): candidate.likeness for candidate in found}
    return [
        Person(profile_id, alike, seen_at[profile_id])
        for profile_id, of_person in names.items()
        if (alike := _whole_likeness(words, of_person, known))
    ]


def _whole_likeness(
    words: Sequence[Word], of_person: Mapping[int, Word], known: Mapping[tuple[int, int], float]
) -> float:
    """The mean over the words of the term; 0 when one of them, or the whole, is like nothing in the name."""
    total = 0.0
    for place, word in enumerate(words):
        best = max((known.get((place, token_id), 0.0) for token_id in of_person), default=0.0)
        if not best:
            best = max(likeness(word, token) for token in of_person.values())
        if best < LEAST_LIKENESS:
            return 0.0
        total += best
    whole = total / len(words)
    return whole if whole >= LEAST_OF_NAME else 0.0


def _names_without(
    hidden: Collection[str], names: Mapping[int, Mapping[int, Word]], scope: Scope
) -> dict[int, dict[int, Word]]:
    """The same, of words only that are in a trait which the viewer sees. One query."""
    seen: dict[int, set[Word]] = defaultdict(set)
    current = Membership.objects.filter(profile__in=list(names), valid_to=None)
    if scope.source_ids is not None:
        current = current.filter(record__source__in=scope.source_ids)
    for profile_id, attributes in current.values_list("profile", "record__attributes"):
        seen[profile_id] |= words_of_record(
            {trait: value for trait, value in attributes.items() if trait not in hidden}
        )
    return {
        profile_id: kept
        for profile_id, words in names.items()
        if (kept := {token_id: word for token_id, word in words.items() if word in seen[profile_id]})
    }
