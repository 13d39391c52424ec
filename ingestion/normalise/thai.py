"""Thai text: one spelling per word, an order, a Latin reading, and keys that meet across the two scripts."""

import re
from functools import lru_cache
from typing import Final

from ingestion.normalise.text import clean, without_accents

_LONGEST_REPAIRED: Final = 400  # characters; the library's repair is quadratic in runs of marks, no name is longer

_THAI: Final = re.compile("[\u0e01-\u0e5b]")
_DIGITS: Final = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_TONES: Final = str.maketrans("", "", "\u0e48\u0e49\u0e4a\u0e4b")
_MARKS_IGNORED_IN_ORDER: Final = re.compile("[\u0e47-\u0e4c]")
_LEAD_VOWEL: Final = re.compile("([เ-ไ])([ก-ฮ])")

# Everything that pythainlp's normalize would touch: doubled เ, ๅ, nikhahit before า, marks in the wrong order, doubled,
# or with nothing to sit on. A text without any of these is left as it is, and the library is not loaded.
_NEEDS_REPAIR: Final = re.compile(
    "เ[ ]*เ|ๅ|\u0e4d"
    "|[\u0e48-\u0e4c][\u0e30-\u0e3a\u0e45\u0e47-\u0e4e]"  # tone mark or karan before a vowel or another mark
    "|[\u0e30-\u0e33][\u0e48-\u0e4b]"  # following vowel before its tone mark
    "|([\u0e30-\u0e3a\u0e40-\u0e44\u0e47\u0e4c-\u0e4e])[ ]*\\1"  # the same sign twice
    "|(?:^|[ ])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"  # a sign with no letter under it
)


def is_thai(text: str) -> bool:
    """Whether the text holds a Thai letter, vowel, mark or digit."""
    return not text.isascii() and _THAI.search(text) is not None


def ascii_digits(text: str) -> str:
    """Thai digits as 0–9; everything else unchanged."""
    return text if text.isascii() else text.translate(_DIGITS)


@lru_cache(maxsize=65_536)
def normalise_thai(text: str) -> str:
    """Cleaned text in which each Thai word has one spelling: เเ → แ, นํ้า → น้ำ, marks in order and never doubled.

    Unicode's own forms do not unify these. The rules are those of ``pythainlp.util.normalize``, repeated until nothing
    changes, because one pass of it can make a new pair to repair.
    """
    text = clean(text)
    if text.isascii() or len(text) > _LONGEST_REPAIRED or not _NEEDS_REPAIR.search(text):
        return text
    # Loaded on first need: it takes 0.2 s, and most messages never come here.
    from pythainlp.util.normalize import normalize

    for _ in range(4):
        repaired = clean(normalize(text))
        if repaired == text:
            break
        text = repaired
    return text


def without_tones(text: str) -> str:
    """The text without its tone marks: what search compares, since the wrong mark is the commonest misspelling."""
    return text.translate(_TONES)


def sort_key(text: str) -> str:
    """A key whose code point order is Thai dictionary order.

    Leading vowels go behind their consonant and marks count last (rules of ``pythainlp.util.collate``). Latin letters
    sort without case and accents, before Thai.
    """
    text = normalise_thai(text)
    if text.isascii():
        return text.casefold()
    bare = _LEAD_VOWEL.sub(r"\2\1", _MARKS_IGNORED_IN_ORDER.sub("", text))
    marks = "".join(_MARKS_IGNORED_IN_ORDER.findall(text))
    return without_accents(bare).casefold() + marks
