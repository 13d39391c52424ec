"""People by their names, with typing errors, in either script.

First the dictionary says what each word of the term may mean (`name_words`). Then people: those whose names hold
something like two of the words, or like a word that is rare; at last their whole names are compared with the term.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from cdp_site.core.access import Scope
from profiles.models import Membership
from profiles.name_index import NAME_TRAITS, Word, words_of_record
from profiles.name_words import LEAST_LIKENESS, Candidate, likeness

LEAST_OF_NAME = 0.65  # of all words together


@dataclass(frozen=True, slots=True)
class Person:
    """A profile whose names are like the term. `seen_at`: when a record that the viewer sees was last heard of."""

    profile_id: int
    likeness: float
    seen_at: datetime


# Records that bear something like two of the words. All of each word are joined: whoever is cut off may be the one who
# is meant, and a join of some thousand numbers out of an index takes no longer than to choose among them.
_PAIRS = """
SELECT a.record_id, max(a.likeness + b.likeness) AS likeness
  FROM held a JOIN held b USING (record_id)
 WHERE a.place = 0 AND b.place = 1 AND a.likeness + b.likeness >= %(least)s
 GROUP BY a.record_id
"""
# The same of three words and more.
_SOME = """
SELECT record_id, sum(likeness) AS likeness
  FROM (SELECT record_id, place, max(likeness) AS likeness FROM held GROUP BY record_id, place) AS by_word
 GROUP BY record_id HAVING count(*) > 1 AND sum(likeness) >= %(least)s
"""
# Records that bear one of the words.
_ONE = "SELECT record_id, max(likeness) AS likeness FROM held GROUP BY record_id"
# Which of them the viewer sees is asked of the likeliest alone: to ask it of each would take longer than all else.
_PEOPLE = """
WITH held AS (
    SELECT c.place, c.likeness, n.record_id
      FROM unnest(%(places)s::int[], %(tokens)s::bigint[], %(likeness)s::float8[]) AS c(place, token_id, likeness)
     CROSS JOIN LATERAL (
           SELECT record_id FROM profiles_recordname WHERE token_id = c.token_id
            ORDER BY record_id DESC LIMIT %(of_token)s) AS n
), alike AS (
    {alike}
), records AS MATERIALIZED (
    SELECT record_id, likeness
      FROM (SELECT record_id, likeness FROM alike ORDER BY likeness DESC, record_id DESC) AS alike
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
_BY_PAIRS, _BY_SOME, _BY_ONE = (_PEOPLE.format(alike=alike.strip()) for alike in (_PAIRS, _SOME, _ONE))
_MUCH_ALIKE = 0.8  # a name that may well be meant, typed with an error in one of its words
_LIKELY = (
    0.62  # a word that many bear and that is less alike is not followed up: one of three letters is, with one error
)
_RARE = 600  # bearers of a word at most, for it to lead to people by itself
_SURE_WORD = 0.78  # and its likeness at least
_MOST_OF_RARE = 2_000  # records that such words lead to
_MOST_WHEN_UNSURE = 300  # of these, whose whole names are compared
_MOST_OF_ONE_NAME = 2_000  # bearers of one name, of whom those heard of last are compared
_MOST_OF_ONE_WORD = 10_000  # records of a word alone and of those like it; who sees a part of them is shown no fewer
_OF_TOKEN = 100_000  # records of one word of the dictionary, the newest


def people(
    words: Sequence[Word], found: Sequence[Candidate], scope: Scope, *, most: int, hidden: Collection[str] = ()
) -> list[Person]:
    """Whose names, in records that the scope sees, hold something like every word; of so many records, the likeliest.
    One query, a second that looks at those of rare words when nobody's name is much like the term; one more each when
    traits that names are made of are hidden from the viewer."""
    if not found:
        return []
    if len(words) == 1:
        alone = _up_to(_MOST_OF_ONE_WORD, found)
        return _people(_BY_ONE, words, alone, scope, hidden=hidden, looked_at=_MOST_OF_ONE_NAME, most=most)
    by_several = _BY_PAIRS if len(words) == 2 else _BY_SOME
    likely = [one for one in found if one.likeness >= _LIKELY or one.bearers <= _RARE]
    best = _people(by_several, words, likely, scope, hidden=hidden, looked_at=most, most=most)
    if all(person.likeness < _MUCH_ALIKE for person in best):
        # One word was typed so badly that no candidate is what was meant; the other leads there, if it was not.
        rare = [one for one in found if one.bearers <= _RARE and one.likeness >= _SURE_WORD]
        unsure = {"looked_at": _MOST_WHEN_UNSURE, "most": _MOST_WHEN_UNSURE}
        more = _people(_BY_ONE, words, _up_to(_MOST_OF_RARE, rare), scope, hidden=hidden, **unsure) if rare else []
        best = list({person.profile_id: person for person in (*best, *more)}.values())
    return best


def _up_to(most: int, found: Sequence[Candidate]) -> list[Candidate]:
    """The likeliest words, until so many bear one of them."""
    kept, held = [], 0
    for one in sorted(found, key=lambda one: -one.likeness):
        if held >= most:
            break
        kept.append(one)
        held += one.bearers + 1
    return kept


def _people(
    sql: str,
    words: Sequence[Word],
    found: Sequence[Candidate],
    scope: Scope,
    *,
    hidden: Collection[str],
    looked_at: int,
    most: int,
) -> list[Person]:
    parameters: dict[str, Any] = {
        "places": [candidate.place for candidate in found],
        "tokens": [candidate.token_id for candidate in found],
        "likeness": [candidate.likeness for candidate in found],
        "least": 2 * LEAST_OF_NAME,
        "sources": None if scope.source_ids is None else sorted(scope.source_ids),
        "of_token": _OF_TOKEN,
        "looked_at": looked_at,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
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
