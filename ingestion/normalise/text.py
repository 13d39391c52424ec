"""What every text goes through before anything else looks at it."""

import math
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

from ingestion.normalise.values import Problem

MAX_DEPTH: Final = 64  # levels of nesting; Segment's deepest documented object (context) has 4

_NUL: Final = "\x00"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Controls, soft hyphen, zero-width characters, directional marks and embeddings, byte-order mark.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_VISIBLE: Final = re.compile(_INVISIBLE.pattern.replace("[", r"[^\s", 1))
_UNTIDY_ASCII: Final = re.compile(r"[\x00-\x1f\x7f]|  ")
# Anything but Thai and ASCII, or a Thai mark that hangs on what is not Thai.
_MAY_HAVE_ACCENTS: Final = re.compile("[^\x00-\x7f\u0e01-\u0e3a\u0e3f-\u0e5b]|[\x00-\x7f][\u0e38-\u0e3a\u0e48-\u0e4b]")


def unusable(value: Any) -> Problem | None:
    """Why a decoded JSON value cannot be stored in PostgreSQL, or None.

    Walks with an own stack, so that no nesting overflows Python's. Looks into keys as well as values.
    """
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        if isinstance(item, str):
            if _NUL in item:
                return Problem.NUL_BYTE
            if not item.isascii() and _SURROGATE.search(item):
                return Problem.LONE_SURROGATE
        elif isinstance(item, dict):
            if depth >= MAX_DEPTH:
                return Problem.TOO_DEEP
            for key, inner in item.items():
                stack.append((key, depth + 1))
                stack.append((inner, depth + 1))
        elif isinstance(item, list):
            if depth >= MAX_DEPTH:
                return Problem.TOO_DEEP
            stack.extend((inner, depth + 1) for inner in item)
        elif isinstance(item, float) and not math.isfinite(item):
            return Problem.NOT_A_NUMBER
    return None


def clean(text: str) -> str:
    """The text in NFC on one line: no invisible characters, single spaces, nothing at the edges."""
    if text.isascii() and not _UNTIDY_ASCII.search(text):
        return text.strip()
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return " ".join(text.split())


def is_blank(text: str) -> bool:
    """Whether nothing can be seen of the text: ``clean`` leaves nothing of it."""
    return _VISIBLE.search(text) is None


@lru_cache(maxsize=32_768)
def without_accents(text: str) -> str:
    """Latin letters without diacritics (``Müller`` → ``Muller``); other scripts keep their marks."""
    if text.isascii() or (not _MAY_HAVE_ACCENTS.search(text) and unicodedata.is_normalized("NFC", text)):
        return text
    kept: list[str] = []
    base_is_latin = False
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.combining(character):
            if base_is_latin:
                continue
        else:
            base_is_latin = character < "\u0250" or "\u1e00" <= character < "\u1f00"
        kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_LATIN_LETTERS)


# Letters that carry no combining mark to take off.
_LATIN_LETTERS: Final = str.maketrans({
    "ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
    "ı": "i", "þ": "th", "Þ": "Th", "ð": "d", "Ð": "D",
})  # fmt: skip
