"""Comparing names across the two scripts: a key that both spellings share, and a likeness from 0 to 1.

``ธนกร`` is written Thanakorn, Tanagorn or Thanakon by people who bear it. Consonants survive such spellings, vowels and
aspiration do not, so the key is the row of consonant classes, and the likeness compares folded readings.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from ingestion.normalise.romanise import romanise
from ingestion.normalise.text import without_accents
from ingestion.normalise.thai import is_thai, normalise_thai, without_tones

# Letters that one reader writes for another's: pairs, longest first, then single ones, then vowels. Most names have
# none of the rarer ones: what must be in the text for a rule to change it is looked for first.
_PAIRS: Final = [
    (needed, re.compile(pattern), folded)
    for needed, pattern, folded in (
        ("", "[^a-z ]", ""), ("gh", "(?<=[aeiou])gh(?![aeiou])", ""), ("sr", "sr(?=i|ee)", "s"),
        ("", "ph|bh|pp", "p"), ("", "tch|ch|j|sh", "c"), ("", "kh|gh|ck|q|x", "k"), ("h", "th|dh", "t"),
        ("ng", "ng", "n"), ("n", "(?<=n)[td](?= |$)", ""), ("r", "(?<=[oa])r(?=n|$)", ""),
    )
]  # fmt: skip
_SINGLE: Final = str.maketrans("vgbdzfr", "wkptspl")
_VOWELS: Final = [
    (re.compile(pattern), folded)
    for pattern, folded in (("ee|ea|y|e(?=e)", "i"), ("oo|ou|ue|eu", "u"), ("ae|ai|ei|ay", "e"), ("au|aw|ao", "o"))
]
_DOUBLED: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=65_536)
def folded(name: str) -> str:
    """A Latin reading of the name in which the usual ways to spell one Thai sound are one letter."""
    text = without_accents(romanise(name)).lower()
    for needed, pattern, replacement in _PAIRS:
        if needed in text:
            text = pattern.sub(replacement, text)
    text = text.translate(_SINGLE)
    for pattern, replacement in _VOWELS:
        text = pattern.sub(replacement, text)
    return _DOUBLED.sub(r"\1", text).replace("h", "")


@lru_cache(maxsize=65_536)
def skeleton(name: str) -> str:
    """The name's consonant classes: one key for Thai and Latin spellings. Empty when the name has no letters."""
    text = folded(name)
    if not text:
        return ""
    if text.startswith("tl"):  # ทร, read s: ทรงพันธ์ is written Songphan and Throngphan
        text = f"s{text[2:]}"
    classes = text[1:].translate(_CLASSES)
    return _DOUBLED.sub(r"\1", text[0].translate(_FIRST_CLASSES) + classes)


_FIRST_CLASSES: Final = str.maketrans({"a": "a", "e": "a", "i": "a", "o": "a", "u": "a", "w": "w", "c": "s", "l": "n"})
_CLASSES: Final = str.maketrans({**dict.fromkeys("aeiou wyh", ""), "c": "t", "s": "t", "l": "n"})


def names_similar(a: str, b: str) -> float:
    """How alike two names read, from 0 to 1, whatever scripts they are written in. Symmetric.

    Jaro-Winkler of the folded readings: it forgives most, and is meant for finding and ranking candidates. It gives
    names that only begin alike (Kittisak, Kittipong) more than .8: for telling people apart see ``readings_agree``.
    """
    a, b = normalise_thai(a).casefold(), normalise_thai(b).casefold()
    if not a or not b:
        return 0.0
    if a == b:
        return 1.0
    likeness = _jaro_winkler(folded(a), folded(b))
    if is_thai(a) == is_thai(b):
        return max(likeness, _jaro_winkler(without_tones(a), without_tones(b)))
    return likeness


def _jaro_winkler(a: str, b: str) -> float:
    """Jaro-Winkler, made symmetric: its matching window can pair letters differently from the other side."""
    if not a or not b:
        return 0.0
    return max(JaroWinkler.similarity(a, b), JaroWinkler.similarity(b, a))


class _Reading(NamedTuple):
    """A name as it is compared, letter by letter and by its sound."""

    text: str
    is_thai: bool
    letters: str  # without tone marks
    folded: str
    skeleton: str


@lru_cache(maxsize=131_072)
def _reading(name: str) -> _Reading:
    name = normalise_thai(name).casefold()
    return _Reading(name, is_thai(name), without_tones(name), folded(name), skeleton(name))


@lru_cache(maxsize=65_536)
def readings_agree(a: str, b: str) -> float:
    """How likely two names are spellings of one, from 0 to 1, counting every letter alike. Symmetric.

    Families give their children names that begin alike, so the beginning has no more weight here than the end. Two
    names in one script compare by their letters or by their reading, whichever agrees more; across scripts by reading:
    the mean of folded reading and consonant skeleton, since vowels are where spellings part.
    """
    x, y = _reading(a), _reading(b)
    if x.text == y.text:
        return 1.0 if x.text else 0.0
    if not x.folded or not y.folded:
        return OSA.normalized_similarity(x.text, y.text)
    reading = (
        OSA.normalized_similarity(x.folded, y.folded) + OSA.normalized_similarity(x.skeleton, y.skeleton)
    ) / 2  # fmt: skip
    if x.is_thai != y.is_thai:
        return reading
    letters = OSA.normalized_similarity(x.letters, y.letters)
    if x.is_thai:  # Thai spelling says more than the reading, which many names share
        return max(letters, reading - 0.2)
    return max(letters, reading)
