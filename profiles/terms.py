"""What a search term may be: keys of customers, the end of a phone number, words of a name. Pure but for settings.

A term is read as it stands and, where that makes sense, as the other keyboard layout would have typed it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from ingestion.national_ids import sealed
from ingestion.normalise.email import normalise_email
from ingestion.normalise.keyboard import retyped
from ingestion.normalise.names import person_name
from ingestion.normalise.national_id import normalise_national_id
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits
from profiles.name_index import Word, words_of
from profiles.reading import FALLBACK_REGIONS

LONGEST_TERM = 200  # characters
MOST_WORDS = 5
# Ids that stand for themselves; e-mails, phones and national ids are normalised first.
ID_KINDS = ("user", "member", "line", "passport")

_LEAST_DIGITS_OF_PHONE = 6
_END_OF_PHONE = re.compile(r"[^\w@]*(?:x+[^\w@]*)*(\d{4})", re.IGNORECASE)  # 1972, •••• 1972, xxx-xxx-1972


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a term.

    Attributes:
        text: what was typed, or would have been.
        keys: (kind, value) of the identifiers that it may be.
        numbers: what it may be as the number of an order, or of a record in its source.
        last_four: digits, when it may be the end of a phone number.
        words: of a name.
        is_retyped: read as the other keyboard layout would have typed it.
    """

    text: str
    keys: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    last_four: str | None
    words: tuple[Word, ...]
    is_retyped: bool


def read(term: str) -> list[Reading]:
    """The ways to read a term, the likeliest first; none when nothing can be seen of it."""
    head = term[:LONGEST_TERM]
    text = clean(ascii_digits(head))
    if not text:
        return []
    other = retyped(head.strip())
    return [_read(text, is_retyped=False)] + ([_read(clean(other), is_retyped=True)] if other else [])


def _read(text: str, *, is_retyped: bool) -> Reading:
    numbers = _spellings(text)
    end = _END_OF_PHONE.fullmatch(text)
    return Reading(
        text=text,
        keys=tuple(_keys(text, numbers)),
        numbers=numbers,
        last_four=end[1] if end else None,
        words=_words(text),
        is_retyped=is_retyped,
    )


def _spellings(text: str) -> tuple[str, ...]:
    """A number as it is read out: in small letters, with blanks, with the # of an order before it."""
    bare = text.lstrip("#").strip()
    forms = (text, bare, "".join(bare.split()))
    return tuple(dict.fromkeys(spelled for form in forms if form for spelled in (form, form.upper(), form.lower())))


def _keys(text: str, numbers: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for kind in ID_KINDS:
        yield from ((kind, number) for number in numbers)
    if "@" in text:
        yield "email", normalise_email(text).value
    if sum(character.isdigit() for character in text) >= _LEAST_DIGITS_OF_PHONE:
        region = settings.COMPANY_PHONE_REGION
        yield "phone", normalise_phone(text, region=region, fallback_regions=FALLBACK_REGIONS).value
        if normalise_national_id(text).problem is None:
            yield "citizen", sealed(text)["hash"]


def _words(text: str) -> tuple[Word, ...]:
    """The words to look for; a title is none. Nothing for e-mails and numbers."""
    if "@" in text or not any(character.isalpha() for character in text):
        return ()
    name = person_name(text)
    return tuple(dict.fromkeys(words_of(name.full if name else text)))[:MOST_WORDS]
