"""The dictionary of search: the distinct words of people's names, with the forms by which they are found.

A million people have some 200,000 words, so that the fuzzy part of a search stays small. A word that is spelled alike
and read otherwise (ศักดิ์ is read sak, ศักดิ is not) is two entries.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection, transaction

from ingestion.normalise.spoken import sound
from ingestion.normalise.text import without_accents
from ingestion.normalise.thai import normalise_thai
from ingestion.normalise.traits import names_of
from profiles.models import NameToken, RecordName, SourceRecord

NAME_TRAITS = frozenset({"first_name", "last_name", "name", "middle_name", "display_name", "nickname"})
"""What a record is found by when a name is searched."""

_IGNORED_MARKS = re.compile("[\u0e47-\u0e4e]")  # tone marks and their like: the commonest misspelling
_NO_LETTERS = re.compile(r"[^\w\u0e00-\u0e7f]+")
_LONGEST_WORD = 80  # NameToken.token, NameToken.reading
_LONGEST_SKELETON = 40  # NameToken.skeleton
_PORTION = 500  # words that are filled in at once
_PORTIONS = 40  # in one run of the chore: some seconds


class Word(NamedTuple):
    """A word of a name.

    Attributes:
        token: one spelling each, without tone marks, accents and case.
        reading: how it sounds, in Latin letters; the same for the usual spellings of one Thai sound. In scripts that
            are neither Thai nor Latin, the token itself.
        skeleton: the consonants of the reading; "" in such scripts.
    """

    token: str
    reading: str
    skeleton: str


def words_of(text: str) -> list[Word]:
    """The words of a name as the dictionary holds them.

    >>> [word.token for word in words_of("ก้องเกียรติ Müller-Smith")]
    ['กองเกียรติ', 'muller', 'smith']
    """
    plain = without_accents(normalise_thai(text)).casefold()
    words = (_word(part) for part in _NO_LETTERS.split(plain) if part)
    return [word for word in words if word.token]


def _word(text: str) -> Word:
    token = _IGNORED_MARKS.sub("", text)[:_LONGEST_WORD]
    reading, skeleton = sound(text)
    return Word(token, (reading or token)[:_LONGEST_WORD], skeleton[:_LONGEST_SKELETON])


def words_of_record(attributes: Mapping[str, Any]) -> set[Word]:
    """The words by which a record of these attributes is to be found."""
    middle = attributes.get("middle_name")
    texts = [name.full for name in names_of(attributes)] + ([middle] if isinstance(middle, str) else [])
    return {word for text in texts for word in words_of(text)}


_ADD_WORDS = """
INSERT INTO profiles_nametoken (token, reading, skeleton)
SELECT token, reading, skeleton FROM unnest(%s::text[], %s::text[], %s::text[]) AS t(token, reading, skeleton)
 ORDER BY token, reading
    ON CONFLICT (token, reading) DO NOTHING
"""
_SET_WORDS = """
WITH wanted AS (
    SELECT w.record_id, t.id AS token_id
      FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS w(record_id, token, reading)
      JOIN profiles_nametoken t USING (token, reading)
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
            cursor.execute(_ADD_WORDS, [list(column) for column in zip(*words, strict=True)])
        numbers = [number for number, _ in rows]
        tokens, readings = [word.token for _, word in rows], [word.reading for _, word in rows]
        cursor.execute(_SET_WORDS, [numbers, tokens, readings, list(attributes)])


def indexed_words(record_ids: Iterable[int]) -> dict[int, set[Word]]:
    """Record → the words by which it is found now. One query."""
    found: dict[int, set[Word]] = defaultdict(set)
    rows = RecordName.objects.filter(record__in=record_ids).values_list(
        "record", "token__token", "token__reading", "token__skeleton"
    )
    for number, token, reading, consonants in rows:
        found[number].add(Word(token, reading, consonants))
    return found


# --- words of earlier releases ----------------------------------------------------------------------------------------


def fill_readings() -> None:
    """Index anew the records whose words were stored before readings were kept, some thousands a run (chore).

    Until it is done, those are found by their letters and their consonants alone.
    """
    for _ in range(_PORTIONS):
        if not _fill_portion():
            return


@transaction.atomic
def _fill_portion() -> bool:
    """Whether there may be more."""
    tokens = list(NameToken.objects.unread().claimed(_PORTION))
    named = RecordName.objects.filter(token__in=tokens).order_by("token", "record").values_list("record", flat=True)
    # Held while they are read and written: what the digest learns of them meanwhile comes after.
    records = SourceRecord.objects.filter(pk__in=list(named[: 4 * _PORTION]))
    index_names(dict(records.order_by("pk").select_for_update(no_key=True).values_list("pk", "attributes")))
    NameToken.objects.unread().filter(pk__in=tokens).unused().delete()
    return bool(tokens)
