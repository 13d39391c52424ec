"""What a word of a search may mean: the words of the dictionary that are spelled, begin or sound like it.

Whoever mistypes a word means another one, and that one may be written in either script: สายนฝ is สายฝน, and who is
called so may stand there as Saifon. One slip changes a reading by several letters, so that the word that was meant is
looked for in the script of the term first. How that one is written in the other script is told by customers who stand
there in both (`name_spellings`); of words of which nobody tells it, what sounds alike is a candidate.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection
from rapidfuzz.distance import OSA

from ingestion.normalise.thai import is_thai
from profiles.name_index import Word

# Words of the dictionary that are followed up per word of the term, and their least likeness to it.
MOST_CANDIDATES = 150
LEAST_LIKENESS = 0.5
_FOR_BEGINNING = 0.9  # the likeness of a word that only begins so: it may not be typed to the end yet
_FOR_SIMILAR = 0.95  # at most; what is the same comes first


class Candidate(NamedTuple):
    """A word of the dictionary that a word of the term may mean."""

    place: int  # of the word in the term, from 0
    token_id: int
    likeness: float
    bearers: int  # about; 0: few


class _Known(NamedTuple):
    """A word of the dictionary that is like a word of the term."""

    word: Word
    likeness: float
    bearers: int
    spellings: Sequence[int]


# In lateral joins: LIKE could not use an index there, its pattern being no constant. `chr(1114111)` is the last of all
# letters; in the order of the index for beginnings, or the planner reads the whole dictionary in another one's order.
# Words that begin so, sound so, are short, or are one typing error away. Of consonants that many words share those are
# followed up that sound most alike.
_NEAR = """
SELECT w.n::int - 1, c.id, c.token, c.reading, c.skeleton, c.bearers, c.spellings
  FROM unnest(%(words)s::text[], %(readings)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, reading, skeleton, n)
 CROSS JOIN LATERAL (
       (SELECT * FROM profiles_nametoken
         WHERE token ~>=~ w.word AND token ~<~ (w.word || chr(1114111))
         ORDER BY token USING ~<~ LIMIT 40)
       UNION
       (SELECT * FROM profiles_nametoken
         WHERE skeleton = w.skeleton AND w.skeleton <> ''
           AND (char_length(reading) BETWEEN char_length(w.reading) - 3 AND char_length(w.reading) + 3 OR reading = '')
         ORDER BY similarity(reading, w.reading) DESC LIMIT 100)
       UNION
       (SELECT * FROM profiles_nametoken
         WHERE char_length(token) <= 6 AND char_length(w.word) <= 5
           AND "left"(token, 1) IN ("left"(w.word, 1), substr(w.word, 2, 1))
           AND char_length(token) BETWEEN char_length(w.word) - 1 AND char_length(w.word) + 1 LIMIT 1500)
       UNION
       (SELECT * FROM profiles_nametoken
         WHERE profiles_name_variants(reading) && profiles_name_variants(w.reading) LIMIT 400)
       UNION
       (SELECT * FROM profiles_nametoken
         WHERE profiles_name_variants(token) && profiles_name_variants(w.word) AND w.word <> w.reading LIMIT 400)
       ) AS c
"""
# Whatever shares trigrams: much takes long to compare.
_FAR = """
SELECT w.n::int - 1, c.id, c.token, c.reading, c.skeleton, c.bearers, c.spellings
  FROM unnest(%(words)s::text[], %(readings)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, reading, skeleton, n)
 CROSS JOIN LATERAL (
       (SELECT * FROM profiles_nametoken
         WHERE reading %% w.reading ORDER BY similarity(reading, w.reading) DESC LIMIT 80)
       UNION
       (SELECT * FROM profiles_nametoken
         WHERE token %% w.word AND w.word <> w.reading ORDER BY similarity(token, w.word) DESC LIMIT 40)
       ) AS c
"""
_NEAR_ENOUGH = 0.75  # a word like this is one that may be meant; without any, it was typed with more than one error
# What sounds like words of the dictionary and is written in the other script.
_SOUNDING = """
SELECT w.n::int - 1, c.id, c.token, c.reading, c.skeleton, c.bearers, c.spellings
  FROM unnest(%(words)s::text[], %(readings)s::text[], %(skeletons)s::text[])
       WITH ORDINALITY AS w(word, reading, skeleton, n)
 CROSS JOIN LATERAL (
       SELECT * FROM profiles_nametoken
        WHERE profiles_name_variants(reading) && profiles_name_variants(w.reading)
          AND (ascii(token) >= 3584) <> (ascii(w.word) >= 3584) LIMIT 100
       ) AS c
"""
_MOST_MEANT = 4  # words that a mistyped one may have been meant for
_LIKE_ENOUGH = 0.7  # a word, for its spellings to be followed up
_NO_ERROR = 10  # times as many bear a word than bear what is typed, for that to be a typing error in spite of them


def likeness(word: Word, known: Word) -> float:
    """How likely a word of a term means a word of a name, from 0 to 1.

    As `ingestion.normalise.crossing.readings_agree`, which explains it, over forms that are stored.
    """
    if word.token == known.token:
        return 1.0
    begins = _FOR_BEGINNING if len(word.token) > 1 and known.token.startswith(word.token) else 0.0
    thai = not word.token.isascii() and is_thai(word.token)
    is_one_script = thai == (not known.token.isascii() and is_thai(known.token))
    letters = OSA.normalized_similarity(word.token, known.token) if is_one_script else 0.0
    sound = 0.0
    if word.skeleton and known.skeleton:
        sound = OSA.normalized_similarity(word.skeleton, known.skeleton)
        if known.reading:  # else: stored before readings were kept
            sound = (sound + OSA.normalized_similarity(word.reading, known.reading)) / 2
        if is_one_script:  # spelling says more than the reading, which many names share, of Thai ones most
            sound -= 0.2 if thai else 0.1
    return max(begins, _FOR_SIMILAR * max(letters, sound))


def candidates(words: Sequence[Word]) -> list[Candidate]:
    """Words of the dictionary for each word of the term, the likeliest first. One query, one more each for words that
    nothing in the dictionary is near to, and for words that are not in it."""
    alike = _looked_up(_NEAR, dict(enumerate(words)))
    far = {
        place: word
        for place, word in enumerate(words)
        if max((one.likeness for one in alike[place].values()), default=0.0) < _NEAR_ENOUGH
    }
    for place, found in _looked_up(_FAR, far).items():
        alike[place] |= found
    best = {
        (place, token_id): Candidate(place, token_id, one.likeness, one.bearers)
        for place, of_word in alike.items()
        for token_id, one in of_word.items()
    }
    for one in _in_the_other_script(words, {place: list(found.values()) for place, found in alike.items()}):
        known = best.get((one.place, one.token_id))
        if known is None or known.likeness < one.likeness:
            best[one.place, one.token_id] = one
    in_order = sorted(best.values(), key=lambda one: (one.place, -one.likeness, one.token_id))
    return [
        one for _place, those in groupby(in_order, key=attrgetter("place")) for one in islice(those, MOST_CANDIDATES)
    ]


def _in_the_other_script(words: Sequence[Word], alike: Mapping[int, Sequence[_Known]]) -> Iterator[Candidate]:
    """How words like those of the term, in the same script, are written in the other one; of mistyped ones that nobody
    writes in both, what sounds like those that they were meant for. One query if there are such."""
    for place, known in alike.items():
        for one in known:
            if one.likeness >= _LIKE_ENOUGH and is_thai(one.word.token) == is_thai(words[place].token):
                for token_id in one.spellings:
                    yield Candidate(place, token_id, _FOR_SIMILAR * one.likeness, one.bearers)
    meant = [(place, one) for place, word in enumerate(words) for one in _meant(word, alike.get(place, ()))]
    sounding = _looked_up(_SOUNDING, {n: one.word for n, (_place, one) in enumerate(meant)})
    for n, (place, one) in enumerate(meant):
        for token_id, other in sounding[n].items():
            if (together := one.likeness * other.likeness) >= LEAST_LIKENESS:
                yield Candidate(place, token_id, together, other.bearers)


def _meant(word: Word, alike: Sequence[_Known]) -> list[_Known]:
    """Words in the script of the term, a typing error or two away, that this one may have been meant for. Also those of
    a word that is in the dictionary when it is rare there: errors are made by whoever writes names down, too."""
    least = _NO_ERROR * max((one.bearers for one in alike if one.word.token == word.token), default=0)
    thai, most = is_thai(word.token), 1 if len(word.token) < 5 else 2
    near = [
        one
        for one in alike
        if one.bearers >= least
        and one.word.token != word.token
        and is_thai(one.word.token) == thai
        and OSA.distance(one.word.token, word.token, score_cutoff=most) <= most
    ]
    by_reading = {one.word.reading: one for one in sorted(near, key=lambda one: (one.likeness, one.bearers))}
    likeliest = list(by_reading.values())[: -_MOST_MEANT - 1 : -1]
    return [one for one in likeliest if not one.spellings]


def _looked_up(sql: str, words: Mapping[int, Word]) -> dict[int, dict[int, _Known]]:
    """Place → words of the dictionary that are alike enough. One query if there are words."""
    found: dict[int, dict[int, _Known]] = defaultdict(dict)
    if not words:
        return found
    places, forms = list(words), zip(*words.values(), strict=True)
    parameters: dict[str, Any] = dict(zip(("words", "readings", "skeletons"), map(list, forms), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    for n, token_id, *forms_of_known, bearers, spellings in rows:
        known = Word(*forms_of_known)
        alike = likeness(words[places[n]], known)
        if alike >= LEAST_LIKENESS:
            found[places[n]][token_id] = _Known(known, alike, bearers, spellings)
    return found
