"""Where two texts differ, letter by letter, as a person reads letters. Pure: no Django."""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

# Shorter runs that two texts have in common are chance.
_LEAST_AT_EDGE, _LEAST_WITHIN = 2, 3


class Piece(NamedTuple):
    """A part of a text; `differs` when the other text has something else, or nothing, in its place."""

    text: str
    differs: bool


def letters(text: str) -> list[str]:
    """What a reader sees as one letter: a Thai consonant with its vowel and tone marks is never torn apart.

    >>> letters("น้ำใจ")
    ['น้ำ', 'ใ', 'จ']
    """
    found: list[str] = []
    for character in text:
        if found and (unicodedata.combining(character) or unicodedata.category(character) == "Mn" or character == "ำ"):
            found[-1] += character
        else:
            found.append(character)
    return found


def compare(text: str, other: str) -> tuple[Piece, ...]:
    """The text in pieces. Capital and small letters are the same. A letter or two that happen to stand in both texts
    between others are no likeness: somebody who reads "Marie" beside "Benjamin" sees two names.

    >>> compare("Somchai", "somchay")
    (Piece(text='Somcha', differs=False), Piece(text='i', differs=True))
    >>> compare("Marie", "Benjamin")
    (Piece(text='Marie', differs=True),)
    """
    own, its = letters(text), letters(other)
    matcher = SequenceMatcher(None, _folded(own), _folded(its), autojunk=False)
    found: list[tuple[list[str], bool]] = []
    for operation, start, end, _, _ in matcher.get_opcodes():
        if end > start:
            is_edge = start == 0 or end == len(own)
            differs = operation != "equal" or end - start < (_LEAST_AT_EDGE if is_edge else _LEAST_WITHIN)
            if found and found[-1][1] == differs:
                found[-1][0].extend(own[start:end])
            else:
                found.append((own[start:end], differs))
    return tuple(Piece("".join(piece), differs) for piece, differs in found)


def likeness(text: str, other: str) -> float:
    """0–1: how much of the two texts is the same."""
    return SequenceMatcher(None, _folded(letters(text)), _folded(letters(other)), autojunk=False).ratio()


def _folded(own: Sequence[str]) -> list[str]:
    return [letter.casefold() for letter in own]
